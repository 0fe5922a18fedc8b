"""Figures about how it went, so that they do not mislead: distributions with their n, never a bare mean.

Results are exact fractions. What cannot be said is None and is printed as "n/a", never as 0 or 100 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from tocsin.core.error_budget import seconds
from tocsin.core.errors import Invalid

Number = int | Fraction


class PercentileMethod(StrEnum):
    """How a percentile between two values is found; always named beside the figure."""

    TYPE_7 = "type7"  # linear interpolation, inclusive
    NEAREST_RANK = "nearest_rank"


def percentile(
    values: Sequence[Number], percent: Number, *, method: PercentileMethod = PercentileMethod.TYPE_7
) -> Fraction:
    """Return a percentile (0 to 100) of a non-empty sample; raises ``Invalid`` otherwise."""
    if not values or not 0 <= percent <= 100:
        raise Invalid({"values": "needs at least one value and a percentage between 0 and 100"})
    ordered = sorted(values)
    if method is PercentileMethod.NEAREST_RANK:
        rank = -(-len(ordered) * Fraction(percent) // 100)
        return Fraction(ordered[max(0, int(rank) - 1)])
    place = Fraction(percent) * (len(ordered) - 1) / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@dataclass(frozen=True, slots=True)
class Distribution:
    """A sample in the figures worth printing; ``method`` belongs beside them."""

    n: int
    mean: Fraction
    p50: Fraction
    p75: Fraction
    p90: Fraction
    p95: Fraction
    max: Fraction
    method: PercentileMethod


def distribution(
    values: Sequence[Number], *, method: PercentileMethod = PercentileMethod.TYPE_7
) -> Distribution | None:
    """Describe a sample, or None when it is empty."""
    if not values:
        return None
    p50, p75, p90, p95 = (percentile(values, p, method=method) for p in (50, 75, 90, 95))
    mean = Fraction(sum(values, Fraction(0)), len(values))
    return Distribution(len(values), mean, p50, p75, p90, p95, Fraction(max(values)), method)


def hours(span: timedelta) -> Fraction:
    """Return a duration in exact hours."""
    return seconds(span) / 3600


@dataclass(frozen=True, slots=True)
class ActionItemTimes:
    """Calendar hours of one action item; None where a point in time is missing."""

    lead: Fraction | None
    queue: Fraction | None
    cycle: Fraction | None
    efficiency: Fraction | None


def action_item_times(
    *, created_at: datetime, started_at: datetime | None, done_at: datetime | None
) -> ActionItemTimes:
    """Return lead (done - created), queue (started - created), cycle (done - started) and cycle / lead.

    A missing point makes its figures missing, never zero; a reopened item passes its last ``done_at``.
    """
    lead = None if done_at is None else hours(done_at - created_at)
    queue = None if started_at is None else hours(started_at - created_at)
    cycle = None if done_at is None or started_at is None else hours(done_at - started_at)
    return ActionItemTimes(lead, queue, cycle, ratio(cycle, lead))


def ratio(part: Number | None, whole: Number | None) -> Fraction | None:
    """Return ``part / whole``, or None where either is missing or the whole is 0."""
    return None if part is None or not whole else Fraction(part) / whole


@dataclass(frozen=True, slots=True)
class AlertQuality:
    """How often an alert meant something, and how often something raised an alert."""

    precision: Fraction | None
    recall: Fraction | None


def precision_recall(*, alerts: int, alerts_overlapping: int, significant: int, alerted: int) -> AlertQuality:
    """Return precision over alerts and recall over significant events (requirements 4.8)."""
    return AlertQuality(ratio(alerts_overlapping, alerts), ratio(alerted, significant))


def adherence_ratio(*, passed: int, failed: int) -> Fraction | None:
    """Return passed / (passed + failed); waived and not applicable checks are counted elsewhere."""
    return ratio(passed, passed + failed)


def union_length(spans: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """Return the time covered by at least one of the spans: overlaps count once."""
    total, covered_until = timedelta(0), None
    for starts_at, ends_at in sorted(spans):
        begin = starts_at if covered_until is None else max(starts_at, covered_until)
        total += max(timedelta(0), ends_at - begin)
        covered_until = ends_at if covered_until is None else max(covered_until, ends_at)
    return total
