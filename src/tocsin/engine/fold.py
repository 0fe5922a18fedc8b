"""Fold the journal into the domains: what arrived becomes alerts, counts, incidents and messages, in order of arrival.

A chunk is folded in one transaction together with the mark of how far its rows have been folded, so a crash repeats
nothing and loses nothing. Chunks are as large as a tenth of a second allows, because other writers wait meanwhile. A
part that cannot be folded is found by halving and put aside with its error, and a person is told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, ProgrammingError, transaction

from tocsin.alerts import actions as alerts
from tocsin.engine import fold_pieces
from tocsin.engine.fold_pieces import Piece
from tocsin.platform import clock, db
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import Journal, JournalState
from tocsin.platform.questions import Question

_log = logging.getLogger(__name__)

MOST_ROWS = 400
MOST_BYTES = 700_000
"""About a thousand alerts are read at a time."""
TURN_SECONDS = 0.25
"""After this long the engine's other turns have theirs."""


class FoldedElsewhere(Exception):
    """Another node has folded some of these rows meanwhile."""


NOT_THE_ROWS_FAULT = (OperationalError, InterfaceError, ProgrammingError, ImportError, FoldedElsewhere)
"""The database's trouble, a half-done upgrade, or another node's luck."""


@dataclass(slots=True)
class Pace:
    """How many parts fit into a chunk. A repeat costs microseconds, a new incident milliseconds: it is learnt."""

    size: int = 32
    smallest: int = 8
    largest: int = 1000
    seconds: float = 0.1

    def learn(self, parts: int, seconds: float) -> None:
        """Aim at `self.seconds` for the next chunk, growing fourfold at most at a time."""
        if parts:
            wished = int(parts * self.seconds / max(seconds, 1e-6))
            self.size = max(self.smallest, min(wished, self.size * 4, self.largest))


_pace = Pace()


def turn(*, now: datetime) -> int:
    """Fold what waits, oldest first, for a quarter of a second; returns how many rows were finished."""
    if not _anything_waits(now=now):
        return 0
    rows = _next_rows()
    finished = 0
    began = clock.monotonic()
    try:
        for chunk in fold_pieces.chunks(fold_pieces.read(rows), size=_pace.size):
            started = clock.monotonic()
            _fold_or_halve(chunk, now=now)
            finished += sum(piece.last for piece in chunk)
            ended = clock.monotonic()
            _pace.learn(sum(piece.size for piece in chunk), (ended - started) / db.patience())
            if ended - began > TURN_SECONDS * db.patience():
                break
    except FoldedElsewhere:
        return finished
    return max(finished, 1)  # part of a row is work done as well: the loop comes back at once


def lag(*, now: datetime) -> tuple[int, float]:
    """How many rows wait to be folded, and the age in seconds of the oldest (0.0 when none waits)."""
    waiting = Journal.objects.filter(state=JournalState.NEW)
    oldest = waiting.order_by("id").values_list("received_at", flat=True).first()
    return waiting.count(), (now - oldest).total_seconds() if oldest else 0.0


_anything_waits = Question(lambda _: Journal.objects.filter(state=JournalState.NEW))


def _next_rows() -> list[Journal]:
    rows: list[Journal] = []
    size = 0
    for row in Journal.objects.filter(state=JournalState.NEW).order_by("id")[:MOST_ROWS].iterator(chunk_size=20):
        rows.append(row)
        size += len(row.body)
        if size >= MOST_BYTES:
            break
    return rows


def _fold_or_halve(pieces: Sequence[Piece], *, now: datetime) -> None:
    try:
        _fold(pieces, now=now)
        return
    except NOT_THE_ROWS_FAULT:
        raise  # the next turn tries again
    except Exception as error:  # noqa: BLE001 - whatever a part does, the parts behind it are folded
        if len(pieces) == 1 and pieces[0].size <= 1:
            _put_aside(pieces[0], error, now=now)
            return
    for half in _halves(pieces):
        _fold_or_halve(half, now=now)


def _halves(pieces: Sequence[Piece]) -> tuple[Sequence[Piece], Sequence[Piece]]:
    if len(pieces) > 1:
        middle = len(pieces) // 2
        return pieces[:middle], pieces[middle:]
    head, tail = pieces[0].cut(pieces[0].size // 2)
    return [head], [tail]


def _fold(pieces: Sequence[Piece], *, now: datetime) -> None:
    with transaction.atomic():
        if not db.try_advisory_lock("tocsin.fold"):
            raise FoldedElsewhere
        _mark(pieces, now=now)
        fold_pieces.take(pieces, now=now)
        crashpoint(CrashPoint.BEFORE_FOLD_COMMIT)


def _mark(pieces: Sequence[Piece], *, now: datetime) -> None:
    """Say how far each row has come. Raises FoldedElsewhere unless every one stood where we found it."""
    whole = [piece.row.pk for piece in pieces if piece.is_whole_row]
    untouched = Journal.objects.filter(id__in=whole, state=JournalState.NEW, taken=0)
    if whole and untouched.update(state=JournalState.FOLDED, folded_at=now) != len(whole):
        raise FoldedElsewhere
    for piece in pieces:
        if not piece.is_whole_row:
            _advance(piece, piece.row.error, now=now)


def _advance(piece: Piece, error: str, *, now: datetime) -> None:
    change: dict[str, object] = {"taken": piece.first + piece.size, "error": error}
    if piece.last:
        change |= {"state": JournalState.POISONED if error else JournalState.FOLDED, "folded_at": now}
    here = Journal.objects.filter(pk=piece.row.pk, state=JournalState.NEW, taken=piece.first)
    if here.update(**change) != 1:
        raise FoldedElsewhere


def _put_aside(piece: Piece, error: Exception, *, now: datetime) -> None:
    """Pass the part over with its error; then, in a transaction of its own, tell a person that it was not taken in."""
    from tocsin.incidents import actions as incidents

    row, text = piece.row, f"{type(error).__name__}: {error}"
    _log.error("part %d of journal row %d is put aside: %s", piece.first, row.pk, text, exc_info=error)
    with transaction.atomic():
        row.error = f"{row.error}\npart {piece.first}: {text[:1000]}".strip()[:8000]
        _advance(piece, row.error, now=now)
    with transaction.atomic():
        changes = alerts.tell_poisoned(piece.integration, row=row.pk, error=text, now=now)
        incidents.take_alert_changes(changes, now=now)
