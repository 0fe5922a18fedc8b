"""Rows of this room and of those below as core's frozen values."""

from __future__ import annotations

from datetime import datetime

from tocsin.adoption.models import Statement
from tocsin.audit import queries as audit
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.core.team_readiness import ANSWERED_WITHIN, Point, Said, TeamFacts
from tocsin.oncall import queries as oncall
from tocsin.people.models import Team
from tocsin.process.models import StakeholderGroup
from tocsin.slo import queries as slos
from tocsin.slo.models import Objective

ANSWERS = (Kind.INCIDENT_ACKNOWLEDGED, Kind.PAGE_TAKEN, Kind.PAGE_PASSED)


def facts_of(team: Team, *, now: datetime) -> TeamFacts:
    """What is on record of a team at `now`."""
    members = list(team.memberships.filter(person__is_active=True).values_list("person__username", flat=True))
    objectives = slos.objectives(SYSTEM, team=team.name)
    rotations = list(oncall.rotations(SYSTEM).filter(team=team))
    return TeamFacts(
        services=team.services.count(),
        members=len(members),
        slos=len(objectives),
        rounds=audit.days_of(Kind.SLO_APPLIED, field="slo", values=[one.name for one in objectives]),
        rotations=len(rotations),
        staffed_rotations=sum(bool(oncall.on_call(row, now=now).users) for row in rotations),
        groups=_groups_who_hear(objectives, now=now),
        answered=audit.count_by(ANSWERS, actors=members, since=now - ANSWERED_WITHIN),
    )


def _groups_who_hear(objectives: list[Objective], *, now: datetime) -> int:
    """Groups chosen for the team's SLOs; before any is chosen, those with somebody in them."""
    decided = slos.assignments_at([one.pk for one in objectives], now)
    chosen = StakeholderGroup.objects.filter(assignments__in=list(decided.values())).distinct().count()
    return chosen or StakeholderGroup.objects.filter(members__isnull=False).distinct().count()


def said_of(team: Team) -> dict[Point, Said]:
    """The latest answer of the team to each point it answered itself."""
    rows = Statement.objects.filter(team=team).order_by("said_at", "pk")
    known = {point.value for point in Point}
    return {Point(row.point): Said(row.holds, row.reason, row.said_by) for row in rows if row.point in known}
