"""Let one incident go on in another, and take them apart again when they were two things after all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from tocsin.audit import actions as audit
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Refused
from tocsin.core.escalation import Phase
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import Event
from tocsin.incidents import snapshots
from tocsin.incidents.actions import chain, classifying, duties, rank
from tocsin.incidents.actions.incident_row import enter, fact, held, save
from tocsin.incidents.actions.moving import ENDED, require_key_free, wind_up
from tocsin.incidents.models import Incident, IncidentAlert, IncidentBreach, State
from tocsin.incidents.queries import number_of
from tocsin.platform.text import clean

_REASON = 1000


@rank.protected
def merge(actor: Actor, ref: str | int, *, into: str | int, now: datetime) -> Incident:
    """Let one incident go on in another: its alerts go there, and so do the graver priority and the sooner page.

    Raises Refused for a merge into itself or into one that is over.
    """
    with transaction.atomic():
        child, parent = _both(actor, number_of(ref), number_of(into), now=now)
        if child.pk == parent.pk or not parent.is_open:
            raise Refused(f"{parent.ref} cannot take it over.", reason="no_target", remedy="Choose one that is open.")
        former = child.state
        if not enter(child, Event.MERGE):
            return parent
        row = chain.row_of(child)
        taken = row is not None and snapshots.position_of(row).phase is Phase.ACKNOWLEDGED
        due_at = row.next_at if row and not taken else None
        child.merged_into, child.resolved_at, child.snoozed_until = parent, now, None
        save(child, *ENDED, "merged_into", now=now)
        _take_over(child, parent)
        save(parent, "alert_count", now=now)
        data: dict[str, Any] = {"merged": child.ref, "into": parent.ref, "from_state": former}
        audit.record(actor, [fact(one, Kind.INCIDENT_MERGED, **data) for one in (child, parent)], now=now)
        wind_up(child, now=now)
        classifying.raise_for(parent, child.priority, reason=f"Took over {child.ref}", now=now)
        chain.sooner(parent, than=due_at, now=now)
    return parent


@rank.protected
def unmerge(actor: Actor, ref: str | int, *, reason: str = "", now: datetime) -> Incident:
    """They were two things after all: the merged one goes on by itself, where it stood, with its own alerts.

    What the other took over beside them (a graver priority, a sooner page) stays until somebody changes it. Raises
    Refused for one that was not merged, and while another is open for its cause.
    """
    with transaction.atomic():
        child = held(ref)
        rank.require(actor, child, Right.INCIDENT_CLASSIFY, now=now)
        if child.state != State.MERGED or child.merged_into is None:
            raise Refused(f"{child.ref} was not merged.", reason="not_merged")
        child, parent = _both(actor, child.number, child.merged_into.number, now=now)
        require_key_free(child)
        child.state, child.merged_into, child.resolved_at = _stood(child), None, None
        save(child, "state", "merged_into", "resolved_at", now=now)
        _give_back(child, parent)
        save(parent, "alert_count", now=now)
        why = clean(reason).strip()[:_REASON]
        data: dict[str, Any] = {"merged": child.ref, "into": parent.ref, "to_state": child.state, "reason": why}
        audit.record(actor, [fact(one, Kind.INCIDENT_UNMERGED, **data) for one in (child, parent)], now=now)
        duties.reconcile(child, now=now)
        if child.state == State.TRIGGERED:
            chain.begin_again(child, now=now)
        else:
            chain.taken_up(child, now=now)
    return child


def _both(actor: Actor, child: int, parent: int, *, now: datetime) -> tuple[Incident, Incident]:
    """Both rows, held in the order of their numbers, so that two merges at once cannot wait for each other."""
    rows = {number: held(number) for number in sorted({child, parent})}
    for incident in rows.values():
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
    return rows[child], rows[parent]


def _stood(child: Incident) -> str:
    """The state it was merged from; entries of earlier versions do not say it."""
    last = Entry.objects.filter(incident=child.ref, kind=Kind.INCIDENT_MERGED).order_by("-seq").first()
    said = str((last.data or {}).get("from_state") or "") if last else ""
    otherwise = State.ACKNOWLEDGED if child.acknowledged_at else State.TRIGGERED
    return said if said in State.values else otherwise.value


def _take_over(child: Incident, parent: Incident) -> None:
    for link in IncidentAlert.objects.filter(incident=child):
        if not IncidentAlert.objects.filter(incident=parent, alert_id=link.alert_id).exists():
            link.incident = parent
            link.save(update_fields=["incident"])
    IncidentBreach.objects.filter(incident=child).update(incident=parent)
    parent.alert_count += child.alert_count


def _give_back(child: Incident, parent: Incident) -> None:
    """The alerts and breaches of its own cause; two open incidents never share one, so they are told apart by it."""
    if child.objective_id is not None:
        own = Q(alert__objective_id=child.objective_id)
        breaches = IncidentBreach.objects.filter(incident=parent, breach__objective_id=child.objective_id)
        breaches.update(incident=child)
    else:
        own = Q(alert__dedup_key=child.dedup_key) & ~Q(alert__dedup_key="")
    links = IncidentAlert.objects.filter(own, incident=parent)
    known = IncidentAlert.objects.filter(incident=child).values("alert_id")
    links.exclude(alert_id__in=known).update(incident=child)
    parent.alert_count = max(0, parent.alert_count - child.alert_count)
