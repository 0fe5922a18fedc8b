"""The link in a page: take it or pass it on, half asleep, on any phone, without signing in and without JavaScript.

The token in the path is the secret, so no other proof is asked of a press; looking changes nothing (mail scanners look).
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from tocsin.core.errors import NotFound
from tocsin.incidents import actions, queries, snapshots
from tocsin.incidents.actions.answering import bearer
from tocsin.incidents.course import escalation_of
from tocsin.incidents.earlier import before
from tocsin.incidents.models import Page
from tocsin.incidents.runbooks import runbook_of
from tocsin.people import queries as people
from tocsin.web import asking, effects, incident_page
from tocsin.web.incident_chart import error_share
from tocsin.web.instants import zone_of


def _page(token: str) -> Page:
    found = queries.page_for_token(token)
    if found is None:
        raise NotFound(
            "This link leads to no page. It may be cut off: copy the whole of it, or sign in and look at Now."
        )
    return found


@require_safe
@login_not_required
@never_cache
def page(request: HttpRequest, token: str) -> HttpResponse:
    """What, since when, and the one big button."""
    row = _page(token)
    incident = queries.incident(bearer(row), row.incident.number)
    definition = snapshots.process_of(incident)
    role = definition.roles.by_code(row.reason) if row.kind == "role" else None
    priority = definition.catalogue.by_rank(incident.priority) if incident.priority else None
    now = asking.now(request)
    open_now = incident.is_open and row.generation == incident.generation
    asked = escalation_of(row)
    waits = open_now and (row.kind == "role" or incident.state == "triggered")
    waits = (incident.is_open and asked.is_open) if asked else waits
    context = {
        "page": row,
        "token": token,
        "incident": incident,
        "definition": definition,
        "role": role,
        "asked": asked,
        "names": people.labels(bearer(row), [asked.acknowledged_by] if asked else []),
        "asks_for": effects.of_priority(priority) if priority else [],
        "priority": priority,
        "zone": zone_of(row.person.time_zone) if row.person else zone_of("UTC"),
        "can_answer": not row.answer and waits,
        "next_step": incident_page.next_step(incident, now=now),
        "before": before(incident),
        "runbook": runbook_of(incident, definition),
        "chart": error_share(incident, now=now),
    }
    response = render(request, "web/page.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@csrf_exempt
@require_POST
@login_not_required
def take(request: HttpRequest, token: str) -> HttpResponse:
    """I'm on it."""
    actions.take_page(token, now=asking.now(request))
    return redirect(f"/p/{token}")


@csrf_exempt
@require_POST
@login_not_required
def pass_on(request: HttpRequest, token: str) -> HttpResponse:
    """Pass it on, which is fine."""
    actions.pass_page(token, now=asking.now(request))
    return redirect(f"/p/{token}")


urlpatterns = [
    path("p/<str:token>", page, name="page"),
    path("p/<str:token>/take", take, name="page-take"),
    path("p/<str:token>/pass", pass_on, name="page-pass"),
]
