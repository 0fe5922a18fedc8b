"""Load of the last weeks: the reader's own, and that of each team of five or more, by name of the team and unranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core import on_call_now
from tocsin.core.access import Actor, Right, require
from tocsin.core.wellbeing_load import Load, PersonFacts, TeamLoad, load_of, team_load
from tocsin.core.wellbeing_record import Stretch
from tocsin.core.wellbeing_settings import Limits
from tocsin.incidents.models import Page, RoleHeld
from tocsin.insights.wellbeing_record import worked
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Person, Team
from tocsin.process import queries as process

PERIOD = timedelta(weeks=4)
_LONGEST_WORK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class TeamFigures:
    """A team with its load; `load` is None where too few people are in it to speak of them together."""

    team: Team
    people: int
    load: TeamLoad | None


@dataclass(frozen=True, slots=True)
class LoadView:
    """`own` is None for somebody who is no person; `limits` is None where the process sets none."""

    start: datetime
    end: datetime
    limits: Limits | None
    own: Load | None
    teams: tuple[TeamFigures, ...]


def load_view(actor: Actor, *, now: datetime) -> LoadView:
    """The load of the last four weeks as the reader may see it: nobody's figures but one's own."""
    require(actor, Right.INCIDENT_READ)
    settings = process.current().wellbeing
    start = now - PERIOD
    if settings is None:
        return LoadView(start, now, None, None, ())
    teams = list(Team.objects.order_by("display_name", "name"))
    members = {team.pk: list(Person.objects.filter(memberships__team=team, is_active=True)) for team in teams}
    everybody = {person.pk: person for group in members.values() for person in group}
    reader = Person.objects.filter(pk=actor.person_id).first() if actor.person_id else None
    if reader is not None:
        everybody[reader.pk] = reader
    facts = _facts(list(everybody.values()), start=start, end=now)
    return LoadView(
        start,
        now,
        settings.limits,
        load_of(facts[reader.pk], settings.limits, start=start, end=now) if reader else None,
        tuple(_figures(team, members[team.pk], facts, settings.limits, start=start, end=now) for team in teams),
    )


def _figures(
    team: Team,
    members: Sequence[Person],
    facts: dict[int, PersonFacts],
    limits: Limits,
    *,
    start: datetime,
    end: datetime,
) -> TeamFigures:
    people = [facts[person.pk] for person in members]
    load = team_load(people, limits, team_zone=team.time_zone, start=start, end=end)
    return TeamFigures(team, len(people), load)


def _facts(people: Sequence[Person], *, start: datetime, end: datetime) -> dict[int, PersonFacts]:
    pages: dict[int, list[datetime]] = {}
    for pk, at in Page.objects.filter(person__in=people, created_at__gte=start).values_list("person_id", "created_at"):
        if pk is not None:
            pages.setdefault(pk, []).append(at)
    work: dict[int, list[Stretch]] = {}
    for row in RoleHeld.objects.filter(person__in=people, from_at__gte=start - _LONGEST_WORK).select_related(
        "incident"
    ):
        work.setdefault(row.person_id, []).append(worked(row))
    shifts = _shifts(start=start, end=end)
    return {
        person.pk: PersonFacts(
            person.time_zone,
            tuple(shifts.get(person.username, ())),
            tuple(work.get(person.pk, ())),
            tuple(pages.get(person.pk, ())),
        )
        for person in people
    }


def _shifts(*, start: datetime, end: datetime) -> dict[str, list[Stretch]]:
    found: dict[str, list[Stretch]] = {}
    for row in Rotation.objects.prefetch_related("overrides"):
        for shift in on_call_now.shifts(oncall.schedule(row), start=start, end=end):
            for name in shift.users:
                found.setdefault(name, []).append(Stretch(shift.start, shift.end))
    return found
