"""Take in what Alertmanager's API brought: find each alert's episode, decide in core, write many rows at once.

Runs inside the transaction of the fold, so that alerts, incidents and the journal's mark stand or fall together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import Max

from tocsin.alerts import snapshots
from tocsin.alerts.actions import repeats
from tocsin.alerts.actions.repeats import Keyed, Repeat
from tocsin.alerts.actions.standing import Standing, record_suppressed
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState, Integration
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.core import alert_state
from tocsin.core.alert_state import AlertDecision, AlertKind, Incoming
from tocsin.core.dedup import alertmanager_key
from tocsin.core.fingerprints import fingerprint
from tocsin.platform import db
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.text import clean

PEOPLE = "people"
"""The scope of alerts that persons send with their own tokens: one for all, so that one may end what another began."""
AT_ONCE = 500
SEEN_EVERY = timedelta(seconds=10)


@dataclass(slots=True)
class Batch:
    """The episodes known of the keys at hand, and what has to be written."""

    standing: Standing
    latest: dict[str, Alert]
    new: list[Alert] = field(default_factory=list)
    ended: list[Alert] = field(default_factory=list)
    repeats: dict[int, Repeat] = field(default_factory=dict)
    changes: list[AlertChange] = field(default_factory=list)


def take_alertmanager(
    integration: Integration | None, alerts: Sequence[PostedAlert], *, now: datetime
) -> list[AlertChange]:
    """Apply `alerts` in their order; returns starts, ends and what was kept quiet. Repeats are counted and add nothing.

    `integration` is None when a person sent them. Inside the caller's transaction. The label `service` names the
    service, else the integration's, else the catch-all takes it: no alert is ever lost.
    """
    scope = scope_of(integration)
    messages = [Keyed(*_identity(scope, tuple(alert.labels.items())), alert) for alert in alerts]
    careful = repeats.take_repeats(messages)
    batch = Batch(Standing(integration, now=now), latest({message.key for message in careful}))
    for message in careful:
        take_one(batch, message)
    write(batch)
    repeats.remember(batch.latest.values())
    record_suppressed(batch.changes, now=now)
    if integration is not None:
        note_seen(integration, now=now)
    return batch.changes


def tell_poisoned(integration: Integration | None, *, row: int, error: str, now: datetime) -> list[AlertChange]:
    """An alert about a message that could not be taken in, so that a person looks; more of the same are its repeats."""
    labels = {"alertname": "Tocsin could not read a message", "sender": scope_of(integration)}
    said = {"summary": f"Message {row} of the journal could not be taken in: {error[:500]}"}
    alert = PostedAlert(
        labels=labels,
        annotations=said,
        starts_at=None,
        ends_at=now + timedelta(hours=1),
        generator_url="",
        received_at=now,
    )
    return take_alertmanager(integration, [alert], now=now)


def scope_of(integration: Integration | None) -> str:
    return PEOPLE if integration is None else str(integration.pk)


@lru_cache(maxsize=50_000)
def _identity(scope: str, labels: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The key and the fingerprint; remembered, because most messages are about alerts that were told of before."""
    mark = fingerprint(dict(labels))
    return alertmanager_key(scope, mark), mark


def latest(keys: set[str]) -> dict[str, Alert]:
    """The latest episode of each key that has one: the firing one, else the one that ended last."""
    found: dict[str, Alert] = {}
    for some in _portions(sorted(keys)):
        firing = Alert.objects.filter(dedup_key__in=some, state=AlertState.FIRING).order_by("id")
        found |= {row.dedup_key: row for row in db.lock(firing)}
        over = [key for key in some if key not in found]
        if over:
            last = Alert.objects.filter(dedup_key__in=over).values("dedup_key").annotate(last=Max("id"))
            rows = Alert.objects.in_bulk([entry["last"] for entry in last])
            found |= {row.dedup_key: row for row in rows.values()}
    return found


