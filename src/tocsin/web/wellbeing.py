"""The people of a response: the card on the incident page, their own page, hand-overs, thanks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tocsin.audit.queries import Excerpt
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.wellbeing import AnswerState
from tocsin.incidents import actions, people_queries, queries, snapshots
from tocsin.incidents.models import Incident, RoleHeld
from tocsin.insights import wellbeing
from tocsin.people import queries as people
from tocsin.web import asking, form_pages, people_words

FORM = require_http_methods(["GET", "HEAD", "POST"])
ON_THE_CARD = 3
_WORDS = forms.Textarea(attrs={"rows": 2})


class HandingOver(forms.Form):
    """How things stand, so that the next person does not begin anew."""

    role = forms.ChoiceField(label="Which role?")
    to = forms.ChoiceField(label="To whom?")
    done = forms.CharField(label="What has been done?", max_length=2000, required=False, widget=_WORDS)
    open = forms.CharField(label="What is open?", max_length=2000, required=False, widget=_WORDS)
    risks = forms.CharField(label="What could go wrong?", max_length=2000, required=False, widget=_WORDS)
    next_update = forms.CharField(label="When is the next update due?", max_length=300, required=False)

    def __init__(self, *args: Any, roles: list[tuple[str, str]], persons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]
        self.fields["to"].choices = [("", "Choose somebody"), *persons]  # type: ignore[attr-defined]


class Thanking(forms.Form):
    thanks = forms.CharField(
        label="What do you want to tell them?",
        max_length=2000,
        required=False,
        help_text="Everybody who took part gets this by mail.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def card(
    actor: Actor, incident: Incident, *, held: Sequence[RoleHeld], log: Excerpt | None = None, now: datetime
) -> dict[str, Any]:
    """What the card on the incident page shows; `held` are the incident's roles, `log` is read if it is not at hand."""
    view = wellbeing.people_in(actor, incident, held=held, log=log, now=now)
    shown = people_words.prompts(view)
    return {
        "view": view,
        "people": [one for one in people_words.people(view, now=now) if one.line.present],
        "prompts": shown[:ON_THE_CARD],
        "more": max(len(shown) - ON_THE_CARD, 0),
        "offers": people_words.offers_to(view, actor.ident),
    }


@require_safe
def page(request: HttpRequest, number: int) -> HttpResponse:
    """Who is who, how long already, what to do for them, and who could relieve."""
    actor, now = asking.actor(request), asking.now(request)
    view = wellbeing.people_of(actor, number, now=now)
    team = view.incident.team.name if view.incident.team else None
    context = {
        "incident": view.incident,
        "view": view,
        "people": people_words.people(view, now=now),
        "prompts": people_words.prompts(view),
        "answered": view.answered,
        "offers": people_words.offers_to(view, actor.ident),
        "own_roles": people_queries.own_roles(view.incident, actor.ident),
        "me": next((line for line in view.lines if line.is_reader and line.present), None),
        "may_assign": actor.may(Right.INCIDENT_ASSIGN, team=team),
        "may_annotate": actor.may(Right.INCIDENT_ANNOTATE, team=team),
        "process_number": view.incident.process_version.number,
    }
    return render(request, "web/incident_people.html", context)


@require_POST
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """It is done, or it waits for half an hour."""
    actor, now = asking.actor(request), asking.now(request)
    state = AnswerState.DEFERRED if request.POST.get("answer") == "deferred" else AnswerState.DONE
    try:
        prompt = wellbeing.prompt_named(actor, number, request.POST.get("key", ""), now=now)
        actions.answer_prompt(actor, number, prompt, answer=state, now=now)
    except NotFound as gone:
        queries.incident(actor, number)
        messages.info(request, gone.message)
    return _back(request, number)


@require_POST
def introduce(request: HttpRequest, number: int) -> HttpResponse:
    """Here I am: name, team, role, time zone."""
    actor, now = asking.actor(request), asking.now(request)
    return _press(request, number, lambda: actions.introduce(actor, number, text=request.POST.get("text", ""), now=now))


