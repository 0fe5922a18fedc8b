"""Fold the journal into the domains: what arrived becomes alerts, counts, incidents and messages, in order of arrival.

A batch is folded in one transaction together with the mark that it has been folded, so a crash repeats nothing and
loses nothing. A row that cannot be folded is found by halving, put aside with its error, and a person is told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, ProgrammingError, transaction

from tocsin.alerts import actions as alerts
from tocsin.alerts import posted_alerts
from tocsin.alerts import queries as alert_queries
from tocsin.alerts.changes import AlertChange
from tocsin.alerts.models import Integration
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.platform import db
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import Journal, JournalState
from tocsin.slo import pushed_counts
from tocsin.slo.models import Objective
from tocsin.slo.pushed_counts import PushedCount

_log = logging.getLogger(__name__)

MOST_ROWS = 400
MOST_BYTES = 700_000
"""About a thousand alerts: the fold must not keep other writers waiting (bounded by what is in the rows, not by rows)."""
ALERTMANAGER = "alertmanager"
SLI = "sli"


class FoldedElsewhere(Exception):
    """Another node has folded some of these rows meanwhile."""


NOT_THE_ROWS_FAULT = (OperationalError, InterfaceError, ProgrammingError, ImportError, FoldedElsewhere)
"""The database's trouble, a half-done upgrade, or another node's luck."""


@dataclass(slots=True)
class Piece:
    """A journal row, decoded: alerts or counts of one sender."""

    row: Journal
    integration: Integration | None
    alerts: Sequence[PostedAlert] = ()
    counts: Sequence[PushedCount] = ()


def turn(*, now: datetime) -> int:
    """Fold the oldest unfolded rows; returns how many were dealt with."""
    rows = _next_rows()
    if not rows:
        return 0
    try:
        return _fold_or_halve(rows, now=now)
    except FoldedElsewhere:
        return 0


def lag(*, now: datetime) -> tuple[int, float]:
    """How many rows wait to be folded, and the age in seconds of the oldest (0.0 when none waits)."""
    waiting = Journal.objects.filter(state=JournalState.NEW)
    oldest = waiting.order_by("id").values_list("received_at", flat=True).first()
    return waiting.count(), (now - oldest).total_seconds() if oldest else 0.0


def _next_rows() -> list[Journal]:
    rows: list[Journal] = []
    size = 0
    for row in Journal.objects.filter(state=JournalState.NEW).order_by("id")[:MOST_ROWS].iterator(chunk_size=20):
        rows.append(row)
        size += len(row.body)
        if size >= MOST_BYTES:
            break
    return rows


def _fold_or_halve(rows: Sequence[Journal], *, now: datetime) -> int:
    try:
        return _fold(rows, now=now)
    except NOT_THE_ROWS_FAULT:
        raise  # the next turn tries again
    except Exception as error:  # noqa: BLE001 - whatever a row does, the rows behind it are folded
        if len(rows) == 1:
            _put_aside(rows[0], error, now=now)
            return 1
    middle = len(rows) // 2
    return _fold_or_halve(rows[:middle], now=now) + _fold_or_halve(rows[middle:], now=now)


def _fold(rows: Sequence[Journal], *, now: datetime) -> int:
    senders = {source: _sender(source) for source in {row.source for row in rows}}
    pieces = [_decoded(row, senders[row.source]) for row in rows]
    with transaction.atomic():
        if not db.try_advisory_lock("tocsin.fold"):
            raise FoldedElsewhere
        _mark(rows, state=JournalState.FOLDED, now=now)
        _take(pieces, now=now)
        crashpoint(CrashPoint.BEFORE_FOLD_COMMIT)
    return len(rows)


def _sender(source: str) -> Integration | None:
    """The integration that a row's source names, None for a person."""
    kind, _, number = source.partition(":")
    return alert_queries.integration(int(number)) if kind == "integration" and number.isdecimal() else None


