"""The smallest worlds a test needs, built by the real actions. Each function may be called again with the same names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tocsin.catalog import actions as catalog
from tocsin.catalog import queries as services
from tocsin.catalog.models import Service
from tocsin.core.access import SYSTEM, Actor, Role
from tocsin.people import actions as people
from tocsin.people import queries as persons
from tocsin.people.models import Person, Team
from tocsin.process import actions as processes
from tocsin.process.models import ProcessVersion

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)


def process(*, now: datetime = NOW) -> ProcessVersion:
    """The shipped process, published, its stakeholder groups and the catch-all service beside it."""
    catalog.ensure_catch_all(now=now)
    return processes.ensure_default(now=now)


def team(name: str = "tickets", *, now: datetime = NOW, **fields: Any) -> Team:
    """A team of that name."""
    return Team.objects.filter(name=name).first() or people.add_team(SYSTEM, name=name, now=now, **fields)


def person(
    username: str = "mara",
    *,
    in_team: str | None = None,
    is_owner: bool = False,
    role: str = Role.RESPONDER.value,
    now: datetime = NOW,
    **fields: Any,
) -> Person:
    """Somebody reached at username@harbor.example, in the team `in_team` (made when missing)."""
    found = Person.objects.filter(username=username).first()
    if found is None:
        fields.setdefault("email", f"{username}@harbor.example")
        found = people.add_person(SYSTEM, username=username, role=role, now=now, **fields)
    if in_team is not None:
        team(in_team, now=now)
        people.add_member(SYSTEM, team=in_team, username=username, is_owner=is_owner, now=now)
    return found


def actor(username: str = "mara", **fields: Any) -> Actor:
    """Who `username` is when signed in; the person is made when missing."""
    return persons.actor_of(person(username, **fields))


def administrator(username: str = "ada", *, now: datetime = NOW) -> Actor:
    return actor(username, role=Role.ADMIN.value, now=now)


def service(name: str = "checkout", *, of_team: str | None = None, now: datetime = NOW, **fields: Any) -> Service:
    """A service of that name, owned by the team `of_team` (made when missing)."""
    if of_team is not None:
        team(of_team, now=now)
    return services.find_service(name) or catalog.add_service(SYSTEM, name=name, team=of_team, now=now, **fields)
