"""How much a counter grew between its samples, for counters that are pushed to us. No growth is ever negative.

The rules are those of Prometheus' `increase`, without its guesses beyond the first and last sample: a value below the
former one means that the counter began anew at zero; the first sample of a series only says where it stands.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

MINUTE_MS = 60_000
LONGEST_SPREAD_MS = 60 * MINUTE_MS
"""Growth over a longer silence is laid into its last hour."""


class Point(NamedTuple):
    """One sample: when (milliseconds since the epoch), its value, and since when it counts (0 when unknown).

    A value of None is no number that can be counted; `stale` says that the series ended.
    """

    at: int
    value: float | None
    start: int = 0
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a series stands after its last sample."""

    at: int
    value: float
    start: int = 0
    stale: bool = False


@dataclass(slots=True)
class Growths:
    """What a run of samples brought: (moment in ms, events) in order of time, where the series stands, what was wrong.

    ``late`` samples were not newer than the last one; of those, ``lost`` ones told of events that are not counted now.
    """

    stand: Stand | None
    grown: list[tuple[int, float]] = field(default_factory=list)
    late: int = 0
    lost: int = 0
    invalid: int = 0


MOST_EVENTS = 1e15


def countable(value: float | None) -> bool:
    """Whether a sample's value can be a counter's: finite, not negative, within reason."""
    return value is not None and math.isfinite(value) and 0 <= value <= MOST_EVENTS


def cumulative(stand: Stand | None, points: Iterable[Point]) -> Growths:
    """The growth of a running total. Samples that are not newer than the last one are late and say nothing new."""
    found = Growths(stand)
    for point in sorted(points, key=lambda one: one.at):
        former = found.stand
        if former is not None and point.at <= former.at:
            found.late += 1
        elif point.stale:
            found.stand = None if former is None else Stand(former.at, former.value, former.start, stale=True)
        elif point.value is None or not countable(point.value):
            found.invalid += 1
        else:
            found.stand = Stand(point.at, point.value, point.start)
            if former is not None:
                found.grown += _laid_out(former.at, point.at, _difference(former, point.value, point.start))
    return found


def delta(stand: Stand | None, points: Iterable[Point]) -> Growths:
    """The growth told directly, each sample since the one before. A sample told twice counts once.

    One that is older than the last cannot be told from one that was sent again long ago: it is lost, and that is counted.
    """
    found = Growths(stand)
    for point in sorted(points, key=lambda one: one.at):
        former = found.stand
        if former is not None and point.at <= former.at:
            found.late += 1
            found.lost += point.at < former.at and bool(point.value)  # the same moment again is the same sample again
        elif point.stale:
            continue
        elif point.value is None or not countable(point.value):
            found.invalid += 1
        else:
            begin = point.start or (former.at if former else point.at - 1)
            found.stand = Stand(point.at, 0.0, point.start)
            found.grown += _laid_out(min(begin, point.at - 1), point.at, point.value)
    return found


def _difference(former: Stand, value: float, start: int) -> float:
    anew = value < former.value or (start and former.start and start > former.start)
    return value if anew else value - former.value


def _laid_out(begin: int, end: int, events: float) -> list[tuple[int, float]]:
    """The growth at the moment it was seen; what came over several minutes is shared out among them by their time."""
    if end - begin <= MINUTE_MS + MINUTE_MS // 2 or not events:
        return [(end, events)]
    first = max(begin, end - LONGEST_SPREAD_MS)
    edges = [first, *range(first - first % MINUTE_MS + MINUTE_MS, end, MINUTE_MS), end]
    return [(upper, events * (upper - lower) / (end - first)) for lower, upper in itertools.pairwise(edges)]
