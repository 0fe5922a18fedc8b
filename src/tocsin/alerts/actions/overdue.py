"""What time does to alerts by itself: announced ends pass, senders fall silent, silences end."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from tocsin.alerts import queries
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState
from tocsin.core.alert_state import EndReason
from tocsin.platform import db
from tocsin.platform.questions import Question

UNSILENCED = "silence_ended"


def end_overdue(*, now: datetime, limit: int = 500) -> list[AlertChange]:
    """End alerts whose announced end, or our patience with a silent sender, has passed. In the caller's transaction.

    The reason tells the two apart: `ended` for an announced end, `silent` for a sender not heard of any more.
    """
    rows = db.lock_due(_due(now).order_by("ends_at", "id"), limit=limit)
    for row in rows:
        row.state = AlertState.RESOLVED
        row.resolved_at = now
    Alert.objects.bulk_update(rows, ["state", "resolved_at"])
    return [
        AlertChange(row, ChangeKind.RESOLVED, EndReason.ENDED if row.end_said else EndReason.SILENT) for row in rows
    ]


def hear_unsilenced(*, now: datetime, limit: int = 500) -> list[AlertChange]:
    """Alerts that still fire when the silence that kept them quiet is over. In the caller's transaction."""
    quiet = _quiet()
    named = set(quiet.values_list("suppressed_by", flat=True).distinct())
    active = queries.active_silences(now) if named else []
    over = named - {f"{queries.QUIET_BY_SILENCE}{silence.id}" for silence in active}
    if not over:
        return []
    heard = []
    for row in db.lock_due(quiet.filter(suppressed_by__in=sorted(over)).order_by("id"), limit=limit):
        row.suppressed_by = queries.silenced_by(row, now=now, among=active)
        row.save(update_fields=["suppressed_by"])
        if not row.suppressed_by:
            heard.append(AlertChange(row, ChangeKind.OPENED, UNSILENCED))
    return heard


def has_overdue(*, now: datetime) -> bool:
    """Whether there may be anything for the two above, without asking for the right to write."""
    return _anything_overdue(now=now)


def _due(now: datetime) -> QuerySet[Alert]:
    return Alert.objects.filter(state=AlertState.FIRING, ends_at__lte=now)


def _quiet() -> QuerySet[Alert]:
    return Alert.objects.filter(state=AlertState.FIRING, suppressed_by__startswith=queries.QUIET_BY_SILENCE)


_anything_overdue = Question(_due, lambda _: _quiet())