@require_POST
def ground_rules(request: HttpRequest, number: int) -> HttpResponse:
    """Put the ground rules on the timeline."""
    actor, now = asking.actor(request), asking.now(request)
    return _press(request, number, lambda: actions.post_ground_rules(actor, number, now=now))


@require_POST
def accept(request: HttpRequest, number: int, hand_over: int) -> HttpResponse:
    """I take it over."""
    actor, now = asking.actor(request), asking.now(request)
    return _press(request, number, lambda: actions.accept_hand_over(actor, hand_over, now=now))


@require_POST
def withdraw(request: HttpRequest, number: int, hand_over: int) -> HttpResponse:
    """Not now: the role stays where it is."""
    actor, now = asking.actor(request), asking.now(request)
    return _press(request, number, lambda: actions.withdraw_hand_over(actor, hand_over, now=now))


@FORM
def hand_over(request: HttpRequest, number: int) -> HttpResponse:
    """How things stand, and to whom."""
    actor, now = asking.actor(request), asking.now(request)
    row = queries.incident(actor, number)
    definition = snapshots.process_of(row)
    held = [one.role for one in people_queries.own_roles(row, actor.ident)]
    roles = [(one.code, one.display_name) for one in definition.roles.roles if one.code in held]
    persons = [(one.username, one.label) for one in people.persons(actor) if one.username != actor.ident]
    rested = wellbeing.people_of(actor, number, now=now).relief
    form = HandingOver(request.POST or None, roles=roles, persons=persons, initial={"to": request.GET.get("to", "")})

    def act(filled: dict[str, Any]) -> object:
        return actions.offer_hand_over(actor, number, now=now, **filled)

    context = {"incident": row, "holds": roles, "rested": rested}
    return form_pages.answer(
        request,
        form,
        act,
        template="web/incident_hand_over.html",
        context=context,
        then=f"/i/{number}/people",
        first=lambda: require(actor, Right.INCIDENT_ASSIGN, team=row.team.name if row.team else None),
    )


@FORM
def thanks(request: HttpRequest, number: int) -> HttpResponse:
    """It is over: thank them and dissolve the team."""
    actor, now = asking.actor(request), asking.now(request)
    view = wellbeing.people_of(actor, number, now=now)

    def act(filled: dict[str, Any]) -> object:
        return actions.dissolve_team(actor, number, thanks=filled["thanks"], now=now)

    context = {"incident": view.incident, "view": view}
    form = Thanking(request.POST or None)
    return form_pages.answer(
        request, form, act, template="web/incident_thanks.html", context=context, then=f"/i/{number}/people"
    )


def _press(request: HttpRequest, number: int, act: Any) -> HttpResponse:
    """Do what one button says and come back; a refusal is told on the page it leads to."""
    try:
        act()
    except (Refused, NotAllowed) as refusal:
        messages.error(request, f"{refusal.message} {refusal.remedy}".strip())
    except Invalid as wrong:
        messages.error(request, wrong.message)
    return _back(request, number)


def _back(request: HttpRequest, number: int) -> HttpResponse:
    return redirect(f"/i/{number}#people" if request.POST.get("from") == "card" else f"/i/{number}/people")


urlpatterns = [
    path("i/<int:number>/people", page, name="incident-people"),
    path("i/<int:number>/people/answer", answer, name="incident-people-answer"),
    path("i/<int:number>/people/introduce", introduce, name="incident-people-introduce"),
    path("i/<int:number>/people/ground-rules", ground_rules, name="incident-people-rules"),
    path("i/<int:number>/people/hand-over", hand_over, name="incident-hand-over"),
    path("i/<int:number>/people/hand-over/<int:hand_over>/accept", accept, name="hand-over-accept"),
    path("i/<int:number>/people/hand-over/<int:hand_over>/withdraw", withdraw, name="hand-over-withdraw"),
    path("i/<int:number>/people/thanks", thanks, name="incident-thanks"),
]
