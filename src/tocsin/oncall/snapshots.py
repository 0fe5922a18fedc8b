"""Rows of this room as core's frozen values."""

from __future__ import annotations

from typing import Any

from tocsin.core.escalation import Policy
from tocsin.core.escalation_document import parse_policy
from tocsin.core.on_call_now import Schedule
from tocsin.core.schedule_document import parse_schedule
from tocsin.oncall.models import EscalationPolicy, Override, Rotation


def schedule_document(rotation: Rotation) -> dict[str, Any]:
    """The rotation as the schedule file says it, overrides in the order they were created."""
    return {
        "name": rotation.name,
        "time_zone": rotation.time_zone,
        "layers": rotation.layers,
        "overrides": [_override(row) for row in sorted(rotation.overrides.all(), key=lambda row: row.pk)],
    }


def schedule_of(rotation: Rotation) -> Schedule:
    """The rotation as core reckons with it."""
    return parse_schedule(schedule_document(rotation))


def policy_document(policy: EscalationPolicy) -> dict[str, Any]:
    """The policy as the escalation file says it; incidents keep this as their snapshot."""
    return {"name": policy.name, "repeat": policy.repeat, "steps": policy.steps}


def policy_of(document: dict[str, Any]) -> Policy:
    return parse_policy(document)


def _override(row: Override) -> dict[str, Any]:
    return {
        "start": row.starts_at.isoformat(),
        "end": row.ends_at.isoformat(),
        "users": row.users,
        "priority": row.priority,
    }
