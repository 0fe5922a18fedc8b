"""What another priority or severity brings about, before it is chosen and by the same decisions as when it is.

Obligations are those of `core.obligations` for the facts as they would be, compared with those of the facts as they
are; roles are those of `core.roles`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.core.obligation_facts import Obligation, ObligationFacts, ObligationKind
from tocsin.core.obligations import obligations
from tocsin.core.postmortem_rules import BusinessDays
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import Area, RoleDefinition
from tocsin.core.roles import role_codes


@dataclass(frozen=True)
class Moved:
    """An obligation that stays and gets another due time or another owner."""

    before: Obligation
    after: Obligation


@dataclass(frozen=True)
class ObligationEffects:
    """What begins to be asked, what is asked no more, and what is asked at another time or of another role."""

    begins: tuple[Obligation, ...] = ()
    ends: tuple[Obligation, ...] = ()
    moves: tuple[Moved, ...] = ()


def obligation_effects(
    before: ObligationFacts,
    after: ObligationFacts,
    process: ProcessDefinition,
    *,
    now: datetime,
    calendar: BusinessDays | None = None,
) -> ObligationEffects:
    """What changes between two states of the facts at `now`. Roles to fill are left to `roles_to_ask`."""
    old = _asked(obligations(before, process, now=now, calendar=calendar))
    new = _asked(obligations(after, process, now=now, calendar=calendar))
    return ObligationEffects(
        begins=tuple(one for key, one in new.items() if key not in old),
        ends=tuple(one for key, one in old.items() if key not in new),
        moves=tuple(
            Moved(old[key], one)
            for key, one in new.items()
            if key in old and (old[key].due_at, old[key].owner_role) != (one.due_at, one.owner_role)
        ),
    )


def _asked(found: Iterable[Obligation]) -> dict[str, Obligation]:
    return {one.key: one for one in found if one.kind is not ObligationKind.FILL_ROLE}


def roles_to_ask(
    process: ProcessDefinition, severity: str, *, former: str = "", held: Iterable[str] = ()
) -> tuple[RoleDefinition, ...]:
    """The roles whose people are asked to join when an incident gets a severity, in the order of the scheme.

    What the former severity called already is not asked twice, nor what somebody holds. Roles that do the work are
    left out: the wake-up chain pages those of the incident's own team, `teams_to_ask` those of the others.
    """
    before = set(role_codes(process, former)) if former else set[str]()
    taken = set(held)
    called = [process.roles.by_code(code) for code in role_codes(process, severity)]
    return tuple(
        role
        for role in called
        if role is not None and role.code not in before and role.code not in taken and Area.EXECUTION not in role.areas
    )


def execution_role(process: ProcessDefinition) -> RoleDefinition:
    """The role whose people do the work; a process always has one."""
    return next(role for role in process.roles.roles if Area.EXECUTION in role.areas and not role.optional)


def roles_released(process: ProcessDefinition, severity: str, held: Iterable[str]) -> tuple[str, ...]:
    """The roles held that a severity does not call; those that are never called stay with whoever took them."""
    called = set(role_codes(process, severity))
    return tuple(sorted(code for code in set(held) - called if not _is_optional(process, code)))


def _is_optional(process: ProcessDefinition, code: str) -> bool:
    role = process.roles.by_code(code)
    return role is not None and role.optional


def without_released(facts: ObligationFacts, released: Iterable[str]) -> ObligationFacts:
    """The facts once these roles are held no more: whoever had them fulfils them no longer."""
    gone = set(released)
    keys = {f"{ObligationKind.FILL_ROLE.value}:{role}" for role in gone}
    return replace(facts, roles_held=facts.roles_held - gone, fulfilled=facts.fulfilled - keys)
