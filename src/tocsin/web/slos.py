"""SLOs: which are in danger first, how one is and why, and what its breach means."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.adoption import queries as adopted
from tocsin.core.errors import Conflict, Invalid, Refused
from tocsin.slo import actions, queries
from tocsin.slo.models import Objective
from tocsin.web import (
    asking,
    slo_changes,
    slo_days,
    slo_ledger,
    slo_page,
    slo_pictures,
    slo_priority,
    slo_rule,
    slo_search,
    slo_steps,
)
from tocsin.web.slo_lookup import asked_for
from tocsin.web.slo_words import STRIP_DAYS, row


@require_GET
def slos(request: HttpRequest) -> HttpResponse:
    """Every SLO by time to exhaustion, with the last 90 days and what a breach means."""
    actor, now = asking.actor(request), asking.now(request)
    everything = queries.objectives(actor)
    decided = queries.assignments_at([one.pk for one in everything], now)
    search = slo_search.search_of(request.GET)
    found = [one for one in everything if search.matches(one, decided.get(one.pk))]
    shown = slo_search.part(found, search)
    days = slo_days.days(shown.rows, request)
    left = queries.left_in_units(shown.rows, now=now)
    rows = [
        row(one, decided.get(one.pk), days[one.pk], left.get(one.pk), zone=asking.zone(request), now=now)
        for one in shown.rows
    ]
    context = {
        "rows": rows,
        "part": shown,
        "asked": search.asked,
        "filtered": search.filtered,
        "any": bool(everything),
        "undecided": sum(one.pk not in decided for one in everything),
        "priorities": slo_priority.filters(),
        "days": STRIP_DAYS,
        **slo_search.choices(everything),
    }
    return render(request, "web/slos.html", context)


@require_GET
def slo(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """One SLO: the budget, the burn, the breaches, and what a breach means."""
    return _page(request, asked_for(request, service, name))


def _page(
    request: HttpRequest,
    objective: Objective,
    *,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    retire_errors: dict[str, str] | None = None,
) -> HttpResponse:
    shown = slo_page.facts(request, objective)
    context = {
        **shown,
        **slo_changes.facts(request, objective, shown["view"]),
        "retire_errors": retire_errors or {},
        **slo_steps.facts(request, objective),
        **slo_ledger.facts(request, objective),
        **slo_rule.facts(request, objective),
        **slo_priority.form(request, objective, given=given),
        "strip": slo_days.strip_of(request, asking.actor(request), objective),
        "days": STRIP_DAYS,
        "errors": errors or {},
        "files": {name.replace("-", "_"): slo_pictures.address_of(objective, name) for name in slo_pictures.NAMES},
        "links": {name.replace("-", "_"): slo_pictures.embed_url(objective, name) for name in slo_pictures.NAMES},
    }
    return render(request, "web/slo.html", context, status=422 if errors or retire_errors else 200)


@require_POST
def assign(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """Decide what a breach means from now on; the breaches there have been keep the priority they had."""
    objective = asked_for(request, service, name)
    given = slo_priority.given(request)
    now: datetime = asking.now(request)
    try:
        actions.assign_priority(
            asking.actor(request), objective=objective, now=now, **slo_priority.wanted(given, objective)
        )
    except Invalid as refusal:
        return _page(request, objective, given=given, errors=refusal.fields)
    except (Refused, Conflict) as refusal:
        return _page(request, objective, given=given, errors={"": refusal.message})
    messages.success(request, "Decided. It holds for breaches from now on.")
    if warning := adopted.priority_warning(objective.service.team, now=now):
        messages.warning(request, warning)
    return (
        redirect("priority-map") if request.POST.get("next") == "map" else redirect("slo", service=service, name=name)
    )


@require_POST
def retire(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """Take an SLO out of use, for a reason that stands in its history."""
    objective = asked_for(request, service, name)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return _page(request, objective, retire_errors={"reason": "Say why; it stands in the history."})
    actions.retire_objective(asking.actor(request), objective.name, reason=reason, now=asking.now(request))
    messages.success(request, "Retired. What was measured and breached stays.")
    return redirect("slo", service=service, name=name)


@require_POST
def fallback(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """Switch on the table that speaks while nobody has decided, or switch it off."""
    objective = asked_for(request, service, name)
    chosen = request.POST.get("fallback", "")
    try:
        actions.set_fallback(asking.actor(request), objective.name, chosen, now=asking.now(request))
    except Invalid as refusal:
        return _page(request, objective, errors=refusal.fields)
    words = "The table speaks at breaches from now on." if chosen else "The tables are off."
    messages.success(request, words)
    return redirect("slo", service=service, name=name)


urlpatterns = [
    path("slos", slos, name="slos"),
    path("slos/<slug:service>/<slug:name>", slo, name="slo"),
    path("slos/<slug:service>/<slug:name>/priority", assign, name="assign-priority"),
    path("slos/<slug:service>/<slug:name>/fallback", fallback, name="slo-fallback"),
    path("slos/<slug:service>/<slug:name>/retire", retire, name="retire-slo"),
]
