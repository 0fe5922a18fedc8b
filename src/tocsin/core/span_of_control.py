"""How many people report to the one who coordinates, and whether that is more than one can listen to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import Area


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody in the response with a role of the process."""

    username: str
    role: str


@dataclass(frozen=True, slots=True)
class Group:
    """A sub-team: its members report to the leader, the leader reports upward."""

    leader: str
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Span:
    """Who reports directly. `limit` is None where the process sets none; then there is nothing to warn of."""

    reports: tuple[str, ...]
    limit: int | None

    @property
    def too_wide(self) -> bool:
        return self.limit is not None and len(self.reports) > self.limit


def span_of_control(process: ProcessDefinition, holders: Iterable[Holder], groups: Iterable[Group]) -> Span:
    """Who reports to whoever coordinates; nobody does while nobody coordinates."""
    roles = {role.code: role for role in process.roles.roles}
    present = [(one.username, roles[one.role]) for one in holders if one.role in roles]
    coordinating = {username for username, role in present if Area.COORDINATION in role.areas}
    limit = process.wellbeing.limits.direct_reports if process.wellbeing else None
    if not coordinating:
        return Span((), limit)
    teams = list(groups)
    led = {name for team in teams for name in team.members} - {team.leader for team in teams}
    working = {username for username, role in present if not role.optional} | {team.leader for team in teams}
    return Span(tuple(sorted(working - coordinating - led)), limit)
