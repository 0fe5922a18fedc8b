"""A part of an incident's timeline at a time, from its end backward: what is new is what people look for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tocsin.audit.models import Entry
from tocsin.audit.queries import Excerpt
from tocsin.core.access import Actor, Right, require
from tocsin.incidents.models import Incident
from tocsin.incidents.queries import TimelineLine, line_of


@dataclass(frozen=True, slots=True)
class Part:
    """Lines in the order in which they were written. `earlier` asks for the part before, None at the beginning."""

    lines: tuple[TimelineLine, ...]
    earlier: int | None


def part(
    actor: Actor, incident: Incident, *, before: int | None = None, limit: int, without: Iterable[str] = ()
) -> Part:
    """The newest lines, or the newest before the entry `before`; entries of the kinds `without` are passed over."""
    require(actor, Right.INCIDENT_READ)
    rows = Entry.objects.filter(incident=incident.ref)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    left_out = list(without)
    rows = rows.exclude(kind__in=left_out) if left_out else rows
    found = list(rows.order_by("-seq")[: limit + 1])
    shown = found[:limit]
    earlier = shown[-1].seq if len(found) > limit else None
    return Part(tuple(line_of(entry) for entry in reversed(shown)), earlier)


def since(log: Excerpt, at: datetime, *, kinds: Iterable[str]) -> list[TimelineLine]:
    """What was written from `at` on, of these kinds, in order."""
    return [line_of(entry) for entry in log.of(*kinds) if entry.at >= at]
