"""Reads about resource-based alerts: which there are, what they mean, and how many an SLO has replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tocsin.core import alert_replacement as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.alert_replacement import Replacement, Share, Step
from tocsin.core.errors import NotFound
from tocsin.slo.models import PriorityAssignment, ResourceAlert, ResourceAlertStep

IN_USE = (Replacement.ACTIVE, Replacement.PLANNED)


def resource_alerts(actor: Actor, *, team: str | None = None, in_use: bool = False) -> list[ResourceAlert]:
    """Resource alerts by service and name, with service, team and the SLO that replaced them at hand."""
    require(actor, Right.SLO_READ)
    rows = ResourceAlert.objects.select_related("service__team", "replaced_by")
    if team is not None:
        rows = rows.filter(service__team__name=team)
    if in_use:
        rows = rows.filter(state__in=IN_USE)
    return list(rows.order_by("service__name", "name"))


def resource_alert(actor: Actor, name: str) -> ResourceAlert:
    """The resource alert of that name. Raises NotFound."""
    require(actor, Right.SLO_READ)
    found = ResourceAlert.objects.select_related("service__team", "replaced_by").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no resource alert called {name!r}.")
    return found


def alert_assignments_at(alert_ids: Sequence[int], at: datetime) -> dict[int, PriorityAssignment]:
    """What was decided for each of these resource alerts at an instant, its groups at hand."""
    valid = Q(valid_from__lte=at) & (Q(valid_until=None) | Q(valid_until__gt=at))
    rows = PriorityAssignment.objects.filter(valid, resource_alert_id__in=alert_ids).prefetch_related("groups")
    return {row.resource_alert_id: row for row in rows.order_by("valid_from") if row.resource_alert_id is not None}


@dataclass(frozen=True, slots=True)
class Registered:
    """A resource alert that is not retired, with what was decided for it."""

    alert: ResourceAlert
    assignment: PriorityAssignment | None


def registered_at(at: datetime) -> dict[tuple[int, str], Registered]:
    """Every resource alert that is not retired, by its service and the name its sender gives."""
    rows = ResourceAlert.objects.select_related("replaced_by").exclude(state=Replacement.RETIRED)
    alerts = {row.pk: row for row in rows}
    decided = alert_assignments_at(list(alerts), at) if alerts else {}
    return {(row.service_id, row.alert_name): Registered(row, decided.get(pk)) for pk, row in alerts.items()}


def replacement_shares(actor: Actor, *, team: str, instants: Iterable[datetime]) -> list[Share]:
    """How many of a team's resource alerts an SLO had replaced at each instant."""
    require(actor, Right.SLO_READ)
    rows = ResourceAlertStep.objects.filter(alert__service__team__name=team).order_by("at", "pk")
    steps = [Step(row.alert_id, Replacement(row.state), row.at) for row in rows]
    return core.shares(steps, instants)
