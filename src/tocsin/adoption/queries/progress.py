"""Reads about how far teams have come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tocsin.adoption import snapshots
from tocsin.adoption.models import TeamPolicy
from tocsin.core import team_readiness as core
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.team_readiness import Prerequisite, Stage, TeamFacts, Verdict
from tocsin.people import queries as people
from tocsin.people.models import Team
from tocsin.slo import queries as slos
from tocsin.slo.models import Objective


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a team has come: its stage, the four verdicts, its policy, and SLOs that are not finished."""

    team: Team
    facts: TeamFacts
    verdicts: tuple[Verdict, ...]
    policy: TeamPolicy | None
    missing: tuple[Prerequisite, ...]
    incomplete: tuple[Objective, ...]

    @property
    def ready(self) -> bool:
        return core.is_ready(self.verdicts)

    @property
    def mature(self) -> bool:
        return self.team.stage == Stage.MATURE

    @property
    def holds(self) -> int:
        return sum(one.holds for one in self.verdicts)


def progress(actor: Actor, team: Team | str, *, now: datetime) -> Progress:
    """How far one team has come. Raises NotFound."""
    require(actor, Right.PEOPLE_READ)
    row = team if isinstance(team, Team) else people.team(team)
    facts = snapshots.facts_of(row, now=now)
    verdicts = core.readiness(facts, snapshots.said_of(row))
    return Progress(row, facts, verdicts, policy_of(row), core.missing(facts), incomplete(row, now=now))


def all_progress(actor: Actor, *, now: datetime, start: int = 0, count: int | None = None) -> list[Progress]:
    """How far each team has come, by name; with `count` so many teams from number `start` on."""
    rows = people.teams(actor)
    part = rows[start:] if count is None else rows[start : start + count]
    return [progress(actor, row, now=now) for row in part]


def in_force() -> int:
    """How many teams have a policy in force."""
    return TeamPolicy.objects.filter(ended_at=None).count()


def policy_of(team: Team) -> TeamPolicy | None:
    """The policy in force, None when there is none."""
    return TeamPolicy.objects.filter(team=team, ended_at=None).first()


def incomplete(team: Team, *, now: datetime) -> tuple[Objective, ...]:
    """SLOs of a mature team without a decision on their priority: they are not finished."""
    if team.stage != Stage.MATURE:
        return ()
    return tuple(slos.undecided(SYSTEM, at=now, team=team.name))


def priority_warning(team: Team | None, *, now: datetime) -> str:
    """What speaks against giving an SLO of that team a priority now; empty when nothing does."""
    if team is None:
        return ""
    verdicts = core.readiness(snapshots.facts_of(team, now=now), snapshots.said_of(team))
    return core.stage_warning(team.label, team.stage, verdicts)


def priority_warnings(names: Iterable[str], *, now: datetime) -> list[str]:
    """What speaks against giving these SLOs a priority now, once for each team."""
    teams = Team.objects.filter(services__objectives__name__in=list(names)).distinct().order_by("name")
    found = [priority_warning(team, now=now) for team in teams]
    return [warning for warning in found if warning]


def hides_priorities(team: Team | None) -> bool:
    """Whether the step of prioritising is not shown yet when an SLO of that team is defined."""
    return team is not None and team.stage == Stage.INITIAL
