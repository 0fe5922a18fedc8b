"""Which incidents an SLO's breaches belong to."""

from __future__ import annotations

from tocsin.core.access import Actor, Right, require
from tocsin.incidents.models import IncidentBreach
from tocsin.incidents.queries import PREFIX


def refs_by_episode(actor: Actor, objective_id: int) -> dict[int, list[str]]:
    """The incidents that each run of an SLO's breaches belongs to, oldest first."""
    require(actor, Right.INCIDENT_READ)
    found: dict[int, list[str]] = {}
    rows = IncidentBreach.objects.filter(breach__objective_id=objective_id).order_by("incident__number")
    for episode, number in rows.values_list("breach__episode", "incident__number").distinct():
        found.setdefault(episode, []).append(f"{PREFIX}{number}")
    return found
