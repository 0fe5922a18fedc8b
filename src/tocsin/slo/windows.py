"""Counts inside windows that end now: one aggregated row an objective, never the buckets themselves.

A window is summed from whole buckets: minutes up to six hours, quarters of an hour up to three days, hours beyond. It
begins `span` before the boundary that is nearest to now and holds the running bucket as far as it is filled. On the grid
that is exactly the last `span`; between ticks it is at most half a bucket longer or shorter, never biased. (Cutting
at the running bucket instead would leave a one-minute window empty just after each full minute.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import connection

from tocsin.core.counted_shares import bad_parts, slice_parts
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo.buckets import HOUR, MINUTE, QUARTER, epoch_seconds, floor_to
from tocsin.slo.models import Bucket

_MINUTES_UP_TO = timedelta(hours=6)
_QUARTERS_UP_TO = timedelta(days=3)
_TABLE = Bucket._meta.db_table  # noqa: SLF001 - the table's name, from Django's own meta


@dataclass(frozen=True, slots=True)
class Stretch:
    """Buckets of one width from `start` (seconds, inclusive) to the running one (inclusive)."""

    width: int
    start: int


def width_for(span: timedelta) -> int:
    """The width of bucket that a window of this length is summed from."""
    if span <= _MINUTES_UP_TO:
        return MINUTE
    return QUARTER if span <= _QUARTERS_UP_TO else HOUR


def trailing(span: timedelta, *, now: datetime) -> Stretch:
    """The last `span`, at least one bucket."""
    width = width_for(span)
    buckets = max(1, -(-span // timedelta(seconds=width)))
    nearest = floor_to(epoch_seconds(now) + width // 2, width)
    return Stretch(width, nearest - buckets * width)


def since(start: datetime, *, now: datetime) -> Stretch:
    """Everything from an instant on, for calendar periods; rounded down to a bucket."""
    width = width_for(now - start)
    return Stretch(width, floor_to(epoch_seconds(start), width))


def _end(now: datetime, width: int) -> int:
    """The first second after the running bucket; what is dated later is not yet true."""
    return floor_to(epoch_seconds(now), width) + width


def sums(
    objective_ids: Sequence[int], stretches: Iterable[Stretch], *, now: datetime
) -> dict[int, dict[Stretch, WindowCounts]]:
    """The counts of each stretch for each objective; one query for each width of bucket. Absent means zero."""
    wanted = set(stretches)
    found: dict[int, dict[Stretch, WindowCounts]] = {
        one: dict.fromkeys(wanted, WindowCounts(0, 0)) for one in objective_ids
    }
    by_width: defaultdict[int, list[Stretch]] = defaultdict(list)
    for stretch in wanted:
        by_width[stretch.width].append(stretch)
    for width, group in by_width.items():
        for row in _rows(objective_ids, width, group, now):
            for place, stretch in enumerate(group):
                valid, bad = int(row[1 + 2 * place]), int(row[2 + 2 * place])
                found[row[0]][stretch] = WindowCounts(valid, bad)
    return found


def _rows(
    objective_ids: Sequence[int], width: int, stretches: Sequence[Stretch], now: datetime
) -> list[tuple[int, ...]]:
    if not objective_ids:
        return []
    columns = ", ".join(
        ["SUM(CASE WHEN start >= %s THEN good + bad ELSE 0 END), SUM(CASE WHEN start >= %s THEN bad ELSE 0 END)"]
        * len(stretches)
    )
    marks = ", ".join(["%s"] * len(objective_ids))
    starts = [stretch.start for stretch in stretches]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT objective_id, {columns} FROM {_TABLE} "  # noqa: S608 - the table is ours
            f"WHERE objective_id IN ({marks}) AND width = %s AND start >= %s AND start < %s GROUP BY objective_id",
            [*(start for start in starts for _ in range(2)), *objective_ids, width, min(starts), _end(now, width)],
        )
        return list(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Slices:
    """Time slices instead of events: a slice of `window` is good when its share of good events reaches `target`.

    Without a target each slice counts with its own share, in parts of a slice.
    """

    window: timedelta
    target: Decimal | None

    @property
    def parts(self) -> int:
        return 1 if self.target is not None else slice_parts(self.window)

    def counts(self, good: int, bad: int) -> WindowCounts:
        """What one slice with these events counts for; one without any counts for nothing."""
        if good + bad == 0:
            return WindowCounts(0, 0)
        if self.target is None:
            return WindowCounts(self.parts, bad_parts(good + bad, bad, self.parts))
        return WindowCounts(1, int(good < Fraction(self.target) * (good + bad)))

    def bad_sql(self) -> tuple[str, list[int]]:
        """`counts(good, bad).bad` as an expression over the columns good and bad, with its parameters."""
        if self.target is None:
            # (x - x % y) / y is whole in both databases, whatever they make of a division.
            whole, twice = "(2 * bad * %s + good + bad)", "(2 * (good + bad))"
            return f"(({whole} - {whole} %% {twice}) / {twice})", [self.parts, self.parts]
        ratio = Fraction(self.target)
        return "(CASE WHEN good * %s < (good + bad) * %s THEN 1 ELSE 0 END)", [ratio.denominator, ratio.numerator]


def slice_sums(
    objective_id: int, slices: Slices, starts: Mapping[Stretch, int], *, now: datetime
) -> dict[Stretch, WindowCounts]:
    """Slices that count and slices (or parts of them) that failed, for each stretch; empty slices are left out.

    `starts` gives each stretch's first second. A slice belongs to a stretch when it begins in it.
    """
    length = int(slices.window.total_seconds())
    bad, bad_parameters = slices.bad_sql()
    columns = ", ".join(
        [f"SUM(CASE WHEN slice >= %s THEN %s ELSE 0 END), SUM(CASE WHEN slice >= %s THEN {bad} ELSE 0 END)"]
        * len(starts)
    )
    parameters: list[int] = []
    for start in starts.values():
        first = floor_to(start, length)
        parameters += [first, slices.parts, first, *bad_parameters]
    earliest = floor_to(min(starts.values()), length)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM (SELECT start - start %% %s AS slice, SUM(good) AS good, SUM(bad) AS bad "  # noqa: S608
            f"FROM {_TABLE} WHERE objective_id = %s AND width = %s AND start >= %s AND start < %s "
            "GROUP BY start - start %% %s HAVING SUM(good) + SUM(bad) > 0) AS slices",
            [*parameters, length, objective_id, MINUTE, earliest, _end(now, MINUTE), length],
        )
        row = cursor.fetchone()
    values = [int(value or 0) for value in row]
    return {stretch: WindowCounts(values[2 * at], values[2 * at + 1]) for at, stretch in enumerate(starts)}
