"""Many decisions at once: all or none, from a moment on, taken back as a whole; and plans that give way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Conflict, Invalid, NotAllowed
from tocsin.core.facts import Kind
from tocsin.slo import actions, queries
from tocsin.slo.actions import Decided
from tocsin.slo.models import PriorityAssignment

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=6)


@pytest.fixture(autouse=True)
def house() -> None:
    worlds.process()
    for name in ("a-slo", "b-slo", "c-slo"):
        slo_worlds.objective(name)
    actions.assign_priority(
        SYSTEM,
        objective="a-slo",
        decision="set",
        priority=3,
        groups=["customer-support"],
        reason="Seldom used",
        raise_rule={"more_than": 3, "within_seconds": 3600, "to": 1},
        now=NOON - timedelta(days=1),
    )


def held(name: str, at: object = NOON) -> tuple[str, int | None]:
    row = queries.assignment_at(queries.objective(SYSTEM, name), at)  # type: ignore[arg-type]
    return ("unset", None) if row is None else (row.decision, row.priority)


def told() -> int:
    return Entry.objects.filter(kind=Kind.PRIORITY_ASSIGNED.value).count()


@pytest.mark.req("R-9.2.1-8")
def test_several_slos_are_decided_for_one_reason_and_only_changes_are_written() -> None:
    before = told()
    changed = actions.decide_many(
        SYSTEM,
        [Decided("a-slo", "set", 3), Decided("b-slo", "set", 2), Decided("c-slo", "none")],
        reason="Agreed with support",
        now=NOON,
    )
    assert changed == ["b-slo", "c-slo"]
    assert [held(name) for name in ("a-slo", "b-slo", "c-slo")] == [("set", 3), ("set", 2), ("none", None)]
    assert told() - before == 2
    assert PriorityAssignment.objects.get(objective__name="b-slo").reason == "Agreed with support"


def test_one_that_cannot_be_undoes_all_and_is_named() -> None:
    before = told()
    with pytest.raises(Invalid, match="c-slo"):
        actions.decide_many(SYSTEM, [Decided("b-slo", "set", 2), Decided("c-slo", "set", 9)], now=NOON)
    with pytest.raises(Invalid, match="nowhere"):
        actions.decide_many(SYSTEM, [Decided("b-slo", "set", 2), Decided("nowhere", "set", 1)], now=NOON)
    assert held("b-slo") == ("unset", None)
    assert told() == before


def test_who_may_not_decide_one_decides_none() -> None:
    worlds.service("payments", of_team="payments")
    slo_worlds.objective("d-slo", service="payments")
    stranger = worlds.actor("nina", in_team="tickets", is_owner=True)
    with pytest.raises(NotAllowed):
        actions.decide_many(stranger, [Decided("d-slo", "set", 2)], now=NOON)
    assert held("d-slo") == ("unset", None)


@pytest.mark.req("R-9.2.3-10")
def test_groups_are_chosen_for_all_or_kept_for_each() -> None:
    actions.decide_many(SYSTEM, [Decided("a-slo", "set", 2)], now=NOON)
    kept = queries.assignment_at(queries.objective(SYSTEM, "a-slo"), NOON)
    assert kept is not None
    assert [group.code for group in kept.groups.all()] == ["customer-support"]
    assert kept.raise_rule is not None
    both = [Decided("a-slo", "set", 1), Decided("b-slo", "set", 1)]
    actions.decide_many(SYSTEM, both, groups=["product-owners"], now=NOON + MINUTE)
    for name in ("a-slo", "b-slo"):
        row = queries.assignment_at(queries.objective(SYSTEM, name), NOON + MINUTE)
        assert row is not None
        assert [group.code for group in row.groups.all()] == ["product-owners"]
        assert row.raise_rule is None  # nothing is more urgent than what it is now


def test_a_decision_may_begin_later_and_holds_from_its_first_instant() -> None:
    actions.decide_many(SYSTEM, [Decided("a-slo", "set", 1)], valid_from=LATER, now=NOON)
    assert held("a-slo") == held("a-slo", LATER - MINUTE) == ("set", 3)
    assert held("a-slo", LATER) == ("set", 1)


@pytest.mark.parametrize("begins", [NOON - MINUTE, NOON + timedelta(days=400)])
def test_a_beginning_in_the_past_or_too_far_ahead_is_refused(begins: object) -> None:
    with pytest.raises(Invalid, match="valid_from"):
        actions.decide_many(SYSTEM, [Decided("a-slo", "set", 1)], valid_from=begins, now=NOON)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="valid_from"):
        actions.withdraw_priority(SYSTEM, objective="a-slo", reason="", valid_from=begins, now=NOON)  # type: ignore[arg-type]


def test_a_plan_gives_way_to_what_is_decided_before_it_begins() -> None:
    actions.decide_many(SYSTEM, [Decided("a-slo", "set", 1)], valid_from=LATER, now=NOON)
    actions.decide_many(SYSTEM, [Decided("a-slo", "set", 2)], now=NOON + MINUTE)
    assert held("a-slo", NOON + MINUTE) == held("a-slo", LATER) == ("set", 2)
    assert PriorityAssignment.objects.filter(objective__name="a-slo", valid_until=None).count() == 1


@pytest.mark.parametrize("begins", [None, LATER], ids=["now", "later"])
@pytest.mark.parametrize("choice", [("set", 1), ("none", None), ("unset", None)])
def test_what_was_decided_is_taken_back_as_a_whole(choice: tuple[str, int | None], begins: object) -> None:
    decision, priority = choice
    both = [Decided("a-slo", decision, priority), Decided("b-slo", "set", 2)]
    changed = actions.decide_many(SYSTEM, both, valid_from=begins, now=NOON)  # type: ignore[arg-type]
    written = told()
    back = actions.undo_decisions(SYSTEM, changed, decided_at=begins or NOON, now=NOON + MINUTE)  # type: ignore[arg-type]
    assert sorted(back) == ["a-slo", "b-slo"]
    for at in (NOON + MINUTE, LATER):
        assert held("a-slo", at) == ("set", 3)
        assert held("b-slo", at) == ("unset", None)
    row = queries.assignment_at(queries.objective(SYSTEM, "a-slo"), LATER)
    assert row is not None
    assert row.raise_rule is not None
    assert [group.code for group in row.groups.all()] == ["customer-support"]
    assert told() == written + 2


def test_what_somebody_decided_since_is_not_taken_back() -> None:
    changed = actions.decide_many(SYSTEM, [Decided("a-slo", "set", 1), Decided("b-slo", "set", 2)], now=NOON)
    actions.decide_many(SYSTEM, [Decided("b-slo", "none")], now=NOON + MINUTE)
    with pytest.raises(Conflict, match="b-slo"):
        actions.undo_decisions(SYSTEM, changed, decided_at=NOON, now=NOON + 2 * MINUTE)
    assert held("a-slo", NOON + 2 * MINUTE) == ("set", 1)
