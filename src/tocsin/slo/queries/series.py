"""What the pictures of an SLO are drawn from: the budget over its period, burn rates by the minute, and single days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np
from django.db.models import F, Sum
from django.db.models.functions import Floor

from tocsin.core.burn_rate import burn_rate
from tocsin.core.objective_health import Direction, direction
from tocsin.core.slo_windows import EPOCH, IntArray, WindowCounts, sliding_sums, steps_in
from tocsin.slo import snapshots, windows
from tocsin.slo.buckets import HOUR, MINUTE, QUARTER, epoch_seconds, floor_to
from tocsin.slo.models import Bucket, Objective
from tocsin.slo.queries.budgets import BudgetView
from tocsin.slo.windows import Slices

_MINUTES_REACH = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class BudgetLevel:
    """Share of the period's budget left at an instant, below 0 when overspent; None where nothing was counted."""

    at: datetime
    left: float | None


@dataclass(frozen=True, slots=True)
class BurnPoint:
    """Burn rates of a short and a long window that end at an instant, and the word for both."""

    at: datetime
    short: float | None
    long: float | None
    direction: Direction


def burn_down(objective: Objective, view: BudgetView, *, now: datetime) -> list[BudgetLevel]:
    """The budget from the start of its period to `now`, oldest first; the last level is what `view` says.

    Each level is what is left of the whole period's grant after all that failed since the period began.
    """
    stretch = _stretch(objective, view, now=now)
    counted = slots(objective, stretch.width, stretch.start, now=now)
    if view.grant <= 0 or not counted:
        return [BudgetLevel(view.span.starts_at, None), BudgetLevel(now, None)]
    full = 1.0 if stretch.start in counted else None
    last, bad, levels = max(counted), 0, [BudgetLevel(instant_of(stretch.start), full)]
    for start in range(stretch.start, floor_to(epoch_seconds(now), stretch.width) + stretch.width, stretch.width):
        found = counted.get(start)
        bad += found.bad if found else 0
        unknown = found is None and (start < last or view.left is None)
        left = None if unknown else float(1 - bad / view.grant)
        levels.append(BudgetLevel(min(instant_of(start + stretch.width), now), left))
    return levels


def _stretch(objective: Objective, view: BudgetView, *, now: datetime) -> windows.Stretch:
    """The very buckets the budget was summed from."""
    if objective.calendar_start is None:
        return windows.trailing(objective.period, now=now)
    return windows.since(view.span.starts_at, now=now)


def burn_series(
    objective: Objective, *, short: timedelta, long: timedelta, limit: Fraction, shown: timedelta, now: datetime
) -> list[BurnPoint]:
    """Burn rates over the last `shown`, oldest first, a point for each bucket; windows as the rules have them."""
    width = MINUTE if long + shown <= _MINUTES_REACH else QUARTER
    step = timedelta(seconds=width)
    last = floor_to(epoch_seconds(now) + width // 2, width)
    first = last - width * (steps_in(long, step) + steps_in(shown, step))
    counted = slots(objective, width, first, now=now)
    starts = range(first, last, width)
    valid, bad = _array(counted, starts, "valid"), _array(counted, starts, "bad")
    sums = {
        span: (sliding_sums(valid, steps_in(span, step)), sliding_sums(bad, steps_in(span, step)))
        for span in (short, long)
    }
    points = []
    for place in range(steps_in(long, step), len(starts)):
        burns = [
            burn_rate(objective.target, int(sums[span][0][place]), int(sums[span][1][place])) for span in (short, long)
        ]
        points.append(_point(min(instant_of(starts[place] + width), now), burns, limit))
    return points


def _point(at: datetime, burns: Sequence[Fraction | None], limit: Fraction) -> BurnPoint:
    shown = [None if burn is None else float(burn) for burn in burns]
    return BurnPoint(at, shown[0], shown[1], direction(burns[0], burns[1], limit=limit))


def _array(counted: Mapping[int, WindowCounts], starts: Sequence[int], name: str) -> IntArray:
    nothing = WindowCounts(0, 0)
    return np.array([getattr(counted.get(start, nothing), name) for start in starts], dtype=np.int64)


def slots(objective: Objective, width: int, first: int, *, now: datetime) -> dict[int, WindowCounts]:
    """What was counted in each bucket from `first` (seconds) on; slices that failed where an SLO counts slices."""
    until = floor_to(epoch_seconds(now), width) + width
    slices = snapshots.slices_of(objective)
    if slices is not None:
        return _slice_counts(objective, slices, width, first, until)
    rows = Bucket.objects.filter(objective=objective, width=width, start__gte=first, start__lt=until)
    return {start: WindowCounts(good + bad, bad) for start, good, bad in rows.values_list("start", "good", "bad")}


def _slice_counts(objective: Objective, slices: Slices, width: int, first: int, until: int) -> dict[int, WindowCounts]:
    """Slices by the bucket they begin in, judged exactly as the evaluator judges them."""
    length = int(slices.window.total_seconds())
    rows = Bucket.objects.filter(objective=objective, width=MINUTE, start__gte=floor_to(first, length), start__lt=until)
    found: dict[int, WindowCounts] = {}
    minutes = rows.order_by("start").values_list("start", "good", "bad")
    for begins, group in groupby(minutes, key=lambda row: floor_to(row[0], length)):
        good, bad = (sum(part) for part in zip(*((row[1], row[2]) for row in group), strict=True))
        if good + bad:
            place = floor_to(begins, width)
            found[place] = found.get(place, WindowCounts(0, 0)) + slices.counts(good, bad)
    return found


def day_counts(objective_ids: Sequence[int], days: Sequence[datetime]) -> dict[int, list[WindowCounts]]:
    """Events of each day for each SLO. `days` are the first instants of the days, and the end of the last one.

    Days of equal length are asked for together, so a time zone costs one query, and two more for each clock change.
    """
    found = {one: [WindowCounts(0, 0)] * (len(days) - 1) for one in objective_ids}
    edges = [epoch_seconds(day) for day in days]  # seconds, because two instants of one zone differ by wall time
    lengths = [(place, end - start) for place, (start, end) in enumerate(pairwise(edges))]
    for length, group in groupby(lengths, key=lambda pair: pair[1]):
        places = [place for place, _ in group]
        for one, day, good, bad in _by_day(objective_ids, edges[places[0]], edges[places[-1] + 1], length):
            found[one][places[0] + int(day)] = WindowCounts(good + bad, bad)
    return found


def _by_day(objective_ids: Sequence[int], start: int, end: int, length: int) -> list[tuple[int, int, int, int]]:
    rows = Bucket.objects.filter(objective_id__in=objective_ids, width=HOUR, start__gte=start, start__lt=end)
    days = rows.annotate(day=Floor((F("start") - start) / float(length))).order_by().values("objective_id", "day")
    sums = days.annotate(all_good=Sum("good"), all_bad=Sum("bad"))
    return list(sums.values_list("objective_id", "day", "all_good", "all_bad"))


def instant_of(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)
