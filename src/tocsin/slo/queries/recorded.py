"""The recorded past of one SLO by the minute: what a replay is fed with."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np

from tocsin.core.recorded_past import MINUTE as A_MINUTE
from tocsin.core.recorded_past import RecordedPast
from tocsin.core.slo_windows import EPOCH, BoolArray, IntArray
from tocsin.slo import minutes, snapshots
from tocsin.slo.buckets import HOUR, MINUTE, epoch_seconds, floor_to
from tocsin.slo.models import Bucket, DayOfMinutes, Objective
from tocsin.slo.windows import Slices, width_for

_IN_AN_HOUR = HOUR // MINUTE


def recorded_past(objective: Objective, *, since: datetime, until: datetime, lead: timedelta) -> RecordedPast:
    """Every minute from `lead` before `since` to `until`, both taken down to a minute, lead and `since` to an hour.

    Minutes come from the buckets and the packed days; an hour of which only the sum is left is spread evenly over its
    minutes and marked as coarse. An SLO that counts time slices gets slices instead of events, each in the minute it ends.
    """
    judged = floor_to(epoch_seconds(since), HOUR)
    first = floor_to(epoch_seconds(since - lead), HOUR)
    last = floor_to(epoch_seconds(until), MINUTE)
    good, bad = _minutes(objective.pk, first, last)
    known, coarse = _fill_from_hours(objective.pk, first, last, good, bad)
    valid = good + bad
    slices = snapshots.slices_of(objective)
    if slices is not None:
        valid, bad = _as_slices(slices, first, valid, bad)
    return RecordedPast(EPOCH + timedelta(seconds=first), valid, bad, known, coarse, lead=(judged - first) // MINUTE)


def bucket_widths(spans: tuple[timedelta, ...], *, sliced: bool = False) -> dict[timedelta, timedelta]:
    """How wide the buckets are that the evaluator sums each window from; slices are summed from minutes."""
    return {span: A_MINUTE if sliced else timedelta(seconds=width_for(span)) for span in spans}


def _minutes(objective_id: int, first: int, last: int) -> tuple[IntArray, IntArray]:
    count = max(0, (last - first) // MINUTE)
    good, bad = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    days = DayOfMinutes.objects.filter(
        objective_id=objective_id, day__gte=first // minutes.DAY, day__lte=last // minutes.DAY
    )
    for day, packed in days.values_list("day", "counts"):
        valid_of_day, bad_of_day = minutes.unpack(bytes(packed))
        _lay(good, valid_of_day - bad_of_day, (day * minutes.DAY - first) // MINUTE)
        _lay(bad, bad_of_day, (day * minutes.DAY - first) // MINUTE)
    rows = Bucket.objects.filter(objective_id=objective_id, width=MINUTE, start__gte=first, start__lt=last)
    table = np.array(list(rows.values_list("start", "good", "bad")), dtype=np.int64).reshape(-1, 3)
    places = (table[:, 0] - first) // MINUTE
    good[places] += table[:, 1]
    bad[places] += table[:, 2]
    return good, bad


def _lay(target: IntArray, part: IntArray, at: int) -> None:
    """Add `part` to `target` where the two overlap."""
    begin, end = max(0, at), min(target.size, at + part.size)
    if begin < end:
        target[begin:end] += part[begin - at : end - at]


def _fill_from_hours(
    objective_id: int, first: int, last: int, good: IntArray, bad: IntArray
) -> tuple[BoolArray, BoolArray]:
    """Spread hours without minutes; returns which minutes are known at all, and which by their hour only."""
    known, coarse = np.zeros(good.size, dtype=np.bool_), np.zeros(good.size, dtype=np.bool_)
    rows = Bucket.objects.filter(objective_id=objective_id, width=HOUR, start__gte=first, start__lt=last)
    for start, good_of_hour, bad_of_hour in rows.values_list("start", "good", "bad"):
        begin = (start - first) // MINUTE
        hour = slice(begin, min(begin + _IN_AN_HOUR, good.size))
        known[hour] = True
        if good_of_hour + bad_of_hour > 0 and not (good[hour].any() or bad[hour].any()):
            good[hour] = _spread(good_of_hour)[: hour.stop - hour.start]
            bad[hour] = _spread(bad_of_hour)[: hour.stop - hour.start]
            coarse[hour] = True
    return known, coarse


def _spread(events: int) -> IntArray:
    """So many events over an hour's minutes, as evenly as whole numbers go."""
    edges = np.arange(_IN_AN_HOUR + 1, dtype=np.int64) * events // _IN_AN_HOUR
    return np.asarray(np.diff(edges), dtype=np.int64)


def _as_slices(slices: Slices, first: int, valid: IntArray, bad: IntArray) -> tuple[IntArray, IntArray]:
    """One event for each slice with traffic, bad when it failed, in its last minute."""
    length = max(1, slices.window // A_MINUTE)
    number = (first // MINUTE + np.arange(valid.size, dtype=np.int64)) // length
    ends = np.flatnonzero(np.diff(number, append=number[-1:] + 1)) if valid.size else np.zeros(0, dtype=np.int64)
    whole, failed = np.zeros(valid.size, dtype=np.int64), np.zeros(valid.size, dtype=np.int64)
    if ends.size:
        starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
        whole[ends], failed[ends] = _judged(slices, np.add.reduceat(valid, starts), np.add.reduceat(bad, starts))
    return whole, failed


def _judged(slices: Slices, events: IntArray, losses: IntArray) -> tuple[IntArray, IntArray]:
    """`slices.counts` for many slices at once."""
    busy = events > 0
    if slices.target is None:
        parts = slices.parts
        return busy * parts, np.where(busy, (2 * losses * parts + events) // np.maximum(1, 2 * events), 0)
    ratio = Fraction(slices.target)
    return busy.astype(np.int64), ((events - losses) * ratio.denominator < events * ratio.numerator).astype(np.int64)
