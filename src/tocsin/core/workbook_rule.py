"""Multi-window, multi-burn-rate alerts with the thresholds published for SLOs.

A long window says that a worthwhile share of the budget went, a short one (a twelfth of it) that it is still going.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np

from tocsin.core.alert_latch import Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, burn_rate, exceeds, limit_for_share, might_exceed
from tocsin.core.rule_protocol import EVENTS, HeatArray, Unit, heats, limit_met
from tocsin.core.slo_windows import BoolArray, WindowArrays, WindowCounts


@dataclass(frozen=True, slots=True)
class WindowPair:
    """One row: told as ``urgency`` when ``share`` of the budget goes at the pace of both windows."""

    urgency: Urgency
    long: timedelta
    short: timedelta
    share: Fraction
    floor: Fraction = Fraction(1)

    def limit(self, period: timedelta) -> Fraction:
        """Return the burn rate both windows must exceed.

        Never below the floor, by default 1: over 28 days the slowest row would otherwise call a service that keeps
        inside its budget. A person's own threshold may set it to 0.
        """
        return max(self.floor, limit_for_share(self.share, self.long, period))


PUBLISHED_PAIRS = (
    WindowPair(Urgency.PAGE, timedelta(hours=1), timedelta(minutes=5), Fraction(2, 100)),
    WindowPair(Urgency.PAGE, timedelta(hours=6), timedelta(minutes=30), Fraction(5, 100)),
    WindowPair(Urgency.TICKET, timedelta(hours=24), timedelta(hours=2), Fraction(10, 100)),
    WindowPair(Urgency.TICKET, timedelta(days=3), timedelta(hours=6), Fraction(10, 100)),
)


@dataclass(frozen=True, slots=True)
class WorkbookRule:
    """Any pair fires its urgency; a ticket keeps quiet while a page is active."""

    name: str = "workbook"
    period: timedelta = timedelta(days=30)
    pairs: tuple[WindowPair, ...] = PUBLISHED_PAIRS
    every: timedelta | None = None
    own_window: timedelta = timedelta(hours=1)
    unit: Unit = EVENTS

    @property
    def latches(self) -> tuple[tuple[Urgency, Latch], ...]:
        """Return one plain alert for each urgency that has a pair."""
        return tuple((urgency, Latch()) for urgency in Urgency if self._pairs(urgency))

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose counts the rule needs, shortest first."""
        spans = {self.own_window} | {span for pair in self.pairs for span in (pair.long, pair.short)}
        return tuple(sorted(spans))

    def heats(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> tuple[HeatArray, ...]:
        """Return one int8 array of ``Heat`` for each urgency, shape ``(n,)``."""
        return tuple(self._heats(self._pairs(urgency), sums, allowed) for urgency, _ in self.latches)

    def may_burn(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> BoolArray:
        """Return where the long window of a pair could exceed its limit."""
        found = np.zeros(sums[self.own_window].valid.shape, dtype=np.bool_)
        for pair in self.pairs:
            found |= might_exceed(sums[pair.long], limit=pair.limit(self.period), allowed=allowed)
        return found

    def _heats(
        self, pairs: tuple[WindowPair, ...], sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
    ) -> HeatArray:
        longest = max(pair.long for pair in pairs)
        burning = np.zeros(sums[longest].valid.shape, dtype=np.bool_)
        for pair in pairs:
            limit = pair.limit(self.period)
            burning |= exceeds(sums[pair.long], limit=limit, allowed=allowed) & exceeds(
                sums[pair.short], limit=limit, allowed=allowed
            )
        return heats(burning, calm=np.logical_not(burning), valid=sums[longest].valid)

    def explain(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> str:
        """Describe the shortest pair of this urgency that holds, or the one nearest to its limit."""
        pair = self._telling(windows, target, urgency)
        limit = pair.limit(self.period)
        long = limit_met(windows[pair.long], window=pair.long, limit=limit, target=target, unit=self.unit)
        short = limit_met(windows[pair.short], window=pair.short, limit=limit, target=target, unit=self.unit)
        return f"{long}; {short}"

    def speaks_of(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> timedelta:
        """Return the long window of the pair that ``explain`` describes."""
        return self._telling(windows, target, urgency).long

    def _telling(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> WindowPair:
        """The shortest pair that holds, because it says best since when; while none does, the one nearest its limit."""
        pressures = {pair: self._pressure(pair, windows, target) for pair in self._pairs(urgency)}
        holding = [pair for pair, pressure in pressures.items() if pressure > 1]
        return min(holding, key=lambda pair: pair.long) if holding else max(pressures, key=lambda one: pressures[one])

    def _pressure(self, pair: WindowPair, windows: Mapping[timedelta, WindowCounts], target: Decimal) -> Fraction:
        burns = (burn_rate(target, windows[span].valid, windows[span].bad) for span in (pair.long, pair.short))
        return min(burn or Fraction(0) for burn in burns) / pair.limit(self.period)

    def _pairs(self, urgency: Urgency) -> tuple[WindowPair, ...]:
        return tuple(pair for pair in self.pairs if pair.urgency is urgency)
