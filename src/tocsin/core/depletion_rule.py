"""The chapter's rule: more than so many percent of a window's budget gone, then quiet for a while.

At 200 % in 60 min and a reminder after 120 min each alert stands for two hours' worth of budget and the rule then
keeps quiet for just those two hours. It finds nearly everything and is often wrong; the product pages by its own
default and offers this one by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import numpy as np

from tocsin.core.alert_latch import Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, exceeds, might_exceed
from tocsin.core.error_budget import allowed_ratio, share_of
from tocsin.core.rule_protocol import EVENTS, HeatArray, Unit, heats, limit_met
from tocsin.core.slo_windows import BoolArray, WindowArrays, WindowCounts


class DepletionBasis(StrEnum):
    """Against which budget the window's bad events are held."""

    WINDOW_TRAFFIC = "window_traffic"  # what the window's own traffic earns: the burn rate
    PERIOD_PRO_RATA = "period_pro_rata"  # the window's share in time of the period's grant


@dataclass(frozen=True, slots=True)
class DepletionRule:
    """Fires when depletion in ``window`` is strictly above ``threshold_percent`` at a tick of the grid.

    ``renotify_after`` is the chapter's alert snooze: while the condition holds people are told again after it, and a
    condition that comes back before it has passed is not told. ``period`` matters to ``PERIOD_PRO_RATA`` only.
    """

    name: str = "depletion"
    threshold_percent: Fraction = Fraction(200)
    window: timedelta = timedelta(minutes=60)
    every: timedelta | None = timedelta(minutes=5)
    renotify_after: timedelta = timedelta(minutes=120)
    basis: DepletionBasis = DepletionBasis.WINDOW_TRAFFIC
    period: timedelta = timedelta(days=28)
    unit: Unit = EVENTS

    @property
    def own_window(self) -> timedelta:
        """Return the window whose error ratio makes a breach."""
        return self.window

    @property
    def latches(self) -> tuple[tuple[Urgency, Latch], ...]:
        """Return the one alert this rule drives."""
        return ((Urgency.PAGE, Latch(renotify_after=self.renotify_after)),)

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose counts the rule needs."""
        if self.basis is DepletionBasis.PERIOD_PRO_RATA:
            return (self.window, self.period)
        return (self.window,)

    def heats(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> tuple[HeatArray, ...]:
        """Return one int8 array of ``Heat``, shape ``(n,)``; equality with the threshold is not above it."""
        counts = sums[self.window]
        burning = exceeds(self._basis(sums), limit=self._limit(), allowed=allowed)
        return (heats(burning, calm=np.logical_not(burning), valid=counts.valid),)

    def may_burn(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> BoolArray:
        """Return where the threshold could be exceeded."""
        return might_exceed(self._basis(sums), limit=self._limit(), allowed=allowed)

    def explain(
        self,
        windows: Mapping[timedelta, WindowCounts],
        target: Decimal,
        urgency: Urgency,  # noqa: ARG002 there is one alert only; the protocol asks all rules alike
    ) -> str:
        """Say in one sentence what was measured against what."""
        if self.basis is DepletionBasis.WINDOW_TRAFFIC:
            counts, limit = windows[self.window], self._limit()
            return limit_met(counts, window=self.window, limit=limit, target=target, unit=self.unit)
        counts, whole = windows[self.window], windows[self.period]
        share = readings(counts, whole.valid, target=target, window=self.window, period=self.period)
        percent = 0.0 if share.period_pro_rata is None else float(share.period_pro_rata) * 100
        return (
            f"{self.unit.shown(counts.bad)} of {self.unit.shown(counts.valid)} {self.unit.word} bad: {percent:.1f} % of this window's share in time of the "
            f"period's budget, limit {float(self.threshold_percent):g} %"
        )

    def speaks_of(
        self,
        windows: Mapping[timedelta, WindowCounts],  # noqa: ARG002 one window only; the protocol asks all rules alike
        target: Decimal,  # noqa: ARG002
        urgency: Urgency,  # noqa: ARG002
    ) -> timedelta:
        """Return the rule's one window."""
        return self.window

    def _basis(self, sums: Mapping[timedelta, WindowArrays]) -> WindowArrays:
        if self.basis is DepletionBasis.WINDOW_TRAFFIC:
            return sums[self.window]
        return WindowArrays(valid=sums[self.period].valid, bad=sums[self.window].bad)

    def _limit(self) -> Fraction:
        factor = Fraction(self.threshold_percent) / 100
        if self.basis is DepletionBasis.WINDOW_TRAFFIC:
            return factor
        return factor * share_of(self.window, self.period)


@dataclass(frozen=True, slots=True)
class Readings:
    """The three readings of "depletion in a window", as shares; None without traffic."""

    window_traffic: Fraction | None
    period_pro_rata: Fraction | None
    period_grant: Fraction | None


def readings(
    counts: WindowCounts, valid_in_period: int, *, target: Decimal, window: timedelta, period: timedelta
) -> Readings:
    """Hold a window's bad events against its own budget, its share of the period's, and all of it (4.3)."""
    allowed = allowed_ratio(target)
    of_period = Fraction(counts.bad) / (allowed * valid_in_period) if valid_in_period else None
    return Readings(
        window_traffic=Fraction(counts.bad, counts.valid) / allowed if counts.valid else None,
        period_pro_rata=None if of_period is None else of_period / share_of(window, period),
        period_grant=of_period,
    )
