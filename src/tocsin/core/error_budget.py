"""How much may fail, how much has failed, how much is left.

Every result is a ``Fraction``: a budget decides priorities at exact boundaries, and binary floats
put 20 % on the wrong side of 20 %. The target is taken from its decimal text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import WindowCounts

_MICROSECOND = timedelta(microseconds=1)


def seconds(span: timedelta) -> Fraction:
    """Return a duration as an exact number of seconds."""
    return Fraction(span // _MICROSECOND, 1_000_000)


def share_of(span: timedelta, whole: timedelta) -> Fraction:
    """Return ``span / whole`` exactly, where ``timedelta`` division would give a float."""
    return Fraction(span // _MICROSECOND, whole // _MICROSECOND)


def allowed_ratio(target: Decimal) -> Fraction:
    """Return the error ratio a target allows, ``1 - target``.

    Raises ``Invalid`` for a target outside [0, 1): at 100 % there is no budget, any bad event
    breaches and the burn rate is undefined.
    """
    if not target.is_finite() or not 0 <= target < 1:
        raise Invalid({"target": "must be at least 0 and below 1; 100 % leaves no error budget"})
    return 1 - Fraction(target)


def sli(valid: int, bad: int) -> Fraction | None:
    """Return the share of good events, or None when there were no valid events."""
    return None if valid == 0 else Fraction(valid - bad, valid)


def error_ratio(valid: int, bad: int) -> Fraction | None:
    """Return the share of bad events, or None when there were no valid events."""
    return None if valid == 0 else Fraction(bad, valid)


def grant_events(target: Decimal, valid_in_period: int | Fraction) -> Fraction:
    """Return how many events (or time slices) of a period may be bad."""
    return allowed_ratio(target) * valid_in_period


def grant_time(target: Decimal, period: timedelta) -> Fraction:
    """Return how many seconds of a period may be bad."""
    return allowed_ratio(target) * seconds(period)


def grant_slices(target: Decimal, period: timedelta, slice_length: timedelta) -> Fraction:
    """Return how many time slices of a period may be bad, before rounding down."""
    return allowed_ratio(target) * share_of(period, slice_length)


def most_bad(grant: Fraction) -> int:
    """Return the largest whole number of bad events or slices that keeps within a grant."""
    return grant.numerator // grant.denominator


def depletion(grant: Fraction | int, bad: int | Fraction) -> Fraction:
    """Return the consumed share of a grant; above 1 there is budget debt.

    Raises ``Invalid`` for an empty grant: a share of nothing is undefined.
    """
    if grant <= 0:
        raise Invalid({"grant": "must be positive"})
    return Fraction(bad) / grant


def remaining(grant: Fraction | int, bad: int | Fraction) -> Fraction:
    """Return the share of a grant that is left; negative means budget debt."""
    return 1 - depletion(grant, bad)


def remaining_of_traffic(target: Decimal, counts: WindowCounts) -> Fraction | None:
    """Return the share left of the budget that a period's own traffic earns.

    None when the period has seen no valid events: nothing was earned and nothing spent.
    """
    if counts.valid == 0:
        return None
    return remaining(grant_events(target, counts.valid), counts.bad)


def forecast_valid(valid_so_far: int, elapsed: timedelta, period: timedelta) -> Fraction:
    """Return the events a running calendar period will have seen at its end, at today's pace."""
    if elapsed <= timedelta(0):
        raise Invalid({"elapsed": "must be positive"})
    return valid_so_far / share_of(elapsed, period)


class EmptySlices(StrEnum):
    """What a time slice without events counts as."""

    LEFT_OUT = "left_out"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class SliceRule:
    """When a time slice is good: its own SLI reaches ``target``."""

    target: Decimal
    empty: EmptySlices = EmptySlices.LEFT_OUT

    def is_bad(self, counts: WindowCounts) -> bool:
        """Return whether one slice failed its own target."""
        if counts.valid == 0:
            return self.empty is EmptySlices.BAD
        return Fraction(counts.valid - counts.bad, counts.valid) < Fraction(self.target)


def slice_counts(slices: Iterable[WindowCounts], rule: SliceRule) -> WindowCounts:
    """Count slices as events: valid = slices that count, bad = slices that failed (Timeslices)."""
    counted = [s for s in slices if s.valid or rule.empty is not EmptySlices.LEFT_OUT]
    return WindowCounts(valid=len(counted), bad=sum(rule.is_bad(s) for s in counted))


def averaged_slices_sli(slices: Iterable[WindowCounts]) -> Fraction | None:
    """Return the mean of the slices' own SLIs, empty ones left out (RatioTimeslices)."""
    ratios = [Fraction(s.valid - s.bad, s.valid) for s in slices if s.valid]
    return sum(ratios, Fraction(0)) / len(ratios) if ratios else None
