"""What an incident is connected with: breaches, changes of its service, the fix, the runbook, services it depends on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.alerts.models import Alert
from tocsin.audit.models import Entry
from tocsin.audit.queries import Excerpt, excerpt
from tocsin.catalog import queries as catalog
from tocsin.catalog.models import Service
from tocsin.core.access import Actor, Right, require
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState
from tocsin.incidents.runbooks import Runbook, newest_alert, runbook_of
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
    alerts: tuple[Alert, ...] = ()
    """The alert that was attached last, alone."""


def links_of(
    actor: Actor, incident: Incident, *, owed: Iterable[Obligation] | None = None, log: Excerpt | None = None
) -> Links:
    """Everything an incident is connected with; `owed` its obligations and `log` its reported changes, if at hand."""
    require(actor, Right.INCIDENT_READ)
    breaches = Breach.objects.filter(incident_link__incident=incident)
    latest = tuple(breaches.order_by("-at", "-pk")[: SHOWN + 1])
    alerts = newest_alert(incident)
    return Links(
        breaches=latest[:SHOWN],
        breach_count=breaches.count() if len(latest) > SHOWN else len(latest),
        changes=tuple(_changes(incident, log or excerpt(incident.ref, [Kind.CHANGE_REPORTED]))),
        fixes=tuple(_fixes(incident.obligations.all() if owed is None else owed)),
        runbook=runbook_of(incident, snapshots.process_of(incident), alerts=alerts),
        depends_on=tuple(catalog.depends_on(incident.service)) if incident.service else (),
        alerts=tuple(alerts),
    )


def _fixes(owed: Iterable[Obligation]) -> list[Obligation]:
    kinds = {ObligationKind.HOTFIX.value, ObligationKind.WORK_ITEM.value}
    done = [one for one in owed if one.kind in kinds and one.state == ObligationState.FULFILLED and one.reference]
    return sorted(done, key=lambda one: (one.fulfilled_at or one.created_at, one.pk))


def _changes(incident: Incident, log: Excerpt) -> list[Change]:
    """What was reported of its service shortly before, and on itself while it was open; the latest first."""
    found = log.of(Kind.CHANGE_REPORTED)[-SHOWN:]
    if incident.service:
        rows = Entry.objects.filter(incident="", kind=Kind.CHANGE_REPORTED, data__service=incident.service.name)
        before = rows.filter(at__gte=incident.created_at - CHANGES_BEFORE, at__lt=incident.created_at)
        found += before.order_by("-seq")[:SHOWN]
    latest = sorted(found, key=lambda one: one.seq, reverse=True)[:SHOWN]
    return [_change(one, incident) for one in latest if one.data]


def _change(entry: Entry, incident: Incident) -> Change:
    data = entry.data or {}
    summary, source, url = (str(data.get(name) or "") for name in ("summary", "source", "url"))
    return Change(entry.occurred_at, summary, source, url, during=entry.incident == incident.ref)
