"""Rows of alerts as the values that core decides on."""

from __future__ import annotations

from tocsin.alerts.models import Alert, AlertState, Silence
from tocsin.core import silences
from tocsin.core.alert_state import KnownAlert
from tocsin.core.matchers import matcher_of_api


def known_alert(row: Alert) -> KnownAlert:
    """The episode that `row` is."""
    firing = row.state == AlertState.FIRING
    end = row.ends_at if firing or row.resolved_at is None else min(row.ends_at or row.resolved_at, row.resolved_at)
    return KnownAlert(
        firing=firing,
        starts_at=row.starts_at,
        ends_at=end or row.starts_at,
        start_said=row.start_said,
        end_said=row.end_said,
    )


def silence(row: Silence) -> silences.Silence:
    return silences.Silence(
        id=str(row.uuid),
        matchers=tuple(matcher_of_api(document) for document in row.matchers),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
