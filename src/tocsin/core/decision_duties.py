"""What a decision asks of whom it is addressed to: take it in, carry it out, report. How it is done is theirs to choose.

The answer of the process about freedom says which duties there are, how long each may take, and which choices need
nobody's consent. A duty that is late is a reason to remind; it never stands in anybody's way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import QuestionCode
from tocsin.core.reasons import Reason
from tocsin.core.roles import Duty, DutyReason, duty_holder


class DecisionDuty(StrEnum):
    RECEIVE = "receive"
    EXECUTE = "execute"
    REPORT = "report"


class Execution(StrEnum):
    """How far carrying it out has come."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"
    NOT_DONE = "not_done"

    @property
    def is_over(self) -> bool:
        return self in {Execution.DONE, Execution.NOT_DONE}


class About(StrEnum):
    """What a decision is about. The technical way is free; order, people and risk are decided by whoever coordinates."""

    SOLUTION = "solution"
    ORDER = "order"
    PEOPLE = "people"
    RISK = "risk"


_FREE_CHOICES = {"solution_choice": About.SOLUTION}
_MOST_MINUTES = 100_000


class DutyState(StrEnum):
    OPEN = "open"
    LATE = "late"
    KEPT = "kept"
    KEPT_LATE = "kept_late"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class DutyCheck:
    """One of the three checks of a decision. `due_at` is None where the process sets no time."""

    duty: DecisionDuty
    state: DutyState
    due_at: datetime | None
    done_at: datetime | None


def due_times(
    process: ProcessDefinition, *, at: datetime, execute_by: datetime | None = None
) -> dict[DecisionDuty, datetime | None]:
    """When each duty that the process names is due for a decision made at `at`.

    `execute_by` is a time the decision itself sets; the report may then take as long after it as the process leaves
    between the two.
    """
    answer = process.answer(QuestionCode.FREEDOM)
    asked = set(_names(answer.get("duties")))
    if process.answer(QuestionCode.WHO_TAKES_IN).get("acknowledge") is False:
        asked.discard(DecisionDuty.RECEIVE.value)  # nobody is asked to say that they have taken it in
    within = {duty: _minutes(answer.get("within_minutes"), duty) for duty in DecisionDuty if duty.value in asked}
    found = {duty: at + span if span is not None else None for duty, span in within.items()}
    if execute_by is not None and DecisionDuty.EXECUTE in found:
        found[DecisionDuty.EXECUTE] = execute_by
        report, execute = within.get(DecisionDuty.REPORT), within[DecisionDuty.EXECUTE]
        if report is not None:
            after = report - execute if execute is not None and report > execute else timedelta(0)
            found[DecisionDuty.REPORT] = execute_by + after
    return found


def untimed(process: ProcessDefinition) -> tuple[DecisionDuty, ...]:
    """The owed duties that nobody is ever reminded of, for the process sets no time; none where it says so by null."""
    answer = process.answer(QuestionCode.FREEDOM)
    if "within_minutes" in answer and answer["within_minutes"] is None:
        return ()
    asked = set(_names(answer.get("duties")))
    return tuple(
        duty for duty in DecisionDuty if duty.value in asked and _minutes(answer.get("within_minutes"), duty) is None
    )


def _minutes(value: Any, duty: DecisionDuty) -> timedelta | None:
    found = cast("Mapping[str, Any]", value).get(duty.value) if isinstance(value, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found <= _MOST_MINUTES:
        return None
    return timedelta(minutes=found)


def check(duty: DecisionDuty, *, due_at: datetime | None, done_at: datetime | None, now: datetime) -> DutyCheck:
    """How one duty stands."""
    if done_at is not None:
        kept = due_at is None or done_at <= due_at
        return DutyCheck(duty, DutyState.KEPT if kept else DutyState.KEPT_LATE, due_at, done_at)
    late = due_at is not None and now > due_at
    return DutyCheck(duty, DutyState.LATE if late else DutyState.OPEN, due_at, None)


class DecideReason(Reason):
    FREE_CHOICE = "free_choice", "The technical way is free; nobody has to agree."
    HAS_THE_DUTY = "has_the_duty", "The process gives decisions to this role."
    NOBODY_DECIDES_YET = "nobody_decides_yet", "Nobody who decides is there yet."
    SOMEBODY_ELSE_DECIDES = "somebody_else_decides", "Somebody else decides on this."


@dataclass(frozen=True, slots=True)
class MayDecide:
    """Whether somebody may make a decision, and the role that decides otherwise."""

    allowed: bool
    reason: DecideReason
    role: str = ""


def may_decide(
    process: ProcessDefinition, severity: str, about: About, *, own_roles: Iterable[str], held: Iterable[str]
) -> MayDecide:
    """Whether a person with `own_roles` may decide on that, among all the roles `held` in the incident."""
    free = {
        _FREE_CHOICES[one] for one in _names(process.answer(QuestionCode.FREEDOM).get("free")) if one in _FREE_CHOICES
    }
    if about in free:
        return MayDecide(True, DecideReason.FREE_CHOICE)
    holder = duty_holder(process, Duty.DECISIONS, severity, held=held)
    if holder.reason is DutyReason.NOBODY_HOLDS_IT_YET:
        return MayDecide(True, DecideReason.NOBODY_DECIDES_YET, holder.role)
    mine = holder.role in set(own_roles)
    reason = DecideReason.HAS_THE_DUTY if mine else DecideReason.SOMEBODY_ELSE_DECIDES
    return MayDecide(mine, reason, holder.role)


def _names(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in cast("list[object]", value)) if isinstance(value, list) else ()
