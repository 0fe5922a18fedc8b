"""Add a line to the timeline."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.incidents.actions.incident_row import fact, held, save, team_name
from tocsin.incidents.models import Incident
from tocsin.platform.text import clean

NOTE_KINDS = ("note", "chat", "decision", "observation", "state")
_LONGEST = 10_000


def annotate(
    actor: Actor,
    ref: str | int,
    *,
    text: str,
    kind: str = "note",
    occurred_at: datetime | None = None,
    source_id: str = "",
    now: datetime,
) -> Incident:
    """A line on the timeline. `occurred_at` when it is told later than it happened; `source_id` names an outside event.

    A second note of the same source is passed over. Raises Invalid for empty text, an unknown kind, or the future.
    """
    said = clean(text).strip()[:_LONGEST]
    if not said:
        raise Invalid({"text": "There is nothing to note."})
    if kind not in NOTE_KINDS:
        raise Invalid({"kind": f"It is one of {', '.join(NOTE_KINDS)}."})
    if occurred_at is not None and occurred_at > now:
        raise Invalid({"occurred_at": "That has not happened yet."})
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_ANNOTATE, team=team_name(incident))
        noted = fact(
            incident, Kind.INCIDENT_NOTED, occurred_at=occurred_at, source_id=source_id[:200], text=said, kind=kind
        )
        if audit.record(actor, [noted], now=now):
            save(incident, now=now)
    return incident
