"""A coaching session on a page: the SLOs without a priority in order, one choice each, kept all at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods

from tocsin.adoption import actions, queries
from tocsin.core.access import Right
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.people import queries as people
from tocsin.process import queries as process
from tocsin.slo.models import Objective
from tocsin.web import asking


@require_http_methods(["GET", "HEAD", "POST"])
def session(request: HttpRequest, name: str) -> HttpResponse:
    """Show the agenda; keep what was decided."""
    actor, now = asking.actor(request), asking.now(request)
    team = people.team(name)
    agenda = queries.agenda(actor, team=name, now=now)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            _record(request, name, agenda)
        except Invalid as refusal:
            errors = dict(refusal.fields)
        except (NotFound, Refused, Conflict) as refusal:
            errors = {"": refusal.message}
        else:
            messages.success(request, "The session is kept, and what it decided holds from now on.")
            return redirect("team", name=name)
    context = {
        "team": team,
        "agenda": [(one, request.POST.get(f"decide-{one.name}", "later")) for one in agenda],
        "choices": _choices(),
        "today": asking.now(request).astimezone(asking.zone(request)).date().isoformat(),
        "advice": queries.priority_warning(team, now=now),
        "may_record": actor.may(Right.SESSION_RECORD, team=name),
        "given": request.POST,
        "errors": errors,
    }
    return render(request, "web/team_session.html", context, status=422 if errors else 200)


def _choices() -> list[tuple[str, str]]:
    ranks = [(str(one.rank), f"{one.code} {one.name}") for one in process.current().catalogue.priorities]
    return [("later", "Later"), *ranks, ("none", "None, on purpose")]


def _record(request: HttpRequest, name: str, agenda: list[Objective]) -> None:
    told = request.POST
    actions.record_session(
        asking.actor(request),
        name,
        held_on=_day(told.get("held_on", "")),
        participants=told.get("participants", "").replace("\n", ",").split(","),
        decisions=[_decision(one, told.get(f"decide-{one.name}", "later")) for one in agenda],
        note=told.get("note", ""),
        now=asking.now(request),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({"held_on": "Give the day, for example 2026-12-01."}) from None


def _decision(objective: Objective, choice: str) -> dict[str, Any]:
    if choice.isdecimal():
        return {"slo": objective.name, "decision": "set", "priority": int(choice)}
    return {"slo": objective.name, "decision": choice}


urlpatterns = [path("teams/<slug:name>/session", session, name="team-session")]
