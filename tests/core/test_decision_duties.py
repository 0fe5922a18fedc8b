"""What a decision asks, by when, and who may decide on what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tocsin.core.decision_duties import (
    About,
    DecideReason,
    DecisionDuty,
    DutyState,
    check,
    due_times,
    may_decide,
)
from tocsin.core.process_definition import ProcessDefinition, parse_process
from tocsin.process.defaults import default_document

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COORDINATOR, EXPERT = "incident_coordinator", "technical_expert"


def process(**freedom: object) -> ProcessDefinition:
    document = default_document()
    for question in document["questions"]["process_questions"]:
        if question["code"] == "freedom":
            question["machine"] = {**question["machine"], **freedom}
    return parse_process(document)


def test_the_three_duties_are_due_when_the_process_says() -> None:
    times = {"receive": 5, "execute": 30, "report": 45}
    found = due_times(process(within_minutes=times), at=AT)
    assert found == {duty: AT + times[duty.value] * MINUTE for duty in DecisionDuty}


def test_a_time_of_its_own_moves_the_report_along() -> None:
    times = {"receive": 5, "execute": 30, "report": 45}
    by = AT + 120 * MINUTE
    found = due_times(process(within_minutes=times), at=AT, execute_by=by)
    assert found[DecisionDuty.RECEIVE] == AT + 5 * MINUTE
    assert found[DecisionDuty.EXECUTE] == by
    assert found[DecisionDuty.REPORT] == by + 15 * MINUTE


@pytest.mark.parametrize("times", [None, {}, {"receive": 0, "execute": True}, {"receive": "soon"}, [5], {"report": -1}])
def test_without_a_time_nothing_is_ever_due(times: object) -> None:
    assert set(due_times(process(within_minutes=times), at=AT).values()) == {None}


def test_duties_that_the_process_does_not_name_are_not_asked() -> None:
    found = due_times(process(duties=["receive"], within_minutes={"receive": 5, "execute": 9}), at=AT)
    assert found == {DecisionDuty.RECEIVE: AT + 5 * MINUTE}


@pytest.mark.parametrize(
    ("due", "done", "now", "state"),
    [
        (5, None, 5, DutyState.OPEN),
        (5, None, 6, DutyState.LATE),
        (5, 5, 60, DutyState.KEPT),
        (5, 6, 60, DutyState.KEPT_LATE),
        (None, None, 999, DutyState.OPEN),
        (None, 3, 999, DutyState.KEPT),
    ],
)
def test_how_a_duty_stands(due: int | None, done: int | None, now: int, state: DutyState) -> None:
    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else AT + minutes * MINUTE

    found = check(DecisionDuty.EXECUTE, due_at=at(due), done_at=at(done), now=AT + now * MINUTE)
    assert found.state is state


@pytest.mark.parametrize("about", list(About))
@pytest.mark.parametrize(
    ("own", "held", "reason"),
    [
        ([COORDINATOR], [COORDINATOR, EXPERT], DecideReason.HAS_THE_DUTY),
        ([EXPERT], [COORDINATOR, EXPERT], DecideReason.SOMEBODY_ELSE_DECIDES),
        ([], [COORDINATOR, EXPERT], DecideReason.SOMEBODY_ELSE_DECIDES),
        ([], [], DecideReason.NOBODY_DECIDES_YET),
    ],
)
def test_the_technical_way_is_free_and_the_rest_is_whose_duty_it_is(
    about: About, own: list[str], held: list[str], reason: DecideReason
) -> None:
    found = may_decide(process(), "critical", about, own_roles=own, held=held)
    wanted = DecideReason.FREE_CHOICE if about is About.SOLUTION else reason
    assert found.reason is wanted
    assert found.allowed is (wanted is not DecideReason.SOMEBODY_ELSE_DECIDES)


def test_a_process_that_leaves_nothing_free_gives_the_technical_way_to_whoever_decides() -> None:
    found = may_decide(process(free=[]), "critical", About.SOLUTION, own_roles=[EXPERT], held=[COORDINATOR, EXPERT])
    assert not found.allowed
    assert found.role == COORDINATOR
