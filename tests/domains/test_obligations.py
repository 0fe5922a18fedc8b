"""Each obligation is a row with owner, due time, state, and evidence or a waiver; the rows follow the process data."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import HOUR, MINUTE, House
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import actions, queries
from tocsin.incidents.models import Incident, Obligation
from tocsin.process import actions as process
from tocsin.process import queries as processes

pytestmark = pytest.mark.django_db

GROUPS = ["product-owners"]
UPDATES = ("update_opening", "update_progress", "update_closing")


@pytest.fixture
def house() -> House:
    return House()


def asked(incident: Incident) -> set[str]:
    """What is open of what the priority asks (roles are the severity's)."""
    return {key for key in world.owed(incident) if not key.startswith("fill_role")}


def send(house: House, incident: Incident, kind: str, audience: str = "groups") -> Obligation:
    """What sending the update that is owed does to its obligation."""
    rows = Obligation.objects.filter(incident=incident, state="open", kind=kind, audience=audience)
    return actions.fulfil_obligation(
        house.ada, rows.get().pk, reference="update 1", deployed_at=house.now, now=house.now
    )


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        pytest.param(
            1,
            {"hotfix", "postmortem", "update_opening:management:0", "update_opening:groups:0"},
            marks=pytest.mark.req("R-9.2.3-5"),
        ),
        pytest.param(2, {"update_opening:management:0", "update_opening:groups:0"}, marks=pytest.mark.req("R-9.2.3-6")),
        pytest.param(3, {"update_opening:groups:0"}, marks=pytest.mark.req("R-9.2.3-7")),
        pytest.param(4, {"work_item"}, marks=pytest.mark.req("R-9.2.3-8")),
    ],
)
def test_the_rows_are_what_the_priority_asks(house: House, priority: int, expected: set[str]) -> None:
    assert asked(house.declare(priority=priority, groups=GROUPS)) == expected


@pytest.mark.parametrize(
    ("priority", "hours"),
    [
        pytest.param(1, 2, marks=pytest.mark.req("R-9.2.3-5")),
        pytest.param(2, 4, marks=pytest.mark.req("R-9.2.3-6")),
        pytest.param(3, 8, marks=pytest.mark.req("R-9.2.3-7")),
    ],
)
def test_the_next_update_comes_at_the_pace_of_the_priority(house: House, priority: int, hours: int) -> None:
    house.now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    incident = house.declare(priority=priority, groups=GROUPS)
    assert world.owed(incident)["update_opening:groups:0"] == house.now + 15 * MINUTE
    send(house, incident, "update_opening")
    assert world.owed(incident)["update_progress:groups:1"] == house.now + hours * HOUR


def test_an_obligation_says_who_owes_it_why_and_until_when(house: House) -> None:
    incident = house.declare(priority=1)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    hotfix = world.obligation(incident, "hotfix")
    assert (hotfix.owner_role, hotfix.owner and hotfix.owner.username) == ("technical_expert", "ada")
    assert (hotfix.due_at, hotfix.reason) == (None, "The priority asks for it.")


@pytest.mark.req("R-9.2.2-2")
def test_raising_makes_the_next_update_due_at_once_when_it_is_overdue_by_the_new_pace(house: House) -> None:
    house.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    incident = house.declare(priority=3, groups=GROUPS)
    send(house, incident, "update_opening")
    house.now = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    actions.change_priority(house.ada, incident.ref, priority=1, reason="all regions", now=house.now)
    assert world.owed(incident)["update_progress:groups:1"] == house.now
    assert {"hotfix", "postmortem", "update_opening:management:0"} <= asked(incident)


@pytest.mark.req("R-9.2.2-2")
def test_lowering_keeps_the_promised_time_and_then_counts_by_the_new_pace(house: House) -> None:
    house.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    incident = house.declare(priority=1, groups=GROUPS)
    send(house, incident, "update_opening")
    house.now = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
    actions.change_priority(house.ada, incident.ref, priority=2, reason="one region", now=house.now)
    promised = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert world.owed(incident)["update_progress:groups:1"] == promised
    assert "hotfix" not in asked(incident)
    assert world.obligation(incident, "hotfix").state == "lapsed"
    house.now = promised
    send(house, incident, "update_progress")
    assert world.owed(incident)["update_progress:groups:2"] == datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def test_a_whole_bracket_sent_on_time(house: House) -> None:
    house.now = start = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    incident = house.declare(priority=1, groups=GROUPS)
    sent = []
    for kind in ["update_opening", *["update_progress"] * 3]:
        send(house, incident, kind)
        sent.append(house.now)
        house.now += 2 * HOUR
    house.now = start + timedelta(hours=7, minutes=30)
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    assert world.owed(incident)["update_closing:groups:4"] == house.now
    assert world.obligation(incident, "update_progress:groups:4").state == "lapsed"
    assert sent == [start + 2 * number * HOUR for number in range(4)]


