"""Take back within half a minute what was pressed by mistake: a recorded change the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.models import Entry
from tocsin.audit.queries import of_kinds
from tocsin.core.access import Actor, Right
from tocsin.core.classification import exception_data, judge
from tocsin.core.errors import NotFound, Refused
from tocsin.core.facts import Kind, sentence
from tocsin.core.matrix import Pair, PairReason, pair_text
from tocsin.core.priorities import PriorityState
from tocsin.incidents import snapshots
from tocsin.incidents.actions import calling_off, chain, classifying, duties, rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import Incident, State

UNDO_WITHIN = timedelta(seconds=30)
UNDOABLE = (Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED, Kind.INCIDENT_RESOLVED)
_REASON = "Taken back"


@rank.protected
def undo(actor: Actor, ref: str | int, seq: int | None = None, *, now: datetime) -> Incident:
    """Take back a change of priority or severity, or a resolution, by its log entry, within 30 s. Both stay in the log.

    Without `seq` it is the last such change. People who were asked to join by it are told that they are not needed;
    what has left stays sent, and the entry says so. Raises NotFound for another entry, Refused when it is too late or
    something else was changed since.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        found = of_kinds([incident.ref], UNDOABLE)
        entry = found.last() if seq is None else Entry.objects.filter(incident=incident.ref, seq=seq).first()
        if entry is None or entry.data is None:
            raise NotFound(f"{incident.ref} has nothing to take back{f' in entry {seq}' if seq is not None else ''}.")
        _require_fresh(incident, entry, now=now)
        if entry.kind == Kind.PRIORITY_CHANGED:
            _undo_priority(actor, incident, entry, now=now)
        elif entry.kind == Kind.SEVERITY_CHANGED:
            _undo_severity(actor, incident, entry, now=now)
        else:
            _undo_resolution(actor, incident, entry, now=now)
        told = calling_off.call_off(incident, since=entry.at, now=now)
        what = sentence(entry.kind, entry.data)
        stays = f". Sent already and not to be taken back: to {', '.join(told)}" if told else ""
        data: dict[str, Any] = {"what": what, "undo_of": entry.seq, "stays": stays, "sent_to": told}
        audit.record(actor, [fact(incident, Kind.INCIDENT_UNDONE, **data)], now=now)
    return incident


def _require_fresh(incident: Incident, entry: Entry, *, now: datetime) -> None:
    if entry.kind not in UNDOABLE:
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
    remarks = _way_back(incident, entry, priority=data["old_rank"], severity=incident.severity)
    classifying.set_priority(
        actor,
        incident,
        data["old_rank"],
        state,
        reason=_REASON,
        by_person=bool(data["old_by_person"]),
        undo_of=entry.seq,
        remarks=remarks,
        now=now,
    )


def _undo_severity(actor: Actor, incident: Incident, entry: Entry, *, now: datetime) -> None:
    former = (entry.data or {})["old"]
    remarks = _way_back(incident, entry, priority=incident.priority, severity=former)
    classifying.set_severity(actor, incident, former, reason=_REASON, undo_of=entry.seq, remarks=remarks, now=now)


def _way_back(incident: Incident, entry: Entry, *, priority: int | None, severity: str) -> Mapping[str, Any]:
    """What the log keeps of going back. Raises Refused where the pair to go back to is one that never stood.

    The other half may have been changed since, and then the two need not go together any more.
    """
    definition = snapshots.process_of(incident)
    found = judge(definition, priority=priority, severity=severity, explanation=_REASON)
    if found.pair.reason is not PairReason.NOT_ALLOWED or priority is None:
        return {}
    halves = [Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED]
    if Entry.objects.filter(incident=incident.ref, kind__in=halves, seq__gt=entry.seq).exists():
        pair = pair_text(definition, Pair(priority, severity))
        raise Refused(
            f"Taking it back would lead to {pair}, which do not go together.",
            reason=PairReason.NOT_ALLOWED.value,
            remedy="Take back the later change first, or choose another pair.",
        )
    return exception_data(found)


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
