"""What people do to an incident: take it, classify it, pass it on, note, end it. Each press is one action of the domain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from tocsin.catalog import queries as catalog
from tocsin.core.access import Right
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.severities import require_severities
from tocsin.incidents import actions, known_facts, queries, snapshots
from tocsin.incidents.models import OPEN_STATES, Incident, ObligationState
from tocsin.incidents.previewing import Previewer
from tocsin.web import asking, effects, form_pages, incident_forms, incident_page
from tocsin.web.incident_proposal import proposed_rank
from tocsin.web.instants import clock_text

NONE, DECISION = "none", "decision"
PRIORITY_REASONS = ("More people are affected", "Fewer people are affected", "There is a workaround", "New facts")
SEVERITY_REASONS = ("More teams are needed", "One team is enough", "Nobody knows the cause yet")
FORM = require_http_methods(["GET", "HEAD", "POST"])
USUAL_CATEGORIES = ("deploy", "capacity", "dependency", "configuration", "data", "network", "hardware", "security")


def _about(request: HttpRequest, number: int) -> Incident:
    return queries.incident(asking.actor(request), number)


def _home(number: int) -> str:
    return f"/i/{number}"


@require_POST
def take(request: HttpRequest, number: int) -> HttpResponse:
    """I'm on it."""
    actions.acknowledge(asking.actor(request), number, now=asking.now(request))
    return redirect(_home(number))


@FORM
def priority(request: HttpRequest, number: int) -> HttpResponse:
    """Choose a priority; what each one brings stands beside it before it is chosen."""
    row = _about(request, number)
    previewer = Previewer(asking.actor(request), row, now=asking.now(request))
    chosen = request.GET.get("to", "") or row.priority or proposed_rank(row) or ""
    form = incident_forms.Priority(request.POST or None, initial={"priority": chosen})

    def act(filled: dict[str, Any]) -> Incident:
        chosen = filled["priority"]
        none = chosen == NONE
        rank = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 5 else 0
        return actions.change_priority(
            asking.actor(request),
            number,
            priority=None if none else rank,
            state=NONE if none else "set",
            reason=filled["reason"],
            learnt=filled["learnt"],
            exception=filled["exception"],
            version=filled["version"],
            now=asking.now(request),
        )

    context = {
        "incident": row,
        "choices": effects.priority_choices(previewer, when=_when(request)),
        "definition": previewer.definition,
        "none": row.priority_state == NONE,
        "proposed": proposed_rank(row),
        "ready_reasons": PRIORITY_REASONS,
    }
    return form_pages.answer(
        request, form, act, template="web/incident_priority.html", context=context, then=_home(number)
    )


@FORM
def severity(request: HttpRequest, number: int) -> HttpResponse:
    """Choose a severity; who will be asked to join stands beside it, by name."""
    row = _about(request, number)
    definition = snapshots.process_of(row)
    require_severities(definition.severities)
    previewer = Previewer(asking.actor(request), row, now=asking.now(request))
    chosen = request.GET.get("to", "") or row.severity
    form = incident_forms.Severity(request.POST or None, initial={"severity": chosen})

    def act(filled: dict[str, Any]) -> Incident:
        return actions.change_severity(
            asking.actor(request),
            number,
            severity=filled["severity"],
            reason=filled["reason"],
            exception=filled["exception"],
            version=filled["version"],
            now=asking.now(request),
        )

    context = {
        "incident": row,
        "choices": effects.severity_choices(previewer, when=_when(request)),
        "definition": definition,
        "weighing": known_facts.weighing(row, definition),
        "ready_reasons": SEVERITY_REASONS,
    }
    return form_pages.answer(
        request, form, act, template="web/incident_severity.html", context=context, then=_home(number)
    )


def _when(request: HttpRequest) -> Callable[[datetime], str]:
    """How an instant is written for whoever looks."""
    now, zone = asking.now(request), asking.zone(request)
    return lambda instant: clock_text(instant, zone, now=now)


@FORM
def pass_on(request: HttpRequest, number: int) -> HttpResponse:
    """Ask the next in the chain. It pages somebody, so it asks once."""
    row = _about(request, number)
    if request.method == "POST":
        actions.escalate(asking.actor(request), number, now=asking.now(request))
        messages.success(request, "Passed on. The next in the chain is being paged.")
        return redirect(_home(number))
    context = {"incident": row, "next_step": incident_page.next_step(row, now=asking.now(request))}
    return form_pages.answer(
        request,
        incident_forms.Reason(),
        lambda _filled: None,
        template="web/incident_pass_on.html",
        context=context,
        then=_home(number),
    )


@FORM
def resolve(request: HttpRequest, number: int) -> HttpResponse:
    """It works again. A person names service and category; a machine's end asks for them before closing."""
    row = _about(request, number)
    services = [(one.name, one.label) for one in catalog.services(asking.actor(request))]
    initial = {"service": row.service.name if row.service else "", "category": row.category}
    form = incident_forms.Resolve(request.POST or None, services=services, initial=initial)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.resolve(
            asking.actor(request),
            number,
            service=filled["service"] or None,
            category=filled["category"] or None,
            note=filled["note"],
            now=asking.now(request),
        )

    def then(ended: Incident) -> str:
        _offer_closing_word(request, ended)
        return _home(number)

    used = Incident.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    context = {
        "incident": row,
        "still_burning": queries.still_burns(row),
        "categories": list(dict.fromkeys([*USUAL_CATEGORIES, *used[:30]])),
    }
    return form_pages.answer(request, form, act, template="web/incident_resolve.html", context=context, then=then)


