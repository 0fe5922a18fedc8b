"""Who is on call, who will be, and whom a policy's words lead to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from tocsin.catalog.models import Service
from tocsin.core import on_call_now as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.on_call_now import DoubleBooking, Gap, OnCall, Schedule, Shift
from tocsin.oncall.models import EscalationPolicy, Rotation, ServiceEscalation
from tocsin.oncall.snapshots import policy_document, schedule_of
from tocsin.people.models import Person, Team

LONGEST_PREVIEW = timedelta(days=800)


def rotations(actor: Actor) -> QuerySet[Rotation]:
    """All rotations by name, with team and overrides at hand."""
    require(actor, Right.ONCALL_READ)
    return Rotation.objects.select_related("team").prefetch_related("overrides").order_by("name")


def rotation(actor: Actor, name: str) -> Rotation:
    """The rotation of that name. Raises NotFound."""
    found = rotations(actor).filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no rotation {name!r}.")
    return found


def schedule(row: Rotation) -> Schedule:
    """The rotation as core reckons with it."""
    return schedule_of(row)


def on_call(row: Rotation, *, now: datetime) -> OnCall:
    """Who is on call in that rotation now, until when, and whether as an override."""
    return core.on_call_now(schedule_of(row), now=now)


def shifts(actor: Actor, name: str, *, start: datetime, end: datetime) -> list[Shift]:
    """The shifts in [start, end), neighbours with the same people joined, gaps left out."""
    if not start < end <= start + LONGEST_PREVIEW:
        raise Invalid({"to": f"Choose an end after the start and at most {LONGEST_PREVIEW.days} days later."})
    return core.shifts(schedule_of(rotation(actor, name)), start=start, end=end)


def gaps(actor: Actor, *, start: datetime, end: datetime) -> list[tuple[Rotation, Gap]]:
    """When nobody is on call, in any rotation, soonest first."""
    found = [(row, gap) for row in rotations(actor) for gap in core.gaps(schedule_of(row), start=start, end=end)]
    return sorted(found, key=lambda pair: pair[1].start)


def double_bookings(actor: Actor, *, start: datetime, end: datetime) -> list[DoubleBooking]:
    """Persons who stand in two rotations at once."""
    return core.double_bookings({row.name: schedule_of(row) for row in rotations(actor)}, start=start, end=end)


def shifts_of(actor: Actor, username: str, *, start: datetime, end: datetime) -> list[tuple[Rotation, Shift]]:
    """One person's shifts, soonest first."""
    found = [
        (row, shift)
        for row in rotations(actor)
        for shift in core.shifts(schedule_of(row), start=start, end=end)
        if username in shift.users
    ]
    return sorted(found, key=lambda pair: pair[1].start)


def people_for(targets: Sequence[str], *, now: datetime, team: Team | None = None) -> dict[str, list[Person]]:
    """The active persons each target leads to now: user:NAME, rotation:NAME (or schedule:NAME), team:NAME, role:CODE.

    A role's people come from the rotations of that role: those of `team` where it has one, else those of no team.
    """
    names = {target: _usernames(target, now=now, team=team) for target in dict.fromkeys(targets)}
    wanted = {name for found in names.values() for name in found}
    persons = {
        person.username: person
        for person in Person.objects.filter(username__in=wanted, is_active=True).prefetch_related("contact_methods")
    }
    return {target: [persons[name] for name in found if name in persons] for target, found in names.items()}


def on_call_for_role(role: str, *, now: datetime, team: Team | None = None) -> list[str]:
    """User names on call for a role of the process now."""
    rows = Rotation.objects.filter(role=role).prefetch_related("overrides")
    own = list(rows.filter(team=team)) if team else []
    chosen = own or list(rows.filter(team__isnull=True))
    return _joined(core.people_on_call(schedule_of(row), now=now) for row in chosen)


def everybody_for_role(role: str, *, team: Team | None = None) -> list[str]:
    """User names of all who ever stand in a rotation of that role, on call now or not."""
    rows = Rotation.objects.filter(role=role)
    chosen = (list(rows.filter(team=team)) if team else []) or list(rows.filter(team__isnull=True))
    return _joined(group for row in chosen for layer in row.layers for group in layer.get("users", []))


def on_call_of_team(team: Team, *, now: datetime) -> list[Person]:
    """Whoever is on call now in any rotation of that team, by name."""
    rows = Rotation.objects.filter(team=team).prefetch_related("overrides")
    names = _joined(core.people_on_call(schedule_of(row), now=now) for row in rows)
    return list(Person.objects.filter(username__in=names, is_active=True).order_by("username"))


def policy_for(service: Service | None) -> dict[str, Any] | None:
    """The document of the policy that wakes people for `service`; None when it has none."""
    if service is None:
        return None
    link = ServiceEscalation.objects.select_related("policy").filter(service=service).first()
    return policy_document(link.policy) if link else None


def policy_named(name: str) -> dict[str, Any] | None:
    """The document of the policy of that name; None for an empty name and for one that is gone."""
    found = EscalationPolicy.objects.filter(name=name).first() if name else None
    return policy_document(found) if found else None


def policy_names() -> list[str]:
    """The names of all escalation policies."""
    return list(EscalationPolicy.objects.order_by("name").values_list("name", flat=True))


def known_policy(name: str) -> str:
    """The name, when a policy has it or it is empty. Raises Invalid for any other."""
    if name and not EscalationPolicy.objects.filter(name=name).exists():
        raise Invalid({"escalation_policy": f"There is no escalation policy {name!r}."})
    return name


def policies(actor: Actor) -> QuerySet[EscalationPolicy]:
    require(actor, Right.ONCALL_READ)
    return EscalationPolicy.objects.select_related("team").prefetch_related("services__service").order_by("name")


def policy(actor: Actor, name: str) -> EscalationPolicy:
    """The escalation policy of that name. Raises NotFound."""
    found = policies(actor).filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no escalation policy {name!r}.")
    return found


def _usernames(target: str, *, now: datetime, team: Team | None) -> list[str]:
    kind, _, name = target.partition(":")
    if kind == "user":
        return [name]
    if kind in {"rotation", "schedule"}:
        row = Rotation.objects.filter(name=name).prefetch_related("overrides").first()
        return list(core.people_on_call(schedule_of(row), now=now)) if row else []
    if kind == "team":
        members = Person.objects.filter(memberships__team__name=name).order_by("memberships__id")
        return list(members.values_list("username", flat=True))
    return on_call_for_role(name, now=now, team=team)


def _joined(groups: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for group in groups for name in group))
