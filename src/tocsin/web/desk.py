"""The coordination desk: one screen of one incident, and one line that everything is typed into."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.core.access import Actor
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.incidents import actions, desk_queries, people_queries, queries, snapshots, timeline
from tocsin.incidents.kin import kin_of
from tocsin.incidents.models import Incident
from tocsin.people import queries as people
from tocsin.web import asking, form_pages, incident_page, wellbeing
from tocsin.web.errors import sentences, status_of

FORM = require_http_methods(["GET", "HEAD", "POST"])
TAIL = 30
SHOWN = 6
"""So many decisions, questions and tasks stand on the desk; the rest is counted."""
LONGEST = 3000
PREFIXES = (("d", "/d ", "decision"), ("q", "/q ", "question"), ("t", "/t ", "task"), ("c", "/c ", "condition"))
MINUTES = [
    (0, "No time box"),
    (15, "15 minutes"),
    (30, "30 minutes"),
    (60, "1 hour"),
    (120, "2 hours"),
    (240, "4 hours"),
]


@FORM
def desk(request: HttpRequest, number: int) -> HttpResponse:
    """The whole state for somebody who just came; a posted line is written down."""
    if request.method == "POST":
        return _enter(request, number)
    return _shown(request, number, line=request.GET.get("line", "")[:LONGEST])


def _enter(request: HttpRequest, number: int) -> HttpResponse:
    """Write the line down. What could not be read is shown again, nothing of it is lost."""
    line = request.POST.get("line", "")[:LONGEST]
    try:
        written = actions.enter_line(asking.actor(request), number, line, now=asking.now(request))
    except (Invalid, Refused, Conflict, NotFound) as refusal:
        queries.incident(asking.actor(request), number)
        said = " ".join([*sentences(refusal), getattr(refusal, "remedy", "")]).strip()
        return _shown(request, number, line=line, problem=said, status=status_of(refusal))
    messages.success(request, written.said)
    return redirect(f"/i/{number}/desk")


def _shown(request: HttpRequest, number: int, *, line: str, problem: str = "", status: int = 200) -> HttpResponse:
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    found = context(actor, row, now=now) | {"line": line, "problem": problem}
    return render(request, "web/incident_desk.html", found, status=status)


def context(actor: Actor, incident: Incident, *, now: datetime) -> dict[str, Any]:
    """What the desk shows."""
    definition = snapshots.process_of(incident)
    held = people_queries.roles_of(incident)
    own = people_queries.own_roles(incident, actor.ident, held=held)
    shown = timeline.part(actor, incident, limit=TAIL, without=incident_page.BESIDES)
    return {
        "incident": incident,
        "definition": definition,
        "may": incident_page.rights(actor, incident, held=held, now=now),
        "lines": shown.lines,
        "earlier": shown.earlier,
        "names": incident_page.names_in(actor, shown.lines),
        "roles": incident_page.role_rows(incident, roles=held),
        "own_roles": [one.role for one in own],
        "looks_on": people_queries.looks_on(incident, own),
        "actor": actor,
        "asks": people_queries.asked_for(actor, incident),
        "next_update": incident_page.next_update(incident),
        "neighbours": incident_page.neighbours(incident),
        "dependents": kin_of(incident).dependents,
        "prefixes": PREFIXES,
        "care": wellbeing.card(actor, incident, held=held, now=now),
        **pieces(desk_queries.desk(actor, incident, held=held, now=now)),
    }


def pieces(found: desk_queries.Desk) -> dict[str, Any]:
    """The parts of a desk in the portions in which they are shown."""
    decisions = sorted(found.decisions, key=lambda one: not one.is_open)
    return {
        "desk": found,
        "last_decision": next(iter(found.decisions), None),
        "decisions": decisions[:SHOWN],
        "questions": found.open_questions[:SHOWN],
        "tasks": found.open_tasks[:SHOWN],
        "more_decisions": max(len(found.open_decisions) - SHOWN, 0),
        "more_questions": max(len(found.open_questions) - SHOWN, 0),
        "more_tasks": max(len(found.open_tasks) - SHOWN, 0),
    }


class SubTeamForm(forms.Form):
    """Who leads, who works with them, what for, for how long."""

    name = forms.CharField(
        label="What is it called?",
        max_length=63,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
    )
    task = forms.CharField(label="What is its task?", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    leader = forms.ChoiceField(label="Who leads it?")
    members = forms.MultipleChoiceField(label="Who works in it?", required=False, widget=forms.CheckboxSelectMultiple)
    minutes = forms.TypedChoiceField(label="How long?", coerce=int, choices=MINUTES, initial=60)

    def __init__(
        self, *args: Any, leaders: list[tuple[str, str]], members: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["leader"].choices = [("", "Choose somebody"), *leaders]  # type: ignore[attr-defined]
        self.fields["members"].choices = members  # type: ignore[attr-defined]


@FORM
def sub_team(request: HttpRequest, number: int) -> HttpResponse:
    """Form a sub-team out of those who are here; anybody may lead it."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    found = desk_queries.desk(actor, row, now=now)
    here = [(username, found.names.get(username, username)) for username in found.span.reports]
    everybody = [(person.username, person.label) for person in people.persons(actor)]
    form = SubTeamForm(request.POST or None, leaders=everybody, members=here)

    def act(filled: dict[str, Any]) -> object:
        minutes = filled["minutes"]
        return actions.form_sub_team(
            actor,
            number,
            name=filled["name"],
            leader=filled["leader"],
            task=filled["task"],
            members=filled["members"],
            due_at=now + timedelta(minutes=minutes) if minutes else None,
            now=now,
        )

    context = {"incident": row, "desk": found}
    return form_pages.answer(
        request, form, act, template="web/incident_sub_team.html", context=context, then=f"/i/{number}/desk"
    )


@require_POST
def end_sub_team(request: HttpRequest, number: int) -> HttpResponse:
    """The sub-team did what it was for."""
    actor, now = asking.actor(request), asking.now(request)
    actions.end_sub_team(actor, number, request.POST.get("name", ""), now=now)
    return redirect(f"/i/{number}/desk")


urlpatterns = [
    path("i/<int:number>/desk", desk, name="incident-desk"),
    path("i/<int:number>/sub-teams", sub_team, name="incident-sub-team"),
    path("i/<int:number>/sub-teams/end", end_sub_team, name="incident-sub-team-end"),
]
