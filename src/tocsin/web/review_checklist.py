"""The checklists around a postmortem meeting on the review's page, and what people found when they looked at an action item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.core.errors import NotFound
from tocsin.core.postmortem_checklist import ChecklistLine, ItemState, item_of
from tocsin.core.process_definition import ProcessDefinition
from tocsin.people import queries as people
from tocsin.postmortems import actions, queries
from tocsin.postmortems.models import ActionItem, Postmortem
from tocsin.process import queries as process
from tocsin.web import asking, form_pages
from tocsin.web.review_forms import DAY

FORM = require_http_methods(["GET", "HEAD", "POST"])
PHASES = {"before": "Before the meeting", "during": "In the meeting", "after": "After the meeting"}
EVERYBODY = {"all": "everybody"}
VERDICTS = [
    ("done", "It is done"),
    ("not_done", "Not yet: look at it again"),
    ("dropped", "We drop it"),
]


@dataclass(frozen=True, slots=True)
class Line:
    """An item with the words for whose it is."""

    line: ChecklistLine
    who: str


@dataclass(frozen=True, slots=True)
class PhaseOf:
    """The items of one phase. The first in which something is left is unfolded: it is the next to do."""

    title: str
    lines: Sequence[Line]
    is_next: bool = False

    @property
    def left(self) -> int:
        return sum(one.line.state is ItemState.OPEN for one in self.lines)


class Explanation(forms.Form):
    reason = forms.CharField(
        label="Why is it left out?",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
    )


class Reviewing(forms.Form):
    """How an action item stood when people looked at it together."""

    verdict = forms.ChoiceField(label="How does it stand?", choices=VERDICTS, widget=forms.RadioSelect)
    next_review = forms.DateField(
        label="When do we look at it again?", required=False, widget=DAY, help_text="Asked when it is not done."
    )
    participants = forms.MultipleChoiceField(
        label="Who looked at it with you?", required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(label="What was said?", required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, persons: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["participants"].choices = persons  # type: ignore[attr-defined]


def phases(row: Postmortem, definition: ProcessDefinition) -> list[PhaseOf]:
    """The three checklists, in the order of the process."""
    names = {role.code: role.display_name for role in definition.roles.roles} | EVERYBODY
    lines = [Line(one, names.get(one.item.who, one.item.who.replace("_", " "))) for one in queries.checklist(row)]
    grouped = groupby(lines, key=lambda one: one.line.item.phase)
    found = [PhaseOf(PHASES.get(phase, phase.capitalize()), list(some)) for phase, some in grouped]
    following = next((one for one in found if one.left), None)
    return [replace(one, is_next=one is following) for one in found]


@require_POST
def mark(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """Done, or open again."""
    state = request.POST.get("state", "")
    actions.mark_item(asking.actor(request), number, code, state=state, now=asking.now(request))
    return redirect(f"/i/{number}/review#checklist")


@FORM
def explain(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """Leave an item out, and say why."""
    row = queries.postmortem(asking.actor(request), number)
    item = item_of(process.definition(row.incident.process_version), code)
    if item is None:
        raise NotFound("The checklists have no such item.")

    def act(filled: dict[str, Any]) -> Postmortem:
        return actions.mark_item(
            asking.actor(request),
            number,
            code,
            state=ItemState.EXPLAINED.value,
            reason=filled["reason"],
            now=asking.now(request),
        )

    return form_pages.answer(
        request,
        Explanation(request.POST or None),
        act,
        template="web/review_explain.html",
        context={"incident": row.incident, "item": item},
        then=f"/i/{number}/review#checklist",
    )


@FORM
def review_action(request: HttpRequest, item: int) -> HttpResponse:
    """Write down how an action item stood on its review date."""
    row = queries.actions(asking.actor(request)).filter(pk=item).first()
    if row is None:
        raise NotFound("There is no such action item.")
    me = asking.actor(request).ident
    persons = [(one.username, one.label) for one in people.persons(asking.actor(request)) if one.username != me]
    initial = {"participants": [row.driver] if row.driver != me else []}
    form = Reviewing(request.POST or None, persons=persons, initial=initial)

    def act(filled: dict[str, Any]) -> ActionItem:
        return actions.review_action(asking.actor(request), item, now=asking.now(request), **filled)

    context = {"incident": row.incident, "item": row, "reviews": list(row.reviews.all())}
    then = f"/i/{row.incident.number}/review#actions"
    return form_pages.answer(
        request, form, act, template="web/review_action_looked_at.html", context=context, then=then
    )


urlpatterns = [
    path("i/<int:number>/review/checklist/<slug:code>", mark, name="review-mark"),
    path("i/<int:number>/review/checklist/<slug:code>/explain", explain, name="review-explain"),
    path("actions/<int:item>/review", review_action, name="action-review"),
]
