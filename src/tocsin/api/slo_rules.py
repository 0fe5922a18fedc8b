"""The alert rules of SLOs over JSON: can they ever fire, and which one is in use."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from tocsin.api.auth import actor
from tocsin.config.reach import condition
from tocsin.core.reachability import Report
from tocsin.platform import clock
from tocsin.slo import actions, queries, snapshots
from tocsin.slo.models import Objective

router = Router(tags=["SLOs"])


@router.get("/slo-reach")
def reach(request: HttpRequest, name: str = "", team: str = "", service: str = "") -> dict[str, Any]:
    """Can it ever fire? Each condition of the alert rule of every SLO in use, or of the one called `name`."""
    who = actor(request)
    rows = (
        [queries.objective(who, name)] if name else queries.objectives(who, team=team or None, service=service or None)
    )
    found = queries.reach(rows, now=clock.now())
    return {"items": [_report(row, found[row.pk]) for row in rows], "next": None}


def _report(row: Objective, report: Report) -> dict[str, Any]:
    return {
        "slo": row.name,
        "service": row.service.name,
        "target": str(row.target),
        "rule": snapshots.rule_of(row).name,
        "ok": report.ok,
        "warnings": list(report.warnings),
        "conditions": [condition(one) for one in report.reaches],
    }


class RuleChoice(Schema):
    rule: dict[str, Any]
    reason: str = ""


@router.put("/slos/{name}/rule")
def choose(request: HttpRequest, name: str, choice: RuleChoice) -> dict[str, Any]:
    """Judge an SLO by another rule: `{"name": "tocsin" | "workbook" | "depletion" | "burnrate", ...}`."""
    now = clock.now()
    actions.set_rule(actor(request), name, choice.rule, reason=choice.reason, now=now)
    row = queries.objective(actor(request), name)
    return _report(row, queries.reach([row], now=now)[row.pk])
