"""Joining to look on, asking for a role, answering who asks, asking people who are not on call, and the summary."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tocsin.comms import actions as comms
from tocsin.comms import summary as summaries
from tocsin.core.access import Right, require
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.incidents import actions, people_queries, queries, snapshots
from tocsin.incidents.models import TakeOver
from tocsin.people import queries as people
from tocsin.web import asking, form_pages, incident_page

FORM = require_http_methods(["GET", "HEAD", "POST"])
_WORDS = forms.Textarea(attrs={"rows": 2})


class Asking(forms.Form):
    role = forms.ChoiceField(label="Which role?")
    reason = forms.CharField(
        label="Why?",
        max_length=300,
        widget=_WORDS,
        error_messages={"required": "Say in a few words why. Whoever holds the role reads it."},
    )

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]


class Answering(forms.Form):
    """How things stand, when the role is given; a word, when it is kept."""

    done = forms.CharField(label="What has been done?", max_length=2000, required=False, widget=_WORDS)
    open = forms.CharField(label="What is open?", max_length=2000, required=False, widget=_WORDS)
    risks = forms.CharField(label="What could go wrong?", max_length=2000, required=False, widget=_WORDS)
    next_update = forms.CharField(label="When is the next update due?", max_length=300, required=False)


class PullingIn(forms.Form):
    person = forms.ChoiceField(label="Whom?")
    role = forms.ChoiceField(label="To join as")
    reason = forms.CharField(
        label="What do you need of them?",
        max_length=300,
        widget=_WORDS,
        error_messages={"required": "Say in a few words what you need of them."},
    )

    def __init__(self, *args: Any, roles: list[tuple[str, str]], persons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["person"].choices = [("", "Choose somebody"), *persons]  # type: ignore[attr-defined]


@FORM
def ask(request: HttpRequest, number: int) -> HttpResponse:
    """Ask whoever holds a role for it."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    definition = snapshots.process_of(row)
    held = [one for one in incident_page.role_rows(row) if one.people and not _optional(definition, one.code)]
    choices = [(one.code, f"{one.name}: {', '.join(has.person.label for has in one.people)}") for one in held]
    form = Asking(request.POST or None, roles=choices, initial={"role": request.GET.get("role", "")})

    def act(filled: dict[str, Any]) -> object:
        return actions.ask_take_over(actor, number, now=now, **filled)

    context = {"incident": row, "held": held, "rule": definition.roles.take_over}
    return form_pages.answer(
        request,
        form,
        act,
        template="web/incident_role_ask.html",
        context=context,
        then=f"/i/{number}#roles",
        first=lambda: require(actor, Right.INCIDENT_ASSIGN, team=row.team.name if row.team else None),
    )


def _optional(definition: Any, code: str) -> bool:
    known = definition.roles.by_code(code)
    return known is None or known.optional


@FORM
def answer(request: HttpRequest, number: int, take_over: int) -> HttpResponse:
    """Give the role with how things stand, or keep it."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    asked = next((one for one in people_queries.asked_for(actor, row) if one.pk == take_over), None)
    if asked is None:
        raise NotFound("Nobody waits for an answer to this any more.")
    form = Answering(request.POST or None)

    def act(filled: dict[str, Any]) -> object:
        if "keep" in request.POST:
            return actions.decline_take_over(actor, take_over, note=filled["open"], now=now)
        return actions.accept_take_over(actor, take_over, now=now, **filled)

    context = {
        "incident": row,
        "asked": asked,
        "name": role_name(row, asked),
        "mine": asked.giver.username == actor.ident,
    }
    return form_pages.answer(
        request, form, act, template="web/incident_role_answer.html", context=context, then=f"/i/{number}#roles"
    )


def role_name(incident: Any, asked: TakeOver) -> str:
    found = snapshots.process_of(incident).roles.by_code(asked.role)
    return found.display_name if found else asked.role


@require_POST
def withdraw(request: HttpRequest, number: int, take_over: int) -> HttpResponse:
    """I no longer ask for it."""
    actions.decline_take_over(asking.actor(request), take_over, now=asking.now(request))
    return redirect(f"/i/{number}#roles")


@FORM
def pull_in(request: HttpRequest, number: int) -> HttpResponse:
    """Ask somebody to help, on call or not. It pages them."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    roles = [(one.code, one.display_name) for one in snapshots.process_of(row).roles.roles if not one.optional]
    persons = [(one.username, one.label) for one in people.persons(actor) if one.username != actor.ident]
    form = PullingIn(request.POST or None, roles=roles[::-1], persons=persons)

    def act(filled: dict[str, Any]) -> object:
        return actions.pull_in(actor, number, now=now, **filled)

    context = {"incident": row}
    return form_pages.answer(
        request, form, act, template="web/incident_pull_in.html", context=context, then=f"/i/{number}#pages"
    )


@require_POST
def join(request: HttpRequest, number: int) -> HttpResponse:
    """I look on; or I leave again."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    role = people_queries.looking_on_role(row)
    try:
        if "leave" in request.POST:
            actions.release_role(actor, number, role=role, username=actor.ident, now=now)
        else:
            actions.assign_role(actor, number, role=role, username=actor.ident, now=now)
    except (Refused, NotAllowed) as refusal:
        messages.error(request, f"{refusal.message} {refusal.remedy}".strip())
    return redirect(f"/i/{number}#roles")


@require_safe
def summary(request: HttpRequest, number: int) -> HttpResponse:
    """What management needs, and nothing to press that would disturb: refreshed with each update."""
    actor, now = asking.actor(request), asking.now(request)
    found = summaries.summary(actor, number, now=now)
    definition = snapshots.process_of(found.incident)
    return render(
        request, "web/incident_summary.html", {"summary": found, "incident": found.incident, "definition": definition}
    )


@require_POST
def subscribe(request: HttpRequest, number: int) -> HttpResponse:
    """Hear of it by mail without coming here."""
    try:
        row = comms.subscribe_oneself(asking.actor(request), number, now=asking.now(request))
    except (Invalid, Refused) as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"You hear of {row.service.label} by mail at {row.email}.")
    return redirect(f"/i/{number}/summary")


urlpatterns = [
    path("i/<int:number>/roles/ask", ask, name="incident-role-ask"),
    path("i/<int:number>/roles/asks/<int:take_over>", answer, name="incident-role-answer"),
    path("i/<int:number>/roles/asks/<int:take_over>/withdraw", withdraw, name="incident-role-withdraw"),
    path("i/<int:number>/roles/join", join, name="incident-join"),
    path("i/<int:number>/pull-in", pull_in, name="incident-pull-in"),
    path("i/<int:number>/summary", summary, name="incident-summary"),
    path("i/<int:number>/summary/subscribe", subscribe, name="incident-summary-subscribe"),
]
