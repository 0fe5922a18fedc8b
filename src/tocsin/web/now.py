"""Now: what needs me, what is burning, what was promised, who is on call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from tocsin.core.access import Actor, Right
from tocsin.incidents import queries as incidents
from tocsin.incidents.models import Incident, Page
from tocsin.incidents.queries import Promise
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Person
from tocsin.slo import queries as slo
from tocsin.slo.models import Health, Objective
from tocsin.web import asking

SLOS_SHOWN = 6
PROMISES_SHOWN = 6
UNWELL = (Health.EXHAUSTED, Health.BURNING, Health.INVALID, Health.NO_DATA)
SPENDING = (Health.EXHAUSTED, Health.BURNING)
OLD_STORY_AFTER = timedelta(days=7)
NEXT_SHIFT_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OnCallRow:
    """One rotation and who is on call in it; no people is a gap."""

    rotation: Rotation
    people: list[Person | str]
    until: datetime | None
    override: bool


@dataclass(frozen=True, slots=True)
class NextShift:
    rotation: Rotation
    who: str
    start: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that needs attention while no incident is open, and where to see to it."""

    code: str
    words: str
    url: str


@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """The page that answers "what needs me?"."""
    actor, at = asking.actor(request), asking.now(request)
    at_once, can_wait = incidents.now_and_later(actor, now=at)
    mine = _mine(actor, [*at_once, *can_wait])
    own = {row.pk for row in mine}
    owed = incidents.promises(actor, now=at)
    promises = [one for one in owed if not _is_old_story(one, now=at)]
    nothing_open = not at_once and not can_wait
    points = _points(promises, _spending(actor, now=at), _blind(actor)) if nothing_open else []
    calm = nothing_open and not points
    context = {
        "mine": mine,
        "at_once": [row for row in at_once if row.pk not in own],
        "can_wait": [row for row in can_wait if row.pk not in own],
        "promises": promises[:PROMISES_SHOWN],
        "old_promises": len(owed) - len(promises),
        "objectives": in_danger(actor)[:SLOS_SHOWN],
        "on_call": _on_call(actor, now=at),
        "calm": calm,
        "points": points,
        "next_shift": _next_shift(actor, now=at) if calm else None,
        "may_declare": actor.may(Right.INCIDENT_DECLARE),
    }
    return render(request, "web/now.html", context)


def _is_old_story(promise: Promise, *, now: datetime) -> bool:
    """Whether a word is owed about something long over: kept on the board of promises, nobody's work of today."""
    due = promise.obligation.due_at
    over = promise.late and not promise.obligation.incident.is_open
    return over and due is not None and now - due > OLD_STORY_AFTER


def _spending(actor: Actor, *, now: datetime) -> list[Objective]:
    """SLOs somebody gave a priority whose error budget burns or is gone."""
    rows = [row for row in slo.objectives(actor) if _health(row) in SPENDING]
    decided = slo.assignments_at([row.pk for row in rows], now)
    return [row for row in rows if row.pk in decided and decided[row.pk].priority is not None]


def _blind(actor: Actor) -> list[Objective]:
    """SLOs that had data and have none now: of them nobody can say that nothing is wrong."""
    return [row for row in slo.objectives(actor) if _health(row) == Health.NO_DATA and _had_data(row)]


def _points(promises: Sequence[Promise], spending: Sequence[Objective], blind: Sequence[Objective]) -> list[Point]:
    """What asks for somebody although no incident is open."""
    late = sum(one.late for one in promises)
    found = [Point("late", f"{late} promised update{'' if late == 1 else 's'} late", "/updates")] if late else []
    if blind:
        what = f"{len(blind)} SLO{'' if len(blind) == 1 else 's'} without data, so unknown"
        found.append(Point("blind", what, "/slos?health=no_data"))
    for row in spending:
        what = "has spent its error budget" if _health(row) == Health.EXHAUSTED else "burns its error budget"
        found.append(Point(row.name, f"{row.label} {what}", f"/slos/{row.service.name}/{row.name}"))
    return found


def _mine(actor: Actor, rows: Sequence[Incident]) -> list[Incident]:
    """Open incidents this person has, holds a role in, or was paged for without having answered."""
    if actor.person_id is None:
        return []
    asked = Page.objects.filter(person_id=actor.person_id, answer="", incident__in=rows)
    waiting = {page.incident_id: page.generation for page in asked.order_by("generation")}
    held = set(
        Incident.objects.filter(
            pk__in=[row.pk for row in rows], roles_held__person_id=actor.person_id, roles_held__until_at=None
        ).values_list("pk", flat=True)
    )
    return [row for row in rows if _is_mine(row, actor, held) or _asks(row, waiting)]


def _is_mine(row: Incident, actor: Actor, held: set[int]) -> bool:
    return row.acknowledged_by_id == actor.person_id or row.pk in held


def _asks(row: Incident, waiting: dict[int, int]) -> bool:
    return row.state == "triggered" and waiting.get(row.pk) == row.generation


def in_danger(actor: Actor) -> list[Objective]:
    """SLOs that are not well, the soonest exhausted first; unknown ones after those that are known to burn."""
    rows = [row for row in slo.objectives(actor) if _health(row) in UNWELL or _has_little_left(row)]
    return sorted(rows, key=_danger)


def _health(row: Objective) -> str:
    return row.state.health if hasattr(row, "state") else Health.NO_DATA


def _had_data(row: Objective) -> bool:
    return hasattr(row, "state") and row.state.first_data_at is not None


def _has_little_left(row: Objective) -> bool:
    return hasattr(row, "state") and row.state.remaining is not None and row.state.remaining < 0.4


def _danger(row: Objective) -> tuple[int, float, float]:
    """Known before unknown, then by the day the budget is gone, then by what is left."""
    state = row.state if hasattr(row, "state") else None
    if state is None or state.remaining is None:
        return 1, float("inf"), 0.0
    gone = state.exhausts_at.timestamp() if state.exhausts_at else float("inf")
    return 0, 0.0 if state.remaining <= 0 else gone, state.remaining


def _on_call(actor: Actor, *, now: datetime) -> list[OnCallRow]:
    rows = [(row, oncall.on_call(row, now=now)) for row in oncall.rotations(actor)]
    names = {name for _, duty in rows for name in duty.users}
    known = {person.username: person for person in Person.objects.filter(username__in=names)}
    found = [
        OnCallRow(row, [known.get(name, name) for name in duty.users], duty.until, duty.override) for row, duty in rows
    ]
    return sorted(found, key=lambda row: (bool(row.people), row.rotation.name))


def _next_shift(actor: Actor, *, now: datetime) -> NextShift | None:
    """The next time somebody else takes over, for the page of a calm day."""
    coming = [
        (duty.until, row)
        for row in oncall.rotations(actor)
        if (duty := oncall.on_call(row, now=now)).until is not None and duty.until <= now + NEXT_SHIFT_WITHIN
    ]
    for start, row in sorted(coming, key=lambda pair: (pair[0], pair[1].name)):
        duty = oncall.on_call(row, now=start)
        names = [person.label for person in Person.objects.filter(username__in=duty.users)]
        if names:
            return NextShift(row, ", ".join(names), start)
    return None


urlpatterns = [path("", now, name="now")]
