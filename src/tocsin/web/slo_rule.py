"""The alert rule of an SLO on its page: whether it can fire, and choosing another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from tocsin.core.errors import Invalid
from tocsin.slo import actions, queries, snapshots
from tocsin.slo.models import Objective
from tocsin.slo.rules import BURN_RATE
from tocsin.web import asking
from tocsin.web.slo_lookup import asked_for

_TOCSIN, _WORKBOOK, _DEPLETION = "tocsin", "workbook", "depletion"
NAMES: Mapping[str, str] = {
    _TOCSIN: "Tocsin's own: early, rarely, and only for what is no chance",
    _WORKBOOK: "Multi-window burn rates as published",
    _DEPLETION: "Depletion: so many percent of a window's budget",
    BURN_RATE: "The conditions written in its file",
}
MINUTE = timedelta(minutes=1)


def facts(request: HttpRequest, objective: Objective) -> dict[str, Any]:
    """The context of the panel: the verdict on the rule in use, and what may be chosen."""
    name = str(objective.rule.get("name", _TOCSIN))
    return {
        "firing": queries.reach([objective], now=asking.now(request))[objective.pk],
        "rule": name,
        "rule_words": NAMES.get(name, name),
        "rules": [(code, words) for code, words in NAMES.items() if code != BURN_RATE or name == BURN_RATE],
        "depletion": {
            "threshold": objective.rule.get("threshold_percent", 200),
            "window": int(objective.rule.get("window_seconds", 3600)) // 60,
            "every": int(objective.rule.get("every_seconds", 300)) // 60,
        },
    }


def wanted(request: HttpRequest, objective: Objective) -> dict[str, Any]:
    """The rule the form asks for. Raises Invalid naming the wrong field."""
    name = request.POST.get("rule", "")
    if name == objective.rule.get("name") == BURN_RATE:
        return dict(objective.rule)
    if name not in {_TOCSIN, _WORKBOOK, _DEPLETION}:
        raise Invalid({"rule": "Choose one of the rules."})
    if name != _DEPLETION:
        return {"name": name}
    return {
        "name": name,
        "threshold_percent": request.POST.get("threshold", "").strip() or "200",
        "window_seconds": _seconds(request, "window", 60),
        "every_seconds": _seconds(request, "every", 5),
    }


def _seconds(request: HttpRequest, field: str, usual: int) -> int:
    text = request.POST.get(field, "").strip() or str(usual)
    if not (text.isdecimal() and 0 < int(text) <= 100_000):
        raise Invalid({"rule": f"Write {field} as whole minutes above zero."})
    return int(text) * 60


@require_POST
def choose(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """Judge the SLO by another rule from now on."""
    objective = asked_for(request, service, name)
    try:
        saved = actions.set_rule(
            asking.actor(request),
            objective.name,
            wanted(request, objective),
            reason=request.POST.get("reason", ""),
            now=asking.now(request),
        )
    except Invalid as refusal:
        messages.error(request, "; ".join(refusal.fields.values()))
        return redirect("slo", service=service, name=name)
    report = queries.reach([saved], now=asking.now(request))[saved.pk]
    messages.success(request, f"It is judged by the rule “{snapshots.rule_of(saved).name}” from now on.")
    for warning in report.warnings:
        messages.warning(request, warning)
    return redirect("slo", service=service, name=name)


urlpatterns = [path("slos/<slug:service>/<slug:name>/rule", choose, name="slo-rule")]
