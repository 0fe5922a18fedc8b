"""The same thing last time: the last incident of the same cause, how long it took and what was said at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tocsin.audit.queries import of_kinds
from tocsin.core.facts import Kind
from tocsin.incidents.models import OPEN_STATES, Incident


@dataclass(frozen=True, slots=True)
class Before:
    """The same thing last time, how long it took and what was said at its end."""

    incident: Incident
    lasted: timedelta | None
    note: str


def before(incident: Incident) -> Before | None:
    """The last incident of the same cause, else of the same service, that has ended."""
    rows = Incident.objects.filter(created_at__lt=incident.created_at).exclude(state__in=OPEN_STATES)
    if incident.objective_id:
        rows = rows.filter(objective_id=incident.objective_id)
    elif incident.service_id:
        rows = rows.filter(service_id=incident.service_id)
    else:
        return None
    ended = rows.only("number", "category", "created_at", "resolved_at").order_by("-created_at")
    found = next(iter(ended[:1]), None)
    if found is None:
        return None
    lasted = found.resolved_at - found.created_at if found.resolved_at else None
    return Before(found, lasted, _note_at_end(found))


def _note_at_end(incident: Incident) -> str:
    ends = of_kinds([incident.ref], [Kind.INCIDENT_RESOLVED]).values_list("data", flat=True)
    data = next(reversed(ends), None)
    return str((data or {}).get("note") or "")
