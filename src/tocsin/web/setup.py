"""Where alerts and numbers come from: integrations with their keys, and data sources."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.alerts import actions, queries
from tocsin.alerts.models import Integration
from tocsin.catalog import queries as catalog
from tocsin.core.access import Right
from tocsin.core.errors import Invalid
from tocsin.process import queries as process
from tocsin.slo import connecting
from tocsin.slo import queries as slos
from tocsin.slo.models import DataSource
from tocsin.web import asking
from tocsin.web import setup_checks as checks

QUIET_AFTER = timedelta(days=1)
# The senders that have a door today: what they are called, and where they post.
SENDERS = {
    "alertmanager": ("Prometheus or Alertmanager", "/api/v2/alerts"),
    "events-v2": ("Events in PagerDuty's format", "/v2/enqueue"),
    "sli": ("Counts of good and bad events", "/api/v1/sli/counts"),
    "otlp": ("Metrics of OpenTelemetry", "/v1/metrics"),
    "remote-write": ("Counters by Prometheus remote write", "/api/v1/write"),
}


@require_GET
def sources(request: HttpRequest) -> HttpResponse:
    """Every sender and every source of numbers."""
    return _page(request)


def _page(
    request: HttpRequest, *, given: dict[str, Any] | None = None, errors: dict[str, str] | None = None, **more: Any
) -> HttpResponse:
    actor, now = asking.actor(request), asking.now(request)
    definition = process.current()
    context = {
        "integrations": [_shown(row, now=now) for row in queries.integrations(actor)],
        "sources": [_source(row) for row in slos.sources(actor)],
        "may_write": actor.may(Right.INTEGRATION_WRITE) or bool(actor.owned_teams),
        "kinds": [(kind, words) for kind, (words, _) in SENDERS.items()],
        "services": [("", "Found from each alert"), *((one.name, one.label) for one in catalog.services(actor))],
        "ranks": [("", "What the alert says")]
        + [(one.rank, f"{one.code} {one.name}") for one in definition.catalogue.priorities],
        "given": given or {},
        "errors": errors or {},
        "definition": definition,
        **more,
    }
    return render(request, "web/setup_sources.html", context, status=422 if errors else 200)


def _shown(row: Integration, *, now: datetime) -> dict[str, Any]:
    seen = row.last_seen_at
    state = "never" if seen is None else "quiet" if now - seen > QUIET_AFTER else "seen"
    return {"row": row, "kind": SENDERS.get(row.kind, (row.kind, ""))[0], "state": state}


def _source(row: DataSource) -> dict[str, Any]:
    used = row.objectives.filter(retired_at=None).count()
    return {"row": row, "used": used, "pulled": bool(row.url), "how": connecting.in_words(row.connection)}


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """A new sender. Its key is in this one answer and nowhere else, so this answer is no redirect."""
    given = {key: request.POST.get(key, "") for key in ("kind", "name", "service", "default_priority")}
    rank = given["default_priority"]
    try:
        _known(given["kind"])
        row, key = actions.add_integration(
            asking.actor(request),
            kind=given["kind"],
            name=given["name"],
            service=given["service"] or None,
            default_priority=int(rank) if rank.isdigit() else None,
            now=asking.now(request),
        )
    except Invalid as refusal:
        return _page(request, given=given, errors=refusal.fields)
    return _page(request, made=row, key=key, door=request.build_absolute_uri(SENDERS[row.kind][1]))


def _known(kind: str) -> None:
    if kind not in SENDERS:
        raise Invalid({"kind": "Choose who sends."})


@require_POST
def revoke(request: HttpRequest, integration: int) -> HttpResponse:
    """Its key stops working; what it sent stays."""
    row = actions.revoke_integration(asking.actor(request), integration, now=asking.now(request))
    messages.success(request, f"The key of {row.name} no longer works. What it sent stays.")
    return redirect("setup-sources")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What works and what is missing before a page reaches somebody."""
    return render(request, "web/setup.html", {"checks": checks.all_checks(request)})


urlpatterns = [
    path("setup", index, name="setup"),
    path("setup/sources", sources, name="setup-sources"),
    path("setup/sources/add", add, name="add-integration"),
    path("setup/sources/<int:integration>/revoke", revoke, name="revoke-integration"),
]
