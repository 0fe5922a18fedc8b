"""Telling stakeholders: who was promised what by when, and one update from its draft to its sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tocsin.comms import actions as comms
from tocsin.comms import queries as said
from tocsin.comms import writing
from tocsin.comms.models import Update, UpdateDraft, UpdateKind
from tocsin.core.access import Right
from tocsin.core.errors import Conflict, Invalid, Refused
from tocsin.core.wording import Finding, Weight, lint_update
from tocsin.incidents import queries, snapshots
from tocsin.incidents.actions import rank
from tocsin.incidents.models import Incident, Obligation
from tocsin.incidents.queries import Promise
from tocsin.process import queries as process
from tocsin.web import asking, incident_page, update_forms
from tocsin.web import update_drafts as drafts
from tocsin.web.errors import put_on
from tocsin.web.instants import clock_text
from tocsin.web.pictures.small import Cadence, cadence_line


@dataclass(slots=True)
class BoardRow:
    """One open promise line: an incident, what is owed about it, what was sent."""

    incident: Incident
    promises: list[Promise]
    line: SafeString = field(default_factory=SafeString)
    may_send: bool = False
    may_repeat: bool = False

    @property
    def first(self) -> Promise:
        return self.promises[0]


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Which update is due or late; no press is needed to see who waits."""
    actor, now = asking.actor(request), asking.now(request)
    rows: dict[int, BoardRow] = {}
    for promise in queries.promises(actor, now=now):
        incident = promise.obligation.incident
        rows.setdefault(incident.pk, BoardRow(incident, [])).promises.append(promise)
    sent = _sent(list(rows))
    for pk, row in rows.items():
        due = row.first.obligation.due_at
        row.line = _line(sent.get(pk, []), due, now=now, zone=asking.zone(request))
        row.may_send = actor.may(Right.UPDATE_SEND, team=row.incident.team.name if row.incident.team else None)
        row.may_repeat = row.may_send and _may_repeat(row.incident, sent.get(pk, []))
    context = {"rows": list(rows.values()), "late": [row for row in rows.values() if row.first.late]}
    return render(request, "web/updates.html", context)


def _sent(incident_ids: Sequence[int]) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = {}
    rows = Update.objects.filter(incident__in=incident_ids).order_by("sent_at")
    for pk, at in rows.values_list("incident_id", "sent_at"):
        found.setdefault(pk, []).append(at)
    return found


def _line(sent: Sequence[datetime], due: datetime | None, *, now: datetime, zone: tzinfo) -> SafeString:
    return cadence_line(Cadence(sent=sent, due=due, now=now, zone=zone))


def _may_repeat(incident: Incident, sent: Sequence[Any]) -> bool:
    """Whether "no change" says anything: something was said before, and it goes on."""
    return incident.is_open and bool(sent) and writing.cadence(incident, snapshots.process_of(incident)) is not None


@require_http_methods(["GET", "HEAD", "POST"])
def updates(request: HttpRequest, number: int) -> HttpResponse:
    """What was said to whom, and the next one: from a draft, checked before it goes."""
    actor, now = asking.actor(request), asking.now(request)
    incident = queries.incident(actor, number)
    draft = comms.draft_update(actor, number, now=now)
    groups = process.groups(actor)
    form = _form(request, incident, draft, groups, drafts.chosen(request, incident))
    findings: Sequence[Finding] = draft.findings
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            filled = form.cleaned_data
            if "preview" in request.POST:
                findings, status = _look_at(incident, filled, now=now), 200
            else:
                try:
                    update = comms.send_update(actor, number, now=now, **_arguments(filled))
                except (Invalid, Refused, Conflict) as error:
                    status = put_on(form, error)
                else:
                    messages.success(request, _sent_words(update, request))
                    return redirect(f"/i/{number}/updates")
    return render(
        request, "web/updates_incident.html", _context(request, incident, draft, form, findings), status=status
    )


