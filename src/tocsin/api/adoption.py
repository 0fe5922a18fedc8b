"""How teams come to SLOs, over JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.adoption import actions, queries
from tocsin.adoption.models import TeamPolicy
from tocsin.adoption.queries import Progress
from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.people import actions as people
from tocsin.platform import clock

router = Router(tags=["teams"])


class NewStage(Schema):
    stage: str


class PolicyEnd(Schema):
    reason: str = ""


class PointSaid(Schema):
    point: str
    holds: bool
    reason: str = ""


def progress(one: Progress) -> dict[str, Any]:
    """How far a team has come, with the four verdicts and what its policy lacks."""
    return {
        **shapes.team(one.team),
        "ready": one.ready,
        "verdicts": [
            {
                "point": verdict.point.value,
                "holds": verdict.holds,
                "question": verdict.point.text,
                "because": verdict.because,
                "said_by": verdict.said_by or None,
            }
            for verdict in one.verdicts
        ],
        "policy_active": one.policy is not None,
        "policy_since": shapes.at(one.policy.activated_at if one.policy else None),
        "missing": [lack.value for lack in one.missing],
        "incomplete_slos": [slo.name for slo in one.incomplete],
    }


def policy(row: TeamPolicy) -> dict[str, Any]:
    return {
        "team": row.team.name,
        "active": row.ended_at is None,
        "activated_at": shapes.at(row.activated_at),
        "activated_by": row.activated_by,
        "ended_at": shapes.at(row.ended_at),
        "end_reason": row.end_reason or None,
    }


@router.get("/readiness")
def readiness_of_all(request: HttpRequest) -> dict[str, Any]:
    """The readiness test of every team."""
    return listing(queries.all_progress(actor(request), now=clock.now()), progress)


@router.get("/teams/{name}/readiness")
def readiness(request: HttpRequest, name: str) -> dict[str, Any]:
    """Four verdicts: whether it is time for this team to prioritise its breaches."""
    return progress(queries.progress(actor(request), name, now=clock.now()))


@router.post("/teams/{name}/readiness", response={201: dict[str, Any]})
def say(request: HttpRequest, name: str, body: PointSaid) -> Status[dict[str, Any]]:
    """The team's own answer to a point that no record shows."""
    asking, now = actor(request), clock.now()
    actions.state_point(asking, name, body.point, holds=body.holds, reason=body.reason, now=now)
    return Status(201, progress(queries.progress(asking, name, now=now)))


@router.put("/teams/{name}/stage")
def stage(request: HttpRequest, name: str, body: NewStage) -> dict[str, Any]:
    """`initial`: priorities wait. `mature`: an SLO without a priority is not finished."""
    return shapes.team(people.update_team(actor(request), name=name, stage=body.stage, now=clock.now()))


@router.post("/teams/{name}/policy/activate")
def activate(request: HttpRequest, name: str) -> dict[str, Any]:
    """Put the team's incident policy in force; refused with the name of every missing record."""
    return policy(actions.activate_policy(actor(request), name, now=clock.now()))


@router.post("/teams/{name}/policy/end")
def end(request: HttpRequest, name: str, body: PolicyEnd) -> dict[str, Any]:
    return policy(actions.end_policy(actor(request), name, reason=body.reason, now=clock.now()))