def _offer_closing_word(request: HttpRequest, row: Incident) -> None:
    """Lead to the composer whoever may tell those who are owed the news that it works again."""
    owed = row.obligations.filter(kind=ObligationKind.UPDATE_CLOSING, state=ObligationState.OPEN)
    team = row.team.name if row.team else None
    if asking.actor(request).may(Right.UPDATE_SEND, team=team) and owed.exists():
        link = 'Resolved. <a href="{}/updates" data-testid="tell-it-works">Tell those who were told that it works again</a>'
        messages.success(request, format_html(link, _home(row.number)))


@FORM
def note(request: HttpRequest, number: int) -> HttpResponse:
    """A line on the timeline."""
    form = incident_forms.Note(request.POST or None)

    def act(filled: dict[str, Any]) -> object:
        if filled["kind"] == DECISION:
            return actions.record_decision(asking.actor(request), number, text=filled["text"], now=asking.now(request))
        return actions.annotate(
            asking.actor(request),
            number,
            text=filled["text"],
            kind=filled["kind"] or "note",
            now=asking.now(request),
        )

    context = {"incident": _about(request, number)}
    return form_pages.answer(
        request, form, act, template="web/incident_note.html", context=context, then=f"{_home(number)}#timeline"
    )


@require_POST
def move(request: HttpRequest, number: int) -> HttpResponse:
    """On to the next step of the response."""
    actions.move(asking.actor(request), number, request.POST.get("state", ""), now=asking.now(request))
    return redirect(_home(number))


@require_POST
def undo(request: HttpRequest, number: int, seq: int) -> HttpResponse:
    """Take back what was pressed a moment ago."""
    row = actions.undo(asking.actor(request), number, seq, now=asking.now(request))
    told = queries.timeline(asking.actor(request), row.number)[-1].data or {}
    stays = ", ".join(told.get("sent_to") or [])
    messages.success(request, f"Taken back. What had been sent stays sent, to {stays}." if stays else "Taken back.")
    return redirect(_home(number))


@require_POST
def reopen(request: HttpRequest, number: int) -> HttpResponse:
    """It was not over."""
    actions.reopen(asking.actor(request), number, now=asking.now(request))
    return redirect(_home(number))


@FORM
def snooze(request: HttpRequest, number: int) -> HttpResponse:
    """Page nobody for a while."""
    form = incident_forms.Snooze(request.POST or None, initial={"minutes": 30})

    def act(filled: dict[str, Any]) -> Incident:
        now = asking.now(request)
        return actions.snooze(asking.actor(request), number, until=now + timedelta(minutes=filled["minutes"]), now=now)

    context = {"incident": _about(request, number)}
    return form_pages.answer(
        request, form, act, template="web/incident_snooze.html", context=context, then=_home(number)
    )


@FORM
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """It was no incident."""
    form = incident_forms.Cancel(request.POST or None)

    def act(filled: dict[str, Any]) -> Incident:
        return actions.cancel(asking.actor(request), number, reason=filled["reason"], now=asking.now(request))

    context = {"incident": _about(request, number)}
    return form_pages.answer(
        request, form, act, template="web/incident_cancel.html", context=context, then=_home(number)
    )


@FORM
def merge(request: HttpRequest, number: int) -> HttpResponse:
    """Let it go on in another one."""
    row = _about(request, number)
    others = Incident.objects.filter(state__in=OPEN_STATES).exclude(pk=row.pk).order_by("number")
    form = incident_forms.Merge(
        request.POST or None, others=[(str(one.number), f"{one.ref} {one.title}") for one in others]
    )

    def act(filled: dict[str, Any]) -> Incident:
        return actions.merge(asking.actor(request), number, into=filled["into"], now=asking.now(request))

    return form_pages.answer(
        request,
        form,
        act,
        template="web/incident_merge.html",
        context={"incident": row, "any_other": others.exists()},
        then=lambda parent: _home(parent.number),
    )


urlpatterns = [
    path("i/<int:number>/take", take, name="incident-take"),
    path("i/<int:number>/priority", priority, name="incident-priority"),
    path("i/<int:number>/severity", severity, name="incident-severity"),
    path("i/<int:number>/pass-on", pass_on, name="incident-pass-on"),
    path("i/<int:number>/resolve", resolve, name="incident-resolve"),
    path("i/<int:number>/note", note, name="incident-note"),
    path("i/<int:number>/move", move, name="incident-move"),
    path("i/<int:number>/undo/<int:seq>", undo, name="incident-undo"),
    path("i/<int:number>/reopen", reopen, name="incident-reopen"),
    path("i/<int:number>/snooze", snooze, name="incident-snooze"),
    path("i/<int:number>/cancel", cancel, name="incident-cancel"),
    path("i/<int:number>/merge", merge, name="incident-merge"),
]
