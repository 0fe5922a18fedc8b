"""Authorities over JSON: whether an incident is a major one, which reports went out, which are owed and late."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.core.regulatory import Report
from tocsin.incidents import actions, course, queries
from tocsin.incidents.course import AuthorityCourse
from tocsin.platform import clock

router = Router(tags=["incidents"])


class Finding(Schema):
    major: bool
    met: list[str] = Field([], description="The codes of the criteria that are met.")
    reason: str = Field("", description="Asked where the criteria suggest otherwise.")
    aware_at: datetime | None = Field(
        None, description="When it was noticed; the beginning of the incident unless given."
    )


class ReportSent(Schema):
    report: str = Field(..., description="initial, intermediate or final.")
    reference: str = ""
    sent_at: datetime | None = Field(None, description="When it went out; now unless given.")


@router.get("/incidents/{ref}/authorities")
def authorities(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Each authority of the process, with its criteria, what was found, and its reports with due times."""
    asking = actor(request)
    found = course.authorities(asking, queries.incident(asking, ref))
    return listing(found, shown)


@router.post("/incidents/{ref}/authorities/{regime}/finding")
def classify(request: HttpRequest, ref: str, regime: str, body: Finding) -> dict[str, Any]:
    """Say that it is a major incident, or is none; its clocks run from now."""
    actions.classify_for_authority(
        actor(request),
        ref,
        regime,
        major=body.major,
        met=body.met,
        reason=body.reason,
        aware_at=body.aware_at,
        now=clock.now(),
    )
    return authorities(request, ref)


@router.post("/incidents/{ref}/authorities/{regime}/reports")
def report(request: HttpRequest, ref: str, regime: str, body: ReportSent) -> dict[str, Any]:
    """Write down that a report went out."""
    actions.report_to_authority(
        actor(request),
        ref,
        regime,
        report=body.report,
        reference=body.reference,
        sent=body.sent_at,
        now=clock.now(),
    )
    return authorities(request, ref)


def shown(one: AuthorityCourse) -> dict[str, Any]:
    found = one.found
    return {
        "regime": one.regime.code,
        "name": one.regime.name,
        "criteria": [{"code": part.code, "ask": part.ask} for part in one.regime.criteria],
        "major": found.major if found else None,
        "met": list(found.met) if found else [],
        "classified_at": shapes.at(found.at) if found else None,
        "classified_by": found.by if found else None,
        "aware_at": shapes.at(found.aware_at) if found else None,
        "reason": found.reason or None if found else None,
        "reports": [_report(part) for part in one.reports],
    }


def _report(one: Report) -> dict[str, Any]:
    return {
        "report": one.kind,
        "due_at": shapes.at(one.due_at),
        "sent_at": shapes.at(one.sent_at),
        "late": one.is_late(now=clock.now()),
        "reference": one.reference or None,
    }
