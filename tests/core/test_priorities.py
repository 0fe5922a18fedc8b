"""Which priority holds at a moment, and how incidents queue by it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from tests.core.process_samples import CRITICAL, P1, P2, P3, P4, PROCESS, WARNING, at, process_with
from tocsin.core.errors import Invalid
from tocsin.core.priorities import (
    Assignment,
    AssignMode,
    MomentPriority,
    PriorityDuty,
    PriorityRule,
    PriorityState,
    assignment_at,
    automatic_raise,
    duties,
    effective_rank,
    from_foreign,
    incident_order,
    incident_priority,
    moment_priority,
    opens_incident,
    overlapping,
    page_rule,
    required_priority,
    to_foreign,
    urgency,
)
from tocsin.core.process_parts import PageWhen, Urgency
from tocsin.core.severities import severity_rank

CATALOGUE = PROCESS.catalogue


def assigned(rank: int | None, start: str, end: str | None = None, raised: int | None = None) -> Assignment:
    state = PriorityState.NONE if rank is None else PriorityState.SET
    return Assignment(state, rank, at(start), at(end) if end else None, raised)


@pytest.mark.req("R-9.2.1-4")
def test_a_breach_has_the_priority_of_its_moment_to_the_second() -> None:
    history = [assigned(P3, "09:00", "12:00"), assigned(P2, "12:00")]
    before = moment_priority(assignment_at(history, at=at("11:59") + timedelta(seconds=59)))
    after = moment_priority(assignment_at(history, at=at("12:00")))
    assert (before.rank, after.rank) == (P3, P2)


def test_before_the_first_assignment_the_priority_is_unset() -> None:
    found = moment_priority(assignment_at([assigned(P3, "09:00")], at=at("08:59")))
    assert found == MomentPriority(PriorityState.UNSET, None, PriorityRule.NOTHING)


@pytest.mark.req("R-9.2.1-2")
def test_two_assignments_at_once_are_found_and_a_replacement_is_not() -> None:
    first, second = assigned(P3, "09:00"), assigned(P2, "12:00")
    assert overlapping([second, first]) == (first, second)
    assert overlapping([assigned(P3, "09:00", "12:00"), second]) is None
    assert overlapping([]) is None


def test_the_frequency_rule_of_an_assignment_raises_and_never_lowers() -> None:
    conditional = assigned(P4, "09:00", raised=P2)
    assert moment_priority(conditional).rank == P4
    assert moment_priority(conditional, frequent=True) == MomentPriority(PriorityState.SET, P2, PriorityRule.FREQUENCY)
    assert moment_priority(assigned(P1, "09:00", raised=P2), frequent=True).rank == P1
    assert moment_priority(assigned(P4, "09:00"), frequent=True).rank == P4


@pytest.mark.req("R-9.2.5-3")
def test_the_fallback_speaks_only_where_nothing_was_decided() -> None:
    assert moment_priority(None, fallback_rank=P1).rule is PriorityRule.FALLBACK
    assert moment_priority(assigned(P3, "09:00"), fallback_rank=P1).rank == P3
    assert moment_priority(assigned(None, "09:00"), fallback_rank=P1).state is PriorityState.NONE
    assert moment_priority(None).state is PriorityState.UNSET


@pytest.mark.req("R-9.2.4-2")
def test_none_opens_no_incident_and_unset_does() -> None:
    assert [opens_incident(state) for state in PriorityState] == [True, False, True]


@pytest.mark.req("R-9.2.1-5")
def test_an_incident_takes_its_breachs_priority_or_leaves_it_to_a_person() -> None:
    breach = moment_priority(assigned(P2, "09:00"))
    assert incident_priority(breach, AssignMode.AUTOMATIC) == breach
    by_hand = incident_priority(breach, AssignMode.MANUAL)
    assert (by_hand.state, by_hand.rank) == (PriorityState.UNSET, None)
    nothing = moment_priority(assigned(None, "09:00"))
    assert incident_priority(nothing, AssignMode.MANUAL).state is PriorityState.NONE


@pytest.mark.req("R-9.2.11-10")
@pytest.mark.parametrize(
    ("current", "highest", "breach", "by_person", "expected"),
    [
        (P3, P3, P2, False, P2),
        (P3, P3, P3, False, None),
        (P2, P2, P3, False, None),
        (P3, P2, P2, True, None),
        (P3, P2, P1, True, P1),
        (None, None, P3, False, P3),
        (None, P2, P2, True, None),
        (P3, P3, None, False, None),
    ],
)
def test_automation_only_raises_and_respects_a_persons_choice(
    current: int | None, highest: int | None, breach: int | None, by_person: bool, expected: int | None
) -> None:
    assert automatic_raise(current, highest, breach, by_person=by_person) == expected


def test_an_undecided_incident_pages_and_sorts_as_the_catalogue_says() -> None:
    assert effective_rank(CATALOGUE, PriorityState.UNSET, None) == P2
    assert page_rule(CATALOGUE, PriorityState.UNSET, None) == required_priority(CATALOGUE, P2).page
    milder = process_with("priorities.unset.pages_as", "P3").catalogue
    assert effective_rank(milder, PriorityState.UNSET, None) == P3


@pytest.mark.req("R-9.2.3-8")
def test_the_fourth_priority_pages_in_business_hours_only_and_asks_for_a_work_item() -> None:
    rule = page_rule(CATALOGUE, PriorityState.SET, P4)
    assert rule is not None
    assert (rule.when, rule.urgency) == (PageWhen.BUSINESS_HOURS, Urgency.LOW)
    assert duties(required_priority(CATALOGUE, P4)) == {PriorityDuty.WORK_ITEM}


def test_none_pages_nobody() -> None:
    assert page_rule(CATALOGUE, PriorityState.NONE, None) is None
    assert urgency(CATALOGUE, PriorityState.NONE, None) is None


def test_foreign_names_are_mapped_and_the_fifth_becomes_the_fourth() -> None:
    assert [from_foreign(CATALOGUE, name) for name in ("P1", "p2 ", "P5", "urgent")] == [P1, P2, P4, None]
    assert to_foreign(CATALOGUE, "pagerduty", P3) == "P3"
    assert to_foreign(CATALOGUE, "carrier-pigeon", P3) is None


def test_a_rank_the_catalogue_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(Invalid, match="1, 2, 3, 4"):
        required_priority(CATALOGUE, 5)


@pytest.mark.req("R-9.2.3-5")
def test_the_first_priority_asks_for_everything_with_updates_every_two_hours() -> None:
    first = required_priority(CATALOGUE, P1)
    assert duties(first) == set(PriorityDuty) - {PriorityDuty.WORK_ITEM}
    assert first.criteria.update_every == timedelta(hours=2)


@pytest.mark.req("R-9.2-6")
def test_competing_incidents_queue_by_priority_then_severity_then_age_then_number() -> None:
    def place(state: PriorityState, rank: int | None, severity: str, created: str, number: int) -> object:
        return incident_order(
            priority_rank=effective_rank(CATALOGUE, state, rank),
            severity_rank=severity_rank(PROCESS.severities, severity),
            created_at=at(created),
            number=number,
        )

    expected = [
        place(PriorityState.SET, P1, WARNING, "12:00", 9),
        place(PriorityState.SET, P2, CRITICAL, "11:00", 8),
        place(PriorityState.SET, P2, WARNING, "08:00", 7),
        place(PriorityState.UNSET, None, WARNING, "09:00", 3),
        place(PriorityState.SET, P2, WARNING, "10:00", 4),
        place(PriorityState.SET, P2, WARNING, "10:00", 5),
        place(PriorityState.SET, P4, CRITICAL, "01:00", 2),
        place(PriorityState.NONE, None, CRITICAL, "00:00", 1),
    ]
    for seed in range(20):
        shuffled = list(expected)
        random.Random(seed).shuffle(shuffled)
        assert sorted(shuffled) == expected  # type: ignore[type-var]
