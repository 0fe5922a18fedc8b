"""Which stretch of time a figure speaks of, and the counts inside it.

A window ends at the moment of judging and covers ``(end - span, end]`` of whole steps. Evaluation
ticks lie on a fixed UTC grid, so results do not depend on when a process started.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from tocsin.core.errors import Invalid

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """Events inside one window: ``bad`` of ``valid``."""

    valid: int
    bad: int

    def __add__(self, other: "WindowCounts") -> "WindowCounts":
        return WindowCounts(self.valid + other.valid, self.bad + other.bad)


@dataclass(frozen=True, slots=True)
class WindowArrays:
    """The same window for many steps or many SLOs: two int64 arrays of equal shape ``(n,)``."""

    valid: IntArray
    bad: IntArray

    @classmethod
    def of(cls, counts: Iterable[WindowCounts]) -> "WindowArrays":
        """Stack single counts, in order."""
        rows = list(counts)
        return cls(
            np.array([c.valid for c in rows], dtype=np.int64),
            np.array([c.bad for c in rows], dtype=np.int64),
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, ``starts_at < t <= ends_at``."""

    starts_at: datetime
    ends_at: datetime


def rolling_window(span: timedelta, *, now: datetime) -> Span:
    """Return the trailing window of a rolling period."""
    return Span(now - span, now)


class CalendarUnit(StrEnum):
    """The units a calendar period may be counted in (OpenSLO duration postfixes)."""

    DAY = "d"
    WEEK = "w"
    MONTH = "M"
    QUARTER = "Q"
    YEAR = "Y"


_DAYS = {CalendarUnit.DAY: 1, CalendarUnit.WEEK: 7}
_MONTHS = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class CalendarPeriod:
    """A period counted on the wall clock of a zone, from ``first_start`` (naive wall time)."""

    first_start: datetime
    zone: ZoneInfo
    count: int
    unit: CalendarUnit

    def start_of(self, number: int) -> datetime:
        """Return the UTC instant at which period ``number`` begins; 0 begins at ``first_start``."""
        return _instant(self._wall_start(number), self.zone)

    def _wall_start(self, number: int) -> datetime:
        steps = number * self.count
        if self.unit in _DAYS:
            return self.first_start + timedelta(days=steps * _DAYS[self.unit])
        return _add_months(self.first_start, steps * _MONTHS[self.unit])

    def rough_number(self, now: datetime) -> int:
        """Return the number of the period around ``now``, off by one at most."""
        wall = now.astimezone(self.zone).replace(tzinfo=None)
        if self.unit in _DAYS:
            return (wall - self.first_start) // timedelta(days=self.count * _DAYS[self.unit])
        months = (wall.year - self.first_start.year) * 12 + wall.month - self.first_start.month
        return months // (self.count * _MONTHS[self.unit])


def _add_months(start: datetime, months: int) -> datetime:
    # Always counted from the first start: the 31st becomes a short month's last day without
    # the months after it being pulled down as well.
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """A wall time that comes twice is the first; one that is left out is the end of the gap."""
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _offset_change(early, late, zone)


def _offset_change(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """Find the instant in ``(early, late]`` at which the zone's clocks jump; jumps are on whole seconds."""
    after = late.astimezone(zone).utcoffset()
    seconds = (late - early) // timedelta(seconds=1)
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        jumped = (early + timedelta(seconds=middle)).astimezone(zone).utcoffset() == after
        low, high = (low, middle) if jumped else (middle, high)
    return early + timedelta(seconds=high)


def calendar_window(period: CalendarPeriod, *, now: datetime) -> Span:
    """Return the period that has begun before ``now``, so that ``starts_at < now <= ends_at``."""
    number = period.rough_number(now)
    while period.start_of(number) >= now:
        number -= 1
    while period.start_of(number + 1) < now:
        number += 1
    return Span(period.start_of(number), period.start_of(number + 1))


def steps_in(window: timedelta, step: timedelta) -> int:
    """Return how many whole steps a window holds, at least one."""
    if step <= timedelta(0):
        raise Invalid({"step": "must be positive"})
    return max(1, window // step)


def sliding_sums(counts: IntArray, steps: int) -> IntArray:
    """Return for each step the sum over it and the ``steps - 1`` before it, shape ``(n,)``.

    The first windows are not yet full and are summed over what is there.
    """
    return _sums_of(np.cumsum(counts, dtype=np.int64), steps)


def _sums_of(totals: IntArray, steps: int) -> IntArray:
    sums = np.empty_like(totals)
    sums[:steps] = totals[:steps]
    np.subtract(totals[steps:], totals[:-steps], out=sums[steps:])
    return sums


def sliding_windows(
    valid: IntArray, bad: IntArray, windows: Iterable[timedelta], *, step: timedelta
) -> dict[timedelta, WindowArrays]:
    """Return every window's sums at every step of a series."""
    of_valid, of_bad = np.cumsum(valid, dtype=np.int64), np.cumsum(bad, dtype=np.int64)
    lengths = {window: steps_in(window, step) for window in windows}
    return {
        window: WindowArrays(_sums_of(of_valid, steps), _sums_of(of_bad, steps)) for window, steps in lengths.items()
    }


def grid_tick(now: datetime, every: timedelta) -> datetime:
    """Return the last multiple of ``every`` (counted from the epoch, in UTC) at or before now."""
    return EPOCH + (now - EPOCH) // every * every


def is_due(evaluated_at: datetime | None, *, every: timedelta | None, now: datetime) -> bool:
    """Return whether a tick of the grid lies in ``(evaluated_at, now]``.

    Without a grid (``every`` is None) each later moment is due.
    """
    if evaluated_at is None:
        return True
    return now > evaluated_at if every is None else grid_tick(now, every) > evaluated_at
