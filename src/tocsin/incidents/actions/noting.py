"""Add to the timeline, and take back within half a minute what was pressed by mistake."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind, sentence
from tocsin.core.priorities import PriorityState
from tocsin.incidents.actions import chain, classifying, duties
from tocsin.incidents.actions.incident_row import fact, held, save, team_name
from tocsin.incidents.models import Incident, State
from tocsin.platform.text import clean

UNDO_WITHIN = timedelta(seconds=30)
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


def undo(actor: Actor, ref: str | int, seq: int, *, now: datetime) -> Incident:
    """Take back a change of priority or severity, or a resolution, by its log entry, within 30 s. Both stay in the log.

    Raises NotFound for another entry, Refused when it is too late or something else was changed since.
    """
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_CLASSIFY, team=team_name(incident))
        entry = Entry.objects.filter(seq=seq, incident=incident.ref).first()
        if entry is None or entry.data is None:
            raise NotFound(f"{incident.ref} has no entry {seq}.")
        _require_fresh(incident, entry, now=now)
        if entry.kind == Kind.PRIORITY_CHANGED:
            _undo_priority(actor, incident, entry, now=now)
        elif entry.kind == Kind.SEVERITY_CHANGED:
            reason = "Taken back"
            classifying.set_severity(actor, incident, entry.data["old"], reason=reason, undo_of=entry.seq, now=now)
        else:
            _undo_resolution(actor, incident, entry, now=now)
        what = sentence(entry.kind, entry.data)
        audit.record(actor, [fact(incident, Kind.INCIDENT_UNDONE, what=what, undo_of=entry.seq)], now=now)
    return incident


def _require_fresh(incident: Incident, entry: Entry, *, now: datetime) -> None:
    if entry.kind not in {Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED, Kind.INCIDENT_RESOLVED}:
        raise NotFound("This cannot be taken back; add a note instead.")
    if now - entry.at > UNDO_WITHIN:
        raise Refused("Too late to take it back.", reason="too_late", remedy="Change it once more and say why.")
    later = Entry.objects.filter(incident=incident.ref, seq__gt=entry.seq)
    undone = later.filter(kind=Kind.INCIDENT_UNDONE).exists()
    if undone or later.filter(kind__in=[entry.kind, Kind.INCIDENT_REOPENED, Kind.INCIDENT_CLOSED]).exists():
        raise Refused("It was changed again since.", reason="changed_since", remedy="Look at the present state first.")


def _undo_priority(actor: Actor, incident: Incident, entry: Entry, *, now: datetime) -> None:
    data = entry.data or {}
    state = PriorityState(data["old_state"])
    classifying.set_priority(
        actor,
        incident,
        data["old_rank"],
        state,
        reason="Taken back",
        by_person=bool(data["old_by_person"]),
        undo_of=entry.seq,
        now=now,
    )


def _undo_resolution(actor: Actor, incident: Incident, entry: Entry, *, now: datetime) -> None:
    """As if it had not been pressed: the same generation, the same state; only an untaken incident pages anew."""
    data = entry.data or {}
    incident.state, incident.resolved_at = data["from_state"], None
    save(incident, "state", "resolved_at", now=now)
    audit.record(actor, [fact(incident, Kind.INCIDENT_REOPENED, reason="Taken back", undo_of=entry.seq)], now=now)
    duties.reconcile(incident, now=now)
    if incident.state == State.TRIGGERED:
        chain.begin_again(incident, now=now)
    else:
        chain.taken_up(incident, now=now)