def _form(
    request: HttpRequest, incident: Incident, draft: comms.Draft, groups: Sequence[Any], chosen: UpdateDraft | None
) -> update_forms.Compose:
    now, zone = asking.now(request), asking.zone(request)
    longest = writing.cadence(incident, snapshots.process_of(incident))
    return update_forms.Compose(
        request.POST if request.method == "POST" else None,
        now=now,
        longest=longest,
        words=lambda at: clock_text(at, zone, now=now),
        groups=[(group.code, group.name) for group in groups],
        initial={
            "kind": draft.kind,
            "subject": (chosen.subject if chosen else "") or draft.subject,
            "text": chosen.text if chosen else draft.text,
            "draft": chosen.pk if chosen else None,
            "next_in": update_forms.minutes_of(longest) if draft.next_update_at else "",
            "groups": list(draft.groups),
            "drafted_for": writing.clock_text(draft.next_update_at) if draft.next_update_at else "",
        },
    )


def _arguments(filled: dict[str, Any]) -> dict[str, Any]:
    return {
        "text": filled["text"],
        "subject": filled["subject"],
        "kind": filled["kind"],
        "next_update_at": filled["next_update_at"],
        "groups": filled["groups"],
        "draft": filled["draft"],
    }


def _look_at(incident: Incident, filled: dict[str, Any], *, now: datetime) -> Sequence[Finding]:
    """What the process says of the text as it stands."""
    definition = snapshots.process_of(incident)
    facts = writing.draft_facts(
        incident, definition, UpdateKind(filled["kind"]), filled["text"], filled["next_update_at"]
    )
    return lint_update(facts, definition.messages, definition.catalogue.notification, now=now)


def _context(
    request: HttpRequest,
    incident: Incident,
    draft: comms.Draft,
    form: update_forms.Compose,
    findings: Sequence[Finding],
) -> dict[str, Any]:
    actor, now = asking.actor(request), asking.now(request)
    past = list(said.updates(actor, incident.number))
    owed = [one for one in queries.obligations(actor, incident.number) if _is_owed_update(one)]
    due = min((one.due_at for one in owed if one.due_at), default=None)
    may = rank.allowed(actor, incident, drafts.RIGHTS, now=now)
    may_send = Right.UPDATE_SEND in may
    return {
        **drafts.shown(actor, incident, may),
        "incident": incident,
        "definition": snapshots.process_of(incident),
        "draft": draft,
        "form": form,
        "findings": findings,
        "refused": any(one.weight is Weight.REFUSE for one in findings) and bool(form.is_bound),
        "updates": past,
        "names": incident_page.names(actor),
        "owed": owed,
        "groups": process.groups(actor),
        "line": _line([update.sent_at for update in past], due, now=now, zone=asking.zone(request)),
        "may_send": may_send,
        "may_repeat": may_send and _may_repeat(incident, past),
    }


def _is_owed_update(one: Obligation) -> bool:
    return one.state == "open" and one.kind in snapshots.UPDATE_KINDS


def _sent_words(update: Update, request: HttpRequest) -> str:
    people = f"{update.recipients} address{'' if update.recipients == 1 else 'es'}"
    if update.next_update_at is None:
        return f"Sent to {people}. Nothing more is promised."
    due = clock_text(update.next_update_at, asking.zone(request), now=asking.now(request))
    return f"Sent to {people}. The next one is promised by {due}."


@require_POST
def no_change(request: HttpRequest, number: int) -> HttpResponse:
    """Nothing new, said in time: keeps the promise and makes the next."""
    actor, now = asking.actor(request), asking.now(request)
    incident = queries.incident(actor, number)
    every = writing.cadence(incident, snapshots.process_of(incident)) or timedelta(hours=1)
    try:
        update = comms.send_update(actor, number, no_change=True, next_update_at=now + every, now=now)
    except (Invalid, Refused) as error:
        messages.error(request, error.message)
        return redirect(f"/i/{number}/updates")
    messages.success(request, _sent_words(update, request))
    return redirect("updates" if request.POST.get("from") == "board" else f"/i/{number}/updates")


urlpatterns = [
    path("updates", board, name="updates"),
    path("i/<int:number>/updates", updates, name="incident-updates"),
    path("i/<int:number>/updates/no-change", no_change, name="incident-no-change"),
]
