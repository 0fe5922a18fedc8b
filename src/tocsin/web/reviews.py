"""Learning: each incident's review with its sections, timeline and action items; the lists of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tocsin.core.access import Actor, Right
from tocsin.core.errors import NotFound
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.postmortem_rules import PostmortemState, default_review_date, step_decision
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.wording import lint_blame
from tocsin.incidents import people_queries, tensions
from tocsin.incidents import queries as incidents
from tocsin.incidents.models import Incident, ObligationState
from tocsin.people import queries as people
from tocsin.postmortems import actions, queries
from tocsin.postmortems.models import ActionItem, Postmortem
from tocsin.postmortems.snapshots import item_facts
from tocsin.process import queries as process
from tocsin.web import asking, form_pages, review_checklist, review_forms
from tocsin.web.classification import exceptions

FORM = require_http_methods(["GET", "POST"])
LISTED_APART = ("timeline", "action_items")
STATE_WORDS = {
    PostmortemState.DRAFT: "Draft",
    PostmortemState.IN_REVIEW: "In review",
    PostmortemState.REVIEWED: "Reviewed",
    PostmortemState.CLOSED: "Closed",
}
NEXT_WORDS = {
    PostmortemState.IN_REVIEW: "Start the review",
    PostmortemState.REVIEWED: "Mark as reviewed",
    PostmortemState.CLOSED: "Close the review",
}
ORDER = tuple(PostmortemState)


@dataclass(frozen=True, slots=True)
class Part:
    """A section as the page shows it. `hints` are words that look for somebody to blame, with what to write instead."""

    code: str
    help: str
    fields: Sequence[str]
    required: bool
    text: str
    hints: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The way on: its state, its words, and what is still missing for it."""

    state: str
    words: str
    allowed: bool
    missing: Sequence[str]
    waits: bool = False  # for a tension between people to be settled, as far as the reader can do anything about it


@require_GET
def review(request: HttpRequest, number: int) -> HttpResponse:
    """What we learn from one incident; an incident without a review offers to begin one."""
    actor = asking.actor(request)
    incident = incidents.incident(actor, number)
    team = incident.team.name if incident.team else None
    context: dict[str, Any] = {"incident": incident, "may_write": actor.may(Right.POSTMORTEM_WRITE, team=team)}
    try:
        row = queries.postmortem(actor, number)
    except NotFound:
        definition = process.definition(incident.process_version)
        context |= {"definition": definition, "lowered": _was_lowered(incident, definition)}
        return render(request, "web/review_none.html", context)
    definition = process.definition(row.incident.process_version)
    persons = {person.username: person.label for person in people.persons(actor)}
    context |= {
        "review": row,
        "definition": definition,
        "directive": definition.postmortem.prime_directive,
        "parts": [one for one in parts(row, definition) if one.code not in LISTED_APART],
        "timeline": list(row.timeline.all()),
        "exceptions": exceptions(actor, row.incident),
        "items": list(row.actions.all()),
        "persons": persons,
        "way": [(state.value, words) for state, words in STATE_WORDS.items()],
        "steps": _waiting(steps(row, definition), row, actor),
        "phases": review_checklist.phases(row, definition),
        "tense": tensions.gate(row.incident),
        "may_override": people_queries.coordinated_last(row.incident, actor.ident),
        "today": asking.now(request).astimezone(asking.zone(request)).date(),
    }
    return render(request, "web/review.html", context)


def _was_lowered(incident: Incident, definition: ProcessDefinition) -> bool:
    """Whether the process asked for a review until the priority was lowered."""
    if not _asks(definition, incident.highest_priority) or _asks(definition, incident.priority):
        return False
    return not incident.obligations.filter(kind=ObligationKind.POSTMORTEM, state=ObligationState.OPEN).exists()


def _asks(definition: ProcessDefinition, rank: int | None) -> bool:
    known = definition.catalogue.by_rank(rank) if rank is not None else None
    return known is not None and known.criteria.postmortem


