"""Whether a person may direct a response: by the roles held in it, not by who somebody is elsewhere (R-9.3.5-3).

A standing right opens the door; inside an incident what counts is the role. Whoever only looks on (observers, advisors)
has what that role gives and nothing else. Whoever holds no role may help, and may begin what nobody does yet, but
directs nothing that somebody of the response has in hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tocsin.core.access import OF_THE_RESPONSE, RESPONSE, Right
from tocsin.core.authority import AuthorityPolicy
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import Area, RoleDefinition
from tocsin.core.reasons import Reason
from tocsin.core.roles import Duty, DutyReason, duty_holder

_BY_DUTY = {
    Duty.DECISIONS: frozenset(
        {Right.DECIDE, Right.INCIDENT_ASSIGN, Right.INCIDENT_ESCALATE, Right.PAGE_OFF_CALL, Right.UPDATE_APPROVE}
    ),
    Duty.COMMUNICATION: frozenset({Right.UPDATE_DRAFT, Right.UPDATE_SEND}),
    Duty.DOCUMENTATION: frozenset({Right.INCIDENT_ANNOTATE}),
}
"""What comes with a duty that one has, or stands in for."""


class RankVerdict(StrEnum):
    ALLOWED = "allowed"
    OVERRIDDEN = "overridden"
    REFUSED = "refused"


class RankReason(Reason):
    BY_THE_ROLE = "by_the_role", "The role held in the incident gives it."
    NOBODY_YET = "nobody_yet", "Nobody of the response has it in hand yet."
    HELPS = "helps", "Helping is open to everybody with the standing right."
    ASKED = "asked", "The person is on call for it or was asked."
    OBSERVES = "observes", "Observers look on."
    ADVISES = "advises", "Advisors propose and comment."
    NO_ROLE_HERE = "no_role_here", "The person holds no role in this incident."
    NOT_OF_THE_ROLE = "not_of_the_role", "The role held does not give it; somebody else has it in hand."


@dataclass(frozen=True)
class RankDecision:
    """`holders` are the roles that have in hand what was asked for."""

    verdict: RankVerdict
    reason: RankReason
    holders: tuple[str, ...] = ()


def rights_of_role(role: RoleDefinition) -> frozenset[Right]:
    """What a role gives by the words of the process; words that the software does not know give nothing."""
    return frozenset({Right.INCIDENT_READ}).union(*(RESPONSE.get(word, frozenset()) for word in role.rights))


def rights_in(
    process: ProcessDefinition, severity: str, *, own_roles: Iterable[str], held: Iterable[str]
) -> frozenset[Right]:
    """What a person with `own_roles` may do in an incident where `held` are all roles held: by role and by duty."""
    own, taken = set(own_roles), set(held)
    found: set[Right] = set()
    for role in process.roles.roles:
        if role.code in own:
            found |= rights_of_role(role)
    for duty, rights in _BY_DUTY.items():
        holder = duty_holder(process, duty, severity, held=taken)
        if holder.role in own and holder.reason is not DutyReason.NOBODY_HOLDS_IT_YET:
            found |= rights
    return frozenset(_without_what_another_has(process, severity, found, own, taken))


def _without_what_another_has(
    process: ProcessDefinition, severity: str, found: set[Right], own: set[str], taken: set[str]
) -> set[Right]:
    """To tell stakeholders is one role's at a time, also where the words of another one would give it."""
    holder = duty_holder(process, Duty.COMMUNICATION, severity, held=taken)
    elsewhere = holder.reason is not DutyReason.NOBODY_HOLDS_IT_YET and holder.role not in own
    return found - {Right.UPDATE_SEND} if elsewhere else found


def holders_of(process: ProcessDefinition, severity: str, right: Right, *, held: Iterable[str]) -> tuple[str, ...]:
    """Which of the roles held have a right in hand, in the order of the role scheme."""
    taken = set(held)
    codes = [role.code for role in process.roles.roles if role.code in taken and not role.optional]
    return tuple(code for code in codes if right in rights_in(process, severity, own_roles=[code], held=taken))


def rank_decision(
    process: ProcessDefinition,
    severity: str,
    right: Right,
    *,
    own_roles: Iterable[str],
    held: Iterable[str],
    asked: bool = False,
    administers: bool = False,
) -> RankDecision:
    """Whether a person who has the standing right may use it in this incident.

    `asked` says that the person is on call for it or was paged about it; `administers` that the person keeps the
    installation, who may step in where the policy is not strict and is written down.
    """
    own, taken = frozenset(own_roles), frozenset(held)
    if right in rights_in(process, severity, own_roles=own, held=taken):
        return RankDecision(RankVerdict.ALLOWED, RankReason.BY_THE_ROLE)
    holders = tuple(code for code in holders_of(process, severity, right, held=taken) if code not in own)
    reason = _against(process, right, own, taken, holders, asked=asked)
    if reason in {RankReason.NOBODY_YET, RankReason.HELPS, RankReason.ASKED}:
        return RankDecision(RankVerdict.ALLOWED, reason, holders)
    policy = process.roles.authority
    passes = policy is AuthorityPolicy.OPEN or (
        administers and policy is AuthorityPolicy.STANDARD and reason not in {RankReason.OBSERVES, RankReason.ADVISES}
    )
    return RankDecision(RankVerdict.OVERRIDDEN if passes else RankVerdict.REFUSED, reason, holders)


def _against(
    process: ProcessDefinition,
    right: Right,
    own: frozenset[str],
    taken: frozenset[str],
    holders: tuple[str, ...],
    *,
    asked: bool,
) -> RankReason:
    working = [role for role in process.roles.roles if role.code in own and not role.optional]
    if asked and not working and right in _on_call_rights(process):
        return RankReason.ASKED
    if own and not working:
        advises = any(role.code in own and role.rights != ("read",) for role in process.roles.roles)
        return RankReason.ADVISES if advises else RankReason.OBSERVES
    if right not in OF_THE_RESPONSE:
        kept = process.roles.authority is AuthorityPolicy.STRICT and not own and taken and not asked
        return RankReason.NO_ROLE_HERE if kept else RankReason.HELPS
    if not holders:
        return RankReason.NOBODY_YET
    return RankReason.NOT_OF_THE_ROLE if working else RankReason.NO_ROLE_HERE


def _on_call_rights(process: ProcessDefinition) -> frozenset[Right]:
    """What whoever is called does before having taken anything: the rights of the work itself."""
    does = [role for role in process.roles.roles if Area.EXECUTION in role.areas and not role.optional]
    return frozenset[Right]().union(*(rights_of_role(role) for role in does))


def may_join(process: ProcessDefinition, role: str, *, own_roles: Iterable[str], held: Iterable[str]) -> bool:
    """Whether somebody who was not asked may take a role for oneself: any that only looks on; one that works where it
    is free, unless the person looks on already (that one is asked for, or takes it over)."""
    own = set(own_roles)
    known = process.roles.by_code(role)
    if known is None or known.optional:
        return known is not None
    looks_on = bool(own) and all(one.optional for one in process.roles.roles if one.code in own)
    free = known.shared or role not in set(held)
    return free and not looks_on
