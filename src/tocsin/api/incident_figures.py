"""How many incidents and near misses there were over a time, and whether stakeholders heard before customers did."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from tocsin.api.auth import actor
from tocsin.api.shapes import at
from tocsin.core.report_periods import parse_period, quarter_of
from tocsin.insights.incident_figures import figures
from tocsin.platform import clock

router = Router(tags=["incidents"])


@router.get("/incident-figures")
def show(request: HttpRequest, period: str = "") -> dict[str, Any]:
    """`period` is 2026, 2026-Q3, 2026-08 or 90d; without one it is this quarter. Boundaries are UTC.

    Near misses, exercises and what was merged or cancelled are counted apart from `incidents`.
    """
    now = clock.now()
    asked = parse_period(period, now=now) if period else quarter_of(now)
    found = figures(actor(request), start=asked.start, end=asked.end)
    return {
        "from": at(found.start),
        "to": at(found.end),
        "incidents": found.actual,
        "near_misses": found.near_misses,
        "exercises": found.exercises,
        "void": found.void,
        "ahead_of_customers": found.ahead,
        "behind_customers": found.behind,
        "unknown": found.unknown,
        "reported": [
            {
                "incident": one.ref,
                "title": one.title,
                "first_stakeholder_notice_at": at(one.word.first_stakeholder_notice_at),
                "first_customer_report_at": at(one.word.first_customer_report_at),
                "ahead": one.word.ahead,
            }
            for one in found.reported
        ],
    }
