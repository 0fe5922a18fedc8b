"""Alerts beside breaches over a time, over JSON."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django.http import HttpRequest
from ninja import Router

from tocsin.api.auth import actor
from tocsin.api.shapes import at
from tocsin.core.alert_fatigue import Fatigue
from tocsin.core.report_periods import parse_period, quarter_of
from tocsin.insights.alert_fatigue import report
from tocsin.platform import clock

router = Router(tags=["slos"])


@router.get("/alert-fatigue")
def show(request: HttpRequest, period: str = "") -> dict[str, Any]:
    """`period` is 2026, 2026-Q3, 2026-08 or 90d; without one it is this quarter. Ratios are null where nothing was."""
    now = clock.now()
    asked = parse_period(period, now=now) if period else quarter_of(now)
    found = report(actor(request), start=asked.start, end=asked.end)
    return {
        "from": at(found.start),
        "to": at(found.end),
        "total": _figures(found.total),
        "slos": [{"slo": row.objective, "title": row.label, **_figures(row.figures)} for row in found.rows],
    }


def _figures(one: Fatigue) -> dict[str, Any]:
    return {
        "breaches": one.breaches,
        "alerts": one.alerts,
        "alerts_per_breach": _share(one.alerts_per_breach),
        "acted_on": one.acted_on,
        "not_actionable": one.not_actionable,
        "not_actionable_share": _share(one.not_actionable_share),
    }


def _share(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 4)
