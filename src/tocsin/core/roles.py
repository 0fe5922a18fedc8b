"""Which roles a severity calls, who may hold them together, and who has a duty when its role is not held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import NAMED_PERSON, Area, QuestionCode, RoleNeed
from tocsin.core.reasons import Reason
from tocsin.core.severities import required_severity


class Duty(StrEnum):
    """A duty that falls to exactly one role at any moment of an incident."""

    DECISIONS = "decisions"
    COMMUNICATION = "communication"
    DOCUMENTATION = "documentation"
    POSTMORTEM = "postmortem"
    EXECUTION = "execution"


class DutyReason(Reason):
    BY_THE_ANSWER = "by_the_answer", "The process gives the duty to this role."
    STANDS_IN = "stands_in", "Nobody holds the role meant; this one stands in."
    NOBODY_HOLDS_IT_YET = "nobody_holds_it_yet", "Nobody who could have the duty is there yet."


@dataclass(frozen=True)
class RequiredRole:
    """A role that a severity calls. `fill_within` is the time limit after the call."""

    role: str
    need: RoleNeed
    fill_within: timedelta
    per_team: bool


@dataclass(frozen=True)
class DutyHolder:
    """The role that has a duty, and whether it stands in. The role may be `NAMED_PERSON`."""

    role: str
    reason: DutyReason


def required_roles(process: ProcessDefinition, severity: str) -> tuple[RequiredRole, ...]:
    """The roles a severity calls, in the order of the role scheme; raises `Invalid` for an unknown severity."""
    required_severity(process.severities, severity)
    cells = process.roles.by_severity[severity]
    return tuple(
        RequiredRole(role.code, cells[role.code], process.roles.fill_within[role.code], role.per_team)
        for role in process.roles.roles
        if cells.get(role.code, RoleNeed.NONE) is not RoleNeed.NONE
    )


def role_codes(process: ProcessDefinition, severity: str) -> tuple[str, ...]:
    """The codes of the roles that are paged when a severity is set."""
    return tuple(required.role for required in required_roles(process, severity))


def unfilled_in_time(
    process: ProcessDefinition, severity: str, *, held: Iterable[str], called_at: datetime, now: datetime
) -> tuple[str, ...]:
    """The called roles that nobody holds although their time limit has passed."""
    taken = set(held)
    return tuple(
        required.role
        for required in required_roles(process, severity)
        if required.role not in taken and now > called_at + required.fill_within
    )


def released_roles(process: ProcessDefinition, former: str, new: str) -> tuple[str, ...]:
    """The roles that a change of severity no longer calls; they are released after a hand-over of open duties."""
    kept = set(role_codes(process, new))
    return tuple(role for role in role_codes(process, former) if role not in kept)


def is_coordinated(process: ProcessDefinition, severity: str) -> bool:
    """Whether an incident of that severity is coordinated (answer 1)."""
    return severity in _names(process.answer(QuestionCode.COORDINATED_WHEN).get("severities"))


def duty_holder(process: ProcessDefinition, duty: Duty, severity: str, *, held: Iterable[str]) -> DutyHolder:
    """The role that has a duty now.

    The answers of the process name it. When nobody holds that role it falls to its stand-in, and from there to whom it
    would fall at each milder severity. While nobody of these is there, it stays with the first one that is called.
    """
    taken = set(held)
    candidates = _candidates(process, duty, severity)
    if candidates[:1] == [NAMED_PERSON]:
        return DutyHolder(NAMED_PERSON, DutyReason.BY_THE_ANSWER)
    for role in candidates:
        if role in taken:
            reason = DutyReason.BY_THE_ANSWER if role == candidates[0] else DutyReason.STANDS_IN
            return DutyHolder(role, reason)
    called = role_codes(process, severity)
    expected = next((role for role in candidates if role in called), candidates[0] if candidates else called[0])
    return DutyHolder(expected, DutyReason.NOBODY_HOLDS_IT_YET)


def has_duty(
    process: ProcessDefinition, duty: Duty, severity: str, *, own_roles: Iterable[str], held: Iterable[str]
) -> bool:
    """Whether a person with `own_roles` has a duty among all roles `held` in the incident (may send, may decide)."""
    return duty_holder(process, duty, severity, held=held).role in set(own_roles)


def _candidates(process: ProcessDefinition, duty: Duty, severity: str) -> list[str]:
    if duty is Duty.EXECUTION:
        return [role.code for role in process.roles.roles if Area.EXECUTION in role.areas and not role.optional]
    answer = process.answer(_QUESTIONS[duty])
    stand_ins = process.roles.duties_when_absent.get(duty.value, {})
    codes = process.severities.codes
    found: list[str] = []
    for code in codes[codes.index(severity) :]:
        found += [role for role in (_answered(answer, code), stand_ins.get(code)) if role]
    return list(dict.fromkeys(found))


def _answered(answer: Mapping[str, Any], severity: str) -> str | None:
    role = answer.get(severity, answer.get("role"))
    return role if isinstance(role, str) else None


def _names(value: Any) -> tuple[str, ...]:
    return tuple(cast("list[str]", value)) if isinstance(value, list) else ()


_QUESTIONS = {
    Duty.DECISIONS: QuestionCode.WHO_DECIDES,
    Duty.COMMUNICATION: QuestionCode.COMMUNICATION,
    Duty.DOCUMENTATION: QuestionCode.DOCUMENTATION,
    Duty.POSTMORTEM: QuestionCode.POSTMORTEM,
}


class HoldReason(Reason):
    FREE = "free", "The person may take the role."
    HOLDS_IT_ALREADY = "holds_it_already", "The person holds the role already."
    HOLDS_A_DEDICATED_ROLE = (
        "holds_a_dedicated_role",
        "The person holds a dedicated role in this incident, which stands alone.",
    )
    ROLE_IS_DEDICATED = "role_is_dedicated", "The role is dedicated; whoever takes it holds no other in this incident."
    ALSO_IN_ANOTHER_INCIDENT = (
        "also_in_another_incident",
        "The person holds this role in another open incident as well.",
    )


@dataclass(frozen=True)
class HoldDecision:
    """Whether a person may take a role; `warn` when it is allowed but deserves a second look."""

    allowed: bool
    warn: bool
    reason: HoldReason


def hold_decision(
    process: ProcessDefinition,
    severity: str,
    role: str,
    *,
    own_roles: Iterable[str],
    own_roles_elsewhere: Iterable[str] = (),
) -> HoldDecision:
    """Whether a person may take `role` in an incident beside `own_roles` held in it.

    A dedicated role is never combined with another one of the same incident; roles that are never called (observers
    and the like) do not count. Holding the same dedicated, not per-team role in another open incident only warns.
    """
    cells = process.roles.by_severity.get(severity, {})
    others = [own for own in own_roles if _counts(process, own) and own != role]
    if role in set(own_roles):
        return HoldDecision(True, False, HoldReason.HOLDS_IT_ALREADY)
    if _counts(process, role) and any(cells.get(own) is RoleNeed.DEDICATED for own in others):
        return HoldDecision(False, False, HoldReason.HOLDS_A_DEDICATED_ROLE)
    if others and cells.get(role) is RoleNeed.DEDICATED:
        return HoldDecision(False, False, HoldReason.ROLE_IS_DEDICATED)
    definition = process.roles.by_code(role)
    busy = role in set(own_roles_elsewhere) and definition is not None and not definition.per_team
    reason = HoldReason.ALSO_IN_ANOTHER_INCIDENT if busy else HoldReason.FREE
    return HoldDecision(True, busy, reason)


def _counts(process: ProcessDefinition, role: str) -> bool:
    definition = process.roles.by_code(role)
    return definition is not None and not definition.optional
