"""What an incident is connected with: breaches, changes of its service, the fix, the runbook, services it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from tocsin.audit.models import Entry
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right, require
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState
from tocsin.incidents.runbooks import Runbook, runbook_of
from tocsin.slo.models import Breach

CHANGES_BEFORE = timedelta(hours=24)
"""A change that is older than this at the beginning is no suspect any more."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was deployed or set elsewhere; `during` while the incident was open already."""

    at: datetime
    summary: str
    source: str
    url: str
    during: bool


@dataclass(frozen=True, slots=True)
class Links:
    """`breaches` are the latest; `breach_count` counts them all. `fixes` are rolled-out ones, the earliest first."""

    breaches: tuple[Breach, ...]
    breach_count: int
    changes: tuple[Change, ...]
    fixes: tuple[Obligation, ...]
    runbook: Runbook
    depends_on: tuple[Service, ...]


def links_of(actor: Actor, incident: Incident) -> Links:
    """Everything an incident is connected with."""
    require(actor, Right.INCIDENT_READ)
    breaches = Breach.objects.filter(incident_link__incident=incident).order_by("-at", "-pk")
    kinds = [ObligationKind.HOTFIX.value, ObligationKind.WORK_ITEM.value]
    fixes = incident.obligations.filter(kind__in=kinds, state=ObligationState.FULFILLED).exclude(reference="")
    return Links(
        breaches=tuple(breaches[:SHOWN]),
        breach_count=breaches.count(),
        changes=tuple(_changes(incident)),
        fixes=tuple(fixes.order_by("fulfilled_at", "pk")),
        runbook=runbook_of(incident, snapshots.process_of(incident)),
        depends_on=tuple(catalog.depends_on(incident.service)) if incident.service else (),
    )


def _changes(incident: Incident) -> list[Change]:
    """What was reported of its service shortly before, and on itself while it was open; the latest first."""
    before = Q(incident="", data__service=incident.service.name) if incident.service else Q(pk__in=[])
    before &= Q(at__gte=incident.created_at - CHANGES_BEFORE, at__lt=incident.created_at)
    rows = Entry.objects.filter(Q(incident=incident.ref) | before, kind=Kind.CHANGE_REPORTED).order_by("-seq")
    return [_change(one, incident) for one in rows[:SHOWN] if one.data]


def _change(entry: Entry, incident: Incident) -> Change:
    data = entry.data or {}
    summary, source, url = (str(data.get(name) or "") for name in ("summary", "source", "url"))
    return Change(entry.occurred_at, summary, source, url, during=entry.incident == incident.ref)
