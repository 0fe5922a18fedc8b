"""Escalate to another team or to management, say what is known, note a customer's report, close: over JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.course_shapes import course as shown
from tocsin.incidents import actions, course, queries
from tocsin.incidents.models import Incident
from tocsin.platform import clock

router = Router(tags=["incidents"])
KNOWN_OR_UNKNOWN = "known or unknown; empty leaves it as it was said before."


class TeamAsked(Schema):
    team: str
    reason: str


class ManagementAsked(Schema):
    reason: str
    to: str = Field("", description="A user name; without one the groups of management are told.")


class Known(Schema):
    cause_state: str = Field("", description=KNOWN_OR_UNKNOWN)
    cause: str = ""
    workaround_state: str = Field("", description=KNOWN_OR_UNKNOWN)
    workaround: str = ""
    work_item: str = Field("", description="Where somebody goes on looking for the cause: a link, an issue.")


class Impact(Schema):
    impact_state: str
    reason: str


class CustomerReport(Schema):
    reported_at: datetime | None = None
    text: str = ""
    source_id: str = Field("", description="The ticket; the same one twice is noted once.")


class Closing(Schema):
    cause_state: str = Field("", description=KNOWN_OR_UNKNOWN)
    cause: str = ""
    work_item: str = Field("", description="Asked when the cause is unknown.")
    service: str | None = None
    category: str | None = None


@router.post("/incidents/{ref}/escalate/team")
def escalate_to_team(request: HttpRequest, ref: str, body: TeamAsked) -> dict[str, Any]:
    """Functional escalation: ask another team for its skill. Whoever is on call there is paged."""
    row = actions.escalate_to_team(actor(request), ref, team=body.team, reason=body.reason, now=clock.now())
    return _with_course(request, row)


@router.post("/incidents/{ref}/escalate/management")
def escalate_to_management(request: HttpRequest, ref: str, body: ManagementAsked) -> dict[str, Any]:
    """Hierarchic escalation: ask management to decide or to help."""
    row = actions.escalate_to_management(actor(request), ref, to=body.to, reason=body.reason, now=clock.now())
    return _with_course(request, row)


@router.post("/incidents/{ref}/escalations/{escalation_id}/acknowledge")
def acknowledge_escalation(request: HttpRequest, ref: str, escalation_id: int) -> dict[str, Any]:
    """Say that an escalation was heard; the first answer counts."""
    return _with_course(request, actions.acknowledge_escalation(actor(request), ref, escalation_id, now=clock.now()))


@router.post("/incidents/{ref}/known")
def state_known(request: HttpRequest, ref: str, body: Known) -> dict[str, Any]:
    """Say what is known of the cause and of a workaround, each for itself; also after the end."""
    row = actions.state_known(
        actor(request),
        ref,
        cause_state=body.cause_state,
        cause=body.cause,
        workaround_state=body.workaround_state,
        workaround=body.workaround,
        work_item=body.work_item,
        now=clock.now(),
    )
    return _with_course(request, row)


@router.post("/incidents/{ref}/impact")
def change_impact(request: HttpRequest, ref: str, body: Impact) -> dict[str, Any]:
    """What could happen has happened (actual), or nobody felt it after all (potential: a near miss)."""
    row = actions.change_impact(
        actor(request), ref, impact_state=body.impact_state, reason=body.reason, now=clock.now()
    )
    return _with_course(request, row)


@router.post("/incidents/{ref}/customer-reports")
def report_by_customer(request: HttpRequest, ref: str, body: CustomerReport) -> dict[str, Any]:
    """A customer told us of it; the earliest report is compared with the first word to stakeholders."""
    row = actions.report_by_customer(
        actor(request),
        ref,
        reported_at=body.reported_at,
        text=body.text,
        source_id=body.source_id,
        now=clock.now(),
    )
    return _with_course(request, row)


@router.post("/incidents/{ref}/close")
def close(request: HttpRequest, ref: str, body: Closing | None = None) -> dict[str, Any]:
    """Nothing is left to do. An unknown cause is fine with the work item that goes on looking for it."""
    said = body or Closing(cause_state="", work_item="")
    row = actions.close(
        actor(request),
        ref,
        cause_state=said.cause_state,
        cause=said.cause,
        work_item=said.work_item,
        service=said.service,
        category=said.category,
        now=clock.now(),
    )
    return _with_course(request, row)


def _with_course(request: HttpRequest, row: Incident) -> dict[str, Any]:
    asking = actor(request)
    found = queries.incident(asking, row.number)
    return {**shapes.incident(found), **shown(course.course(asking, found))}
