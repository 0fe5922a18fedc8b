"""Alert conditions as a team wrote them: burn rate of a window, an operator, a threshold, and how long it must hold.

Nothing is added to what was written and nothing is rounded. Conditions of one urgency are one alert, which ends at the
first tick at which none of them holds any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import numpy as np

from tocsin.core.alert_latch import Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, burn_rate, exceeds, falls_below
from tocsin.core.rule_protocol import EVENTS, HeatArray, Unit, heats, limit_met, span_text
from tocsin.core.slo_windows import BoolArray, WindowArrays, WindowCounts


class Comparison(StrEnum):
    """How a burn rate is held against its threshold."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"

    @property
    def words(self) -> str:
        """Return what people say."""
        return _WORDS[self]


_WORDS = {
    Comparison.GT: "above",
    Comparison.GTE: "at least",
    Comparison.LT: "below",
    Comparison.LTE: "at most",
}


@dataclass(frozen=True, slots=True)
class BurnCondition:
    """The burn rate of ``lookback`` (and of ``short``, where there is one) against ``threshold``.

    ``alert_after``: for how long it must have held at every tick. ``severity`` is the word its author gave it.
    """

    urgency: Urgency
    threshold: Fraction
    lookback: timedelta
    op: Comparison = Comparison.GT
    alert_after: timedelta = timedelta(0)
    short: timedelta | None = None
    severity: str = ""

    @property
    def spans(self) -> tuple[timedelta, ...]:
        """Return the windows it looks at, the long one first."""
        return (self.lookback,) if self.short is None else (self.lookback, self.short)

    def holds(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> BoolArray:
        """Return where it holds in all its windows; never in a window without events."""
        result = np.ones(sums[self.lookback].valid.shape, dtype=np.bool_)
        for span in self.spans:
            result &= self._met(sums[span], allowed)
        return result

    def _met(self, counts: WindowArrays, allowed: AllowedRatio) -> BoolArray:
        above = exceeds(counts, limit=self.threshold, allowed=allowed)
        if self.op is Comparison.GT:
            return above
        below = falls_below(counts, limit=self.threshold, allowed=allowed)
        if self.op is Comparison.LT:
            return below
        return np.logical_not(below if self.op is Comparison.GTE else above) & (counts.valid > 0)

    def met_by(self, burn: Fraction) -> bool:
        """Return whether one burn rate meets the threshold."""
        match self.op:
            case Comparison.GT:
                return burn > self.threshold
            case Comparison.GTE:
                return burn >= self.threshold
            case Comparison.LT:
                return burn < self.threshold
            case Comparison.LTE:
                return burn <= self.threshold


@dataclass(frozen=True, slots=True)
class ConditionRule:
    """The conditions of an SLO's alert policies.

    ``snooze``: a condition that comes back before it has passed is not told, one that goes on is told again after it.
    """

    conditions: tuple[BurnCondition, ...]
    name: str = "burnrate"
    period: timedelta = timedelta(days=30)
    snooze: timedelta | None = None
    every: timedelta | None = None
    own_window: timedelta = timedelta(hours=1)
    unit: Unit = EVENTS

    @property
    def latches(self) -> tuple[tuple[Urgency, Latch], ...]:
        """Return one latch for each condition, the most urgent first."""
        return tuple(
            (one.urgency, Latch(hold_for=one.alert_after, renotify_after=self.snooze)) for one in self._ordered()
        )

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose counts the rule needs, shortest first."""
        return tuple(sorted({self.own_window} | {span for one in self.conditions for span in one.spans}))

    def heats(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> tuple[HeatArray, ...]:
        """Return one int8 array of ``Heat`` for each condition, shape ``(n,)``."""
        found: list[HeatArray] = []
        for one in self._ordered():
            holds = one.holds(sums, allowed)
            found.append(heats(holds, calm=np.logical_not(holds), valid=sums[one.lookback].valid))
        return tuple(found)

    def may_burn(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> BoolArray:
        """Return where any condition holds."""
        found = np.zeros(sums[self.own_window].valid.shape, dtype=np.bool_)
        for one in self.conditions:
            found |= one.holds(sums, allowed)
        return found

    def explain(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> str:
        """Describe the condition of this urgency that is furthest beyond, or nearest to, its threshold."""
        one = self._telling(windows, target, urgency)
        told = [
            limit_met(windows[span], window=span, limit=one.threshold, target=target, unit=self.unit)
            for span in one.spans
        ]
        held = f", held for {span_text(one.alert_after)}" if one.alert_after else ""
        return f"{'; '.join(told)} (alerts when {one.op.words} it{held})"

    def speaks_of(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> timedelta:
        """Return the lookback window of the condition that ``explain`` describes."""
        return self._telling(windows, target, urgency).lookback

    def _ordered(self) -> tuple[BurnCondition, ...]:
        return tuple(one for urgency in Urgency for one in self.conditions if one.urgency is urgency)

    def _telling(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> BurnCondition:
        mine = [one for one in self.conditions if one.urgency is urgency]
        return max(mine, key=lambda one: _pressure(one, windows, target))


def _pressure(one: BurnCondition, windows: Mapping[timedelta, WindowCounts], target: Decimal) -> tuple[bool, Fraction]:
    """Whether it holds, and how far beyond its threshold the least of its windows is."""
    burns = [burn_rate(target, windows[span].valid, windows[span].bad) for span in one.spans]
    known = [burn for burn in burns if burn is not None]
    holds = len(known) == len(burns) and all(one.met_by(burn) for burn in known)
    upwards = one.op in (Comparison.GT, Comparison.GTE)
    distance = (min(known) if upwards else -max(known)) if known else Fraction(0)
    return holds, distance / one.threshold if one.threshold else distance
