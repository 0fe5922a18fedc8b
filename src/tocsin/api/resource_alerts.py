"""Resource-based alerts over JSON: registering, their priorities, their replacement by SLOs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.adoption import actions as adoption
from tocsin.adoption import queries as adopted
from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.incidents import rank_of
from tocsin.api.listing import listing
from tocsin.oncall import queries as oncall
from tocsin.platform import clock
from tocsin.slo import actions, queries
from tocsin.slo.models import PriorityAssignment, ResourceAlert

router = Router(tags=["resource alerts"])

WEEKS = 13


class NewAlert(Schema):
    alert_name: str
    service: str
    name: str = ""
    metric: str = ""
    use_case: str = ""
    runbook_url: str = ""
    interim: bool = False


class Move(Schema):
    state: str
    replaced_by: str = ""
    reason: str = ""


class Decision(Schema):
    priority: int | str | None
    groups: list[str] = []
    reason: str = ""
    assign_mode: str = "automatic"
    severity: str = ""
    escalation_policy: str = ""


def alert(row: ResourceAlert, decided: PriorityAssignment | None) -> dict[str, Any]:
    sli = adopted.sli_for(row)
    return {
        "name": row.name,
        "alert_name": row.alert_name,
        "service": row.service.name,
        "team": row.service.team.name if row.service.team else None,
        "metric": row.metric or None,
        "use_case": row.use_case or None,
        "runbook_url": row.runbook_url or None,
        "interim": row.interim,
        "state": row.state,
        "replaced_by": row.replaced_by.name if row.replaced_by else None,
        "replaceable_by": sli.code if sli else None,
        "priority": decided.priority if decided else None,
        "priority_state": decided.decision if decided else "unset",
        "groups": [group.code for group in decided.groups.all()] if decided else [],
        "created_at": shapes.at(row.created_at),
    }


def _shown(row: ResourceAlert, now: datetime) -> dict[str, Any]:
    return alert(row, queries.alert_assignments_at([row.pk], now).get(row.pk))


@router.get("/resource-alerts")
def alerts(request: HttpRequest, team: str = "", in_use: bool = False) -> dict[str, Any]:
    rows = queries.resource_alerts(actor(request), team=team or None, in_use=in_use)
    decided = queries.alert_assignments_at([row.pk for row in rows], clock.now())
    return listing(rows, lambda row: alert(row, decided.get(row.pk)))


@router.post("/resource-alerts", response={201: dict[str, Any]})
def register(request: HttpRequest, body: NewAlert) -> Status[dict[str, Any]]:
    """Register an alert on a resource; where no SLI could replace it, the backlog gets a wish for one."""
    now = clock.now()
    row = adoption.register_alert(actor(request), **body.dict(), now=now)
    return Status(201, _shown(row, now))


@router.get("/resource-alerts/{name}")
def one(request: HttpRequest, name: str) -> dict[str, Any]:
    return _shown(queries.resource_alert(actor(request), name), clock.now())


@router.put("/resource-alerts/{name}/state")
def move(request: HttpRequest, name: str, body: Move) -> dict[str, Any]:
    """`planned`, `replaced` (with the SLO), `retired`, or `active` again."""
    now = clock.now()
    row = actions.move_resource_alert(
        actor(request), name, body.state, replaced_by=body.replaced_by, reason=body.reason, now=now
    )
    return _shown(row, now)


@router.put("/resource-alerts/{name}/priority")
def assign(request: HttpRequest, name: str, body: Decision) -> dict[str, Any]:
    """Say what this alert means, and who hears of it, as for an SLO."""
    rank, now = rank_of(body.priority), clock.now()
    row = actions.assign_priority(
        actor(request),
        resource_alert=queries.resource_alert(actor(request), name),
        decision="set" if rank is not None else "none",
        priority=rank,
        groups=body.groups,
        reason=body.reason,
        assign_mode=body.assign_mode,
        severity=body.severity,
        escalation_policy=oncall.known_policy(body.escalation_policy),
        now=now,
    )
    return {
        "target_kind": row.target_kind,
        "resource_alert": name,
        "priority": row.priority,
        "decision": row.decision,
        "valid_from": shapes.at(row.valid_from),
    }


@router.get("/teams/{name}/replacement")
def replacement(request: HttpRequest, name: str) -> dict[str, Any]:
    """Of a team's resource alerts, how many an SLO had replaced: at the end of each of the last weeks, oldest first."""
    now = clock.now()
    instants = [now - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    shares = queries.replacement_shares(actor(request), team=name, instants=instants)
    return listing(
        shares,
        lambda one: {
            "at": shapes.at(one.at),
            "replaced": one.replaced,
            "of": one.of,
            "ratio": None if one.ratio is None else round(float(one.ratio), 4),
        },
    )


@router.get("/capabilities")
def capabilities(request: HttpRequest) -> dict[str, Any]:
    """The kinds of SLI this installation can measure, and the ways to measure each."""
    actor(request)
    return listing(
        adopted.capabilities(),
        lambda one: {
            "code": one.code,
            "name": one.name,
            "question": one.question,
            "ways": [{"code": way.code, "name": way.name, "how": way.how} for way in one.ways],
            "instead_of": sorted(one.instead_of),
        },
    )
