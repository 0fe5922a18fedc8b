"""Take in what PagerDuty's Events API brought: the sender chooses the key, triggers are counted, an end is said.

Unlike Alertmanager's alerts these never time out: an event lasts until it is resolved. Runs inside the transaction of
the fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tocsin.alerts.actions.repeats import Keyed
from tocsin.alerts.actions.standing import Standing, record_suppressed
from tocsin.alerts.actions.taking import Batch, latest, note_seen, scope_of, take_one, write
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import AlertState, Integration
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.alerts.posted_events import EventAction, PostedEvent
from tocsin.core.alert_state import AlertReason
from tocsin.core.dedup import event_key
from tocsin.core.fingerprints import fingerprint
from tocsin.platform.text import clean

UNTIL_SAID = timedelta(days=3650)
"""When an event that is never resolved would end by itself: not in this installation's time."""


def take_events(integration: Integration | None, events: Sequence[PostedEvent], *, now: datetime) -> list[AlertChange]:
    """Apply `events` in their order. Each trigger of an alert that fires is a repeat that its incident counts.

    An acknowledgement or an end of what does not fire is dropped, as the format says.
    """
    scope = scope_of(integration)
    messages = [
        (event, Keyed(event_key(scope, clean(event.dedup_key)), _mark(event), _alert(event, now))) for event in events
    ]
    batch = Batch(Standing(integration, now=now), latest({message.key for _, message in messages}))
    for event, message in messages:
        _take(batch, event, message)
    write(batch)
    record_suppressed(batch.changes, now=now)
    if integration is not None:
        note_seen(integration, now=now)
    return batch.changes


def _mark(event: PostedEvent) -> str:
    return fingerprint(event.labels)


def _alert(event: PostedEvent, now: datetime) -> PostedAlert:
    ended = event.action is EventAction.RESOLVE
    return PostedAlert(
        labels=event.labels,
        annotations=event.annotations,
        starts_at=None,
        ends_at=now if ended else now + UNTIL_SAID,
        generator_url=event.url,
        received_at=now,
    )


def _take(batch: Batch, event: PostedEvent, message: Keyed) -> None:
    row = batch.latest.get(message.key)
    fires = row is not None and row.state == AlertState.FIRING
    if event.action is not EventAction.TRIGGER and not fires:
        return
    if event.action is EventAction.ACKNOWLEDGE:
        if row is not None and not row.suppressed_by:
            batch.changes.append(AlertChange(row, ChangeKind.ACKNOWLEDGED, event.action.value))
        return
    take_one(batch, message)
    if event.action is EventAction.TRIGGER and fires and row is not None and not row.suppressed_by:
        batch.changes.append(AlertChange(row, ChangeKind.REPEATED, AlertReason.ALREADY_FIRING))
