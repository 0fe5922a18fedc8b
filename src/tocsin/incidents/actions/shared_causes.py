"""One cause, several services: a source that has gone silent blinds the SLOs of all that are measured by it."""

from __future__ import annotations

from typing import Any

from tocsin.alerts.queries import SILENT_SOURCE
from tocsin.catalog.models import Service
from tocsin.incidents.models import Incident
from tocsin.oncall import queries as oncall
from tocsin.oncall.models import Rotation

_WAIT_MINUTES = 5


def policies_of_others(incident: Incident) -> list[dict[str, Any]]:
    """The wake-up chains of the other services that the incident's cause concerns; none for most incidents.

    Only our own alert about a silent source names others: no sender from outside can page the people of a service by
    a label.
    """
    named = str(incident.labels.get("services", ""))
    if not named or incident.labels.get("kind") != SILENT_SOURCE:
        return []
    if incident.alert_links.exclude(alert__integration=None).exists():
        return []
    others = Service.objects.select_related("team").filter(name__in=named.split(","))
    found = [_policy(service) for service in others.exclude(pk=incident.service_id or 0).order_by("name")]
    return [policy for policy in found if policy is not None]


def _policy(service: Service) -> dict[str, Any] | None:
    """The service's own, else whoever is on call in its team, else the team; None for one that nobody owns."""
    own = oncall.policy_for(service)
    if own is not None or service.team is None:
        return own
    rows = Rotation.objects.filter(team=service.team).order_by("name")
    rotations = [f"rotation:{name}" for name in rows.values_list("name", flat=True)]
    targets = rotations or [f"team:{service.team.name}"]
    return {"name": f"usual-{service.team.name}", "steps": [{"wait_minutes": _WAIT_MINUTES, "targets": targets}]}
