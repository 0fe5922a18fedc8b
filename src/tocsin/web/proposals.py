"""Propose a change of the process, review it, publish it with a time of effect, or give it up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.core.access import Right, require
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.core.wall_time import instant_of, zone
from tocsin.insights import process_people
from tocsin.people.models import Person
from tocsin.process import proposal_actions as actions
from tocsin.process import queries, review_actions
from tocsin.web import asking
from tocsin.web.errors import sentences
from tocsin.web.form_pages import answer

LONGEST = 60_000


class ProposalForm(forms.Form):
    """One section of the process as its data says it, and why it should change."""

    note = forms.CharField(
        label="Why should it change?", max_length=500, help_text="A sentence for those who review it."
    )
    text = forms.CharField(
        label="The section",
        max_length=LONGEST,
        help_text="YAML. Everything that is left out is taken out.",
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false"}),
    )

    def clean_text(self) -> Any:
        """The section; a fault of the YAML is named with its line."""
        try:
            return yaml.safe_load(self.cleaned_data["text"])
        except yaml.MarkedYAMLError as wrong:
            line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
            raise forms.ValidationError(f"Line {line}: {wrong.problem}.") from None
        except (yaml.YAMLError, RecursionError, ValueError):
            raise forms.ValidationError("This is no YAML.") from None


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, section: str) -> HttpResponse:
    """A section of the process in force, to be changed into a draft."""
    actor = asking.actor(request)
    require(actor, Right.PROCESS_WRITE)
    current = queries.version(actor, queries.current_version().number)
    if section not in current.document:
        raise NotFound(f"The process has no section {section!r}.")
    text = yaml.safe_dump(current.document[section], sort_keys=False, allow_unicode=True, width=110)
    form = ProposalForm(request.POST or None, initial={"text": text})

    def act(given: dict[str, Any]) -> int:
        try:
            row = actions.propose(actor, {section: given["text"]}, note=given["note"], now=asking.now(request))
        except Invalid as refusal:  # every place is inside the one field, so its name goes with the sentence
            if "note" in refusal.fields:
                raise
            raise Invalid({"text": "; ".join(f"{place}: {said}" for place, said in refusal.fields.items())}) from None
        return row.number

    return answer(
        request,
        form,
        act,
        template="web/process_propose.html",
        context={"section": section, "sections": list(current.document), "current": current},
        then=lambda number: reverse("process-version", args=[number]),
    )


@require_POST
def move(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """One step of a proposal. What is refused is said above the version it is about."""
    actor, now = asking.actor(request), asking.now(request)
    given = request.POST
    try:
        if verb == "review":
            reviewers = process_people.ever_on_call(actor, now=now)
            actions.ask_for_review(actor, number, reviewers=reviewers, ends_at=_moment(request, "ends_at"), now=now)
        elif verb == "remark":
            side = {"agree": True, "object": False}.get(given.get("side", ""))
            actions.remark(actor, number, text=given.get("text", ""), agrees=side, now=now)
        elif verb == "publish":
            told = process_people.responders(actor, now=now)
            actions.publish(actor, number, effective_at=_moment(request, "effective_at"), responders=told, now=now)
        elif verb == "acknowledge":
            review_actions.acknowledge(actor, number, now=now)
            messages.success(request, f"Thank you for reading version {number}.")
        elif verb == "withdraw":
            actions.withdraw(actor, number, reason=given.get("reason", ""), now=now)
        else:
            raise NotFound("There is no such step.")
    except (Invalid, Refused, Conflict) as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    return redirect("process-version", number=number)


def _moment(request: HttpRequest, name: str) -> datetime | None:
    """What was typed as a wall time of the viewer's zone; None for nothing."""
    typed = request.POST.get(name, "").strip()
    if not typed:
        return None
    try:
        wall = datetime.fromisoformat(typed)
    except ValueError:
        raise Invalid({name: "Give day and time, for example 2026-12-01 09:00."}) from None
    name = request.user.time_zone if isinstance(request.user, Person) else "UTC"
    return wall if wall.tzinfo else instant_of(wall, zone(name))


urlpatterns = [
    path("process/propose/<slug:section>", propose, name="process-propose"),
    path("process/versions/<int:number>/<slug:verb>", move, name="process-move"),
]
