"""Pages that open a number up: an SLO as it stands, and a breach as it was."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.insights.breach_outcome import incident_of_breach
from tocsin.slo import queries
from tocsin.slo.wording import rule_words
from tocsin.web import asking
from tocsin.web.slo_lookup import asked_for


@require_GET
def explain(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """Why each number of an SLO is what it is now."""
    actor = asking.actor(request)
    found = queries.explain(actor, asked_for(request, service, name), now=asking.now(request))
    return render(request, "web/slo_explain.html", {"found": found, "objective": found.objective})


@require_GET
def breach(request: HttpRequest, number: int) -> HttpResponse:
    """Why a breach was one, under the rule and the target of its moment, and what it led to."""
    actor = asking.actor(request)
    row = queries.breach(actor, number)
    found = queries.explain_breach(actor, row)
    context = {
        "found": found,
        "objective": row.objective,
        "breach": row,
        "because": rule_words(row.priority_rule),
        "incident": incident_of_breach(actor, row),
    }
    return render(request, "web/slo_explain.html", context)


urlpatterns = [
    path("slos/<slug:service>/<slug:name>/explain", explain, name="slo-explain"),
    path("breaches/<int:number>", breach, name="breach"),
]
