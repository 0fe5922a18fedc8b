"""Alerts beside breaches, SLO by SLO: where alerting asks for people who are not needed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from tocsin.alerts.models import Alert
from tocsin.core.access import Actor, Right, require
from tocsin.core.alert_fatigue import Answer, Fatigue, answer, fatigue
from tocsin.incidents.models import IncidentAlert, State
from tocsin.slo.models import Breach, Objective


@dataclass(frozen=True, slots=True)
class Row:
    """One SLO; `objective` is its name."""

    objective: str
    label: str
    figures: Fatigue


@dataclass(frozen=True, slots=True)
class FatigueReport:
    """Of breaches recorded and alerts begun in [start, end); `rows` are the SLOs that had any, most alerts first."""

    start: datetime
    end: datetime
    total: Fatigue
    rows: tuple[Row, ...]


def report(actor: Actor, *, start: datetime, end: datetime) -> FatigueReport:
    """Four queries, whatever the number of SLOs."""
    require(actor, Right.SLO_READ)
    breaches = dict(
        Breach.objects.filter(at__gte=start, at__lt=end).order_by().values_list("objective").annotate(Count("pk"))
    )
    answers = _answers(start, end)
    rows = [
        Row(one.name, one.label, fatigue(breaches.get(one.pk, 0), answers.get(one.pk, ())))
        for one in Objective.objects.filter(pk__in={*breaches, *answers})
    ]
    rows.sort(key=lambda row: (-row.figures.alerts, -row.figures.breaches, row.objective))
    every = [one for several in answers.values() for one in several]
    return FatigueReport(start, end, fatigue(sum(breaches.values()), every), tuple(rows))


def _answers(start: datetime, end: datetime) -> dict[int, list[Answer]]:
    """What became of each alert of an SLO. Of several incidents of one alert the last counts."""
    alerts = Alert.objects.filter(objective__isnull=False, received_at__gte=start, received_at__lt=end)
    links = IncidentAlert.objects.filter(alert__in=alerts).order_by("attached_at").select_related("incident")
    incidents = {link.alert_id: link.incident for link in links}
    found: dict[int, list[Answer]] = defaultdict(list)
    for alert, objective in alerts.values_list("pk", "objective"):
        row = incidents.get(alert)
        found[objective].append(
            answer(
                has_incident=row is not None,
                taken=row is not None and row.acknowledged_at is not None,
                is_open=row is not None and row.is_open,
                is_void=row is not None and row.state == State.CANCELLED,
            )
        )
    return found
