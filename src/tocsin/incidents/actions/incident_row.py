"""Hold, save and describe the row of an incident: what every action on one begins and ends with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tocsin.audit.actions import Fact
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, ActorKind
from tocsin.core.errors import Conflict, NotFound
from tocsin.core.facts import Kind, sentence
from tocsin.core.incident_lifecycle import Event, accepted, transition
from tocsin.core.incident_lifecycle import State as CoreState
from tocsin.incidents.models import Incident
from tocsin.incidents.queries import number_of
from tocsin.people.models import Person
from tocsin.platform import db
from tocsin.platform.crashpoints import CrashPoint, crashpoint


def held(ref: str | int, *, version: int | None = None) -> Incident:
    """The incident, locked until the transaction ends. Raises NotFound, or Conflict when it is no longer at `version`."""
    related = ("service", "team", "objective", "acknowledged_by", "process_version")
    rows = Incident.objects.filter(number=number_of(ref)).select_related(*related)
    incident = db.lock(rows.defer("process_version__document")).first()
    if incident is None:
        raise NotFound(f"There is no incident {ref}.")
    if version is not None and incident.version != version:
        raise Conflict(_what_changed(incident))
    return incident


def _what_changed(incident: Incident) -> str:
    last = Entry.objects.filter(incident=incident.ref).order_by("-seq").first()
    what = f" ({sentence(last.kind, last.data)}, by {last.actor})" if last else ""
    return f"Not saved: {incident.ref} changed a moment ago{what}. Look at the change and try again."


def save(incident: Incident, *fields: str, now: datetime) -> None:
    """Write `fields` and that the incident changed."""
    incident.version += 1
    incident.updated_at = now
    incident.save(update_fields=[*fields, "version", "updated_at"])
    crashpoint(CrashPoint.DURING_INCIDENT_ACTION)


def enter(incident: Incident, event: Event) -> bool:
    """Take the state that `event` leads to; False when it is there already. Raises Refused when there is no way."""
    found = transition(CoreState(incident.state), event)
    incident.state = accepted(found).value
    return found.changes


def team_name(incident: Incident) -> str | None:
    """The team whose owners have rights over the incident."""
    return incident.team.name if incident.team else None


def fact(
    incident: Incident, kind: Kind, /, *, occurred_at: datetime | None = None, source_id: str = "", **data: Any
) -> Fact:
    """Something that happened to that incident."""
    return Fact(kind=kind, incident=incident.ref, data=data, occurred_at=occurred_at, source_id=source_id)


def person_behind(actor: Actor) -> Person | None:
    """The person row of an actor, None for machines."""
    if actor.person_id is None or actor.kind not in {ActorKind.PERSON, ActorKind.PAGE_LINK}:
        return None
    return Person.objects.filter(pk=actor.person_id).first()
