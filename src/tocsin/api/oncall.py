"""Rotations and escalation policies over JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Query, Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.insights import process_people
from tocsin.oncall import actions, queries
from tocsin.platform import clock

router = Router(tags=["on call"])

Start = Annotated[datetime, Query(alias="from")]
End = Annotated[datetime, Query(alias="to")]
Document = Annotated[dict[str, Any], Body()]


class NewOverride(Schema):
    users: list[str]
    start: datetime
    end: datetime
    priority: int = 0


@router.get("/oncall")
def now_on_call(request: HttpRequest) -> dict[str, Any]:
    """Who is on call now, by rotation."""
    now = clock.now()
    items = []
    for row in queries.rotations(actor(request)):
        duty = queries.on_call(row, now=now)
        items.append(
            {
                **shapes.rotation(row),
                "users": list(duty.users),
                "until": shapes.at(duty.until),
                "override": duty.override,
            }
        )
    return {"items": items, "next": None}


@router.get("/oncall/gaps")
def gaps(request: HttpRequest, start: Start, end: End) -> dict[str, Any]:
    """When nobody is on call."""
    found = queries.gaps(actor(request), start=start, end=end)
    return listing(
        found, lambda pair: {"rotation": pair[0].name, "start": shapes.at(pair[1].start), "end": shapes.at(pair[1].end)}
    )


@router.get("/oncall/{name}/shifts")
def shifts(request: HttpRequest, name: str, start: Start, end: End) -> dict[str, Any]:
    """The shifts of a rotation, cut to what was asked for."""
    return {"shifts": [shapes.shift(one) for one in queries.shifts(actor(request), name, start=start, end=end)]}


@router.post("/oncall", response={201: dict[str, Any]})
def import_rotation(request: HttpRequest, document: Document) -> Status[dict[str, Any]]:
    """Create or replace a rotation from a schedule file; `warnings` name who lacks training for its role."""
    who, now = actor(request), clock.now()
    row = actions.save_rotation(who, document, now=now)
    warnings = process_people.warnings_for(who, row.name, now=now)
    return Status(201, {**shapes.rotation(row), "warnings": warnings})


@router.post("/oncall/{name}/overrides", response={201: dict[str, Any]})
def add_override(request: HttpRequest, name: str, body: NewOverride) -> Status[dict[str, Any]]:
    row = actions.add_override(
        actor(request),
        rotation=name,
        users=body.users,
        starts_at=body.start,
        ends_at=body.end,
        priority=body.priority,
        now=clock.now(),
    )
    return Status(
        201, {"id": row.pk, "start": shapes.at(row.starts_at), "end": shapes.at(row.ends_at), "users": row.users}
    )


@router.delete("/oncall/overrides/{override_id}")
def remove_override(request: HttpRequest, override_id: int) -> dict[str, Any]:
    actions.remove_override(actor(request), override_id, now=clock.now())
    return {"removed": override_id}


@router.get("/escalation-policies")
def policies(request: HttpRequest) -> dict[str, Any]:
    return listing(queries.policies(actor(request)), shapes.policy)


@router.post("/escalation-policies", response={201: dict[str, Any]})
def import_policy(request: HttpRequest, document: Document) -> Status[dict[str, Any]]:
    """Create or replace an escalation policy from its file."""
    row = actions.save_policy(actor(request), document, now=clock.now())
    return Status(201, shapes.policy(row))
