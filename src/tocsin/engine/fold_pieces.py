"""What a journal row holds, read and cut into pieces that can be folded by themselves, and how a piece is taken in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.alerts import actions as alerts
from tocsin.alerts import posted_alerts, posted_events
from tocsin.alerts import queries as alert_queries
from tocsin.alerts.changes import AlertChange
from tocsin.alerts.models import Integration
from tocsin.alerts.posted_alerts import PostedAlert
from tocsin.alerts.posted_events import PostedChange, PostedEvent
from tocsin.platform.models import Journal
from tocsin.slo import pushed_counts, pushed_series
from tocsin.slo.models import Objective
from tocsin.slo.pushed_counts import PushedCount
from tocsin.slo.pushed_series import Series

ALERTMANAGER = "alertmanager"
SLI = "sli"
SERIES = "series"
EVENTS = "events-v2"
CHANGES = "events-v2-change"


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring parts of one row, from part `first` on; `last` when no part of the row comes after them.

    An alert is a part; the counts (or series) of a row are one part, because they are taken all or not at all. A row that cannot
    be read is one part that raises `fault` when it is taken.
    """

    row: Journal
    integration: Integration | None
    first: int = 0
    last: bool = True
    alerts: Sequence[PostedAlert] = ()
    counts: Sequence[PushedCount] = ()
    series: Sequence[Series] = ()
    event: PostedEvent | None = None
    change: PostedChange | None = None
    fault: Exception | None = None

    @property
    def size(self) -> int:
        """How many parts it has; 0 for what is left of a row that held nothing valid."""
        other = self.counts or self.series or self.event or self.change
        return len(self.alerts) if not other and self.fault is None else 1

    @property
    def is_whole_row(self) -> bool:
        return self.first == 0 and self.last

    def cut(self, at: int) -> tuple[Piece, Piece]:
        """The parts before and from `at`."""
        head = replace(self, alerts=self.alerts[:at], last=False)
        return head, replace(self, alerts=self.alerts[at:], first=self.first + at)


def read(rows: Sequence[Journal]) -> list[Piece]:
    """What is left to fold of each row. Reading happens before the transaction begins, to keep that short."""
    senders = {source: sender_of(source) for source in {row.source for row in rows}}
    return [_read_one(row, senders[row.source]) for row in rows]


def sender_of(source: str) -> Integration | None:
    """The integration that a row's source names, None for a person."""
    kind, _, number = source.partition(":")
    return alert_queries.integration(int(number)) if kind == "integration" and number.isdecimal() else None


def _read_one(row: Journal, integration: Integration | None) -> Piece:
    body = bytes(row.body)
    try:
        if row.kind == ALERTMANAGER:
            decoded = posted_alerts.decode(body, received_at=row.received_at).alerts
            return Piece(row, integration, first=row.taken, alerts=decoded[row.taken :])
        if row.kind == SLI:
            return Piece(row, integration, counts=[count for _, count in pushed_counts.decode(body).rows])
        if row.kind == SERIES:
            return Piece(row, integration, series=pushed_series.from_bytes(body))
        if row.kind == EVENTS:
            return Piece(row, integration, event=posted_events.event_from_bytes(body))
        if row.kind == CHANGES:
            return Piece(row, integration, change=posted_events.change_from_bytes(body))
        return Piece(row, integration, fault=ValueError(f"nothing here reads messages of kind {row.kind!r}"))
    except ValueError as error:
        return Piece(row, integration, fault=error)


def chunks(pieces: Iterable[Piece], *, size: int) -> Iterator[list[Piece]]:
    """The pieces in their order, in lists of at most `size` parts; only a piece larger than that is cut."""
    chunk: list[Piece] = []
    room = size
    for piece in pieces:
        if chunk and piece.size > room:
            yield chunk
            chunk, room = [], size
        rest = piece
        while rest.size > size:
            head, rest = rest.cut(size)
            yield [head]
        chunk.append(rest)
        room -= rest.size
    if chunk:
        yield chunk


def take(pieces: Sequence[Piece], *, now: datetime) -> None:
    """Hand the pieces to the domains: alerts by sender in order, then all counts, then what follows from both."""
    from tocsin.incidents import actions as incidents

    for piece in pieces:
        if piece.fault is not None:
            raise piece.fault
    changes: list[AlertChange] = []
    for integration, posted in _runs(pieces):
        changes += alerts.take_alertmanager(integration, posted, now=now)
    for integration, events in _events(pieces):
        changes += alerts.take_events(integration, events, now=now)
    changes += _take_counts([(piece, count) for piece in pieces for count in piece.counts], now=now)
    changes += _take_series([piece for piece in pieces if piece.row.kind == SERIES], now=now)
    if changes:
        incidents.take_alert_changes(changes, now=now)
    for piece in pieces:
        if piece.change is not None:
            incidents.note_change(piece.integration, piece.change, now=now)


def _events(pieces: Sequence[Piece]) -> list[tuple[Integration | None, list[PostedEvent]]]:
    """The events of each sender, in their order: what one says has nothing to do with what another says."""
    runs: dict[int, tuple[Integration | None, list[PostedEvent]]] = {}
    for piece in pieces:
        if piece.event is not None:
            number = piece.integration.pk if piece.integration else 0
            runs.setdefault(number, (piece.integration, []))[1].append(piece.event)
    return list(runs.values())


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
    for sender in {piece.integration for piece, _ in counts if piece.integration is not None}:
        alerts.note_seen(sender, now=now)
    touched = list(dict.fromkeys(row.objective_id for row in rows))
    return alerts.take_slo_signals(slo.evaluate(touched, now=now), now=now)


def _may_count(integration: Integration | None, objective: Objective) -> bool:
    return integration is None or integration.service_id in {None, objective.service_id}


def _take_series(pieces: Sequence[Piece], *, now: datetime) -> list[AlertChange]:
    """Count pushed counters and evaluate their SLOs at once; a sender whose counters no SLI names was seen all the same."""
    from tocsin.slo import actions as slo

    for sender in {piece.integration for piece in pieces if piece.integration is not None}:
        alerts.note_seen(sender, now=now)
    sent = [
        (piece.integration.service_id if piece.integration else None, piece.series) for piece in pieces if piece.series
    ]
    touched = slo.take_series(sent, now=now) if sent else set()
    return alerts.take_slo_signals(slo.evaluate(touched, now=now), now=now) if touched else []