def parts(row: Postmortem, definition: ProcessDefinition) -> list[Part]:
    """The sections of the kept template, in its order."""
    found = []
    for section in row.template:
        text = str(row.sections.get(section["code"], ""))
        hints = [finding.message for finding in lint_blame(text, definition.messages.blame)]
        found.append(Part(section["code"], section["help"], section["fields"], section["required"], text, hints))
    return found


def steps(row: Postmortem, definition: ProcessDefinition) -> list[Step]:
    """Where this review can go from here: the next step first, then the way back."""
    state, facts = PostmortemState(row.state), item_facts(row.actions.all())
    here = ORDER.index(state)
    found = []
    for target in (*ORDER[here + 1 : here + 2], *ORDER[max(here - 1, 0) : here]):
        verdict = step_decision(definition, state, target, sections=row.sections, items=facts)
        words = NEXT_WORDS[target] if ORDER.index(target) > here else f"Back to {STATE_WORDS[target].lower()}"
        found.append(Step(target.value, words, verdict.allowed, [_plain(one) for one in verdict.missing]))
    return found


def _waiting(found: Sequence[Step], row: Postmortem, actor: Actor) -> list[Step]:
    """The same steps; the meeting does not start for a reader who would be refused."""
    gate = tensions.gate(row.incident)
    starts = row.state == PostmortemState.DRAFT and gate.holds(
        override=people_queries.coordinated_last(row.incident, actor.ident)
    )
    return [replace(one, waits=starts and one.state == PostmortemState.IN_REVIEW) for one in found]


def _plain(missing: str) -> str:
    return missing.replace("_", " ")


@require_POST
def begin(request: HttpRequest, number: int) -> HttpResponse:
    """Begin a review by hand; it is always possible, also where none is required."""
    actions.start_postmortem(asking.actor(request), number, now=asking.now(request))
    return redirect("review", number=number)


