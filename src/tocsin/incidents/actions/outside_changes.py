"""Something was deployed or set elsewhere: whoever works on an incident of that service sees it on the timeline."""

from __future__ import annotations

from datetime import datetime

from tocsin.alerts.models import Integration
from tocsin.alerts.posted_events import PostedChange
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import SYSTEM, Actor, ActorKind, Role
from tocsin.core.facts import Kind
from tocsin.incidents.models import OPEN_STATES, Incident
from tocsin.platform.text import clean, one_line


def note_change(integration: Integration | None, change: PostedChange, *, now: datetime) -> int:
    """Keep a change that a sender reports, and say it on each open incident of its service. Returns on how many."""
    service = integration.service if integration else None
    data = {
        "summary": one_line(clean(change.summary)),
        "source": one_line(clean(change.source)) or (integration.name if integration else ""),
        "service": service.name if service else None,
        "url": clean(change.url)[:500],
        "details": clean(change.details)[:2000],
    }
    rows = Incident.objects.filter(service=service, state__in=OPEN_STATES) if service else Incident.objects.none()
    facts = [Fact(kind=Kind.CHANGE_REPORTED, incident=row.ref, data=data) for row in rows.order_by("number")]
    audit.record(_sender(integration), [Fact(kind=Kind.CHANGE_REPORTED, data=data), *facts], now=now)
    return len(facts)


def _sender(integration: Integration | None) -> Actor:
    if integration is None:
        return SYSTEM
    name = f"integration:{integration.pk}"
    return Actor(kind=ActorKind.INTEGRATION, ident=name, display_name=integration.name, role=Role.INTEGRATION)
