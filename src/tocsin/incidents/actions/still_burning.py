"""An incident that was resolved too soon: its SLO still burns, so it comes back and pages again.

One that was closed as well is final; what goes on opens a new incident that is linked to it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from tocsin.alerts.models import Alert
from tocsin.audit import actions as audit
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM
from tocsin.core.dedup import slo_key
from tocsin.core.facts import Kind
from tocsin.incidents.actions import alert_changes, duties, moving
from tocsin.incidents.actions.incident_row import fact, held
from tocsin.incidents.models import OPEN_STATES, Incident, IncidentAlert, IncidentLink, LinkKind, State
from tocsin.incidents.queries import burning_alerts
from tocsin.platform.questions import Question

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a fix may take to show in the numbers before we no longer believe in it."""
_OVER = (State.RESOLVED, State.CLOSED)
_WHY = "The SLO still burns."


def reopen_still_burning(*, now: datetime, limit: int = 50) -> int:
    """Bring back what a person resolved while its SLO's alert fires on, ten minutes later. Returns how many came back.

    Each in its own transaction. An alert that something keeps quiet brings back nothing.
    """
    if not _anything_left(now=now):
        return 0
    rows = list(_left_burning(now=now).order_by("id").values_list("pk", flat=True)[:limit])
    return sum(_reopen(alert_id, now=now) for alert_id in rows)


def _left_burning(*, now: datetime) -> QuerySet[Alert]:
    """Only those with something to reopen, so that many that are being worked on never hide one that is not."""
    links = IncidentAlert.objects.filter(alert=OuterRef("pk"))
    over = links.filter(incident__state__in=_OVER, incident__resolved_at__lte=now - PATIENCE)
    return burning_alerts().filter(Exists(over), ~Exists(links.filter(incident__state__in=OPEN_STATES)))


_anything_left = Question(lambda now: _left_burning(now=now))


def _reopen(alert_id: int, *, now: datetime) -> bool:
    # By its alert rather than its cause: after a merge the alert belongs to an incident of another cause.
    last = Incident.objects.filter(alert_links__alert=alert_id).order_by("-resolved_at", "-number").first()
    if last is None:
        return False
    try:
        with transaction.atomic():
            incident = held(last.number)
            if not _is_too_soon(incident, alert_id, now=now):
                return False
            if incident.state == State.CLOSED:
                _continue(incident, alert_id, now=now)
            else:
                moving.begin_again(SYSTEM, incident, reason=_WHY, now=now)
            return True
    except Exception:  # the boundary of one row: the others come back all the same
        log.exception("%s could not be reopened although its SLO still burns", last.ref)
        return False


def _continue(closed: Incident, alert_id: int, *, now: datetime) -> None:
    """A new incident with the groups of the closed one. The alert says what is wrong; its priority is the alert's."""
    alert = Alert.objects.select_related("objective", "service__team", "integration").get(pk=alert_id)
    fresh = alert_changes.open_anew(alert, now=now)
    fresh.groups.set(closed.groups.all())
    IncidentLink.objects.create(
        incident=fresh,
        kind=LinkKind.CONTINUES,
        upstream=closed,
        objective=alert.objective,
        linked_by=SYSTEM.ident,
        linked_at=now,
    )
    duties.reconcile(fresh, now=now)
    told = [
        fact(one, Kind.INCIDENT_CONTINUED, before=closed.ref, after=fresh.ref, reason=_WHY) for one in (fresh, closed)
    ]
    audit.record(SYSTEM, told, now=now)


def _is_too_soon(incident: Incident, alert_id: int, *, now: datetime) -> bool:
    """Looked at again with the incident held: another node may have reopened it, or the alert may have ended."""
    if incident.state not in _OVER or incident.resolved_at is None or incident.resolved_at > now - PATIENCE:
        return False
    alert = burning_alerts().filter(pk=alert_id).select_related("objective").first()
    if alert is None or alert.objective is None or not _by_person(incident):
        return False
    keys = {slo_key(alert.objective.name), incident.dedup_key} - {""}
    return not Incident.objects.filter(dedup_key__in=keys, state__in=OPEN_STATES).exists()


def _by_person(incident: Incident) -> bool:
    """Whether a person resolved it last. When the log no longer tells (redacted), rather page once too often."""
    ends = Entry.objects.filter(incident=incident.ref, kind=Kind.INCIDENT_RESOLVED).order_by("-seq")
    data = ends.values_list("data", flat=True).first()
    return data is None or bool(data.get("by_person", True))
