"""From step to step of the response, and to its end: investigate, mitigate, resolve, reopen, cancel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.catalog import queries as catalog
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import Event, accepted, missing_facts, reopening
from tocsin.core.incident_lifecycle import State as CoreState
from tocsin.core.priorities import PriorityState
from tocsin.incidents import snapshots
from tocsin.incidents.actions import chain, duties, paging, rank
from tocsin.incidents.actions.incident_row import enter, fact, held, save
from tocsin.incidents.models import OPEN_STATES, Incident, State
from tocsin.platform.text import clean

_STEPS = {
    State.INVESTIGATING.value: (Event.INVESTIGATE, Kind.INCIDENT_INVESTIGATING),
    State.IDENTIFIED.value: (Event.IDENTIFY, Kind.INCIDENT_IDENTIFIED),
    State.MITIGATED.value: (Event.MITIGATE, Kind.INCIDENT_MITIGATED),
}
ENDED = ("state", "resolved_at", "snoozed_until")
_ASKED = {
    "service": "Say which service it was.",
    "category": "Say what kind of incident it was, for example deploy, capacity or dependency.",
    "priority": "Nobody has decided on the priority. Choose one, or none on purpose.",
}


@rank.protected
def move(actor: Actor, ref: str | int, state: str, *, now: datetime) -> Incident:
    """To investigating, identified or mitigated. Whoever moves an incident on is on it, so the chain stops.

    Raises Invalid for another state and Refused when there is no way to it from the present one.
    """
    if state not in _STEPS:
        raise Invalid({"state": f"One can move to {', '.join(_STEPS)}."})
    event, kind = _STEPS[state]
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        if not enter(incident, event):
            return incident
        fields = ["state"]
        if event is Event.MITIGATE:
            incident.mitigated_at = now
            fields.append("mitigated_at")
        save(incident, *fields, now=now)
        audit.record(actor, [fact(incident, kind)], now=now)
        chain.acknowledged(incident, now=now)
        paging.take_back_unsent(incident)
        duties.reconcile(incident, now=now)
    return incident


@rank.protected
def resolve(
    actor: Actor,
    ref: str | int,
    *,
    now: datetime,
    service: str | None = None,
    category: str | None = None,
    note: str = "",
) -> Incident:
    """A person says that it works again, and names service and category (settled 42).

    Raises Invalid naming what is missing, Refused when there is no way from the present state.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_RESOLVE, now=now)
        fill(incident, service, category)
        require_facts(Event.RESOLVE, incident)
        end(actor, incident, note=clean(note), by_person=True, now=now)
    return incident


def fill(incident: Incident, service: str | None, category: str | None) -> None:
    """Take over service and category where they are given."""
    if service:
        incident.service = catalog.known_service(service)
        incident.team = incident.service.team
    if category:
        incident.category = clean(category).strip()[:63]


def require_facts(event: Event, incident: Incident) -> None:
    """Raise Invalid with a question for each fact that a person still has to give."""
    name = incident.service.name if incident.service else ""
    undecided = incident.priority_state == PriorityState.UNSET
    missing = missing_facts(
        event, by_person=True, service=name, category=incident.category, priority_undecided=undecided
    )
    if missing:
        raise Invalid({field: _ASKED[field] for field in missing})


def end(actor: Actor, incident: Incident, *, note: str, by_person: bool, silent: bool = False, now: datetime) -> None:
    """Resolve an incident the caller holds; everything that was still to be sent about it is taken back.

    `silent` says that nobody reported an end: the source was not heard of any more.
    """
    former = incident.state
    if not enter(incident, Event.RESOLVE):
        return
    incident.resolved_at, incident.snoozed_until = now, None
    save(incident, *ENDED, "service", "team", "category", now=now)
    more: dict[str, Any] = {"silent": True} if silent else {}
    told = fact(
        incident,
        Kind.INCIDENT_RESOLVED,
        note=note,
        from_state=former,
        by_person=by_person,
        service=incident.service.name if incident.service else None,
        category=incident.category,
        **more,
    )
    audit.record(actor, [told], now=now)
    wind_up(incident, now=now)


def wind_up(incident: Incident, *, now: datetime) -> None:
    """What follows from an end: nobody is asked any more, what was still to be sent is taken back."""
    chain.ended(incident, now=now)
    definition = snapshots.process_of(incident)
    if incident.acknowledged_at is None:
        paging.stand_down(incident, taken_by=None, definition=definition, now=now)
    paging.take_back_unsent(incident)
    paging.take_back_requests(incident)
    duties.reconcile(incident, now=now)


@rank.protected
def reopen(actor: Actor, ref: str | int, *, reason: str = "", now: datetime) -> Incident:
    """It was not over. Possible within the window of the process; a new generation begins, its pages are new ones."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_RESOLVE, now=now)
        window = snapshots.process_of(incident).lifecycle.reopen_within
        found = reopening(CoreState(incident.state), resolved_at=incident.resolved_at, window=window, now=now)
        accepted(found)
        if found.changes:
            require_key_free(incident)
            begin_again(actor, incident, reason=clean(reason), now=now)
    return incident


def require_key_free(incident: Incident) -> None:
    """Raise Refused where another incident is open for its cause.

    The cause may have opened another incident meanwhile; one open incident a cause is enough.
    """
    others = Incident.objects.filter(dedup_key=incident.dedup_key, state__in=OPEN_STATES).exclude(dedup_key="")
    other = others.exclude(pk=incident.pk).first()
    if other is not None:
        raise Refused(f"{other.ref} is open for the same cause.", reason="open_elsewhere", remedy=f"See {other.ref}.")


def begin_again(actor: Actor, incident: Incident, *, reason: str, now: datetime) -> None:
    """Reopen an incident the caller holds: old acknowledgements do not count, the first step is paged."""
    enter(incident, Event.REOPEN)
    incident.generation += 1
    incident.resolved_at = incident.alert_ended_at = incident.calm_since = None
    incident.acknowledged_at = incident.acknowledged_by = incident.mitigated_at = None
    save(
        incident,
        "state",
        "generation",
        "resolved_at",
        "alert_ended_at",
        "calm_since",
        "acknowledged_at",
        "acknowledged_by",
        "mitigated_at",
        now=now,
    )
    told = fact(incident, Kind.INCIDENT_REOPENED, reason=reason, generation=incident.generation)
    audit.record(actor, [told], now=now)
    duties.reconcile(incident, now=now)
    chain.begin_again(incident, now=now)


@rank.protected
def cancel(actor: Actor, ref: str | int, *, reason: str, now: datetime) -> Incident:
    """It was none. The number stays, what was asked lapses. Raises Invalid without a reason."""
    why = clean(reason).strip()
    if not why:
        raise Invalid({"reason": "Say in a few words why it was no incident."})
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_RESOLVE, now=now)
        if enter(incident, Event.CANCEL):
            incident.resolved_at, incident.snoozed_until = now, None
            save(incident, *ENDED, now=now)
            audit.record(actor, [fact(incident, Kind.INCIDENT_CANCELLED, reason=why)], now=now)
            wind_up(incident, now=now)
    return incident
