"""How much of a budget period is known: a server that keeps less than the period, or a silence, leaves holes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.core.slo_windows import Span
from tocsin.slo import buckets
from tocsin.slo.buckets import HOUR
from tocsin.slo.models import Bucket, Objective

_WHOLE = 0.99
_DAYS_FROM = 47  # hours; what is longer is told in days


@dataclass(frozen=True, slots=True)
class Coverage:
    """Hours of the period so far with data in them, and hours in all. An hour without traffic has data; silence has not."""

    known: int
    hours: int

    @property
    def share(self) -> float:
        return min(1.0, self.known / self.hours) if self.hours else 0.0

    @property
    def has_holes(self) -> bool:
        return self.known > 0 and self.share < _WHOLE

    def __str__(self) -> str:
        if self.hours <= _DAYS_FROM:
            there = f"{self.known} of {self.hours} hours"
        elif self.known <= _DAYS_FROM:
            there = f"{self.known} hour{'' if self.known == 1 else 's'} of {round(self.hours / 24)} days"
        else:
            there = f"{round(self.known / 24)} of {round(self.hours / 24)} days"
        return f"Data are there for {there}: what is missing counts as nothing"


def coverage(objective: Objective, period: Span, *, now: datetime) -> Coverage:
    """How much of `period` up to `now` an SLO has data for."""
    first = buckets.floor_to(buckets.epoch_seconds(period.starts_at), HOUR)
    last = buckets.floor_to(buckets.epoch_seconds(min(now, period.ends_at)), HOUR)
    known = Bucket.objects.filter(objective=objective, width=HOUR, start__gte=first, start__lte=last).count()
    return Coverage(known, max(1, (last - first) // HOUR))
