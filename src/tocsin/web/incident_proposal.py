"""The priority a team proposes for its incidents where it leaves the choice to a person."""

from __future__ import annotations

from tocsin.core.priorities import AssignMode
from tocsin.incidents.models import Incident
from tocsin.slo import queries
from tocsin.slo.models import PriorityAssignment


def proposed_rank(incident: Incident) -> int | None:
    """The rank of the breach or alert that opened an undecided incident; None when nobody left one to a person."""
    if incident.priority_state != "unset":
        return None
    decided = _decided(incident)
    return decided.priority if decided is not None and decided.assign_mode == AssignMode.MANUAL else None


def _decided(incident: Incident) -> PriorityAssignment | None:
    """What was decided beforehand, at the moment the incident began, for what opened it."""
    if incident.objective is not None:
        return queries.assignment_at(incident.objective, incident.created_at)
    link = incident.alert_links.select_related("alert").filter(alert__resource_alert__isnull=False).first()
    known = link.alert.resource_alert_id if link is not None else None
    return queries.alert_assignments_at([known], incident.created_at).get(known) if known is not None else None
