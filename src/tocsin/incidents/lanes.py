"""The entries of one incident as swim lanes: all that makes lanes and steps, and the latest of what is marked in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.adherence_record import Event, Record
from tocsin.core.swim_lanes import READ_STEPS, UNMARKED, SwimLanes, swim_lanes
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident
from tocsin.people import queries as people

MOST_STEPS = 1000
MOST_MARKS = 300


@dataclass(frozen=True, slots=True)
class Drawn:
    """The lanes; `left_out` is whether there is more in the log than is marked in them."""

    lanes: SwimLanes
    left_out: bool


def lanes_of(actor: Actor, incident: Incident, *, now: datetime) -> Drawn | None:
    """The swim lanes of an incident up to now. None where the log does not tell how it began."""
    require(actor, Right.INCIDENT_READ)
    own = Entry.objects.filter(incident=incident.ref)
    steps = _events(list(own.filter(kind__in=READ_STEPS).order_by("seq")[:MOST_STEPS]))
    latest = list(own.exclude(kind__in=UNMARKED).order_by("-seq")[: MOST_MARKS + 1])
    marked = _events(latest[:MOST_MARKS])
    record = Record(incident.ref, tuple(steps), snapshots.process_of(incident), now, frozenset())
    names = people.labels(actor, {one.actor for one in [*steps, *marked]})
    found = swim_lanes(record, marked, names=names)
    return Drawn(found, len(latest) > MOST_MARKS) if found else None


def _events(entries: list[Entry]) -> list[Event]:
    return [Event(one.seq, one.occurred_at, one.kind, one.actor, one.data) for one in entries]
