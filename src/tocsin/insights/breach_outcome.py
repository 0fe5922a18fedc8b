"""What a breach led to."""

from __future__ import annotations

from tocsin.core.access import Actor, Right, require
from tocsin.incidents.models import Incident, IncidentBreach
from tocsin.slo.models import Breach


def incident_of_breach(actor: Actor, breach: Breach) -> Incident | None:
    """The incident that a breach, or another one of its run, belongs to; None when they led to none."""
    require(actor, Right.INCIDENT_READ)
    run = Breach.objects.filter(objective_id=breach.objective_id, episode=breach.episode)
    links = IncidentBreach.objects.filter(breach__in=run).select_related("incident")
    first = links.order_by("incident__number").first()
    return None if first is None else first.incident
