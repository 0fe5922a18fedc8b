"""Add a line to the timeline."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import Incident
from tocsin.platform.text import clean

NOTE_KINDS = ("note", "chat", "decision", "observation", "proposal", "solution", "state")
_ASKS_FOR = {
    "decision": Right.DECIDE,
    "proposal": Right.INCIDENT_PROPOSE,
    "solution": Right.SOLUTION_CHOOSE,
}
"""Order, people and risk are decided by one role; the technical way is chosen by whoever does the work (R-9.3.7-5)."""
_LONGEST = 10_000


@rank.protected
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
        rank.require(actor, incident, _ASKS_FOR.get(kind, Right.INCIDENT_ANNOTATE), now=now)
        noted = fact(
            incident, Kind.INCIDENT_NOTED, occurred_at=occurred_at, source_id=source_id[:200], text=said, kind=kind
        )
        if audit.record(actor, [noted], now=now):
            save(incident, now=now)
    return incident
