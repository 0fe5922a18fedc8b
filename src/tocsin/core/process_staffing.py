"""Whether the people there are could fill the roles that a process calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tocsin.core.document_reading import Problem
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import RoleNeed

RULES = frozenset({"role_has_a_rotation", "team_has_a_rotation", "rotation_has_people", "enough_people"})
"""What is mended by bringing people into a rotation, not by another word in the process."""


@dataclass(frozen=True)
class RoleRotation:
    """One rotation: its name, the role it is for, its team ("" for none), and the active people in it."""

    name: str
    role: str
    team: str
    people: frozenset[str]


@dataclass(frozen=True)
class Staff:
    """All rotations, and the teams that own something which can break."""

    rotations: Sequence[RoleRotation]
    owning_teams: Sequence[str] = ()


def staffing_problems(process: ProcessDefinition, staff: Staff) -> list[Problem]:
    """Every called role that nobody could fill, and every severity with more dedicated roles than people."""
    return [*_rotations(process, staff), *_empty(process, staff), *_enough(process, staff)]


def _needed(process: ProcessDefinition) -> list[str]:
    called = {
        role
        for cells in process.roles.by_severity.values()
        for role, need in cells.items()
        if need is not RoleNeed.NONE
    }
    return [role.code for role in process.roles.roles if role.code in called]


def _rotations(process: ProcessDefinition, staff: Staff) -> Iterator[Problem]:
    for code in _needed(process):
        role = process.roles.by_code(code)
        mine = [one for one in staff.rotations if one.role == code]
        if role is None or any(not one.team for one in mine):
            continue
        where = f"roles.roles.{code}"
        if not mine:
            yield Problem(where, "role_has_a_rotation", f"nobody is ever on call as {role.display_name}")
            continue
        without = sorted(set(staff.owning_teams) - {one.team for one in mine})
        if without:
            text = f"nobody is on call as {role.display_name} for {', '.join(without)}"
            yield Problem(where, "team_has_a_rotation", text)


def _empty(process: ProcessDefinition, staff: Staff) -> Iterator[Problem]:
    needed = set(_needed(process))
    for one in staff.rotations:
        if one.role in needed and not one.people:
            text = f"the rotation {one.name} holds nobody who is active"
            yield Problem(f"roles.roles.{one.role}", "rotation_has_people", text)


def _enough(process: ProcessDefinition, staff: Staff) -> Iterator[Problem]:
    """Dedicated roles need distinct people: as many as a matching of roles and people can bring together."""
    able: dict[str, set[str]] = {}
    for one in staff.rotations:
        able.setdefault(one.role, set()).update(one.people)
    for severity, cells in process.roles.by_severity.items():
        roles = [role for role, need in cells.items() if need is RoleNeed.DEDICATED and able.get(role)]
        if (filled := _matched(roles, able)) < len(roles):
            text = f"{severity} calls {len(roles)} people for roles of their own; {filled} can be found at once"
            yield Problem(f"roles.roles_by_severity.{severity}", "enough_people", text)


def _matched(roles: Sequence[str], able: Mapping[str, set[str]]) -> int:
    """How many roles can be held at once by different people."""
    holder: dict[str, str] = {}

    def find(role: str, tried: set[str]) -> bool:
        for person in sorted(able[role] - tried):
            tried.add(person)
            if person not in holder or find(holder[person], tried):
                holder[person] = role
                return True
        return False

    return sum(find(role, set()) for role in roles)
