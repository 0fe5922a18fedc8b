"""The only writers of rotations, overrides and escalation policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.catalog import queries as catalog
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.escalation_document import parse_policy
from tocsin.core.facts import Kind
from tocsin.core.schedule_document import parse_schedule
from tocsin.oncall import queries
from tocsin.oncall.models import EscalationPolicy, Override, Rotation, ServiceEscalation
from tocsin.people.models import Person, Team


def save_rotation(
    actor: Actor,
    document: Mapping[str, Any],
    *,
    now: datetime,
    team: str | None = None,
    role: str = "",
    display_name: str = "",
) -> Rotation:
    """Create or replace a rotation from a schedule file (contract ONCALL-1), its overrides included.

    Raises Invalid with a sentence for each wrong field; a user name nobody has is wrong, too.
    """
    schedule = parse_schedule(document)
    team, role = team or document.get("team"), role or str(document.get("role", ""))
    names = {name for layer in schedule.layers for turn in layer.users for name in turn}
    _must_exist(names | {name for override in schedule.overrides for name in override.users}, field="users")
    with transaction.atomic():
        require(actor, Right.ONCALL_WRITE, team=team)
        owner = _team(team)
        row, _ = Rotation.objects.update_or_create(
            name=schedule.name,
            defaults={
                "time_zone": schedule.time_zone,
                "layers": list(document.get("layers", [])),
                **_given(owner, role, display_name),
            },
            create_defaults={
                "time_zone": schedule.time_zone,
                "layers": list(document.get("layers", [])),
                "created_at": now,
                **_given(owner, role, display_name),
            },
        )
        row.overrides.all().delete()
        for override in sorted(schedule.overrides, key=lambda one: one.created):
            Override.objects.create(
                rotation=row,
                starts_at=override.start_at,
                ends_at=override.end_at,
                users=list(override.users),
                priority=override.priority,
                created_by=actor.ident,
                created_at=now,
            )
        data = {
            "rotation": row.name,
            "role": row.role,
            "layers": len(schedule.layers),
            "overrides": len(schedule.overrides),
            "people": sorted(names),  # a later save replaces the layers; who was in them is asked for long afterwards
        }
        audit.record(actor, [Fact(kind=Kind.ROTATION_SAVED, data=data)], now=now)
        return row


def add_override(
    actor: Actor,
    *,
    rotation: str,
    users: Sequence[str],
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    priority: int = 0,
) -> Override:
    """Let `users` stand in, exactly in [starts_at, ends_at). Everybody who responds may swap and cover."""
    if ends_at <= starts_at:
        raise Invalid({"end": "The end comes after the start."})
    if ends_at <= now:
        raise Invalid({"end": "This lies in the past; who was on call then does not change any more."})
    _must_exist(set(users), field="user")
    with transaction.atomic():
        row = queries.rotation(actor, rotation)
        require(actor, Right.ONCALL_OVERRIDE, team=row.team.name if row.team else None)
        override = Override.objects.create(
            rotation=row,
            starts_at=max(starts_at, now) if starts_at < now else starts_at,
            ends_at=ends_at,
            users=list(users),
            priority=priority,
            created_by=actor.ident,
            created_at=now,
        )
        data = {
            "rotation": row.name,
            "override": override.pk,
            "users": list(users),
            "from": stamp(override.starts_at),
            "to": stamp(ends_at),
        }
        audit.record(actor, [Fact(kind=Kind.OVERRIDE_ADDED, data=data)], now=now)
        return override


def remove_override(actor: Actor, override_id: int, *, now: datetime) -> None:
    """Take an override back from now on; what it covered already stays as it was."""
    with transaction.atomic():
        row = Override.objects.select_related("rotation__team").filter(pk=override_id).first()
        if row is None:
            raise NotFound(f"There is no override {override_id}.")
        team = row.rotation.team
        require(actor, Right.ONCALL_OVERRIDE, team=team.name if team else None)
        if row.starts_at < now < row.ends_at:
            row.ends_at = now
            row.save(update_fields=["ends_at"])
        elif row.starts_at >= now:
            row.delete()
        data = {"rotation": row.rotation.name, "override": override_id}
        audit.record(actor, [Fact(kind=Kind.OVERRIDE_REMOVED, data=data)], now=now)


def save_policy(
    actor: Actor, document: Mapping[str, Any], *, now: datetime, team: str | None = None
) -> EscalationPolicy:
    """Create or replace an escalation policy from its file (contract ESC-1). Open incidents keep the one they began with.

    Raises Invalid when a step names somebody or something that does not exist.
    """
    policy = parse_policy(document)
    _targets_exist([target for step in policy.steps for target in step.targets])
    with transaction.atomic():
        require(actor, Right.ESCALATION_WRITE, team=team)
        steps = [dict(step) for step in document.get("steps", [])]
        changed: dict[str, Any] = {"repeat": policy.repeat, "steps": steps}
        if team:
            changed["team"] = _team(team)
        row, _ = EscalationPolicy.objects.update_or_create(
            name=policy.name, defaults=changed, create_defaults={**changed, "created_at": now}
        )
        data = {"policy": row.name, "repeat": row.repeat, "steps": len(steps)}
        audit.record(actor, [Fact(kind=Kind.ESCALATION_POLICY_SAVED, data=data)], now=now)
        return row


def set_service_escalation(actor: Actor, *, service: str, policy: str, now: datetime) -> ServiceEscalation:
    """Say which policy wakes people for a service."""
    with transaction.atomic():
        target = catalog.service(actor, service)
        require(actor, Right.ESCALATION_WRITE, team=target.team.name if target.team else None)
        chosen = queries.policy(actor, policy)
        row, _ = ServiceEscalation.objects.update_or_create(service=target, defaults={"policy": chosen})
        data = {"service": target.name, "policy": chosen.name}
        audit.record(actor, [Fact(kind=Kind.SERVICE_ESCALATION_SET, data=data)], now=now)
        return row


def _given(team: Team | None, role: str, display_name: str) -> dict[str, Any]:
    """Only what was said: a schedule file that is imported again does not take a rotation from its team."""
    given = {"team": team, "role": role, "display_name": display_name}
    return {name: value for name, value in given.items() if value}


def _team(name: str | None) -> Team | None:
    if not name:
        return None
    found = Team.objects.filter(name=name).first()
    if found is None:
        raise Invalid({"team": f"There is no team {name!r}."})
    return found


def _must_exist(usernames: set[str], *, field: str) -> None:
    known = set(Person.objects.filter(username__in=usernames).values_list("username", flat=True))
    unknown = sorted(usernames - known)
    if unknown:
        raise Invalid(
            {field: f"Nobody here is called {', '.join(map(repr, unknown))}; add them with `tocsin user add`."}
        )


def _targets_exist(targets: Sequence[str]) -> None:
    named: dict[str, set[str]] = {}
    for target in targets:
        kind, _, name = target.partition(":")
        named.setdefault("rotation" if kind == "schedule" else kind, set()).add(name)
    _must_exist(named.get("user", set()), field="steps")
    for kind, model in (("rotation", Rotation), ("team", Team)):
        known = set(model.objects.filter(name__in=named.get(kind, set())).values_list("name", flat=True))
        unknown = sorted(named.get(kind, set()) - known)
        if unknown:
            raise Invalid({"steps": f"There is no {kind} {', '.join(map(repr, unknown))}."})
