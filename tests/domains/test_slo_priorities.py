"""What a breach means: one decision at a time, stamped at the breach's moment, conditional or by table."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import DEPLETION, MINUTE, NOON
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid, NotAllowed, Refused
from tocsin.core.facts import Kind
from tocsin.slo import actions, queries
from tocsin.slo.models import Breach, Objective, PriorityAssignment
from tocsin.slo.specs import SignalKind, SloSignal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _process(db: None) -> None:
    worlds.process()


def _assign(slo: Objective, at: Any = NOON, **fields: Any) -> PriorityAssignment:
    return actions.assign_priority(SYSTEM, objective=slo, now=at, **{"decision": "set", **fields})


def _burn(slo: Objective, at: Any, *, bad: int = 100) -> list[SloSignal]:
    slo_worlds.push(slo, at, good=100 - min(bad, 100), bad=bad)
    return slo_worlds.judge(slo, at)


def _priorities(slo: Objective) -> list[int | None]:
    return list(Breach.objects.filter(objective=slo).order_by("at").values_list("priority", flat=True))


@pytest.mark.req("R-9.2.1-2")
def test_replacing_a_decision_closes_the_former_at_the_same_instant() -> None:
    slo = slo_worlds.objective()
    first = _assign(slo, priority=3)
    second = _assign(slo, NOON + MINUTE, priority=2)
    first.refresh_from_db()
    assert (first.valid_until, second.valid_from, second.valid_until) == (NOON + MINUTE, NOON + MINUTE, None)


@pytest.mark.req("R-9.2.1-2")
def test_the_database_refuses_a_second_open_decision() -> None:
    slo = slo_worlds.objective()
    _assign(slo, priority=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        PriorityAssignment.objects.create(
            objective=slo, decision="set", priority=2, assigned_by="mara", valid_from=NOON
        )


@pytest.mark.req("R-9.2.1-3")
def test_an_slo_with_breaches_is_retired_not_deleted() -> None:
    slo = slo_worlds.objective()
    _burn(slo, NOON)
    with pytest.raises(ProtectedError):
        slo.delete()
    actions.retire_objective(SYSTEM, slo.name, now=NOON)
    assert queries.objectives(SYSTEM) == []
    assert queries.objectives(SYSTEM, include_retired=True) == [slo]
    assert Breach.objects.count() == 1


@pytest.mark.req("R-9.2.1-4")
def test_a_breach_keeps_the_priority_of_its_moment_and_the_new_one_counts_from_its_first_instant() -> None:
    slo = slo_worlds.objective(rule=DEPLETION)
    _assign(slo, NOON - timedelta(hours=1), priority=3)
    _burn(slo, NOON - MINUTE)
    _assign(slo, NOON, priority=2)
    _burn(slo, NOON)
    _burn(slo, NOON + 5 * MINUTE)
    stamped = list(Breach.objects.order_by("at").values_list("at", "priority"))
    assert stamped == [(NOON - MINUTE, 3), (NOON, 2), (NOON + 5 * MINUTE, 2)]


@pytest.mark.req("R-9.2.4-2")
def test_none_is_a_decision_recorded_with_the_breach_and_undecided_is_another_thing() -> None:
    decided, undecided = slo_worlds.objective(), slo_worlds.objective("search-availability", fallback="remaining")
    _assign(decided, decision="none", reason="No user waits for it")
    for slo in (decided, undecided):
        _burn(slo, NOON)
    breach = Breach.objects.get(objective=decided)
    assert (breach.priority, breach.priority_state, breach.priority_rule) == (None, "none", "assignment")
    assert queries.undecided(SYSTEM, at=NOON) == [undecided]
    other = Breach.objects.get(objective=undecided)
    assert (other.priority, other.priority_state, other.priority_rule) == (1, "set", "remaining")


@pytest.mark.req("R-9.2.4-3")
def test_a_team_need_not_use_every_priority() -> None:
    for name, decision in {"notify": 2, "register": 2, "latency": 3, "preferences": None, "language": None}.items():
        slo = slo_worlds.objective(name)
        _assign(slo, decision="set" if decision else "none", priority=decision)
    assert queries.undecided(SYSTEM, at=NOON) == []


RAISE = {"more_than": 3, "within_seconds": 3600, "to": 2}


def _episodes(minutes: list[int], **fields: Any) -> Objective:
    """An SLO that is bad in single minutes with good ones between: each its own run on a one-minute window."""
    slo = slo_worlds.objective(rule={"name": "depletion", "window_seconds": 60, "every_seconds": 60})
    _assign(slo, NOON - timedelta(days=1), priority=4, raise_rule={**RAISE, **fields})
    for minute in range(max(minutes) + 1):
        end = NOON + minute * MINUTE
        bad = 100 if minute in minutes else 0
        slo_worlds.push(slo, end - MINUTE, good=100 - bad, bad=bad, now=end)
        slo_worlds.judge(slo, end)
    return slo


@pytest.mark.req("R-9.2.4-4")
@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([0, 10, 20, 59], [4, 4, 4, 2]),
        ([0, 10, 20, 60], [4, 4, 4, 4]),
        ([0, 10, 20, 30, 95], [4, 4, 4, 2, 4]),
    ],
    ids=["V21", "V22", "V23"],
)
def test_the_fourth_run_of_breaches_within_an_hour_is_raised(minutes: list[int], expected: list[int]) -> None:
    assert _priorities(_episodes(minutes)) == expected


@pytest.mark.req("R-9.2.4-4")
def test_a_raised_breach_says_so_to_the_open_alert() -> None:
    slo = slo_worlds.objective(rule={"name": "depletion", "window_seconds": 60, "every_seconds": 60})
    _assign(slo, NOON - timedelta(days=1), priority=4, raise_rule=RAISE)
    heard = []
    for minute in range(41):
        end = NOON + minute * MINUTE
        bad = 100 if minute in (0, 10, 20, 30) else 0
        slo_worlds.push(slo, end - MINUTE, good=100 - bad, bad=bad, now=end)
        heard += [(minute, signal.kind, signal.priority) for signal in slo_worlds.judge(slo, end)]
    opened = [row for row in heard if row[1] is not SignalKind.CLOSED]
    assert opened == [
        (0, SignalKind.OPENED, 4),
        (10, SignalKind.REOPENED, 4),
        (20, SignalKind.REOPENED, 4),
        (30, SignalKind.REOPENED, 2),
    ]


@pytest.mark.parametrize(("count", "expected"), [({}, [4, 4, 4, 4, 4]), ({"count": "occurrences"}, [4, 4, 4, 2, 2])])
def test_consecutive_bad_ticks_are_one_episode_unless_occurrences_are_counted(
    count: dict[str, Any], expected: list[int]
) -> None:
    assert _priorities(_episodes([0, 1, 2, 3, 4], **count)) == expected


def test_a_breach_that_changes_priority_while_the_alert_fires_is_told_to_the_alert() -> None:
    slo = slo_worlds.objective(rule=DEPLETION)
    _assign(slo, NOON - MINUTE, priority=3)
    assert [signal.kind for signal in _burn(slo, NOON)] == [SignalKind.OPENED]
    assert _burn(slo, NOON + 5 * MINUTE) == []
    _assign(slo, NOON + 6 * MINUTE, priority=1)
    (signal,) = _burn(slo, NOON + 10 * MINUTE)
    assert (signal.kind, signal.priority) == (SignalKind.BREACHED, 1)


def test_the_manual_mode_stamps_the_breach_and_leaves_the_incident_to_a_person() -> None:
    slo = slo_worlds.objective()
    _assign(slo, priority=2, assign_mode="manual")
    (signal,) = _burn(slo, NOON)
    breach = Breach.objects.get()
    assert (breach.priority, breach.priority_state) == (2, "set")
    assert (signal.priority, signal.priority_state, signal.priority_rule) == (None, "unset", "left_to_a_person")


@pytest.mark.req("R-9.2.5-3")
def test_an_explicit_decision_wins_over_the_tables() -> None:
    slo = slo_worlds.objective(fallback="remaining")
    _assign(slo, priority=4)
    _burn(slo, NOON)
    breach = Breach.objects.get()
    assert (breach.priority, breach.priority_rule) == (4, "assignment")


@pytest.mark.req("R-9.2.5-3")
def test_none_wins_over_the_tables_too() -> None:
    slo = slo_worlds.objective(fallback="velocity", target=Decimal("0.99999"))
    _assign(slo, decision="none")
    _burn(slo, NOON)
    assert Breach.objects.get().priority_state == "none"


@pytest.mark.req("R-9.2.5-3")
def test_the_tables_are_off_by_default() -> None:
    slo = slo_worlds.objective()
    (signal,) = _burn(slo, NOON)
    breach = Breach.objects.get()
    assert (breach.priority, breach.priority_state, breach.priority_rule) == (None, "unset", "")
    assert (signal.priority, signal.priority_state) == (None, "unset")


@pytest.mark.req("R-9.2.5-3")
@pytest.mark.parametrize(
    ("bad", "expected"), [(76, 1), (75, 2), (50, 3), (25, None)], ids=["76 %", "75 %", "50 %", "25 %"]
)
def test_the_velocity_table_speaks_when_switched_on_and_its_name_is_on_the_breach(
    bad: int, expected: int | None
) -> None:
    """A grant of 100 events (100,000 at 99.9 %) of which `bad` went within five minutes."""
    slo = slo_worlds.objective(target=Decimal("0.999"), fallback="velocity", rule=DEPLETION)
    slo_worlds.push(slo, NOON - timedelta(days=3), good=100_000 - 1000, bad=0, now=NOON)
    slo_worlds.push(slo, NOON - MINUTE, good=1000 - bad, bad=bad, now=NOON)
    slo_worlds.judge(slo, NOON)
    breach = Breach.objects.get()
    assert (breach.priority, breach.priority_rule) == (expected, "velocity")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"priority": 9}, "priority"),
        ({"priority": None}, "priority"),
        ({"decision": "none", "priority": 3}, "priority"),
        ({"decision": "perhaps"}, "decision"),
        ({"priority": 2, "assign_mode": "sometimes"}, "assign_mode"),
        ({"priority": 2, "groups": ["nobody"]}, "groups"),
        ({"priority": 2, "raise_rule": {"more_than": 3, "within_seconds": 3600, "to": 3}}, "raise_rule.to"),
        (
            {"priority": 4, "raise_rule": {"more_than": 3, "within_seconds": 90_000, "to": 2}},
            "raise_rule.within_seconds",
        ),
        ({"priority": 4, "raise_rule": {"more_than": 3, "to": 2}}, "raise_rule"),
        ({"priority": 4, "raise_rule": {**RAISE, "also": 1}}, "raise_rule"),
        ({"priority": 4, "raise_rule": {**RAISE, "count": "days"}}, "raise_rule.count"),
    ],
)
def test_a_wrong_decision_is_refused_by_field(fields: dict[str, Any], field: str) -> None:
    slo = slo_worlds.objective()
    with pytest.raises(Invalid) as refused:
        _assign(slo, **fields)
    assert field in refused.value.fields
    assert not PriorityAssignment.objects.exists()


def test_deciding_the_same_again_writes_nothing_and_other_groups_are_another_decision() -> None:
    slo = slo_worlds.objective()
    first = _assign(slo, priority=2, groups=["customer-support"])
    before = Entry.objects.count()
    assert _assign(slo, NOON + MINUTE, priority=2, groups=["customer-support"]) == first
    assert Entry.objects.count() == before
    assert _assign(slo, NOON + MINUTE, priority=2) != first


def test_a_decision_is_in_the_log_with_what_it_replaced() -> None:
    slo = slo_worlds.objective()
    _assign(slo, priority=3)
    _assign(slo, NOON + MINUTE, decision="none", reason="Nobody minds")
    entry = Entry.objects.filter(kind=Kind.PRIORITY_ASSIGNED).latest("seq")
    assert (entry.data["decision"], entry.data["former"], entry.data["reason"]) == ("none", "3", "Nobody minds")


def test_a_decision_takes_the_place_of_one_that_has_not_begun() -> None:
    slo = slo_worlds.objective()
    _assign(slo, priority=3)
    _assign(slo, NOON - MINUTE, priority=2)
    assert [(row.priority, row.valid_until) for row in PriorityAssignment.objects.all()] == [(2, None)]
    kept = [entry.data["decision"] for entry in Entry.objects.filter(kind=Kind.PRIORITY_ASSIGNED).order_by("seq")]
    assert len(kept) == 3  # the decision, that it was taken back, and the one that holds


def test_a_decision_that_gave_a_breach_its_priority_is_not_taken_back_by_a_clock_behind() -> None:
    slo = slo_worlds.objective()
    _assign(slo, priority=3)
    _burn(slo, NOON + MINUTE)
    assert _priorities(slo) == [3]
    with pytest.raises(Refused):
        _assign(slo, NOON - MINUTE, priority=2)
    assert PriorityAssignment.objects.get().priority == 3


def test_only_owners_of_the_team_decide() -> None:
    worlds.service("checkout", of_team="tickets")
    slo = slo_worlds.objective()
    owner = worlds.actor("olga", in_team="tickets", is_owner=True)
    other = worlds.actor("otto", in_team="search", is_owner=True)
    with pytest.raises(NotAllowed):
        actions.assign_priority(other, objective=slo, decision="set", priority=2, now=NOON)
    assert actions.assign_priority(owner, objective=slo, decision="set", priority=2, now=NOON).assigned_by == "olga"


def test_a_withdrawn_decision_puts_the_slo_back_on_the_list() -> None:
    slo = slo_worlds.objective()
    _assign(slo, priority=3)
    actions.withdraw_priority(SYSTEM, objective=slo, reason="Ask the new owner", now=NOON + MINUTE)
    assert queries.assignment_at(slo, NOON) is not None
    assert queries.assignment_at(slo, NOON + MINUTE) is None
    assert queries.undecided(SYSTEM, at=NOON + MINUTE) == [slo]
