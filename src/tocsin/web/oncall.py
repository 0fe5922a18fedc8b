"""Who is on call: everybody now and next, one rotation, and standing in for each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.core.access import Right
from tocsin.core.errors import Invalid
from tocsin.core.wall_time import instant_of
from tocsin.oncall import actions, queries
from tocsin.oncall.models import Override, Rotation
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.web import asking
from tocsin.web.instants import clock_text
from tocsin.web.pictures import rosters
from tocsin.web.pictures.on_call_calendar import Calendar, Lane, calendar, gaps
from tocsin.web.pictures.rosters import Viewer

DAYS = 14


@dataclass(frozen=True, slots=True)
class RotationRow:
    """One line of the overview."""

    rotation: Rotation
    duty: rosters.Duty


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Everybody's rotations: now, next, and the coming two weeks."""
    now, actor = asking.now(request), asking.actor(request)
    rows = list(queries.rotations(actor))
    viewer = _viewer(request, people.persons(actor))
    duties = [RotationRow(row, rosters.duty(queries.schedule(row), viewer, now=now)) for row in rows]
    context = {
        "rotations": sorted(duties, key=lambda row: (bool(row.duty.people), row.rotation.label)),
        "chains": [(policy, chain(policy.steps, viewer)) for policy in queries.policies(actor)],
        **_calendar(rows, viewer, now=now),
    }
    return render(request, "web/oncall.html", context)


def chain(steps: Sequence[dict[str, Any]], viewer: Viewer) -> list[tuple[str, int]]:
    """The steps of a policy as people say them, each with the minutes it waits."""
    return [(", ".join(_asked(target, viewer) for target in step["targets"]), step["wait_minutes"]) for step in steps]


def _asked(target: str, viewer: Viewer) -> str:
    kind, _, name = target.partition(":")
    words = {"user": viewer.names.get(name, name), "team": f"everybody in {name}"}
    return words.get(kind, f"whoever is on call in {name}")


@require_GET
def rotation(request: HttpRequest, name: str) -> HttpResponse:
    """One rotation with its coming shifts, its gaps, and the form for standing in."""
    return _rotation_page(request, queries.rotation(asking.actor(request), name))


def _rotation_page(
    request: HttpRequest, row: Rotation, *, given: dict[str, Any] | None = None, errors: dict[str, str] | None = None
) -> HttpResponse:
    now, actor = asking.now(request), asking.actor(request)
    persons = people.persons(actor)
    viewer = _viewer(request, persons)
    team = row.team.name if row.team else None
    context = {
        "rotation": row,
        "duty": rosters.duty(queries.schedule(row), viewer, now=now),
        "overrides": _coming(row, viewer, now=now),
        "may_override": actor.may(Right.ONCALL_OVERRIDE, team=team),
        "persons": [(person.username, person.label) for person in persons],
        "given": given or {"user": actor.ident},
        "errors": errors or {},
        **_calendar([row], viewer, now=now),
    }
    return render(request, "web/rotation.html", context, status=422 if errors else 200)


@require_POST
def add_override(request: HttpRequest, name: str) -> HttpResponse:
    """Somebody stands in from one wall time of the viewer's zone to another."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.rotation(actor, name)
    given = {key: request.POST.get(key, "") for key in ("user", "start", "end")}
    try:
        starts_at, ends_at = _span(given, request)
        made = actions.add_override(
            actor, rotation=row.name, users=[given["user"]], starts_at=starts_at, ends_at=ends_at, now=now
        )
    except Invalid as refusal:
        return _rotation_page(request, row, given=given, errors=refusal.fields)
    who = _viewer(request, people.persons(actor)).called(made.users)
    messages.success(request, f"{', '.join(who)} stands in: {_echo(made, request)}.")
    return redirect("rotation", name=row.name)


@require_POST
def remove_override(request: HttpRequest, name: str, override: int) -> HttpResponse:
    """Take an override back; what it covered already stays."""
    actions.remove_override(asking.actor(request), override, now=asking.now(request))
    messages.success(request, "Taken back. From now on the rotation says who is on call.")
    return redirect("rotation", name=name)


def _viewer(request: HttpRequest, persons: Sequence[Person]) -> Viewer:
    return Viewer(
        username=asking.actor(request).ident,
        names={person.username: person.label for person in persons},
        zone=asking.zone(request),
    )


def _calendar(rows: Sequence[Rotation], viewer: Viewer, *, now: datetime) -> dict[str, Any]:
    """The picture for a desk, the agenda for a phone, and the gaps for everybody."""
    start, end = rosters.midnight(now, viewer.zone), rosters.midnight(now, viewer.zone, days=DAYS)
    lanes: list[Lane] = [rosters.lane(row.label, queries.schedule(row), viewer, start=start, end=end) for row in rows]
    facts = Calendar(lanes=lanes, starts_at=start, days=DAYS, now=now, zone=viewer.zone)
    return {
        "calendar": calendar(facts),
        "agenda": rosters.agenda(lanes, viewer.zone),
        "gaps": gaps(facts),
        "days": DAYS,
    }


def _coming(row: Rotation, viewer: Viewer, *, now: datetime) -> list[dict[str, Any]]:
    """Overrides that still matter, soonest first."""
    ahead = sorted((one for one in row.overrides.all() if one.ends_at > now), key=lambda one: one.starts_at)
    return [{"row": one, "people": viewer.called(one.users), "running": one.starts_at <= now} for one in ahead]


def _span(given: dict[str, str], request: HttpRequest) -> tuple[datetime, datetime]:
    found, problems = {}, {}
    for key in ("start", "end"):
        try:
            found[key] = _instant(given[key], request)
        except ValueError:
            problems[key] = "Give a day and a time, for example 2026-11-28 00:00."
    if problems:
        raise Invalid(problems)
    return found["start"], found["end"]


def _instant(text: str, request: HttpRequest) -> datetime:
    wall = datetime.fromisoformat(text)
    if wall.tzinfo is not None:
        raise ValueError(text)
    name = request.user.time_zone if isinstance(request.user, Person) else "UTC"
    return instant_of(wall, ZoneInfo(name))


def _echo(made: Override, request: HttpRequest) -> str:
    """The span in words, in the viewer's zone and in UTC, so that a slip of the zone is seen at once."""
    now, zone, utc = asking.now(request), asking.zone(request), ZoneInfo("UTC")
    own = [clock_text(at, zone, now=now, form="long") for at in (made.starts_at, made.ends_at)]
    plain = [clock_text(at, utc, now=now, form="long") for at in (made.starts_at, made.ends_at)]
    words = f"{own[0]} to {own[1]}"
    return words if own == plain else f"{words}, that is {plain[0]} to {plain[1]}"


urlpatterns = [
    path("oncall", overview, name="oncall"),
    path("oncall/<slug:name>", rotation, name="rotation"),
    path("oncall/<slug:name>/overrides", add_override, name="add-override"),
    path("oncall/<slug:name>/overrides/<int:override>/remove", remove_override, name="remove-override"),
]
