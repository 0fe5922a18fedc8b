"""The people of a process: who has been on call so far, and who is trained for what they are on call for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tocsin.audit.models import Entry
from tocsin.core import on_call_now
from tocsin.core.access import Actor, Right, require
from tocsin.core.facts import Kind
from tocsin.core.process_parts import RoleDefinition
from tocsin.core.training import Learnt, TrainingGap, gap
from tocsin.core.wall_time import zone
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation
from tocsin.people.models import Person, Training
from tocsin.process import queries as process

LOOK_BACK = timedelta(days=800)
_HISTORY = (Kind.ROTATION_SAVED.value, Kind.OVERRIDE_ADDED.value)


def ever_on_call(actor: Actor, *, now: datetime) -> list[str]:
    """User names of everyone active who has been on call so far, by name.

    From the rotations as they are, their overrides, and what the log says of rotations that were replaced since.
    """
    require(actor, Right.ONCALL_READ)
    found: set[str] = set()
    latest: dict[str, int] = {}
    entries = list(Entry.objects.filter(kind__in=_HISTORY, at__lte=now).order_by("-seq"))
    for row in oncall.rotations(actor):
        found |= _served(row, now=now)
    for entry in entries:
        said = entry.data or {}
        if entry.kind == Kind.OVERRIDE_ADDED:
            found |= set(said.get("users", ())) if _begun(said, now) else set()
        elif latest.setdefault(str(said.get("rotation", "")), entry.seq) != entry.seq:
            found |= set(said.get("people", ()))
    return sorted(Person.objects.filter(username__in=found, is_active=True).values_list("username", flat=True))


def _begun(said: Mapping[str, Any], now: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(said.get("from", ""))) <= now
    except ValueError:
        return False


def responders(actor: Actor, *, now: datetime) -> list[str]:
    """User names of everyone who is in a rotation now or has been on call: they work by the process."""
    names = set(ever_on_call(actor, now=now))
    for row in oncall.rotations(actor):
        names |= in_layers(row)
    return sorted(Person.objects.filter(username__in=names, is_active=True).values_list("username", flat=True))


def in_layers(row: Rotation) -> set[str]:
    """Everybody whose turn comes in a rotation."""
    return {name for layer in row.layers for users in layer.get("users", ()) for name in users}


def _served(row: Rotation, *, now: datetime) -> set[str]:
    schedule = oncall.schedule(row)
    begun = [layer.start_at for layer in schedule.layers] + [one.start_at for one in schedule.overrides]
    start = max(min([*begun, row.created_at]), now - LOOK_BACK)
    if start >= now:
        return set()
    return {name for shift in on_call_now.shifts(schedule, start=start, end=now) for name in shift.users}


@dataclass(frozen=True, slots=True)
class RotationGaps:
    """A rotation for a role, and whoever in it lacks something that the role asks for."""

    rotation: Rotation
    role: RoleDefinition
    people: int
    gaps: tuple[TrainingGap, ...]


def training_gaps(actor: Actor, *, now: datetime, rotation: str = "") -> list[RotationGaps]:
    """Of each rotation for a role of the process (or of the one named): who lacks a skill or a training date."""
    require(actor, Right.ONCALL_READ)
    scheme = process.current().roles
    rows = [row for row in oncall.rotations(actor) if row.role and (not rotation or row.name == rotation)]
    names = {name for row in rows for name in in_layers(row)}
    persons = {one.username: one for one in Person.objects.filter(username__in=names, is_active=True)}
    learnt = trainings(names)
    found = []
    for row in rows:
        role = scheme.by_code(row.role)
        if role is None:
            continue
        today = _today(row, now)
        mine = [persons[name] for name in sorted(in_layers(row)) if name in persons]
        gaps = (gap(one.label, role, learnt.get(one.username, []), today=today) for one in mine)
        found.append(RotationGaps(row, role, len(mine), tuple(one for one in gaps if one is not None)))
    return found


def warnings_for(actor: Actor, rotation: str, *, now: datetime) -> list[str]:
    """What to know after somebody was entered into a rotation, as sentences."""
    return [
        one.sentence(row.role.display_name)
        for row in training_gaps(actor, now=now, rotation=rotation)
        for one in row.gaps
    ]


def trainings(usernames: Iterable[str]) -> dict[str, list[Learnt]]:
    """What each of these persons learnt, latest first."""
    found: dict[str, list[Learnt]] = {}
    rows = Training.objects.filter(person__username__in=list(usernames)).select_related("person")
    for row in rows:
        found.setdefault(row.person.username, []).append(Learnt(row.subject, row.on, row.valid_until))
    return found


def _today(row: Rotation, now: datetime) -> date:
    return now.astimezone(zone(row.time_zone)).date()
