"""Which minutes to ask a source for, and what its answers mean as counts. No query and no clock in here.

Minutes that ended a while ago are final and asked for once; younger ones are provisional and set anew by each
answer, so that asking again doubles nothing. What is older than the minutes we keep comes by the quarter of an hour
or the hour.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.core.slo_windows import EPOCH
from tocsin.slo.buckets import HOUR, MINUTE, QUARTER, epoch_seconds, floor_to
from tocsin.slo.prometheus import Moments

FINAL_AFTER = timedelta(seconds=90)
"""A scrape may be written some time after its moment; until then a minute is asked for again."""
_MINUTES_SINCE = timedelta(hours=6)
_QUARTERS_SINCE = timedelta(days=3)
_LONGEST_BACKFILL = timedelta(days=92)
MOST_STEPS = 1500
_MOST_HOURS = 7 * 24  # of wide history at once, so that a server is not held up and progress can be seen
_MOST_VALUES = 300_000
_CURRENT = timedelta(minutes=15)
# A float sum of whole numbers may come out a hair below the whole number.
_HAIR = 1e-6


def begin_of(period: timedelta, *, now: datetime) -> int:
    """The first second a new SLO is asked about: its budget period back, on an hour."""
    return floor_to(epoch_seconds(now - min(period, _LONGEST_BACKFILL)), HOUR)


def is_current(until: int, *, now: datetime) -> bool:
    """Whether what is missing is only the last minutes, so that it is asked with everyone else's."""
    return until > epoch_seconds(now - _CURRENT)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of its past an SLO's source has told, in days."""

    read: int
    wanted: int

    def __str__(self) -> str:
        return f"Reading the past: {self.read} of {self.wanted} days"


def progress(reading_from: datetime | None, pulled_until: datetime | None, *, now: datetime) -> Progress | None:
    """How far the reading of the past has come, None when there is none under way."""
    if reading_from is None:
        return None
    day = timedelta(days=1)
    wanted = max(1, round((now - reading_from) / day))
    return Progress(min(wanted, ((pulled_until or reading_from) - reading_from) // day), wanted)


def minutes_after(until: int, *, asks: int, now: datetime) -> Moments:
    """The next minutes to ask about after `until`, as many as may be at once: values cannot be had by the hour."""
    steps = max(10, min(MOST_STEPS, _MOST_VALUES // max(1, asks)))
    return _moments(until, floor_to(epoch_seconds(now), MINUTE), MINUTE, steps)


def stretch_after(until: int, *, asks: int, now: datetime) -> Moments:
    """The next stretch to ask about after `until`, as wide and as long as it may be at once.

    Wide steps begin only on their own boundaries, so a gap after a stop is first filled up to the next one by
    minutes. `asks` limits the length: an answer must fit into memory.
    """
    steps = max(10, min(MOST_STEPS, _MOST_VALUES // max(1, asks)))
    for width, since in ((HOUR, _QUARTERS_SINCE), (QUARTER, _MINUTES_SINCE)):
        boundary = floor_to(epoch_seconds(now - since), width)
        if until < boundary:
            if until % width == 0:
                return _moments(until, boundary, width, min(steps, _MOST_HOURS))
            return _moments(until, min(boundary, floor_to(until, width) + width), MINUTE, steps)
    return _moments(until, floor_to(epoch_seconds(now), MINUTE), MINUTE, steps)


def _moments(until: int, end: int, width: int, steps: int) -> Moments:
    return Moments(until + width, max(until + width, min(end, until + steps * width)), width)


def running_minute(*, now: datetime) -> Moments | None:
    """The minute that is under way, as far as it has come; None in its first second."""
    second = epoch_seconds(now)
    passed = second % MINUTE
    return Moments(second, second, passed) if passed else None


def final_until(*, now: datetime) -> int:
    """Buckets that end at or before this second are final."""
    return floor_to(epoch_seconds(now - FINAL_AFTER), MINUTE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said about one SLO: growth by the moment at which each span ends."""

    good: Mapping[int, float] | None
    bad: Mapping[int, float] | None
    total: Mapping[int, float] | None


@dataclass(slots=True)
class Counted:
    """Whole events of each bucket by its start, and where the chain of fractions stands after the final ones."""

    counts: dict[int, tuple[int, int]] = field(default_factory=dict)
    rest_good: float = 0.0
    rest_bad: float = 0.0
    newest: int | None = None
    invalid: str = ""


def counted(answer: Answer, moments: Moments, *, rests: tuple[float, float], final: int) -> Counted:
    """Turn growths into counts, in order of time, carrying fractions over so that sums stay within one event.

    Spans the source knows nothing about are left out: silence is no zero. Spans with impossible numbers are left out
    and named in `invalid`. Only spans that end by `final` move the stored rests.
    """
    result = Counted(rest_good=rests[0], rest_bad=rests[1])
    good_rest, bad_rest = rests
    for moment in range(moments.first, moments.last + 1, moments.step):
        events = _events(answer, moment)
        if events is None:
            continue
        good, bad = events
        if not (math.isfinite(good) and math.isfinite(bad)):
            result.invalid = "the source sent a value that is no number"
            continue
        if min(good + good_rest, bad + bad_rest) < -(1 + 0.01 * abs(good + bad)):
            result.invalid = "the source counts more good or bad events than events in all"
            continue
        whole_good, good_rest = _whole(good + good_rest)
        whole_bad, bad_rest = _whole(bad + bad_rest)
        result.counts[moment - moments.step] = (whole_good, whole_bad)
        result.newest = moment
        if moment <= final:
            result.rest_good, result.rest_bad = good_rest, bad_rest
    return result


def _events(answer: Answer, moment: int) -> tuple[float, float] | None:
    """Good and bad events of a span; None when the source knows of none at all."""
    total = answer.total.get(moment) if answer.total is not None else None
    good = answer.good.get(moment) if answer.good is not None else None
    bad = answer.bad.get(moment) if answer.bad is not None else None
    if total is None:
        if good is None or bad is None:
            return None
        return good, bad
    # A counter of good (or bad) events that does not exist yet has counted none.
    if answer.bad is not None:
        return total - (bad or 0.0), bad or 0.0
    return good or 0.0, total - (good or 0.0)


def _whole(value: float) -> tuple[int, float]:
    whole = max(0, math.floor(value + _HAIR))
    return whole, value - whole


def instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)
