"""Sort, merge, take apart and cancel incidents over JSON, and what an incident is connected with."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.incidents import actions, queries
from tocsin.incidents.links import Links
from tocsin.incidents.models import Incident
from tocsin.platform import clock

router = Router(tags=["incidents"])


class Sorting(Schema):
    """What is left out stays as it is."""

    service: str | None = None
    category: str | None = Field(None, description="The class of its cause: deploy, capacity, dependency.")
    environment: str | None = None
    scope: str | None = Field(None, description="Which regions or tenants feel it.")
    outside_our_control: bool | None = Field(None, description="Its cause lies with somebody else; asks for a reason.")
    reason: str = ""


class Merging(Schema):
    into: str


class Why(Schema):
    reason: str = ""


@router.post("/incidents/{ref}/categories")
def categorize(request: HttpRequest, ref: str, body: Sorting) -> dict[str, Any]:
    """Sort an incident: service, cause class, environment, scope, and whether it is in our hands."""
    row = actions.categorize(
        actor(request),
        ref,
        service=body.service,
        category=body.category,
        environment=body.environment,
        scope=body.scope,
        outside_our_control=body.outside_our_control,
        reason=body.reason,
        now=clock.now(),
    )
    return _shown(request, row)


@router.post("/incidents/{ref}/merge")
def merge(request: HttpRequest, ref: str, body: Merging) -> dict[str, Any]:
    """Let it go on in another open incident, which is answered."""
    return _shown(request, actions.merge(actor(request), ref, into=body.into, now=clock.now()))


@router.post("/incidents/{ref}/unmerge")
def unmerge(request: HttpRequest, ref: str, body: Why | None = None) -> dict[str, Any]:
    """They were two things after all: it goes on by itself, where it stood."""
    reason = body.reason if body else ""
    return _shown(request, actions.unmerge(actor(request), ref, reason=reason, now=clock.now()))


@router.post("/incidents/{ref}/cancel")
def cancel(request: HttpRequest, ref: str, body: Why) -> dict[str, Any]:
    """It was no incident; the number stays."""
    return _shown(request, actions.cancel(actor(request), ref, reason=body.reason, now=clock.now()))


def shown(found: Links) -> dict[str, Any]:
    return {
        "breaches": [
            {"id": one.pk, "at": shapes.at(one.at), "bad": one.bad, "valid": one.valid, "path": f"/breaches/{one.pk}"}
            for one in found.breaches
        ],
        "breach_count": found.breach_count,
        "changes": [
            {
                "at": shapes.at(one.at),
                "summary": one.summary,
                "source": one.source or None,
                "url": one.url or None,
                "during": one.during,
            }
            for one in found.changes
        ],
        "fixes": [
            {"kind": one.kind, "reference": one.reference, "deployed_at": shapes.at(one.deployed_at)}
            for one in found.fixes
        ],
        "runbook": found.runbook.url or None,
        "depends_on": [one.name for one in found.depends_on],
    }


def _shown(request: HttpRequest, row: Incident) -> dict[str, Any]:
    return shapes.incident(queries.incident(actor(request), row.number))
