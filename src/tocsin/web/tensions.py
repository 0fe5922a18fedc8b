"""Tensions between people of a response: noted in confidence, settled before the postmortem meeting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.core.errors import NotAllowed, Refused
from tocsin.incidents import actions, queries, tensions
from tocsin.people import queries as people
from tocsin.web import asking, form_pages

FORM = require_http_methods(["GET", "HEAD", "POST"])


class Noting(forms.Form):
    text = forms.CharField(
        label="What stands between people?",
        max_length=2000,
        required=False,
        help_text="Whoever coordinates reads it, and nobody else unless you share it. It is not in the log.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    shared_with = forms.ChoiceField(label="Who else may read it?", required=False)
    objects = forms.BooleanField(label="The meeting must wait until this is settled", required=False)

    def __init__(self, *args: Any, persons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shared_with"].choices = [("", "Nobody else"), *persons]  # type: ignore[attr-defined]


@FORM
def page(request: HttpRequest, number: int) -> HttpResponse:
    """What the reader may read of them, how many are open, and a form to note one."""
    actor = asking.actor(request)
    incident = queries.incident(actor, number)
    persons = [(one.username, one.label) for one in people.persons(actor) if one.username != actor.ident]
    form = Noting(request.POST or None, persons=persons)

    def act(filled: dict[str, Any]) -> object:
        return actions.note_people_issue(actor, number, now=asking.now(request), **filled)

    context = {
        "incident": incident,
        "issues": tensions.readable(actor, incident),
        "open_count": tensions.gate(incident).open_issues,
    }
    return form_pages.answer(
        request, form, act, template="web/incident_tensions.html", context=context, then=f"/i/{number}/people/tensions"
    )


@require_POST
def settle(request: HttpRequest, number: int, issue: int) -> HttpResponse:
    """It is settled."""
    try:
        actions.settle_people_issue(asking.actor(request), number, issue, now=asking.now(request))
    except (Refused, NotAllowed) as error:
        messages.error(request, error.message)
    return redirect("incident-tensions", number=number)


urlpatterns = [
    path("i/<int:number>/people/tensions", page, name="incident-tensions"),
    path("i/<int:number>/people/tensions/<int:issue>/settle", settle, name="incident-tension-settle"),
]
