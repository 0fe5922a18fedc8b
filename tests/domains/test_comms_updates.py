"""What stakeholders hear: opening, progress, closing, each but the last with the time of the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.audit.models import Entry
from tocsin.comms import actions, queries, writing
from tocsin.comms.models import Update
from tocsin.core.access import SYSTEM, Actor, ActorKind, Role
from tocsin.core.errors import Invalid, NotAllowed
from tocsin.core.facts import Kind
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries as incident_queries
from tocsin.incidents.models import Incident, ObligationState
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as process

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    found = House(now=TEN)
    for group, email in [
        ("management", "chief@harbor.example"),
        ("customer-support", "help@harbor.example"),
        ("product-owners", "owner@harbor.example"),
    ]:
        process.add_group_member(SYSTEM, group=group, email=email, name=group.title(), now=TEN)
    return found


def send(house: House, incident: Incident, text: str = "Log-ons fail for some.", **fields: object) -> Update:
    if "next_update_at" not in fields and incident_queries.incident(SYSTEM, incident.number).is_open:
        fields["next_update_at"] = house.now + 2 * HOUR
    return actions.send_update(house.ada, incident.number, text=text, now=house.now, **fields)  # type: ignore[arg-type]


def resolve(house: House, incident: Incident) -> None:
    incidents.resolve(house.ada, incident.number, service="log-on", category="deploy", now=house.now)


def posted(kind: str = "update") -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind=kind).order_by("id"))


@pytest.mark.req("R-9.2.3-11")
def test_updates_come_in_brackets_opening_progress_and_closing(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    kinds = [send(house, incident).kind]
    house.pass_time(2 * HOUR)
    kinds.append(send(house, incident, "A fix is on its way.").kind)
    resolve(house, incident)
    kinds.append(send(house, incident, "It works again.").kind)
    assert kinds == ["opening", "progress", "closing"]
    assert [update.kind for update in queries.updates(house.ada, incident.number)] == kinds


@pytest.mark.req("R-9.2.3-11")
def test_a_message_that_is_not_final_must_say_when_the_next_one_comes(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    with pytest.raises(Invalid) as refused:
        send(house, incident, next_update_at=None)
    assert set(refused.value.fields) == {"next_update_at"}
    with pytest.raises(Invalid):
        send(house, incident, next_update_at=house.now + 2 * HOUR + timedelta(seconds=1))
    with pytest.raises(Invalid):
        send(house, incident, next_update_at=house.now)
    assert not Update.objects.exists()
    assert posted() == []


@pytest.mark.req("R-9.2.3-11")
def test_the_opening_is_due_a_quarter_of_an_hour_after_the_priority_was_set_and_the_closing_at_the_end(
    house: House,
) -> None:
    incident = house.declare(groups=["customer-support"])
    assert world.owed(incident)["update_opening:groups:0"] == TEN + 15 * MINUTE
    house.pass_time(HOUR)
    resolve(house, incident)
    assert world.owed(incident)["update_closing:groups:0"] == TEN + HOUR


@pytest.mark.req("R-9.2.3-12")
def test_a_p1_from_ten_to_half_past_five_owes_the_five_updates_of_the_vector(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    times = []
    for hours in (0, 2, 4, 6):
        house.now = TEN + hours * HOUR
        update = send(house, incident, f"News of hour {hours}.")
        times.append(update.due_at)
        assert update.next_update_at == house.now + 2 * HOUR
    house.now = TEN + timedelta(hours=7, minutes=30)
    resolve(house, incident)
    closing = send(house, incident, "It works again.")
    assert times == [TEN + 15 * MINUTE, TEN + 2 * HOUR, TEN + 4 * HOUR, TEN + 6 * HOUR]
    assert closing.due_at == house.now
    assert not [key for key in world.owed(incident) if key.startswith("update")]


@pytest.mark.req("R-9.2.3-12")
def test_a_promise_counts_as_late_only_after_the_grace(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident)
    due = TEN + 2 * HOUR
    house.now = due + 10 * MINUTE
    assert [promise.late for promise in incident_queries.promises(house.ada, now=house.now)] == [False, False]
    later = house.now + timedelta(seconds=1)
    late = [promise for promise in incident_queries.promises(house.ada, now=later) if promise.late]
    assert [promise.late_by for promise in late] == [later - due] * 2


def test_an_update_fulfils_what_each_audience_was_owed_with_the_log_entry_as_evidence(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident)
    seq = Entry.objects.get(kind=Kind.UPDATE_SENT).seq
    for audience in ("groups", "management"):
        row = world.obligation(incident, f"update_opening:{audience}:0")
        assert (row.state, row.evidence_seq) == (ObligationState.FULFILLED, seq)
        assert (row.fulfilled_at, row.promised_at) == (TEN, TEN + 2 * HOUR)
        assert world.owed(incident)[f"update_progress:{audience}:1"] == TEN + 2 * HOUR


def test_a_shorter_promise_is_the_one_that_is_owed(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident, next_update_at=TEN + 30 * MINUTE)
    assert world.owed(incident)["update_progress:groups:1"] == TEN + 30 * MINUTE


def test_of_several_groups_the_last_one_served_counts(house: House) -> None:
    incident = house.declare(groups=["customer-support", "product-owners"])
    send(house, incident, groups=["customer-support"])
    assert "update_opening:groups:0" in world.owed(incident)
    house.pass_time(MINUTE)
    send(house, incident, groups=["product-owners"])
    assert "update_opening:groups:0" not in world.owed(incident)
    assert world.owed(incident)["update_progress:groups:1"] == house.now + 2 * HOUR


def test_management_hears_where_the_priority_asks_and_to_the_end_once_it_heard_of_the_beginning(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    assert actions.draft_update(house.ada, incident.number, now=house.now).groups == ("customer-support", "management")
    send(house, incident)
    incidents.change_priority(house.ada, incident.number, priority=3, reason="Few are affected.", now=house.now)
    resolve(house, incident)
    assert "management" in actions.draft_update(house.ada, incident.number, now=house.now).groups
    mild = house.declare("Reports are late", priority=3, groups=["customer-support"])
    assert actions.draft_update(house.ada, mild.number, now=house.now).groups == ("customer-support",)


def test_a_group_that_was_told_of_the_beginning_belongs_to_the_incident_from_then_on(house: House) -> None:
    incident = house.declare(priority=3)
    assert "choose_groups" in world.owed(incident)
    send(house, incident, groups=["customer-support"], next_update_at=TEN + HOUR)
    assert "choose_groups" not in world.owed(incident)
    assert actions.draft_update(house.ada, incident.number, now=house.now).groups == ("customer-support",)
    assert world.owed(incident)["update_progress:groups:1"] == TEN + HOUR


def test_what_is_told_beyond_what_was_asked_binds_all_the_same(house: House) -> None:
    incident = house.declare("One retry is slow", priority=4, groups=["customer-support"])
    assert not [key for key in world.owed(incident) if key.startswith("update")]
    send(house, incident, next_update_at=TEN + HOUR)
    assert world.owed(incident)["update_progress:groups:1"] == TEN + HOUR
    resolve(house, incident)
    assert "update_closing:groups:1" in world.owed(incident)


def test_a_second_closing_message_is_possible_and_owes_nothing(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident)
    resolve(house, incident)
    send(house, incident, "It works again.")
    house.pass_time(MINUTE)
    send(house, incident, "A correction: it worked again from ten on.")
    assert not [key for key in world.owed(incident) if key.startswith("update")]


def test_a_reopened_incident_opens_a_new_bracket(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident)
    resolve(house, incident)
    send(house, incident, "It works again.")
    house.pass_time(5 * MINUTE)
    incidents.reopen(house.ada, incident.number, now=house.now)
    assert send(house, incident, "It came back.").kind == "opening"
    assert world.owed(incident)["update_progress:groups:3"] == house.now + 2 * HOUR


def test_no_change_takes_one_press_writes_its_own_words_and_moves_the_clock(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident)
    house.pass_time(2 * HOUR)
    update = actions.send_update(house.ada, incident.number, no_change=True, now=house.now)
    assert (update.kind, update.no_change, update.next_update_at) == ("progress", True, house.now + 2 * HOUR)
    assert update.text == (
        "Log-on: no change since the last update. Work goes on. Next update by 2026-11-23 14:00 UTC."
    )
    assert update.subject == "Log-on: no change yet (next update 14:00 UTC)"
    assert world.owed(incident)["update_progress:groups:2"] == house.now + 2 * HOUR


@pytest.mark.req("R-9.2.2-5")
def test_the_next_update_tells_of_a_changed_priority(house: House) -> None:
    incident = house.declare("Reports are late", priority=3, groups=["customer-support"])
    send(house, incident, next_update_at=TEN + HOUR)
    incidents.change_priority(house.ada, incident.number, priority=1, reason="Nobody gets any.", now=house.now)
    draft = actions.draft_update(house.ada, incident.number, now=house.now)
    assert draft.text.startswith("INC-1 is now P1 (was P3) because Nobody gets any.")
    house.pass_time(MINUTE)
    update = send(house, incident, "We look into it.")
    assert (update.priority, update.priority_changed_from) == (1, 3)
    assert "The priority is now P1 (was P3)." in posted()[-1].payload["text"]
    house.pass_time(MINUTE)
    assert send(house, incident, "Still looking.").priority_changed_from is None


def test_the_draft_is_the_template_of_the_priority_filled_from_the_record(house: House) -> None:
    incident = house.declare("38% of log-ons fail", groups=["customer-support"])
    draft = actions.draft_update(house.ada, incident.number, now=house.now)
    assert draft.text == (
        "[P1] Log-on: 38% of log-ons fail. Since 2026-11-23 10:00 UTC. A fix is being prepared. "
        "Workaround: none known yet. Next update by 2026-11-23 12:00 UTC. "
        f"Follow: {writing.public_url()}/i/1."
    )
    assert (draft.kind, draft.recipients, draft.next_update_at) == ("opening", 2, TEN + 2 * HOUR)
    assert draft.subject == "Log-on: 38% of log-ons fail (next update 12:00 UTC)"
    assert not Update.objects.exists()


def test_a_draft_can_be_sent_as_it_is_at_every_stage(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    for stage in ("opening", "progress", "closing"):
        if stage == "closing":
            resolve(house, incident)
        draft = actions.draft_update(house.ada, incident.number, now=house.now)
        assert (draft.kind, draft.problems) == (stage, ())
        actions.send_update(
            house.ada, incident.number, text=draft.text, next_update_at=draft.next_update_at, now=house.now
        )
        house.pass_time(20 * MINUTE)
    assert Update.objects.count() == 3


def test_without_a_pace_the_draft_promises_nothing_and_leaves_the_sentence_out(house: House) -> None:
    incident = house.declare("One retry is slow", priority=4)
    draft = actions.draft_update(house.ada, incident.number, now=house.now)
    assert draft.next_update_at is None
    assert "Next update" not in draft.text
    assert draft.problems[0].startswith("Nobody would get this")


@pytest.mark.req("R-X-8")
def test_what_an_alert_or_a_person_wrote_is_never_read_as_a_template(house: House) -> None:
    title = "{priority.__class__} {0} %s {coordinator}\r\nBcc: everybody@harbor.example"
    incident = house.declare(title, groups=["customer-support"])
    draft = actions.draft_update(house.ada, incident.number, now=house.now)
    assert "{priority.__class__} {0} %s {coordinator} Bcc: everybody@harbor.example" in draft.text
    update = send(house, incident, "See {service}\r\nX-Evil: 1", subject="Hello\r\nBcc: x@harbor.example")
    assert update.subject == "Hello Bcc: x@harbor.example"
    assert "See {service}" in update.text


def test_each_address_gets_one_mail_of_its_own_with_the_headers_of_the_thread(house: House) -> None:
    process.add_group_member(SYSTEM, group="product-owners", email="HELP@harbor.example", name="Twice", now=TEN)
    incident = house.declare(groups=["customer-support", "product-owners"])
    update = send(house, incident)
    mails = posted()
    assert sorted(mail.address for mail in mails) == [
        "chief@harbor.example",
        "help@harbor.example",
        "owner@harbor.example",
    ]
    assert update.recipients == 3
    for mail in mails:
        headers = mail.payload["headers"]
        assert (headers["X-Update-Kind"], headers["X-Incident-Id"]) == ("update", "INC-1")
        assert headers["References"] == headers["In-Reply-To"] == "<INC-1@tocsin>"
        assert "List-Unsubscribe" not in headers
        assert "Next update by 2026-11-23 12:00 UTC" in mail.payload["text"]
        assert mail.lane >= 3
    assert len({mail.key for mail in mails}) == 3


def test_stakeholders_wait_for_the_pages_of_every_incident(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    send(house, incident)
    least = house.declare("Reports are late", priority=2)
    pages = OutboxMessage.objects.filter(kind="page", incident=least.ref)
    assert max(page.lane for page in pages) < min(mail.lane for mail in posted())


def test_an_exercise_tells_nobody_and_is_written_all_the_same(house: House) -> None:
    incident = house.declare(groups=["customer-support"], kind="exercise")
    assert send(house, incident).recipients == 0
    assert posted() == []
    world.House.assert_log(house, incident, Kind.UPDATE_SENT)


def test_outsiders_do_not_read_names_of_people(house: House) -> None:
    incident = house.declare(groups=["status-page-subscribers"])
    incidents.acknowledge(house.ada, incident.number, now=house.now)
    with pytest.raises(Invalid) as refused:
        send(house, incident, "Ada is looking into it.")
    assert "text" in refused.value.fields
    assert send(house, incident, "We are looking into it.").pk


def test_an_update_needs_the_right_a_text_and_somebody_to_hear_it(house: House) -> None:
    incident = house.declare(priority=3)
    soon = TEN + HOUR
    with pytest.raises(Invalid) as refused:
        send(house, incident, "  ", next_update_at=soon)
    assert set(refused.value.fields) == {"text", "groups"}
    with pytest.raises(Invalid):
        send(house, incident, groups=["nobody-knows-it"], next_update_at=soon)
    with pytest.raises(Invalid):
        send(house, incident, kind="closing")
    with pytest.raises(Invalid):
        actions.draft_update(house.ada, incident.number, kind="rumour", now=house.now)
    reader = worlds.actor("rita", role=Role.READER.value)
    anonymous = Actor(kind=ActorKind.ANONYMOUS, ident="x", role=Role.ANONYMOUS)
    for actor in (reader, anonymous):
        with pytest.raises(NotAllowed):
            actions.send_update(actor, incident.number, text="x", next_update_at=soon, now=house.now)
    assert not Update.objects.exists()


def test_after_the_end_only_a_closing_update_is_left_to_say(house: House) -> None:
    incident = house.declare(groups=["customer-support"])
    resolve(house, incident)
    with pytest.raises(Invalid):
        send(house, incident, kind="progress")
