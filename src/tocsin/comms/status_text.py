"""What subscribers read: the fact, since when, and when they hear next."""

from __future__ import annotations

from datetime import datetime, timedelta

from tocsin.comms.writing import cadence, clock_text
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents.models import Incident
from tocsin.platform.text import one_line


def pace(incident: Incident, process: ProcessDefinition) -> timedelta | None:
    """How often subscribers hear while it lasts: the cadence of the priority, None for only the end."""
    return cadence(incident, process)


def mail(incident: Incident, *, kind: str, first: bool, next_at: datetime | None) -> tuple[str, str]:
    """Subject and text of a status mail."""
    service = incident.service.label if incident.service else incident.ref
    if kind == "resolved":
        return _ended(incident, service)
    lead = "" if first else "still: "
    lines = [
        f"{service}: {lead}{incident.title}",
        f"Since {clock_text(incident.created_at)} UTC. State: {incident.state}.",
    ]
    if next_at is not None:
        lines.append(f"Next update by {clock_text(next_at)} UTC, even if nothing is new.")
    else:
        lines.append("You will hear again when it works.")
    return one_line(f"{service}: {lead}{incident.title}"), "\n".join(lines)


def _ended(incident: Incident, service: str) -> tuple[str, str]:
    at = clock_text(incident.resolved_at) if incident.resolved_at else ""
    text = f"{service} is working again{f' since {at} UTC' if at else ''}.\nIt was: {incident.title}"
    return one_line(f"{service} is working again: {incident.title}"), text
