"""Drop counts that no window needs any more, some SLOs at a time, once an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.slo import actions as slo

EVERY = timedelta(hours=1)


@dataclass(slots=True)
class _Round:
    """Where the present round stands. Of this process alone: two nodes that both tidy do no harm."""

    begun_at: datetime | None = None
    after: int | None = None


_round = _Round()


def turn(*, now: datetime) -> int:
    """Tidy the next SLOs of the round that is under way, or begin one when it is time; returns 1 if it did."""
    if _round.after is None:
        if _round.begun_at is not None and now - _round.begun_at < EVERY:
            return 0
        _round.begun_at, _round.after = now, 0
    _round.after = slo.forget_counts(_round.after, now=now)
    return 1