def _decoded(row: Journal, integration: Integration | None) -> Piece:
    """Decoded before the transaction begins, to keep it short. Raises for a row that cannot be read."""
    body = bytes(row.body)
    if row.kind == ALERTMANAGER:
        return Piece(row, integration, alerts=posted_alerts.decode(body, received_at=row.received_at).alerts)
    if row.kind == SLI:
        return Piece(row, integration, counts=[count for _, count in pushed_counts.decode(body).rows])
    raise ValueError(f"nothing here reads messages of kind {row.kind!r}")


def _mark(rows: Sequence[Journal], *, state: JournalState, now: datetime) -> None:
    """Raises FoldedElsewhere unless every one of `rows` was still waiting."""
    waiting = Journal.objects.filter(id__in=[row.pk for row in rows], state=JournalState.NEW)
    if waiting.update(state=state, folded_at=now) != len(rows):
        raise FoldedElsewhere


def _take(pieces: Sequence[Piece], *, now: datetime) -> None:
    """Hand the pieces to the domains: alerts by sender in order, then all counts, then what follows from both."""
    from tocsin.incidents import actions as incidents

    changes: list[AlertChange] = []
    for integration, posted in _runs(pieces):
        changes += alerts.take_alertmanager(integration, posted, now=now)
    changes += _take_counts([(piece, count) for piece in pieces for count in piece.counts], now=now)
    if changes:
        incidents.take_alert_changes(changes, now=now)


def _runs(pieces: Sequence[Piece]) -> list[tuple[Integration | None, list[PostedAlert]]]:
    """The alerts of neighbouring pieces of one sender together: fewer, larger questions to the database."""
    runs: list[tuple[Integration | None, list[PostedAlert]]] = []
    for piece in pieces:
        if not piece.alerts:
            continue
        if runs and runs[-1][0] == piece.integration:
            runs[-1][1].extend(piece.alerts)
        else:
            runs.append((piece.integration, list(piece.alerts)))
    return runs


def _take_counts(counts: Sequence[tuple[Piece, PushedCount]], *, now: datetime) -> list[AlertChange]:
    """Add the counts and evaluate their SLOs at once: the way from a bad event to a page has no wait in it."""
    from tocsin.slo import actions as slo
    from tocsin.slo.specs import Count

    if not counts:
        return []
    names = {count.slo for _, count in counts}
    known = {row.name: row for row in Objective.objects.filter(name__in=names, retired_at__isnull=True)}
    rows = []
    for piece, count in counts:
        objective = known.get(count.slo)
        # Judged at the door; an SLO retired or moved since then takes nothing any more.
        if objective is not None and _may_count(piece.integration, objective):
            rows.append(Count(objective.pk, count.at or piece.row.received_at, count.good, count.bad))
    if not rows:
        return []
    slo.add_counts(rows, now=now)
    touched = list(dict.fromkeys(row.objective_id for row in rows))
    return alerts.take_slo_signals(slo.evaluate(touched, now=now), now=now)


def _may_count(integration: Integration | None, objective: Objective) -> bool:
    return integration is None or integration.service_id in {None, objective.service_id}


def _put_aside(row: Journal, error: Exception, *, now: datetime) -> None:
    """Mark the row poisoned; then, in a transaction of its own, tell a person that something was not taken in."""
    from tocsin.incidents import actions as incidents

    text = f"{type(error).__name__}: {error}"
    _log.error("journal row %d is put aside: %s", row.pk, text, exc_info=error)
    with transaction.atomic():
        waiting = Journal.objects.filter(pk=row.pk, state=JournalState.NEW)
        waiting.update(state=JournalState.POISONED, folded_at=now, error=text[:4000], attempt=row.attempt + 1)
    with transaction.atomic():
        changes = alerts.tell_poisoned(_sender(row.source), row=row.pk, error=text, now=now)
        incidents.take_alert_changes(changes, now=now)
