"""A CSV of events or values, as exact whole numbers over time."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import accumulate
from math import lcm

from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import EPOCH

_MICROSECOND = timedelta(microseconds=1)
_MOST_ROWS = 2_000_000
_LARGEST_EXPONENT = 30

COMPARISONS: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "lte": lambda value, limit: value <= limit,
    "gte": lambda value, limit: value >= limit,
    "lt": lambda value, limit: value < limit,
    "gt": lambda value, limit: value > limit,
}


def micros(instant: datetime) -> int:
    return (instant - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file: the moment its interval ends at, and its one or two numbers."""

    at: datetime
    numbers: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Valid and bad events up to each moment, times `scale` so that they are whole. `moments` in microseconds."""

    moments: Sequence[int]
    valid: Sequence[int]
    bad: Sequence[int]
    scale: int

    def between(self, start: datetime, end: datetime) -> tuple[int, int]:
        """(valid, bad) of `start < t <= end`, both times `scale`."""
        first, last = bisect_right(self.moments, micros(start)), bisect_right(self.moments, micros(end))
        return self.valid[last] - self.valid[first], self.bad[last] - self.bad[first]


def tally(events: Mapping[int, tuple[Fraction, Fraction]]) -> Tally:
    """Sum (valid, bad) by moment, exactly."""
    moments = sorted(events)
    scale = lcm(*(part.denominator for row in events.values() for part in row)) if events else 1
    sums = [[0, *accumulate(int(events[moment][place] * scale) for moment in moments)] for place in (0, 1)]
    return Tally(moments, sums[0], sums[1], scale)


def read_rows(text: str) -> list[Row]:
    """The rows of a CSV with the header timestamp,good,total or timestamp,value. Raises Invalid with the line."""
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [name.strip().lower() for name in next(lines, [])]
    if header not in (["timestamp", "good", "total"], ["timestamp", "value"]):
        raise Invalid({"series": "the first line must be timestamp,good,total or timestamp,value"})
    rows = list(_rows(lines, len(header)))
    if not rows:
        raise Invalid({"series": "holds no rows"})
    return rows


def _rows(lines: Iterator[list[str]], width: int) -> Iterator[Row]:
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != width:
            raise Invalid({f"series line {number}": f"must have {width} cells"})
        if number > _MOST_ROWS:
            raise Invalid({"series": f"has more than {_MOST_ROWS} rows"})
        yield Row(_instant(cells[0], number), tuple(_exact(cell, number) for cell in cells[1:]))


def _instant(text: str, number: int) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid({f"series line {number}": f"{text.strip()[:40]!r} is no RFC 3339 time"}) from None
    if at.tzinfo is None:
        raise Invalid({f"series line {number}": "the time needs its offset, for example Z"})
    return at.astimezone(UTC)


def _exact(text: str, number: int) -> Fraction:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or (value and abs(value.adjusted()) > _LARGEST_EXPONENT):
        raise Invalid({f"series line {number}": f"{text.strip()[:40]!r} is no number"})
    return Fraction(value)


def events_of(rows: Sequence[Row]) -> dict[int, tuple[Fraction, Fraction]]:
    """(valid, bad) by moment of a good,total series. Raises Invalid for good above total or a negative."""
    events: defaultdict[int, tuple[Fraction, Fraction]] = defaultdict(lambda: (Fraction(0), Fraction(0)))
    for row in rows:
        good, total = row.numbers
        if not 0 <= good <= total:
            raise Invalid({"series": f"at {row.at.isoformat()}: good must lie between 0 and total"})
        former = events[micros(row.at)]
        events[micros(row.at)] = (former[0] + total, former[1] + total - good)
    return dict(events)


def _by_slice(rows: Sequence[Row], length: timedelta) -> dict[int, list[Row]]:
    """Rows by the end of the slice (t - w, t] they lie in, t a multiple of w."""
    width = length // _MICROSECOND
    slices: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        slices[-(-micros(row.at) // width) * width].append(row)
    return slices


def slices_of_values(
    rows: Sequence[Row], *, length: timedelta, operator: str, limit: Fraction, target: Fraction
) -> dict[int, tuple[Fraction, Fraction]]:
    """Slices as events: good when the share of their values that meet `operator limit` reaches `target`."""
    meets = COMPARISONS[operator]
    found = {}
    for end, inside in _by_slice(rows, length).items():
        met = sum(meets(row.numbers[0], limit) for row in inside)
        found[end] = (Fraction(1), Fraction(0 if Fraction(met, len(inside)) >= target else 1))
    return found


def slices_of_events(
    rows: Sequence[Row], *, length: timedelta, target: Fraction | None
) -> dict[int, tuple[Fraction, Fraction]]:
    """Slices of a good,total series; without a `target` each counts with its own share (RatioTimeslices)."""
    found = {}
    for end, inside in _by_slice(rows, length).items():
        good, total = (sum((row.numbers[place] for row in inside), Fraction(0)) for place in (0, 1))
        if total:
            share = good / total
            bad = 1 - share if target is None else Fraction(0 if share >= target else 1)
            found[end] = (Fraction(1), bad)
    return found
