"""Teams and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.team_readiness import Stage
from tocsin.core.wall_time import zone
from tocsin.people import queries
from tocsin.people.models import Membership, Team
from tocsin.platform.text import clean, one_line, slug


def add_team(actor: Actor, *, name: str, display_name: str = "", time_zone: str = "UTC", now: datetime) -> Team:
    """A new team without members. Raises Invalid when the name is taken or no slug, or the zone is unknown."""
    require(actor, Right.PEOPLE_WRITE)
    if not name or slug(name) != name:
        raise Invalid({"name": f"Use lower-case letters, digits and hyphens, for example {slug(name) or 'tickets'}."})
    known = zone(time_zone).key
    with transaction.atomic():
        if Team.objects.filter(name=name).exists():
            raise Invalid({"name": f"There is a team called {name} already."})
        shown = one_line(clean(display_name), limit=150)
        team = Team.objects.create(name=name, display_name=shown, time_zone=known, created_at=now)
        data = {"team": name, "change": "added", "display_name": shown, "time_zone": known}
        audit.record(actor, [Fact(kind=Kind.TEAM_SAVED, data=data)], now=now)
    return team


def update_team(
    actor: Actor,
    *,
    name: str,
    display_name: str | None = None,
    time_zone: str | None = None,
    business_hours: Mapping[str, Any] | None = None,
    stage: str | None = None,
    now: datetime,
) -> Team:
    """Change what is given of a team; its owners may. Nothing is written when nothing changes."""
    require(actor, Right.TEAM_WRITE, team=name)
    if stage is not None and stage not in set(Stage):
        raise Invalid({"stage": f"There is no stage {one_line(stage, limit=40)!r}: choose {' or '.join(Stage)}."})
    wanted: dict[str, Any] = {
        "display_name": None if display_name is None else one_line(clean(display_name), limit=150),
        "time_zone": None if time_zone is None else zone(time_zone).key,
        "business_hours": None if business_hours is None else dict(business_hours),
        "stage": stage,
    }
    with transaction.atomic():
        team = queries.team(name)
        changed = {key: value for key, value in wanted.items() if value is not None and getattr(team, key) != value}
        if not changed:
            return team
        for key, value in changed.items():
            setattr(team, key, value)
        team.save(update_fields=list(changed))
        audit.record(actor, [Fact(kind=Kind.TEAM_SAVED, data={"team": name, "change": "changed", **changed})], now=now)
    return team


def add_member(actor: Actor, *, team: str, username: str, is_owner: bool = False, now: datetime) -> Membership:
    """Put a person into a team, or make a member an owner or no owner of it."""
    require(actor, Right.TEAM_WRITE, team=team)
    with transaction.atomic():
        person = queries.person(username)
        membership, added = Membership.objects.get_or_create(
            team=queries.team(team), person=person, defaults={"is_owner": is_owner}
        )
        if not added and membership.is_owner == is_owner:
            return membership
        membership.is_owner = is_owner
        membership.save(update_fields=["is_owner"])
        data = {"team": team, "change": "member", "username": person.username, "is_owner": is_owner}
        audit.record(actor, [Fact(kind=Kind.TEAM_SAVED, data=data)], now=now)
    return membership


def remove_member(actor: Actor, *, team: str, username: str, now: datetime) -> None:
    """Take a person out of a team. Nothing happens when the person is not in it."""
    require(actor, Right.TEAM_WRITE, team=team)
    with transaction.atomic():
        person = queries.person(username)
        removed, _ = Membership.objects.filter(team=queries.team(team), person=person).delete()
        if removed:
            data = {"team": team, "change": "member_removed", "username": person.username}
            audit.record(actor, [Fact(kind=Kind.TEAM_SAVED, data=data)], now=now)
