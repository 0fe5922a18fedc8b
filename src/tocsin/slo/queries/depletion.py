"""What was left of a budget at the end of each step: the last 24 hours by the hour, the period by the week, the year by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np

from tocsin.core.access import Actor, Right, require
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import judging, snapshots, windows
from tocsin.slo.buckets import HOUR, epoch_seconds, floor_to
from tocsin.slo.models import Objective
from tocsin.slo.queries.series import instant_of, slots

_HOUR, _DAY, _WEEK, _YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=365)
_MOMENT = timedelta(seconds=1)


class Span(StrEnum):
    DAY = "day"
    PERIOD = "period"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a span: what failed in it, and the share of the budget left at its end; None when it is unknown."""

    starts_at: datetime
    ends_at: datetime
    valid: int
    bad: int
    left: float | None


def depletion(actor: Actor, objective: Objective, span: Span, *, now: datetime) -> list[Step]:
    """The steps of a span, oldest first. The last one ends now; a step in which nothing was counted is unknown."""
    require(actor, Right.SLO_READ)
    edges = _edges(objective, span, now=now)
    first = _period_start(objective, _inside(objective, edges[1], now=now))
    counted = _Counted.of(objective, min(first, epoch_seconds(edges[0])), now=now)
    return [_step(objective, counted, start, end, now=now) for start, end in pairwise(edges)]


def _step(objective: Objective, counted: _Counted, start: datetime, end: datetime, *, now: datetime) -> Step:
    until = now + _HOUR if end == now else end  # the running hour belongs to what ends now
    here = counted.between(epoch_seconds(start), epoch_seconds(until))
    at = _inside(objective, end, now=now)
    period = counted.between(_period_start(objective, at), epoch_seconds(until))
    budget = judging.budget_of(objective, period, now=at)
    left = None if here.valid == 0 or budget.left is None else float(budget.left)
    return Step(start, end, here.valid, here.bad, left)


def _inside(objective: Objective, end: datetime, *, now: datetime) -> datetime:
    """The end itself; of a calendar period its last moment, because its end already belongs to the next one."""
    return end if end == now or objective.calendar_start is None else end - _MOMENT


def _period_start(objective: Objective, at: datetime) -> int:
    """In seconds, and rounded as the budget itself is."""
    if objective.calendar_start is None:
        return windows.trailing(objective.period, now=at).start
    return epoch_seconds(snapshots.period_of(objective, now=at).starts_at)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Running totals by the hour, so that any stretch is one subtraction."""

    start: int
    valid: Sequence[int]
    bad: Sequence[int]

    @classmethod
    def of(cls, objective: Objective, first: int, *, now: datetime) -> _Counted:
        start = floor_to(first, HOUR)
        found = slots(objective, HOUR, start, now=now)
        hours = range(start, floor_to(epoch_seconds(now), HOUR) + HOUR, HOUR)
        nothing = WindowCounts(0, 0)
        rows = [found.get(hour, nothing) for hour in hours]
        valid, bad = (np.cumsum([0, *(getattr(row, name) for row in rows)]).tolist() for name in ("valid", "bad"))
        return cls(start, valid, bad)

    def between(self, start: int, end: int) -> WindowCounts:
        """What was counted from one second to another, both rounded down to their hour."""
        low, high = self._place(start), self._place(end)
        return WindowCounts(self.valid[high] - self.valid[low], self.bad[high] - self.bad[low])

    def _place(self, second: int) -> int:
        return min(max((second - self.start) // HOUR, 0), len(self.valid) - 1)


def _edges(objective: Objective, span: Span, *, now: datetime) -> list[datetime]:
    """Where the steps begin, each at a full hour, and where the last one ends."""
    last = instant_of(floor_to(epoch_seconds(now), HOUR))
    if span is Span.DAY:
        hours = [last - _HOUR * back for back in range(24, -1, -1)]
        return hours if last == now else [*hours[1:], now]
    if span is Span.PERIOD:
        start = snapshots.period_of(objective, now=last).starts_at
        step = _WEEK if objective.period > _WEEK else _DAY
        count = max(1, -(-(last - start) // step))
        return [*(max(start, last - step * back) for back in range(count, 0, -1)), now]
    return _periods(objective, last, now=now)


def _periods(objective: Objective, last: datetime, *, now: datetime) -> list[datetime]:
    """The periods of the last year: calendar ones where the calendar has them, rolling ones back from this hour."""
    edges, begins = [now], snapshots.period_of(objective, now=last).starts_at
    while now - begins <= _YEAR or len(edges) == 1:
        edges.append(begins)
        begins = snapshots.period_of(objective, now=_inside(objective, begins, now=now)).starts_at
    return edges[::-1]