def test_a_promise_in_an_update_holds_although_the_pace_would_allow_more(house: House) -> None:
    incident = house.declare(priority=1, groups=GROUPS)
    row = world.obligation(incident, "update_opening:groups:0")
    actions.fulfil_obligation(house.ada, row.pk, promised_at=house.now + HOUR, now=house.now)
    assert world.owed(incident)["update_progress:groups:1"] == house.now + HOUR
    assert world.obligation(incident, "update_progress:groups:1").reason == "The last update promised it."


def test_a_waived_update_gives_way_to_the_one_after_it(house: House) -> None:
    incident = house.declare(priority=1, groups=GROUPS)
    send(house, incident, "update_opening")
    row = world.obligation(incident, "update_progress:groups:1")
    actions.waive_obligation(house.ada, row.pk, reason="everybody is on the call", now=house.now)
    assert world.owed(incident)["update_progress:groups:2"] == house.now + 4 * HOUR
    send(house, incident, "update_progress")
    assert world.owed(incident)["update_progress:groups:3"] == house.now + 2 * HOUR


def test_without_groups_they_have_to_be_chosen(house: House) -> None:
    incident = house.declare(priority=2)
    assert "choose_groups" in asked(incident)
    actions.choose_groups(house.ada, incident.ref, groups=GROUPS, now=house.now)
    assert "update_opening:groups:0" in asked(incident)
    chosen = world.obligation(incident, "choose_groups")
    assert (chosen.state, chosen.evidence_seq is not None) == ("fulfilled", True)


class TestFulfil:
    @pytest.mark.req("R-9.2.3-14")
    def test_a_hotfix_needs_the_change_that_was_rolled_out(self, house: House) -> None:
        incident = house.declare()
        row = world.obligation(incident, "hotfix")
        for said, missing in (
            ({}, {"reference", "deployed_at"}),
            ({"reference": "change 4711"}, {"deployed_at"}),
            ({"deployed_at": house.now}, {"reference"}),
            ({"reference": "change 4711", "deployed_at": house.now + MINUTE}, {"deployed_at"}),
            ({"reference": "change 4711", "deployed_at": house.now.replace(tzinfo=None)}, {"deployed_at"}),
        ):
            with pytest.raises(Invalid) as refusal:
                actions.fulfil_obligation(house.ada, row.pk, now=house.now, **said)  # type: ignore[arg-type]
            assert set(refusal.value.fields) == missing
            assert world.obligation(incident, "hotfix").state == "open"
        rolled_out = house.now - MINUTE
        done = actions.fulfil_obligation(
            house.ada, row.pk, reference="change 4711", deployed_at=rolled_out, now=house.now
        )
        assert (done.state, done.reference, done.fulfilled_at) == ("fulfilled", "change 4711", house.now)
        assert world.obligation(incident, "hotfix").deployed_at == rolled_out
        [entry] = world.entries(incident, Kind.OBLIGATION_FULFILLED)
        assert (entry["obligation"], entry["reference"]) == ("hotfix", "change 4711")
        assert done.evidence_seq is not None

    def test_done_twice_is_done_once(self, house: House) -> None:
        incident = house.declare(priority=4)
        row = world.obligation(incident, "work_item")
        for _ in range(2):
            actions.fulfil_obligation(house.ada, row.pk, reference="T-1", now=house.now)
        assert len(world.entries(incident, Kind.OBLIGATION_FULFILLED)) == 1

    def test_a_waiver_needs_a_reason_and_names_who(self, house: House) -> None:
        incident = house.declare()
        row = world.obligation(incident, "hotfix")
        with pytest.raises(Invalid):
            actions.waive_obligation(house.ada, row.pk, reason=" ", now=house.now)
        waived = actions.waive_obligation(house.ada, row.pk, reason="the supplier has to", now=house.now)
        assert (waived.state, waived.waived_by) == ("waived", "ada")
        assert "hotfix" not in asked(incident)

    def test_what_was_waived_is_not_fulfilled_afterwards(self, house: House) -> None:
        incident = house.declare()
        row = world.obligation(incident, "hotfix")
        actions.waive_obligation(house.ada, row.pk, reason="the supplier has to", now=house.now)
        with pytest.raises(Refused):
            actions.fulfil_obligation(house.ada, row.pk, reference="x", deployed_at=house.now, now=house.now)

    def test_an_unknown_one_is_not_found(self, house: House) -> None:
        with pytest.raises(NotFound):
            actions.fulfil_obligation(house.ada, 4711, now=house.now)


