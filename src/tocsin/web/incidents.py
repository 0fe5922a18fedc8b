"""Incidents: the list, declaring one, and the page of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from tocsin.catalog import queries as catalog
from tocsin.core.access import Right, require
from tocsin.core.errors import NotFound
from tocsin.incidents import actions, queries, vocabulary
from tocsin.incidents.models import Incident
from tocsin.incidents.timeline import part as lines_of
from tocsin.people import queries as people
from tocsin.process import queries as process
from tocsin.web import (
    asking,
    desk,
    form_pages,
    incident_changes,
    incident_course,
    incident_duties,
    incident_forms,
    incident_lanes,
    incident_page,
    incident_sorting,
)

SHOWN = 50
LINES = 200
FILTERS = (
    "status", "service", "team", "priority", "severity",
    "category", "origin", "impact", "sli", "environment", "scope",
)  # fmt: skip
FURTHER = FILTERS[5:]
ORIGINS = [("", "Any origin"), ("slo", "An SLO"), ("resource", "A resource alert"), ("human", "A person")]
IMPACTS = [("", "Felt or not"), ("actual", "Felt"), ("potential", "Near misses")]
STATUSES = [
    ("", "Any state"),
    ("triggered", "Nobody has it"),
    ("acknowledged", "Somebody has it"),
    ("resolved", "Over"),
]


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """What is open, and what was: filters live in the address."""
    actor = asking.actor(request)
    chosen = {name: request.GET.get(name, "").strip()[:63] for name in FILTERS}
    wanted = request.GET.get("q", "").strip()
    if wanted and (found := _by_number(request, wanted)):
        return redirect(f"/i/{found.number}")
    open_only = request.GET.get("open") == "1"
    cursor = request.GET.get("after", "")
    asked: dict[str, Any] = {**chosen, "priority": _number(chosen["priority"])}
    asked["status"] = chosen["status"] if chosen["status"] in dict(STATUSES) else ""
    found_rows = queries.incidents(
        actor, open_only=open_only, newest=not open_only, limit=SHOWN, cursor=cursor, **asked
    )
    kept = {name: value for name, value in {**chosen, "open": "1" if open_only else ""}.items() if value}
    context = {
        "rows": found_rows.rows,
        "chosen": chosen,
        "open_only": open_only,
        "filtered": bool(kept),
        "further": any(chosen[name] for name in FURTHER),
        "kept": urlencode(kept),
        "following": found_rows.following,
        "earlier": str(max(0, int(cursor) - SHOWN)) if cursor.isdigit() and int(cursor) else "",
        "unknown": wanted,
        **_choices(request),
    }
    return render(request, "web/incidents.html", context)


def _by_number(request: HttpRequest, wanted: str) -> Incident | None:
    try:
        return queries.incident(asking.actor(request), wanted)
    except NotFound:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _choices(request: HttpRequest) -> dict[str, list[tuple[str, str]]]:
    definition = process.current()
    actor = asking.actor(request)
    return {
        "statuses": STATUSES,
        "services": [("", "Any service"), *service_choices(request)],
        "teams": [("", "Any team"), *((team.name, team.label) for team in people.teams(actor))],
        "priorities": [("", "Any priority"), *((str(p.rank), p.code) for p in definition.catalogue.priorities)],
        "severities": [("", "Any severity"), *((s.code, s.code) for s in definition.severities.severities)],
        "origins": ORIGINS,
        "impacts": IMPACTS,
        "categories": [("", "Any cause"), *_same(vocabulary.used_words(actor, "category"))],
        "environments": [("", "Any environment"), *_same(vocabulary.used_words(actor, "environment"))],
        "sli_kinds": [("", "Any kind of SLI"), *_same(vocabulary.used_sli_kinds(actor))],
    }


def _same(words: list[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


def service_choices(request: HttpRequest) -> list[tuple[str, str]]:
    return [(row.name, row.label) for row in catalog.services(asking.actor(request))]


@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: HttpRequest) -> HttpResponse:
    """Anyone may declare: what do people notice, and where?"""
    require(asking.actor(request), Right.INCIDENT_DECLARE)
    definition = process.current()
    form = incident_forms.Declare(
        request.POST or None,
        services=service_choices(request),
        priorities=[(str(p.rank), f"{p.code} {p.name}") for p in definition.catalogue.priorities],
        severities=[(s.code, s.code.capitalize()) for s in definition.severities.severities],
        initial={name: request.GET.get(name, "")[:100] for name in ("service", "priority", "caused_by", "kind")},
    )

    def act(filled: dict[str, Any]) -> Incident:
        given = {name: value for name, value in filled.items() if value not in {"", None}}
        return actions.declare(asking.actor(request), now=asking.now(request), **given)

    return form_pages.answer(
        request,
        form,
        act,
        template="web/declare.html",
        context={
            "definition": definition,
            "more": any(request.GET.get(name) for name in ("priority", "caused_by", "kind")),
        },
        then=lambda row: f"/i/{row.number}",
    )


@require_safe
def incident(request: HttpRequest, number: int) -> HttpResponse:
    """What, since when, who has it, what next."""
    actor = asking.actor(request)
    row = queries.incident(actor, number)
    return render(request, "web/incident.html", incident_page.context(actor, row, now=asking.now(request)))


@require_safe
def timeline(request: HttpRequest, number: int) -> HttpResponse:
    """What the log has of it, the newest part first; earlier parts one by one."""
    actor = asking.actor(request)
    row = queries.incident(actor, number)
    before = _number(request.GET.get("before", ""))
    shown = lines_of(actor, row, before=before, limit=LINES)
    context = {
        "incident": row,
        "lines": shown.lines,
        "earlier": shown.earlier,
        "is_newest": before is None,
        "picture": incident_lanes.picture_of(request, row) if before is None else None,
        "names": incident_page.names_in(actor, shown.lines),
    }
    return render(request, "web/incident_timeline.html", context)


urlpatterns = [
    path("i", listing, name="incidents"),
    path("i/new", declare, name="declare"),
    path("i/<int:number>", incident, name="incident"),
    path("i/<int:number>/timeline", timeline, name="incident-timeline"),
    *desk.urlpatterns,
    *incident_lanes.urlpatterns,
    *incident_changes.urlpatterns,
    *incident_course.urlpatterns,
    *incident_duties.urlpatterns,
    *incident_sorting.urlpatterns,
]