def _portions(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def take_one(batch: Batch, message: Keyed) -> None:
    alert = message.alert
    row = batch.latest.get(message.key)
    known = None if row is None else snapshots.known_alert(row)
    heard = Incoming(starts_at=alert.starts_at, ends_at=alert.ends_at)
    decision = alert_state.decide(known, heard, now=alert.received_at)
    if decision.kind is AlertKind.OPENED or decision.kind is AlertKind.IGNORED_UNKNOWN_RESOLVE:
        row = _new_row(batch.standing, message, decision)
        batch.latest[message.key] = row
        batch.new.append(row)
        if decision.kind is AlertKind.OPENED:
            kind = ChangeKind.SUPPRESSED if row.suppressed_by else ChangeKind.OPENED
            batch.changes.append(AlertChange(row, kind, decision.reason))
    elif row is not None and decision.kind is AlertKind.REPEAT:
        _repeat(batch, row, alert, decision)
    elif row is not None and decision.kind is AlertKind.RESOLVED:
        _end(batch, row, alert, decision)


def _new_row(standing: Standing, message: Keyed, decision: AlertDecision) -> Alert:
    alert = message.alert
    labels, annotations = _clean(alert.labels), _clean(alert.annotations)
    service, name = standing.service(labels.get("service", "")), clean(alert.name)[:300]
    known = standing.registered(service, name)
    priority, priority_state = standing.priority(labels, known)
    firing = decision.kind is AlertKind.OPENED
    return Alert(
        integration=standing.integration,
        service=service,
        resource_alert=known.alert if known is not None else None,
        fingerprint=message.mark,
        dedup_key=message.key,
        name=name,
        summary=clean(alert.summary)[:10_000],
        labels=labels,
        annotations=annotations,
        generator_url=clean(alert.generator_url)[:2000],
        signal_severity=labels.get("severity", "")[:63],
        priority=priority,
        priority_state=priority_state,
        state=AlertState.FIRING if firing else AlertState.RESOLVED,
        occurrences=1 if firing else 0,
        starts_at=decision.starts_at,
        ends_at=decision.ends_at,
        resolved_at=None if firing else decision.ends_at,
        received_at=alert.received_at,
        last_received_at=alert.received_at,
        suppressed_by=standing.quiet_by(labels, known, priority_state) if firing else "",
        start_said=decision.start_said,
        end_said=decision.end_said,
    )


def _clean(pairs: Mapping[str, str]) -> dict[str, str]:
    return {name: value if value.isascii() else clean(value) for name, value in pairs.items()}


def _repeat(batch: Batch, row: Alert, alert: PostedAlert, decision: AlertDecision) -> None:
    row.ends_at, row.end_said, row.last_received_at = decision.ends_at, decision.end_said, alert.received_at
    row.occurrences += 1
    if not row.pk:
        return  # new in this batch: it is written with its count
    if (repeat := batch.repeats.get(row.pk)) is not None:
        repeat.again(decision, alert.received_at)
    else:
        batch.repeats[row.pk] = Repeat(row.dedup_key, row.pk, decision.ends_at, decision.end_said, alert.received_at)


def _end(batch: Batch, row: Alert, alert: PostedAlert, decision: AlertDecision) -> None:
    row.state = AlertState.RESOLVED
    row.ends_at, row.end_said, row.resolved_at = decision.ends_at, decision.end_said, decision.ends_at
    row.last_received_at = alert.received_at
    if row.pk:
        batch.ended.append(row)
    batch.changes.append(AlertChange(row, ChangeKind.RESOLVED, decision.reason))


def write(batch: Batch) -> None:
    """Ends first: a key may end and start again in one batch, and only one row of a key may fire."""
    ended = {row.pk for row in batch.ended}
    if batch.ended:
        Alert.objects.bulk_update(
            batch.ended, ["state", "ends_at", "end_said", "resolved_at", "last_received_at", "occurrences"], AT_ONCE
        )
    repeats.write(repeat for pk, repeat in batch.repeats.items() if pk not in ended)
    if batch.new:
        Alert.objects.bulk_create(batch.new, batch_size=AT_ONCE)
        crashpoint(CrashPoint.AFTER_ALERT_INSERT)


def note_seen(integration: Integration, *, now: datetime) -> None:
    """When a sender was last heard of, written down at most each ten seconds."""
    if integration.last_seen_at is None or integration.last_seen_at <= now - SEEN_EVERY:
        integration.last_seen_at = now
        integration.save(update_fields=["last_seen_at"])
