"""An incident that was resolved too soon: its SLO still burns, so it comes back and pages again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from tocsin.alerts.models import Alert, AlertState
from tocsin.core.access import SYSTEM
from tocsin.core.alert_latch import Urgency
from tocsin.core.dedup import slo_key
from tocsin.incidents.actions import moving
from tocsin.incidents.actions.incident_row import held
from tocsin.incidents.models import OPEN_STATES, Incident, State

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""How long a fix may take to show in the numbers before we no longer believe in it."""


def reopen_still_burning(*, now: datetime, limit: int = 50) -> int:
    """Reopen what a person resolved while its SLO's alert fires on, ten minutes later. Returns how many came back.

    Each in its own transaction. An incident that was closed, or an alert that something keeps quiet, stays as it is.
    """
    firing = Alert.objects.filter(
        state=AlertState.FIRING, objective__isnull=False, urgency=Urgency.PAGE.value, suppressed_by=""
    )
    names = list(firing.order_by("id").values_list("objective__name", flat=True)[:limit])
    return sum(_reopen(slo_key(name), now=now) for name in names)


def _reopen(key: str, *, now: datetime) -> bool:
    about = Incident.objects.filter(dedup_key=key)
    if about.filter(state__in=OPEN_STATES).exists():
        return False
    last = about.order_by("-number").first()
    if last is None or last.state != State.RESOLVED or last.resolved_at is None or last.resolved_at > now - PATIENCE:
        return False
    try:
        with transaction.atomic():
            incident = held(last.number)
            if incident.state != State.RESOLVED:
                return False
            moving.begin_again(SYSTEM, incident, reason="The SLO still burns.", now=now)
            return True
    except Exception:  # the boundary of one row: the others come back all the same
        log.exception("%s could not be reopened although its SLO still burns", last.ref)
        return False
