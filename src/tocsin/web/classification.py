"""What is known of the size of an incident, what that suggests, and what was decided against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.core.access import Actor
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.severity_weighing import KnownFacts, Weighing, weigh
from tocsin.incidents import actions, known_facts, queries, snapshots
from tocsin.incidents.actions.suggesting import MOST_TEAMS, PRIORITY, SEVERITY, value_words
from tocsin.incidents.models import Incident, Suggestion
from tocsin.incidents.priority_words import priority_code
from tocsin.incidents.queries import TimelineLine
from tocsin.people import queries as people
from tocsin.web import asking, form_pages

ANSWERS = [("", "Not said"), ("yes", "Yes"), ("no", "No")]


@dataclass(frozen=True, slots=True)
class Suggested:
    """Something that waits for an answer: what would be set, what stays otherwise, and why it is suggested."""

    row: Suggestion
    words: str
    kept: str
    form: str
    """The page on which it is set, with its effects; empty where one press is enough."""


@dataclass(frozen=True, slots=True)
class Card:
    """What the page of an incident says of its classification."""

    suggested: list[Suggested]
    weighing: Weighing
    known: KnownFacts
    exceptions: list[TimelineLine]
    asks_for_size: bool
    has_severities: bool

    @property
    def weighed_above(self) -> bool:
        """Whether the arithmetic stands with a suggestion already."""
        return any(one.row.subject == SEVERITY for one in self.suggested)


def card(incident: Incident, definition: ProcessDefinition, lines: Sequence[TimelineLine]) -> Card:
    """The card of one incident; `lines` are those that set or changed priority and severity."""
    known = known_facts.known(incident)
    weighing = weigh(definition.severities, known)
    waiting = known_facts.open_suggestions(incident).values() if incident.is_open else ()
    unsettled = weighing.suggestion.prompt and not any(_sets_severity(line) for line in lines)
    return Card(
        suggested=[_suggested(incident, definition, row) for row in waiting],
        weighing=weighing,
        known=known,
        exceptions=_exceptions(lines),
        asks_for_size=incident.is_open and unsettled and not definition.severities.switched_off,
        has_severities=not definition.severities.switched_off,
    )


def _sets_severity(line: TimelineLine) -> bool:
    """Whether a person set or confirmed the severity by it."""
    data = line.data or {}
    return bool("severity" in data and (data.get("severity_by_person") or data.get("by_person")))


def exceptions(actor: Actor, incident: Incident) -> list[TimelineLine]:
    """What was decided against the rule, for the review of its timeline."""
    return _exceptions(queries.timeline(actor, incident.number))


def _exceptions(lines: Sequence[TimelineLine]) -> list[TimelineLine]:
    back = {(line.data or {}).get("undo_of") for line in lines} - {None}
    return [line for line in lines if (line.data or {}).get("exception") is True and line.seq not in back]


def _suggested(incident: Incident, definition: ProcessDefinition, row: Suggestion) -> Suggested:
    words = value_words(definition, row.subject, row.value)
    if row.subject == SEVERITY:
        return Suggested(row, f"severity {words}", incident.severity, "severity")
    if row.subject == PRIORITY:
        now = priority_code(definition, incident.priority, incident.priority_state)
        return Suggested(row, f"priority {words}", now, "priority")
    return Suggested(row, "complex", "", "")


class Size(forms.Form):
    """How many users, which teams, which signs. Percent on the page, a share everywhere else."""

    users = forms.DecimalField(
        label="How many users are affected?",
        help_text="In per cent. Leave it empty while nobody knows.",
        min_value=0,
        max_value=100,
        decimal_places=4,
        max_digits=7,
        required=False,
    )
    teams_needed = forms.IntegerField(
        label="How many teams are needed?",
        help_text="A number, where it is clear before their names are.",
        min_value=1,
        max_value=MOST_TEAMS,
        required=False,
    )
    team = forms.ChoiceField(label="Which other team is needed?", required=False)

    def __init__(self, *args: Any, teams: list[tuple[str, str]], signs: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [("", "No other for now"), *teams]  # type: ignore[attr-defined]
        self.signs = [f"sign_{code}" for code, _ in signs]
        for code, ask in signs:
            self.fields[f"sign_{code}"] = forms.ChoiceField(
                label=ask, choices=ANSWERS, required=False, widget=forms.Select
            )


@require_http_methods(["GET", "HEAD", "POST"])
def size(request: HttpRequest, number: int) -> HttpResponse:
    """Say what is known; the suggestion that follows stands on the incident's page."""
    row = queries.incident(asking.actor(request), number)
    definition = snapshots.process_of(row)
    known = known_facts.known(row)
    there = known_facts.teams_of(row)
    others = [(team.name, team.label) for team in people.teams(asking.actor(request)) if team not in there]
    signs = [(sign.code, sign.ask) for sign in definition.severities.signs]
    form = Size(request.POST or None, teams=others, signs=signs, initial=_initial(known))

    def act(filled: dict[str, Any]) -> Incident:
        actor, now = asking.actor(request), asking.now(request)
        stated = {
            "users_share": filled["users"] / 100 if filled["users"] is not None else None,
            "teams_needed": filled["teams_needed"],
            "signs": {code: filled[f"sign_{code}"] == "yes" for code, _ in signs if filled[f"sign_{code}"]},
        }
        changed = actions.state_scope(actor, number, stated, now=now)
        return actions.name_team(actor, number, filled["team"], now=now) if filled["team"] else changed

    context = {"incident": row, "weighing": known_facts.weighing(row, definition), "teams": there}
    return form_pages.answer(
        request,
        form,
        act,
        template="web/incident_size.html",
        context=context,
        then=f"/i/{number}#classification",
    )


def _initial(known: KnownFacts) -> dict[str, Any]:
    share = known.users_share
    said = {f"sign_{code}": "yes" if answer else "no" for code, answer in (known.signs or {}).items()}
    percent = (share * Decimal(100)).normalize() if share is not None else None
    return {"users": format(percent, "f") if percent is not None else None, "teams_needed": known.teams_said, **said}


@require_POST
def answer(request: HttpRequest, number: int, subject: str) -> HttpResponse:
    """Follow what is suggested in one press, or leave things as they are."""
    accept = request.POST.get("answer") == "accept"
    reason = request.POST.get("reason", "")[:300]
    now = asking.now(request)
    actions.answer_suggestion(asking.actor(request), number, subject, accept=accept, reason=reason, now=now)
    messages.success(request, "Done." if accept else "Left as it is. That is kept, too.")
    return redirect(f"/i/{number}")


urlpatterns = [
    path("i/<int:number>/size", size, name="incident-size"),
    path("i/<int:number>/suggestions/<slug:subject>", answer, name="incident-suggestion"),
]
