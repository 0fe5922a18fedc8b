"""Write down budget periods that are over, SLO by SLO, every ten minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.slo import actions as slo

EVERY = timedelta(minutes=10)


@dataclass(slots=True)
class _Round:
    """Where the present round stands. Of this process alone: two nodes that write the same do no harm."""

    begun_at: datetime | None = None
    after: int | None = None


_round = _Round()


def turn(*, now: datetime) -> int:
    """Look at the next SLOs of the round that is under way, or begin one when it is time; returns periods written."""
    if _round.after is None:
        if _round.begun_at is not None and _round.begun_at <= now < _round.begun_at + EVERY:
            return 0
        _round.begun_at, _round.after = now, 0
    _round.after, written = slo.close_periods(_round.after, now=now)
    return written
