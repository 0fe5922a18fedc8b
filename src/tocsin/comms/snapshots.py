"""Rows of this room as the values that core decides on."""

from __future__ import annotations

from tocsin.comms import writing
from tocsin.comms.models import StatusClock
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.status_pace import StatusClockFacts, StatusIncidentFacts
from tocsin.incidents.models import Incident


def clock_facts(row: StatusClock) -> StatusClockFacts:
    """What the subscribers of an incident were told."""
    return StatusClockFacts(
        begun=row.told_count > 0, told_rank=row.told_rank or None, next_at=row.next_at, ended=row.ended
    )


def incident_facts(incident: Incident, definition: ProcessDefinition) -> StatusIncidentFacts:
    """What they are told of."""
    return StatusIncidentFacts(
        began_at=incident.created_at,
        rank=incident.priority,
        rank_since_at=incident.priority_set_at,
        interval=writing.cadence(incident, definition),
        ended_at=None if incident.is_open else incident.resolved_at or incident.updated_at,
    )