@FORM
def section(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """Write one section."""
    row = queries.postmortem(asking.actor(request), number)
    definition = process.definition(row.incident.process_version)
    part = next((one for one in parts(row, definition) if one.code == code), None)
    if part is None:
        raise NotFound("This review has no such section.")
    form = review_forms.Section(request.POST or None, initial={"text": part.text, "version": row.version})

    def act(filled: dict[str, Any]) -> Postmortem:
        return actions.edit_section(
            asking.actor(request),
            number,
            section=code,
            text=filled["text"],
            version=filled["version"],
            now=asking.now(request),
        )

    context = {"incident": row.incident, "part": part}
    return form_pages.answer(
        request, form, act, template="web/review_section.html", context=context, then=f"/i/{number}/review#{code}"
    )


@FORM
def line(request: HttpRequest, number: int) -> HttpResponse:
    """Add a line to the timeline from one's own view; the time is read in the viewer's zone."""
    row = queries.postmortem(asking.actor(request), number)
    zone = asking.zone(request)
    began = row.incident.created_at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    form = review_forms.Line(request.POST or None, initial={"at": began})

    def act(filled: dict[str, Any]) -> object:
        at = filled["at"].replace(tzinfo=zone)
        return actions.add_entry(asking.actor(request), number, at=at, text=filled["text"], now=asking.now(request))

    context = {"incident": row.incident}
    return form_pages.answer(
        request, form, act, template="web/review_line.html", context=context, then=f"/i/{number}/review#timeline"
    )


@require_POST
def move(request: HttpRequest, number: int) -> HttpResponse:
    """On to the next status, or back."""
    state, why = request.POST.get("state", ""), request.POST.get("override", "")
    row = actions.move(asking.actor(request), number, state, override=why, now=asking.now(request))
    messages.success(request, f"The review is now: {STATE_WORDS[PostmortemState(row.state)].lower()}.")
    return redirect("review", number=number)


@FORM
def add_action(request: HttpRequest, number: int) -> HttpResponse:
    """Agree on something to change, with a driver and a day to look at it together."""
    incident = incidents.incident(asking.actor(request), number)
    today = asking.now(request).date()
    day = default_review_date(process.definition(incident.process_version), created_on=today)
    form = review_forms.Action(request.POST or None, persons=_persons(request), initial={"review_date": day})

    def act(filled: dict[str, Any]) -> ActionItem:
        return actions.add_action(asking.actor(request), number, now=asking.now(request), **filled)

    context: dict[str, Any] = {"incident": incident, "item": None}
    return form_pages.answer(
        request, form, act, template="web/review_action.html", context=context, then=f"/i/{number}/review#actions"
    )


@FORM
def change_action(request: HttpRequest, item: int) -> HttpResponse:
    """Move an action item on, or give it to somebody else."""
    row = queries.actions(asking.actor(request)).filter(pk=item).first()
    if row is None:
        raise NotFound("There is no such action item.")
    names = review_forms.ChangedAction.field_order
    initial = {name: getattr(row, name) for name in names}
    form = review_forms.ChangedAction(request.POST or None, persons=_persons(request), initial=initial)

    def act(filled: dict[str, Any]) -> ActionItem:
        changes = {name: filled[name] for name in names if filled[name] != initial[name]}
        return actions.change_action(asking.actor(request), item, now=asking.now(request), **changes)

    context = {"incident": row.incident, "item": row}
    then = f"/i/{row.incident.number}/review#actions"
    return form_pages.answer(request, form, act, template="web/review_action.html", context=context, then=then)


@require_GET
def postmortems(request: HttpRequest) -> HttpResponse:
    """Where each review stands, and which incident still owes one."""
    actor, state = asking.actor(request), request.GET.get("state", "")
    rows = list(queries.postmortems(actor))
    counts = {known.value: sum(row.state == known for row in rows) for known in STATE_WORDS}
    context = {
        "rows": [row for row in rows if not state or row.state == state],
        "tabs": [(known.value, words, counts[known.value]) for known, words in STATE_WORDS.items()],
        "chosen": state,
        "total": len(rows),
        "owed": _owed(rows),
        "state_words": {known.value: words for known, words in STATE_WORDS.items()},
    }
    return render(request, "web/postmortems.html", context)


def _owed(rows: Sequence[Postmortem]) -> list[Incident]:
    """Ended incidents whose process asks for a review that nobody has begun."""
    begun = [row.incident_id for row in rows]
    owed = Incident.objects.filter(obligations__kind="postmortem", obligations__state="open").exclude(pk__in=begun)
    return list(owed.select_related("service").distinct().order_by("-number")[:20])


@require_GET
def action_items(request: HttpRequest) -> HttpResponse:
    """What was agreed, the soonest review date first."""
    actor = asking.actor(request)
    show, mine = request.GET.get("show", "open"), request.GET.get("mine", "")
    today = asking.now(request).astimezone(asking.zone(request)).date()
    found = queries.actions(actor, open_only=show != "all", driver=actor.ident if mine else "")
    rows = list(found.order_by("review_date", "id")[:300])
    context = {
        "rows": rows,
        "late": sum(_is_late(row, today) for row in rows),
        "show": show,
        "mine": mine,
        "today": today,
        "persons": {person.username: person.label for person in people.persons(actor)},
    }
    return render(request, "web/actions.html", context)


def _is_late(row: ActionItem, today: date) -> bool:
    return row.status not in queries.SETTLED and row.review_date is not None and row.review_date < today


def _persons(request: HttpRequest) -> list[tuple[str, str]]:
    return [(person.username, person.label) for person in people.persons(asking.actor(request))]


urlpatterns = [
    path("i/<int:number>/review", review, name="review"),
    path("i/<int:number>/review/begin", begin, name="review-begin"),
    path("i/<int:number>/review/move", move, name="review-move"),
    path("i/<int:number>/review/timeline", line, name="review-line"),
    path("i/<int:number>/review/actions", add_action, name="review-action-add"),
    path("i/<int:number>/review/sections/<slug:code>", section, name="review-section"),
    path("postmortems", postmortems, name="postmortems"),
    path("actions", action_items, name="actions"),
    path("actions/<int:item>", change_action, name="action-change"),
]
