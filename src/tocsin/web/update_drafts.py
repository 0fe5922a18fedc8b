"""Drafts of updates on the page of an incident's updates: write one, approve it, drop it, take it to be sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from tocsin.comms import actions as comms
from tocsin.comms import queries as said
from tocsin.comms.models import UpdateDraft
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, Refused
from tocsin.incidents.models import Incident
from tocsin.web import asking

RIGHTS = (Right.UPDATE_SEND, Right.UPDATE_DRAFT, Right.UPDATE_APPROVE)


def chosen(request: HttpRequest, incident: Incident) -> UpdateDraft | None:
    """The draft that the composer shows: `?draft=7`."""
    wanted = request.GET.get("draft", "")
    waiting = said.drafts(asking.actor(request), incident.number)
    return waiting.filter(pk=int(wanted)).first() if wanted.isascii() and wanted.isdigit() else None


def shown(actor: Actor, incident: Incident, may: Collection[Right]) -> dict[str, Any]:
    """What the page needs to know of drafts."""
    return {
        "drafts": list(said.drafts(actor, incident.number)),
        "may_draft": Right.UPDATE_DRAFT in may,
        "may_approve": Right.UPDATE_APPROVE in may,
        "me": actor.ident,
    }


@require_POST
def write(request: HttpRequest, number: int) -> HttpResponse:
    """Propose words; nobody is told."""
    text, subject = request.POST.get("text", ""), request.POST.get("subject", "")
    try:
        comms.write_draft(asking.actor(request), number, text=text, subject=subject, now=asking.now(request))
    except Invalid as refusal:
        messages.error(request, "; ".join(refusal.fields.values()))
    else:
        messages.success(request, "Kept as a draft. Nobody was told; whoever tells stakeholders sends it.")
    return _back(number)


@require_POST
def answer(request: HttpRequest, number: int, draft: int) -> HttpResponse:
    """Approve a draft, in the words as they stand in the field, or drop it."""
    actor, now = asking.actor(request), asking.now(request)
    try:
        if "drop" in request.POST:
            comms.drop_draft(actor, number, draft, now=now)
        else:
            comms.approve_draft(actor, number, draft, text=request.POST.get("text", ""), now=now)
    except (Invalid, Refused) as refusal:
        messages.error(request, refusal.message)
    return _back(number)


def _back(number: int) -> HttpResponse:
    return redirect(f"/i/{number}/updates#drafts")


urlpatterns = [
    path("i/<int:number>/updates/drafts", write, name="incident-update-draft"),
    path("i/<int:number>/updates/drafts/<int:draft>", answer, name="incident-update-draft-answer"),
]
