"""The five steps of the response out of the log, their stays, and the escalations among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.adherence_record import Event
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import Direction, escalations
from tocsin.core.incident_lifecycle import State
from tocsin.core.incident_phases import STATES_OF, Phase, PhaseCourse, phases
from tocsin.process.defaults import default_document

BEGAN = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
REF = "INC-7"


def log(*told: tuple[int, str] | tuple[int, str, dict[str, Any]]) -> list[Event]:
    """Entries at minutes after the beginning, numbered from 1."""
    return [
        Event(seq, BEGAN + timedelta(minutes=one[0]), one[1], "ada", one[2] if len(one) > 2 else {})
        for seq, one in enumerate(told, start=1)
    ]


def course(*told: Any) -> dict[Phase, PhaseCourse]:
    return {one.phase: one for one in phases(REF, log(*told))}


def minutes(one: PhaseCourse) -> list[tuple[int, int | None]]:
    def of(at: datetime | None) -> int | None:
        return None if at is None else int((at - BEGAN).total_seconds()) // 60

    return [(of(stay.entered_at) or 0, of(stay.left_at)) for stay in one.stays]


STRAIGHT = (
    (0, Kind.INCIDENT_DECLARED),
    (4, Kind.INCIDENT_ACKNOWLEDGED),
    (10, Kind.INCIDENT_INVESTIGATING),
    (30, Kind.INCIDENT_IDENTIFIED),
    (40, Kind.INCIDENT_MITIGATED),
    (50, Kind.INCIDENT_RESOLVED),
    (90, Kind.INCIDENT_CLOSED),
)


@pytest.mark.req("R-9.1-6")
def test_each_step_has_when_it_was_entered_and_left() -> None:
    found = course(*STRAIGHT)
    assert minutes(found[Phase.INITIAL_DIAGNOSIS]) == [(4, 30)]
    assert minutes(found[Phase.ESCALATION]) == []
    assert minutes(found[Phase.INVESTIGATION]) == [(10, 40)]
    assert minutes(found[Phase.RESOLUTION]) == [(40, 90)]
    assert minutes(found[Phase.CLOSURE]) == [(90, None)]
    assert (found[Phase.CLOSURE].entered_at, found[Phase.CLOSURE].left_at) == (BEGAN + timedelta(minutes=90), None)
    assert [one.stays[0].entered_by for one in found.values() if one.stays] == [2, 3, 5, 7]


@pytest.mark.req("R-9.1-6")
def test_a_step_that_is_entered_again_keeps_both_stays_and_counts() -> None:
    found = course(
        *STRAIGHT[:5],
        (45, Kind.INCIDENT_INVESTIGATING),
        (60, Kind.INCIDENT_RESOLVED),
        (70, Kind.INCIDENT_REOPENED),
        (80, Kind.INCIDENT_RESOLVED),
    )
    assert minutes(found[Phase.INVESTIGATION]) == [(10, 40), (45, 60), (70, 80)]
    assert minutes(found[Phase.RESOLUTION]) == [(40, 45), (60, 70), (80, None)]
    assert (found[Phase.INVESTIGATION].reentries, found[Phase.RESOLUTION].reentries) == (2, 2)
    assert found[Phase.RESOLUTION].is_running
    assert found[Phase.CLOSURE].reentries == 0


@pytest.mark.req("R-9.1-6")
def test_escalation_runs_while_one_is_unanswered_and_ends_with_the_response() -> None:
    found = course(
        *STRAIGHT[:2],
        (5, Kind.INCIDENT_ESCALATED, {"to": "Network", "reason": "routes"}),
        (6, Kind.INCIDENT_ESCALATED_UP, {"to": "Management", "reason": "money"}),
        (8, Kind.ESCALATION_ACKNOWLEDGED, {"escalation": 3}),
        (9, Kind.ESCALATION_ACKNOWLEDGED, {"escalation": 4}),
        (20, Kind.INCIDENT_ESCALATED, {"to": "Storage", "reason": "disks"}),
        (25, Kind.INCIDENT_RESOLVED),
        (26, Kind.ESCALATION_ACKNOWLEDGED, {"escalation": 7}),
    )
    assert minutes(found[Phase.ESCALATION]) == [(5, 9), (20, 25)]
    assert found[Phase.ESCALATION].reentries == 1


def test_the_steps_are_those_of_the_map_of_the_process() -> None:
    shipped = default_document()["lifecycle"]["itil_map"]
    prefix = "incident response/"
    names = {name.removeprefix(prefix).replace(" ", "_"): found for name, found in shipped.items() if prefix in name}
    assert list(names) == [phase.value for phase in Phase]
    states = {Phase(name): {State(one) for one in found if one in set(State)} for name, found in names.items()}
    assert states == {phase: set(found) for phase, found in STATES_OF.items()}


def test_asking_the_next_in_the_chain_is_no_escalation_and_a_further_acknowledgement_takes_nothing_back() -> None:
    found = course(
        *STRAIGHT[:3],
        (12, Kind.INCIDENT_PASSED_ON),
        (13, Kind.INCIDENT_ACKNOWLEDGED),
        (14, Kind.INCIDENT_ESCALATED),
    )
    assert minutes(found[Phase.ESCALATION]) == []
    assert minutes(found[Phase.INVESTIGATION]) == [(10, None)]


def test_an_acknowledgement_taken_back_leaves_the_first_step() -> None:
    found = course(*STRAIGHT[:2], (6, Kind.INCIDENT_UNACKNOWLEDGED), (9, Kind.INCIDENT_ACKNOWLEDGED))
    assert minutes(found[Phase.INITIAL_DIAGNOSIS]) == [(4, 6), (9, None)]


def test_a_resolution_that_was_taken_back_returns_to_where_it_was() -> None:
    found = course(*STRAIGHT[:2], (6, Kind.INCIDENT_RESOLVED), (6, Kind.INCIDENT_REOPENED, {"undo_of": 3}))
    assert minutes(found[Phase.INITIAL_DIAGNOSIS]) == [(4, 6), (6, None)]
    assert minutes(found[Phase.INVESTIGATION]) == []


def test_a_merge_ends_the_one_that_went_and_not_the_one_that_stays() -> None:
    gone = course(*STRAIGHT[:2], (7, Kind.INCIDENT_MERGED, {"merged": REF, "into": "INC-3"}))
    stays = course(*STRAIGHT[:2], (7, Kind.INCIDENT_MERGED, {"merged": "INC-9", "into": REF}))
    assert minutes(gone[Phase.INITIAL_DIAGNOSIS]) == [(4, 7)]
    assert minutes(stays[Phase.INITIAL_DIAGNOSIS]) == [(4, None)]


ANY_KIND = st.sampled_from(
    [
        Kind.INCIDENT_ACKNOWLEDGED,
        Kind.INCIDENT_UNACKNOWLEDGED,
        Kind.INCIDENT_INVESTIGATING,
        Kind.INCIDENT_IDENTIFIED,
        Kind.INCIDENT_MITIGATED,
        Kind.INCIDENT_RESOLVED,
        Kind.INCIDENT_REOPENED,
        Kind.INCIDENT_ESCALATED,
        Kind.INCIDENT_ESCALATED_UP,
        Kind.ESCALATION_ACKNOWLEDGED,
        Kind.INCIDENT_NOTED,
        Kind.INCIDENT_CLOSED,
    ]
)


@given(st.lists(ANY_KIND, max_size=30), st.data())
def test_stays_never_overlap_and_more_log_never_changes_what_was(kinds: list[Kind], data: st.DataObject) -> None:
    told: list[Any] = [(0, Kind.INCIDENT_OPENED)]
    for minute, kind in enumerate(kinds, start=1):
        answers = {"escalation": data.draw(st.integers(1, 31))} if kind is Kind.ESCALATION_ACKNOWLEDGED else {}
        told.append((minute, kind, {"to": "Network", "reason": "r", **answers}))
    whole = course(*told)
    for phase, one in whole.items():
        ends = [end for begin, end in minutes(one)]
        begins = [begin for begin, _ in minutes(one)]
        assert all(end is not None and begin < end for begin, end in minutes(one)[:-1])
        assert all(end is not None and end <= begin for end, begin in zip(ends, begins[1:], strict=False))
        before = course(*told[:-1])[phase] if len(told) > 1 else one
        assert [stay.entered_by for stay in before.stays] == [stay.entered_by for stay in one.stays][
            : len(before.stays)
        ]


@pytest.mark.req("R-9.1-7")
def test_the_two_escalations_are_two_kinds_and_keep_from_to_reason_and_answer() -> None:
    first, second = escalations(
        log(
            (0, Kind.INCIDENT_DECLARED),
            (5, Kind.INCIDENT_ESCALATED, {"from": "Identity", "to": "Network", "reason": "routes", "persons": ["Nia"]}),
            (6, Kind.INCIDENT_ESCALATED_UP, {"from": "Ada", "to": "Management", "reason": "money"}),
            (9, Kind.ESCALATION_ACKNOWLEDGED, {"escalation": 2, "person": "Nia"}),
            (11, Kind.ESCALATION_ACKNOWLEDGED, {"escalation": 2, "person": "Ben"}),
        )
    )
    assert (first.direction, second.direction) == (Direction.FUNCTIONAL, Direction.HIERARCHIC)
    assert (first.asked_from, first.asked_to, first.reason, first.names) == ("Identity", "Network", "routes", ("Nia",))
    assert (first.acknowledged_at, first.acknowledged_by) == (BEGAN + timedelta(minutes=9), "Nia")
    assert (second.asked_from, second.asked_to, second.is_open) == ("Ada", "Management", True)
