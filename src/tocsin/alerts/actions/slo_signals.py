"""Turn what the evaluation of SLOs found into alerts: one for each SLO and urgency, from its start to its calm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tocsin.alerts.actions.standing import Standing, record_suppressed
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.alerts.models import Alert, AlertState
from tocsin.alerts.queries import QUIET_BY_PRIORITY
from tocsin.core.alert_state import AlertReason
from tocsin.core.dedup import slo_key
from tocsin.core.fingerprints import fingerprint
from tocsin.core.priorities import PriorityState
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.slo.models import Objective
from tocsin.slo.specs import SignalKind, SloSignal

STARTS = {SignalKind.OPENED, SignalKind.REOPENED, SignalKind.RENOTIFIED}


def take_slo_signals(signals: Sequence[SloSignal], *, now: datetime) -> list[AlertChange]:
    """Apply `signals` in their order, inside the caller's transaction.

    A signal whose priority is `none` leaves a record and opens nothing; one that is told again with a priority opens.
    """
    standing = Standing(None, now=now)
    changes: list[AlertChange] = []
    for signal in signals:
        change = _take_one(standing, signal, now=now)
        if change is not None:
            changes.append(change)
    record_suppressed(changes, now=now)
    return changes


def alert_key(objective: Objective, urgency: str) -> str:
    """The key of an SLO's alert of one urgency."""
    return f"{slo_key(objective.name)}:{urgency}"


def _take_one(standing: Standing, signal: SloSignal, *, now: datetime) -> AlertChange | None:
    row = Alert.objects.filter(dedup_key=alert_key(signal.objective, signal.urgency), state=AlertState.FIRING).first()
    if signal.kind in STARTS:
        return _start(standing, signal, now=now) if row is None else _again(standing, row, signal, now=now)
    if row is None:
        return None
    row.objective = signal.objective
    if signal.kind == SignalKind.GROWN:
        return _grown(standing, row, signal, now=now)
    if signal.kind == SignalKind.CLOSED:
        return _end(row, signal, now=now)
    return AlertChange(row, ChangeKind.NOTED, signal.kind, signal)


def _start(standing: Standing, signal: SloSignal, *, now: datetime) -> AlertChange:
    objective, labels = signal.objective, slo_labels(signal)
    row = Alert.objects.create(
        objective=objective,
        service=objective.service,
        fingerprint=fingerprint(labels),
        dedup_key=alert_key(objective, signal.urgency),
        name=objective.label[:300],
        summary=signal.summary,
        labels=labels,
        annotations={"explanation": signal.explanation, "runbook_url": objective.runbook_url},
        urgency=signal.urgency,
        priority=signal.priority,
        priority_state=signal.priority_state,
        starts_at=now,
        received_at=now,
        last_received_at=now,
        suppressed_by=_quiet_by(standing, signal, labels),
    )
    crashpoint(CrashPoint.AFTER_ALERT_INSERT)
    return AlertChange(row, ChangeKind.SUPPRESSED if row.suppressed_by else ChangeKind.OPENED, signal.kind, signal)


def _again(standing: Standing, row: Alert, signal: SloSignal, *, now: datetime) -> AlertChange:
    was_quiet = row.suppressed_by
    row.objective = signal.objective
    row.occurrences += 1
    row.summary = signal.summary
    row.priority, row.priority_state = signal.priority, signal.priority_state
    row.last_received_at = now
    row.suppressed_by = _quiet_by(standing, signal, row.labels) if was_quiet else ""
    row.save(
        update_fields=["occurrences", "summary", "priority", "priority_state", "last_received_at", "suppressed_by"]
    )
    if row.suppressed_by:
        return AlertChange(row, ChangeKind.NOTED, signal.kind, signal)
    return AlertChange(row, ChangeKind.OPENED if was_quiet else ChangeKind.REPEATED, signal.kind, signal)


def _grown(standing: Standing, row: Alert, signal: SloSignal, *, now: datetime) -> AlertChange | None:
    """It has grown. What is kept quiet stays so: nothing is opened and nobody is told."""
    row.last_received_at = now
    row.save(update_fields=["last_received_at"])
    if row.suppressed_by or _quiet_by(standing, signal, row.labels):
        return None
    return AlertChange(row, ChangeKind.NOTED, signal.kind, signal)


def _end(row: Alert, signal: SloSignal, *, now: datetime) -> AlertChange:
    row.state = AlertState.RESOLVED
    row.ends_at = row.resolved_at = row.last_received_at = now
    row.save(update_fields=["state", "ends_at", "resolved_at", "last_received_at"])
    return AlertChange(row, ChangeKind.RESOLVED, AlertReason.END_SAID, signal)


def _quiet_by(standing: Standing, signal: SloSignal, labels: dict[str, str]) -> str:
    if signal.priority_state == PriorityState.NONE:
        return QUIET_BY_PRIORITY
    return standing.silenced_by(labels)


def slo_labels(signal: SloSignal) -> dict[str, str]:
    """The labels of an SLO's alert, for silences, routes and the incident."""
    objective = signal.objective
    labels = {
        "alertname": objective.label,
        "slo": objective.name,
        "service": objective.service.name,
        "urgency": signal.urgency,
        "sli": objective.sli_kind,
        "endpoint": objective.endpoint,
    }
    return {name: value for name, value in labels.items() if value}
