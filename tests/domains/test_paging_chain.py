"""Who is woken, in which order, by what, until somebody answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.alerts import actions as alerts
from tocsin.catalog import actions as catalog
from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.engine import deliver
from tocsin.incidents import actions
from tocsin.incidents.actions import engine_faces
from tocsin.incidents.models import Escalation, EscalationState, Incident, Page
from tocsin.oncall import actions as oncall
from tocsin.people import actions as people
from tocsin.people.models import Person
from tocsin.platform.models import OutboxMessage, OutboxState

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


class Refusing:
    """A mail server that knows nobody."""

    def send(self, message: Message, *, deadline: timedelta) -> str:
        raise DeliveryFailed("550 no such mailbox", permanent=True)


def test_the_first_step_is_paged_in_the_transaction_that_opens(house: House) -> None:
    house.declare()
    [mail] = world.mails()
    assert (mail.address, mail.subject_kind, mail.not_before) == ("ada@harbor.example", "page", house.now)
    assert mail.incident == "INC-1"


def test_a_page_says_the_priority_the_service_the_fact_and_since_when(house: House) -> None:
    house.declare()
    [mail] = world.mails()
    assert mail.payload["subject"] == "P1 Log-on: 38% of log-ons fail, since 03:12 CET"
    assert mail.payload["text"].startswith(mail.payload["subject"])
    assert mail.payload["to_name"] == "Ada"


def test_the_first_forty_characters_stand_alone(house: House) -> None:
    catalog.save_service(SYSTEM, name="log-on", display_name="The log-on of everything there is", now=house.now)
    house.declare(title="No log-on " + "x" * 280)
    [mail] = world.mails()
    assert mail.payload["subject"][:40].startswith("P1 The log-on of every…: No log-on")
    assert mail.payload["subject"].endswith("since 03:12 CET")
    assert len(mail.payload["subject"]) <= 150


def test_an_undecided_priority_is_paged_as_its_stand_in_with_a_question_mark(house: House) -> None:
    house.declare(priority=None)
    assert world.mails()[0].payload["subject"].startswith("P2? Log-on")


def test_a_page_carries_the_headers_of_the_mail_contract(house: House) -> None:
    house.declare()
    assert world.mails()[0].payload["headers"] == {
        "X-Incident-Id": "INC-1",
        "X-Update-Kind": "page",
        "References": "<INC-1@tocsin>",
        "In-Reply-To": "<INC-1@tocsin>",
    }


def test_the_token_is_stored_as_a_digest_only(house: House) -> None:
    house.declare()
    token = world.token_of(world.mails()[0])
    assert Page.objects.get().token_digest != token
    assert len(token) >= 40


def test_graver_pages_leave_first(house: House) -> None:
    house.declare(priority=2)
    house.declare(priority=1)
    second, first = world.mails()
    assert first.lane < second.lane


@pytest.mark.req("R-9.3.9-4")
def test_main_then_backup_then_once_again_and_the_end_is_an_event(house: House) -> None:
    house.chain(["user:ada"], ["user:ben"], repeat=1)
    incident = house.declare()
    start = house.now
    house.run(25 * MINUTE)
    pages = list(Page.objects.filter(kind="page").order_by("id"))
    assert [page.person.username for page in pages if page.person] == ["ada", "ben", "ada", "ben"]
    assert [page.created_at - start for page in pages] == [0 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE]
    house.assert_log(incident, Kind.ESCALATION_EXHAUSTED, Kind.FALLBACK_TOLD)
    assert Escalation.objects.get().state == EscalationState.EXHAUSTED


@pytest.mark.req("R-9.3.9-4")
def test_an_acknowledgement_stops_the_chain(house: House) -> None:
    incident = house.declare()
    house.run(2 * MINUTE)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    house.run(HOUR)
    assert world.paged() == ["ada"]


def test_after_the_last_step_nobody_of_the_chain_is_paged_again(house: House) -> None:
    house.declare()
    house.run(5 * HOUR, every=5 * MINUTE)
    assert world.paged() == ["ada", "ben"]


def test_the_fallback_contact_is_told_once(house: House) -> None:
    people.set_fallback_contact(SYSTEM, email="duty@harbor.example", now=house.now)
    house.declare()
    house.run(3 * HOUR, every=5 * MINUTE)
    [mail] = world.mails("fallback")
    assert (mail.address, mail.payload["headers"]["X-Update-Kind"]) == ("duty@harbor.example", "fallback")


def test_without_a_fallback_contact_every_administrator_with_an_address_is_told(house: House) -> None:
    worlds.administrator("second", now=house.now)
    people.add_person(SYSTEM, username="third", role="admin", now=house.now)
    house.declare()
    house.run(HOUR)
    assert [mail.address for mail in world.mails("fallback")] == ["root@harbor.example", "second@harbor.example"]


def test_while_there_is_nobody_to_tell_the_chain_keeps_looking_and_says_so_once(house: House) -> None:
    Person.objects.filter(username="root").update(is_active=False)
    incident = house.declare()
    house.run(30 * MINUTE)
    assert world.mails("fallback") == []
    assert len(world.entries(incident, Kind.ESCALATION_EXHAUSTED)) == 1
    Person.objects.filter(username="root").update(is_active=True)
    house.run(2 * MINUTE)
    assert len(world.mails("fallback")) == 1


def test_an_empty_step_is_passed_over_at_once_and_written_down(house: House) -> None:
    house.chain([], ["user:ben"])
    incident = house.declare()
    assert world.paged() == ["ben"]
    assert world.entries(incident, Kind.ESCALATION_STEP_SKIPPED)[0]["step"] == 1


def test_a_gap_at_every_step_ends_in_the_fallback_within_the_same_tick(house: House) -> None:
    house.chain([], [])
    house.declare()
    assert world.paged() == []
    assert len(world.mails("fallback")) == 1


def test_a_service_without_a_policy_wakes_its_team_on_call_and_then_its_owners(house: House) -> None:
    worlds.person("otto", in_team="reporting", is_owner=True, now=house.now)
    worlds.person("rosa", in_team="reporting", now=house.now)
    catalog.add_service(SYSTEM, name="reports", team="reporting", now=house.now)
    document = {
        "name": "reporting-experts",
        "time_zone": "UTC",
        "layers": [
            {
                "name": "main",
                "priority": 1,
                "start": "2026-11-02T09:00:00Z",
                "rotation": {"unit": "week", "every": 1},
                "users": [["rosa"]],
            }
        ],
    }
    oncall.save_rotation(SYSTEM, document, team="reporting", role="technical_expert", now=house.now)
    house.declare(service="reports")
    house.run(6 * MINUTE)
    assert world.paged() == ["rosa", "otto"]


def test_a_service_without_policy_and_team_is_not_silent(house: House) -> None:
    catalog.add_service(SYSTEM, name="orphan", now=house.now)
    house.declare(service="orphan")
    assert [mail.address for mail in world.mails("fallback")] == ["root@harbor.example"]


def test_who_is_on_call_is_asked_anew_at_each_step(house: House) -> None:
    house.declare()
    people.disable_person(SYSTEM, username="ben", now=house.now)
    house.run(6 * MINUTE)
    assert world.paged() == ["ada"]
    assert len(world.mails("fallback")) == 1


def test_a_policy_changed_meanwhile_leaves_a_running_chain_alone(house: House) -> None:
    house.declare()
    house.chain(["user:root"])
    house.run(6 * MINUTE)
    assert world.paged() == ["ada", "ben"]


def test_a_clock_that_jumped_is_caught_up_one_step_at_each_tick(house: House) -> None:
    house.chain(["user:ada"], ["user:ben"], ["user:root"])
    incident = house.declare()
    house.pass_time(2 * HOUR)
    house.run()
    assert world.paged() == ["ada", "ben"]
    assert world.entries(incident, Kind.PAGE_CREATED)[1]["late_seconds"] == 115 * 60


def test_each_way_of_a_person_is_tried_at_its_own_time(house: House) -> None:
    people.add_contact_method(
        SYSTEM, username="ada", channel="webhook", address="https://hook.example/ada", secret="s" * 32, now=house.now
    )
    house.declare()
    by_channel = {message.channel: message for message in world.mails()}
    assert by_channel["webhook"].not_before == house.now
    assert by_channel["email"].not_before == house.now + 5 * MINUTE
    assert set(by_channel["webhook"].payload) == {"type", "timestamp", "data"}


def test_what_has_not_left_is_taken_back_when_somebody_has_it(house: House) -> None:
    incident = house.declare()
    actions.acknowledge(house.ben, incident.ref, now=house.now)
    assert world.mails() == []
    assert len(world.mails(states=[OutboxState.CANCELLED])) == 1


def test_who_was_told_hears_that_nothing_is_to_be_done_and_the_taker_does_not(house: House) -> None:
    incident = house.declare()
    world.hand_over(house.now)
    actions.acknowledge(house.ben, incident.ref, now=house.now)
    [mail] = world.mails("stand_down")
    assert mail.address == "ada@harbor.example"
    assert "Ben has it" in mail.payload["subject"]


def test_a_page_that_is_just_leaving_is_marked_as_raced(house: House) -> None:
    incident = house.declare()
    OutboxMessage.objects.update(state=OutboxState.CLAIMED, claimed_by="node", attempt=1)
    actions.acknowledge(house.ben, incident.ref, now=house.now)
    assert Page.objects.get().raced


def test_no_page_is_created_after_the_resolve(house: House) -> None:
    incident = house.declare()
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    house.run(HOUR)
    assert world.paged() == ["ada"]
    assert Escalation.objects.get().next_at is None


class TestByHand:
    def test_the_next_step_is_paged_at_once(self, house: House) -> None:
        incident = house.declare()
        actions.escalate(house.ada, incident.ref, now=house.now)
        assert world.paged() == ["ada", "ben"]
        house.assert_log(incident, Kind.INCIDENT_PASSED_ON)

    def test_an_acknowledgement_is_taken_back(self, house: House) -> None:
        incident = house.declare()
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        again = actions.escalate(house.ada, incident.ref, now=house.now)
        assert (again.state, again.acknowledged_at, again.acknowledged_by) == ("triggered", None, None)
        assert world.paged() == ["ada", "ben"]
        house.assert_log(incident, Kind.INCIDENT_UNACKNOWLEDGED)

    def test_a_step_later_in_the_response_is_not_undone(self, house: House) -> None:
        incident = house.declare()
        actions.move(house.ada, incident.ref, "investigating", now=house.now)
        assert actions.escalate(house.ada, incident.ref, now=house.now).state == "investigating"
        assert world.paged() == ["ada", "ben"]

    def test_after_the_end_of_the_chain_it_begins_again(self, house: House) -> None:
        incident = house.declare()
        house.run(HOUR)
        actions.escalate(house.ada, incident.ref, now=house.now)
        assert world.paged() == ["ada", "ben", "ada"]

    def test_what_is_over_cannot_be_escalated(self, house: House) -> None:
        incident = house.declare()
        actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
        with pytest.raises(Refused):
            actions.escalate(house.ada, incident.ref, now=house.now)


class TestSnooze:
    def test_nobody_is_paged_until_it_ends_and_then_the_first_step_is(self, house: House) -> None:
        incident = house.declare()
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        actions.snooze(house.ada, incident.ref, until=house.now + 15 * MINUTE, now=house.now)
        house.run(14 * MINUTE)
        assert world.paged() == ["ada"]
        house.run(2 * MINUTE)
        assert world.paged() == ["ada", "ada"]
        now = world.fresh(incident)
        assert (now.state, now.snoozed_until) == ("triggered", None)
        house.assert_log(incident, Kind.INCIDENT_SNOOZED, Kind.INCIDENT_SNOOZE_ENDED)

    def test_it_ends_in_the_future(self, house: House) -> None:
        incident = house.declare()
        with pytest.raises(Invalid):
            actions.snooze(house.ada, incident.ref, until=house.now, now=house.now)
        assert world.fresh(incident).snoozed_until is None

    def test_taking_charge_meanwhile_ends_it(self, house: House) -> None:
        incident = house.declare()
        actions.snooze(house.ada, incident.ref, until=house.now + HOUR, now=house.now)
        actions.acknowledge(house.ben, incident.ref, now=house.now)
        house.run(2 * HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada"]


class TestQuiet:
    def test_maintenance_keeps_new_incidents_quiet_and_pages_the_first_step_when_it_ends(self, house: House) -> None:
        catalog.set_maintenance(SYSTEM, "log-on", True, now=house.now)
        house.declare()
        house.run(10 * MINUTE)
        assert world.paged() == []
        catalog.set_maintenance(SYSTEM, "log-on", False, now=house.now)
        house.run(MINUTE)
        assert world.paged() == ["ada"]

    def test_what_began_before_the_maintenance_goes_on(self, house: House) -> None:
        house.declare()
        house.pass_time(MINUTE)
        catalog.set_maintenance(SYSTEM, "log-on", True, now=house.now)
        house.run(5 * MINUTE)
        assert world.paged() == ["ada", "ben"]

    def test_a_silence_is_looked_at_again_at_every_step(self, house: House) -> None:
        world.change(world.alert(now=house.now), now=house.now)
        alerts.add_silence(
            SYSTEM,
            matchers=[{"name": "alertname", "value": "LogOnErrors", "isRegex": False, "isEqual": True}],
            starts_at=house.now,
            ends_at=house.now + 20 * MINUTE,
            now=house.now,
        )
        house.run(19 * MINUTE)
        assert world.paged() == ["ada"]
        house.run(2 * MINUTE)
        assert world.paged() == ["ada", "ada"]


class TestHours:
    """It is Monday, 02:12 UTC; the team's office opens at nine."""

    @pytest.mark.req("R-9.2.3-8")
    @pytest.mark.parametrize("priority", [3, 4])
    def test_a_lower_priority_never_wakes_anybody_at_night(self, house: House, priority: int) -> None:
        house.declare(priority=priority)
        house.run(6 * HOUR, every=10 * MINUTE)
        assert world.paged() == []
        house.run(50 * MINUTE, every=10 * MINUTE)
        assert world.paged() == ["ada"]
        assert Page.objects.get().created_at.hour == 9

    def test_raised_at_night_it_is_paged_at_once(self, house: House) -> None:
        incident = house.declare(priority=3)
        actions.change_priority(house.ben, incident.ref, priority=1, reason="it is worse", now=house.now)
        assert world.paged() == ["ada"]

    def test_lowered_at_night_the_next_step_waits(self, house: House) -> None:
        incident = house.declare(priority=1)
        actions.change_priority(house.ben, incident.ref, priority=3, reason="few users", now=house.now)
        house.run(HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada"]

    def test_raising_never_makes_the_next_page_later(self, house: House) -> None:
        incident = house.declare(priority=2)
        house.pass_time(4 * MINUTE)
        before = Escalation.objects.get().next_at
        actions.change_priority(house.ben, incident.ref, priority=1, reason="more users", now=house.now)
        assert Escalation.objects.get().next_at == before

    def test_decided_as_none_nobody_is_paged_until_somebody_decides_again(self, house: House) -> None:
        incident = house.declare()
        actions.change_priority(house.ben, incident.ref, priority=None, state="none", reason="a test", now=house.now)
        house.run(HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada"]
        actions.change_priority(house.ben, incident.ref, priority=1, reason="no test", now=house.now)
        assert world.paged() == ["ada", "ada"]


class TestDecidedAsNone:
    """An open incident whose priority pages nobody can still be taken, snoozed and escalated by hand."""

    @pytest.fixture
    def incident(self, house: House) -> Incident:
        incident = house.declare()
        return actions.change_priority(
            house.ben, incident.ref, priority=None, state="none", reason="a test", now=house.now
        )

    def test_it_can_be_taken_and_stays_taken_when_it_is_raised(self, house: House, incident: Incident) -> None:
        assert actions.acknowledge(house.ada, incident.ref, now=house.now).state == "acknowledged"
        actions.change_priority(house.ben, incident.ref, priority=1, reason="no test", now=house.now)
        house.run(HOUR, every=5 * MINUTE)
        assert world.paged() == ["ada"]

    def test_it_can_be_snoozed(self, house: House, incident: Incident) -> None:
        assert actions.snooze(house.ada, incident.ref, until=house.now + HOUR, now=house.now).snoozed_until

    def test_a_hand_on_the_button_pages_all_the_same(self, house: House, incident: Incident) -> None:
        actions.escalate(house.ada, incident.ref, now=house.now)
        assert world.paged() == ["ada", "ada"]


class TestFailures:
    def test_a_poisoned_row_is_put_aside_and_holds_nobody_up(
        self, house: House, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        bad, good = house.declare(), house.declare()
        real = engine_faces.chain_step.advance

        def advance(incident: Incident, row: Escalation, *, now: Any) -> bool:
            if incident.pk == bad.pk:
                raise RuntimeError("rotten")
            return real(incident, row, now=now)

        monkeypatch.setattr(engine_faces.chain_step, "advance", advance)
        house.pass_time(5 * MINUTE)
        house.run()
        pages = Page.objects.filter(person__username="ben").values_list("incident", flat=True)
        assert list(pages) == [good.pk]
        assert Escalation.objects.get(incident=bad).next_at == house.now + MINUTE
        assert "put aside" in caplog.text

    def test_when_every_message_of_a_step_failed_the_next_step_is_due_at_once(self, house: House) -> None:
        house.declare()
        page = Page.objects.get()
        OutboxMessage.objects.update(state=OutboxState.FAILED)
        house.pass_time(MINUTE)
        assert actions.page_failed(page.pk, detail="no such mailbox", now=house.now)
        house.run()
        assert world.paged() == ["ada", "ben"]

    def test_a_mailbox_that_does_not_exist_hurries_the_chain(self, house: House) -> None:
        incident = house.declare()
        refusing = {"email": Refusing()}
        assert deliver.turn(refusing, now=house.now) == 1
        house.assert_log(incident, Kind.PAGE_FAILED, Kind.ESCALATION_STEP_SKIPPED)
        house.run()
        assert world.paged() == ["ada", "ben"]

    def test_while_another_way_is_open_the_step_has_its_time(self, house: House) -> None:
        house.chain(["user:ada", "user:ben"], ["user:root"])
        house.declare()
        first = Page.objects.order_by("id").first()
        assert first is not None
        OutboxMessage.objects.filter(subject_id=str(first.pk)).update(state=OutboxState.FAILED)
        assert not actions.page_failed(first.pk, now=house.now)

    def test_the_chain_looks_at_a_bounded_number_of_rows(self, house: House) -> None:
        for _ in range(3):
            house.declare()
        house.pass_time(5 * MINUTE)
        assert actions.advance_escalations(now=house.now, limit=2) == 2
        assert actions.advance_escalations(now=house.now, limit=2) == 1


def test_a_condition_told_again_wakes_a_chain_that_had_ended_and_no_other(house: House) -> None:
    row = world.objective(house.service, now=house.now)
    said = world.signal(row, now=house.now)
    alert = world.slo_alert(said, now=house.now)
    change = world.AlertChange
    world.tell(change(alert, world.ChangeKind.OPENED, "new", said), now=house.now)
    house.run(HOUR)
    assert world.paged() == ["ada", "ben"]
    house.pass_time(HOUR)
    again = world.signal(row, "renotified", now=house.now)
    world.tell(change(alert, world.ChangeKind.REPEATED, "renotified", again), now=house.now)
    assert world.paged() == ["ada", "ben", "ada"]
    house.pass_time(timedelta(seconds=30))
    once_more = world.signal(row, "renotified", now=house.now)
    world.tell(change(alert, world.ChangeKind.REPEATED, "renotified", once_more), now=house.now)
    assert world.paged() == ["ada", "ben", "ada"]
