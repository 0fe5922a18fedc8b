"""Drafts of updates: whoever is in the response may write one, the rightful role approves it or drops it (R-9.3.5-5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.comms.models import Update, UpdateDraft
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import held
from tocsin.incidents.models import Incident
from tocsin.platform import db
from tocsin.platform.text import clean, one_line

LONGEST_TEXT, LONGEST_SUBJECT = 10_000, 300


@rank.protected
def write_draft(actor: Actor, ref: str | int, *, text: str, subject: str = "", now: datetime) -> UpdateDraft:
    """Keep words for an update; nobody is told. Raises Invalid without words."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.UPDATE_DRAFT, what="draft updates", now=now)
        row = UpdateDraft(incident=incident, written_by=actor.ident, written_at=now)
        row.subject, row.text = _words(text, subject)
        row.save()
        audit.record(actor, [_fact(actor, row, Kind.UPDATE_DRAFTED)], now=now)
    return row


@rank.protected
def approve_draft(
    actor: Actor, ref: str | int, draft: int, *, text: str = "", subject: str = "", now: datetime
) -> UpdateDraft:
    """Say that a draft may go out, as it stands or in the words given. Whoever tells stakeholders sends it."""
    with transaction.atomic():
        row = open_draft(held(ref), draft)
        rank.require(actor, row.incident, Right.UPDATE_APPROVE, now=now)
        row.subject, row.text = _words(text or row.text, subject or row.subject)
        row.approved_by, row.approved_at = actor.ident, now
        row.save(update_fields=["subject", "text", "approved_by", "approved_at"])
        audit.record(actor, [_fact(actor, row, Kind.UPDATE_APPROVED)], now=now)
    return row


@rank.protected
def drop_draft(actor: Actor, ref: str | int, draft: int, *, now: datetime) -> UpdateDraft:
    """A draft is not needed. Its author may drop it, and whoever may send updates."""
    with transaction.atomic():
        row = open_draft(held(ref), draft)
        own = row.written_by == actor.ident
        right = Right.UPDATE_DRAFT if own else Right.UPDATE_SEND
        rank.require(actor, row.incident, right, what="drop a draft", now=now)
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        audit.record(actor, [_fact(actor, row, Kind.UPDATE_DRAFT_DROPPED)], now=now)
    return row


def open_draft(incident: Incident, draft: int) -> UpdateDraft:
    """A draft that waits. Raises NotFound for one of another incident, Refused for one that was sent or dropped."""
    row = db.lock(UpdateDraft.objects.filter(incident=incident, pk=draft)).first()
    if row is None:
        raise NotFound(f"{incident.ref} has no draft {draft}.")
    if row.ended_at is not None:
        became = "sent" if row.update_id else "dropped"
        raise Refused(f"Draft {draft} of {incident.ref} was {became} already.", reason="draft_over")
    row.incident = incident
    return row


def use(row: UpdateDraft, update: Update, *, now: datetime) -> dict[str, Any]:
    """The draft became an update; returns what the log of the update says of it.

    Only the words as they were written or approved are the draft: an approval does not reach to others.
    """
    row.update, row.ended_at = update, now
    row.save(update_fields=["update", "ended_at"])
    same = update.text == row.text and update.subject == (row.subject or update.subject)
    said = {"written_by": row.written_by, "approved_by": row.approved_by if same else ""}
    return {**said, "draft": row.pk} if same else {**said, "changed_draft": row.pk}


def _words(text: str, subject: str) -> tuple[str, str]:
    said = clean(text).strip()
    if not said:
        raise Invalid({"text": "Write what people should read."})
    if len(said) > LONGEST_TEXT:
        raise Invalid({"text": f"Keep it below {LONGEST_TEXT} characters; it has {len(said)}."})
    return one_line(clean(subject), limit=LONGEST_SUBJECT), said


def _fact(actor: Actor, row: UpdateDraft, kind: Kind) -> Fact:
    data = {
        "draft": row.pk,
        "author": row.written_by,
        "person": actor.display_name or actor.ident,
        "subject": row.subject,
        "text": row.text,
    }
    return Fact(kind=kind, incident=row.incident.ref, data=data)
