"""The counts of a past, minute by minute, and the windows the evaluator saw at each of them.

Windows are cut as production cuts them: long ones are summed from buckets of their own width and begin on the boundary of
such a bucket. That width is passed in, so that whoever stores counts also says how they are summed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import EPOCH, BoolArray, IntArray, WindowArrays, WindowCounts

MINUTE = timedelta(minutes=1)
_HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True, eq=False)
class RecordedPast:
    """Events of each minute from ``starts_at`` on, int64 and bool arrays ``(n,)``.

    ``known`` are the minutes of which anything is known; ``coarse`` those known by the hour only, their events spread
    evenly. The first ``lead`` minutes are there to fill windows; they are not judged.
    """

    starts_at: datetime
    valid: IntArray
    bad: IntArray
    known: BoolArray
    coarse: BoolArray
    lead: int = 0

    def __post_init__(self) -> None:
        shapes = {self.valid.shape, self.bad.shape, self.known.shape, self.coarse.shape}
        if len(shapes) != 1 or self.valid.ndim != 1:
            raise Invalid({"past": "needs four rows of equal length"})
        if not 0 <= self.lead <= self.valid.size:
            raise Invalid({"past": "needs a lead inside the series"})

    @property
    def minutes(self) -> int:
        """Return the length of the series, lead included."""
        return int(self.valid.size)

    @property
    def first(self) -> int:
        """Return the number of the first minute since the epoch."""
        return (self.starts_at - EPOCH) // MINUTE

    @property
    def since(self) -> datetime:
        """Return the moment from which on it is judged."""
        return self.end_of(self.lead - 1)

    @property
    def until(self) -> datetime:
        """Return the end of the last minute."""
        return self.end_of(self.minutes - 1)

    def end_of(self, step: int) -> datetime:
        """Return the end of a minute: the moment at which it is judged."""
        return self.starts_at + (step + 1) * MINUTE

    def with_lead(self, lead: int) -> "RecordedPast":
        """Return the same judged part with a shorter lead; one that is short already stays as it is."""
        cut = max(0, self.lead - lead)
        return RecordedPast(
            self.starts_at + cut * MINUTE,
            self.valid[cut:],
            self.bad[cut:],
            self.known[cut:],
            self.coarse[cut:],
            lead=self.lead - cut,
        )

    def ticks(self, every: timedelta | None) -> BoolArray:
        """Return for each minute whether a tick of the UTC grid falls into it; without a grid each minute has one."""
        if every is None or every <= MINUTE:
            return np.ones(self.minutes, dtype=np.bool_)
        length = every // timedelta(seconds=1)
        ends = (self.first + np.arange(self.minutes + 1, dtype=np.int64)) * 60 // length
        return np.asarray(ends[1:] > ends[:-1])


@dataclass(frozen=True, slots=True)
class PastCoverage:
    """How much of a past is known. Hours of which nothing is known are not hours without errors."""

    hours: int
    known_hours: int
    coarse_hours: int

    @property
    def share(self) -> float:
        """Return the known part, 0 to 1."""
        return self.known_hours / self.hours if self.hours else 0.0

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is missing and nothing was flattened."""
        return self.known_hours >= self.hours and not self.coarse_hours

    def __str__(self) -> str:
        """Say it in a sentence."""
        if not self.known_hours:
            return "Nothing was recorded in this time, so nothing can be said."
        missing = self.hours - self.known_hours
        there = f"Counts are there for {span_words(self.known_hours)} of {span_words(self.hours)}"
        rest = f"; {span_words(missing)} {'is' if missing == 1 else 'are'} unknown, not good" if missing else ""
        return f"{there}{rest}.{self._flattened()}"

    def _flattened(self) -> str:
        if not self.coarse_hours:
            return ""
        verb = "is" if self.coarse_hours == 1 else "are"
        which = "its hour" if self.coarse_hours == 1 else "each hour"
        return f" {span_words(self.coarse_hours)} {verb} known by the sum of {which} only: short peaks there are flattened."


def span_words(hours: int) -> str:
    """Say a number of hours the way people do."""
    if hours < 2 * 24:
        return f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{round(hours / 24)} days"


def coverage_of(past: RecordedPast) -> PastCoverage:
    """Count the hours of the judged part, and those of which something is known."""
    known, coarse = past.known[past.lead :], past.coarse[past.lead :]
    if known.size == 0:
        return PastCoverage(0, 0, 0)
    starts = np.arange(0, known.size, _HOUR_MINUTES)
    has = np.logical_or.reduceat(known, starts)
    flat = np.logical_or.reduceat(coarse, starts)
    return PastCoverage(int(has.size), int(has.sum()), int(flat.sum()))


def windows_at_each_minute(past: RecordedPast, widths: Mapping[timedelta, timedelta]) -> dict[timedelta, WindowArrays]:
    """Return every window's sums at the end of every minute; ``widths`` says how wide the buckets of a window are.

    A window begins its length before the boundary nearest to the moment, as the evaluator has it.
    """
    valid, bad = _totals(past.valid), _totals(past.bad)
    ends = past.first + 1 + np.arange(past.minutes, dtype=np.int64)
    found: dict[timedelta, WindowArrays] = {}
    for span, width in widths.items():
        if width <= MINUTE:
            steps = max(1, -(-span // MINUTE))
            found[span] = WindowArrays(_trailing(valid, steps), _trailing(bad, steps))
            continue
        starts = np.maximum(_window_starts(ends, span, width) - past.first, 0)
        found[span] = WindowArrays(valid[1:] - valid[starts], bad[1:] - bad[starts])
    return found


def window_at(past: RecordedPast, step: int, span: timedelta, width: timedelta) -> WindowCounts:
    """Return one window at the end of one minute."""
    end = np.array([past.first + 1 + step], dtype=np.int64)
    start = max(int(_window_starts(end, span, width)[0]) - past.first, 0)
    return WindowCounts(int(past.valid[start : step + 1].sum()), int(past.bad[start : step + 1].sum()))


def _window_starts(ends: IntArray, span: timedelta, width: timedelta) -> IntArray:
    bucket = max(1, width // MINUTE)
    buckets = max(1, -(-span // (bucket * MINUTE)))
    # Half a bucket in seconds may be half a minute: reckon in seconds, as the evaluator does.
    nearest = (ends * 60 + bucket * 30) // (bucket * 60) * bucket
    return np.asarray(nearest - buckets * bucket, dtype=np.int64)


def _trailing(totals: IntArray, steps: int) -> IntArray:
    sums = totals[1:].copy()
    sums[steps:] -= totals[1:-steps]
    return sums


def _totals(counts: IntArray) -> IntArray:
    totals = np.zeros(counts.size + 1, dtype=np.int64)
    np.cumsum(counts, out=totals[1:])
    return totals
