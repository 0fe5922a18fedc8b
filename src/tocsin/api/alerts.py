"""Alerts, integrations, and the reading half of Alertmanager's API v2."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.alerts import actions, queries
from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.incidents import rank_of
from tocsin.api.listing import listing
from tocsin.platform import clock

router = Router(tags=["alerts"])


class NewIntegration(Schema):
    kind: str
    service: str | None = None
    name: str = ""
    default_priority: int | str | None = None


@router.get("/alerts")
def alerts(request: HttpRequest, state: str = "firing", limit: int = 200) -> dict[str, Any]:
    return listing(queries.alerts(actor(request), state=state or None)[: min(limit, 1000)], shapes.alert)


@router.get("/integrations")
def integrations(request: HttpRequest) -> dict[str, Any]:
    return listing(queries.integrations(actor(request)), shapes.integration)


@router.post("/integrations", response={201: dict[str, Any]})
def add_integration(request: HttpRequest, body: NewIntegration) -> Status[dict[str, Any]]:
    """A sender with a key; the key is shown this once."""
    row, key = actions.add_integration(
        actor(request),
        kind=body.kind,
        service=body.service,
        name=body.name,
        default_priority=rank_of(body.default_priority),
        now=clock.now(),
    )
    return Status(201, {**shapes.integration(row), "key": key})


@router.delete("/integrations/{integration_id}")
def revoke_integration(request: HttpRequest, integration_id: int) -> dict[str, Any]:
    """The key stops working at once."""
    return shapes.integration(actions.revoke_integration(actor(request), integration_id, now=clock.now()))
