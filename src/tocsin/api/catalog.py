"""Services over JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.catalog import actions, queries
from tocsin.oncall import actions as oncall
from tocsin.platform import clock

router = Router(tags=["services"])


class NewService(Schema):
    name: str
    display_name: str = ""
    team: str | None = None
    description: str = ""
    runbook_url: str = ""
    depends_on: list[str] = []


class Escalation(Schema):
    policy: str


class Maintenance(Schema):
    on: bool


@router.get("/services")
def services(request: HttpRequest) -> dict[str, Any]:
    return listing(queries.services(actor(request)), shapes.service)


@router.post("/services", response={201: dict[str, Any]})
def add_service(request: HttpRequest, body: NewService) -> Status[dict[str, Any]]:
    row = actions.add_service(
        actor(request),
        name=body.name,
        display_name=body.display_name,
        team=body.team,
        description=body.description,
        runbook_url=body.runbook_url,
        depends_on=body.depends_on,
        now=clock.now(),
    )
    return Status(201, shapes.service(row))


@router.get("/services/{name}")
def service(request: HttpRequest, name: str) -> dict[str, Any]:
    return shapes.service(queries.service(actor(request), name))


@router.put("/services/{name}/escalation")
def set_escalation(request: HttpRequest, name: str, body: Escalation) -> dict[str, Any]:
    oncall.set_service_escalation(actor(request), service=name, policy=body.policy, now=clock.now())
    return {"service": name, "policy": body.policy}


@router.put("/services/{name}/maintenance")
def set_maintenance(request: HttpRequest, name: str, body: Maintenance) -> dict[str, Any]:
    actions.set_maintenance(actor(request), name, body.on, now=clock.now())
    return shapes.service(queries.service(actor(request), name))