class TestLate:
    def test_late_is_due_and_grace_and_its_owner_hears_once(self, house: House) -> None:
        incident = house.declare(groups=GROUPS)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        house.pass_time(25 * MINUTE)
        assert actions.tell_late_obligations(now=house.now) == 0
        house.pass_time(timedelta(seconds=1))
        assert actions.tell_late_obligations(now=house.now) == 2
        assert actions.tell_late_obligations(now=house.now + HOUR) == 0
        late = world.mails("late")
        assert {mail.address for mail in late} == {"ada@harbor.example"}
        assert "update opening to groups was due at 03:27 CET" in {m.payload["subject"][7:] for m in late}
        assert late[0].payload["headers"]["X-Update-Kind"] == "late"
        assert len(world.entries(incident, Kind.OBLIGATION_LATE)) == 2

    def test_with_nobody_responding_the_owners_of_the_team_hear(self, house: House) -> None:
        from tests.domains import worlds

        worlds.person("otto", in_team="identity", is_owner=True, now=house.now)
        house.declare(priority=None)
        house.pass_time(HOUR)
        actions.tell_late_obligations(now=house.now)
        assert {mail.address for mail in world.mails("late")} == {"otto@harbor.example"}

    def test_a_new_promise_that_is_broken_is_told_again(self, house: House) -> None:
        incident = house.declare(priority=1, groups=GROUPS)
        send(house, incident, "update_opening")
        house.run(3 * HOUR, every=10 * MINUTE)
        send(house, incident, "update_progress")
        house.run(3 * HOUR, every=10 * MINUTE)
        keys = [row["key"] for row in world.entries(incident, Kind.OBLIGATION_LATE)]
        assert [key for key in keys if key.startswith("update_progress:groups")] == [
            "update_progress:groups:1",
            "update_progress:groups:2",
        ]

    def test_one_that_fails_does_not_hold_up_the_others(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        from tocsin.incidents.actions import promising

        first, second = house.declare(groups=GROUPS), house.declare(groups=GROUPS)
        real = promising._mail_late

        def mail(row: Obligation, incident: Incident, due_at: datetime, *, now: datetime) -> None:
            if incident.pk == first.pk:
                raise RuntimeError("rotten")
            real(row, incident, due_at, now=now)

        monkeypatch.setattr(promising, "_mail_late", mail)
        house.pass_time(HOUR)
        assert actions.tell_late_obligations(now=house.now) > 0
        assert Obligation.objects.filter(incident=second, told_late_at=house.now).exists()
        assert not Obligation.objects.filter(incident=first, told_late_at__isnull=False).exists()

    def test_neither_rows_within_their_grace_nor_failing_ones_hold_back_others(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tocsin.incidents.actions import promising

        failing, patient, late = (house.declare(groups=GROUPS) for _ in range(3))
        document = copy.deepcopy(processes.current().document)
        document["priorities"]["notification"]["overdue_grace_minutes"] = 120
        process.publish_version(SYSTEM, document, note="patience", now=house.now)
        Incident.objects.filter(pk=patient.pk).update(process_version=processes.current_version())
        Obligation.objects.filter(incident=late).update(due_at=F("due_at") + timedelta(seconds=1))
        real = promising._mail_late

        def mail(row: Obligation, incident: Incident, due_at: datetime, *, now: datetime) -> None:
            if incident.pk == failing.pk:
                raise RuntimeError("rotten")
            real(row, incident, due_at, now=now)

        monkeypatch.setattr(promising, "_mail_late", mail)
        house.pass_time(HOUR)
        assert actions.tell_late_obligations(now=house.now, limit=1) == 1
        assert [row.incident_id for row in Obligation.objects.exclude(told_late_at=None)] == [late.pk]

    def test_promises_are_listed_soonest_first_with_their_lateness(self, house: House) -> None:
        first = house.declare(priority=2, groups=GROUPS)
        house.pass_time(20 * MINUTE)
        second = house.declare(priority=1, groups=GROUPS)
        house.pass_time(6 * MINUTE)
        found = queries.promises(house.ada, now=house.now)
        assert [one.obligation.incident.ref for one in found] == [first.ref] * 2 + [second.ref] * 2
        assert [(one.late, one.late_by) for one in found][1:3] == [(True, 11 * MINUTE), (False, None)]


def test_changing_a_cell_of_the_process_changes_the_named_behaviour(house: House) -> None:
    document = copy.deepcopy(processes.current().document)
    [third] = [one for one in document["priorities"]["priorities"] if one["rank"] == 3]
    third["criteria"]["notify_management"] = True
    third["criteria"]["update_every_minutes"] = 60
    before = house.declare(priority=3, groups=GROUPS)
    process.publish_version(SYSTEM, document, note="management wants to know", now=house.now)
    after = house.declare(priority=3, groups=GROUPS)
    assert asked(before) == {"update_opening:groups:0"}
    assert asked(after) == {"update_opening:groups:0", "update_opening:management:0"}
    house.now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    send(house, after, "update_opening")
    assert world.owed(after)["update_progress:groups:1"] == house.now + HOUR
    send(house, before, "update_opening")
    assert world.owed(before)["update_progress:groups:1"] == house.now + 8 * HOUR


def test_what_was_told_is_carried_into_the_next_generation(house: House) -> None:
    incident = house.declare(priority=1, groups=GROUPS)
    send(house, incident, "update_opening")
    actions.resolve(house.ada, incident.ref, category="deploy", now=house.now)
    send(house, incident, "update_closing")
    house.pass_time(10 * MINUTE)
    actions.reopen(house.ada, incident.ref, now=house.now)
    assert world.owed(incident)["update_opening:groups:2"] == house.now + 15 * MINUTE
