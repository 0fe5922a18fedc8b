"""The product's own rule: wake people early, rarely and for a reason.

A ladder of windows from a minute to six hours, each with the share of the budget that must have gone, finds a total
outage within a minute and a smouldering one within hours. Three questions keep it from crying wolf: is it as much of the
budget as it looks, given a whole day's traffic and not only that of a quiet hour; are the errors too many to be chance
at a multiple of the allowed ratio; and are they still coming? It stays latched until calm, and a recurrence within the
hour is the same story. What burns too slowly for a page becomes a ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np

from tocsin.core.alert_latch import Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, burn_rate, exceeds, limit_for_share, might_exceed
from tocsin.core.rule_protocol import EVENTS, HeatArray, Unit, heats, limit_met
from tocsin.core.significance import poisson_lower_bounds
from tocsin.core.slo_windows import BoolArray, WindowArrays, WindowCounts


@dataclass(frozen=True, slots=True)
class Rung:
    """``share`` of the period's budget gone within ``window``, and ``still`` the window that shows it goes on."""

    window: timedelta
    still: timedelta
    share: Fraction


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs of one urgency and what makes their errors worth believing.

    A rung's budget is reckoned from its own window's traffic (a burn rate). With ``pace`` it is reckoned from that
    longer window's traffic, and the burn rate need reach only ``pace_floor`` of its limit: an hour of the peak then
    weighs as much as it spends. Errors count when the lower Poisson bound with ``doubt`` is above ``multiple`` times what
    is allowed, and there are at least ``least_bad``. They go on when the short window burns faster than
    ``still_burning``. Calm is a burn rate of at most ``calm_burn`` over ``calm_window``.
    """

    urgency: Urgency
    rungs: tuple[Rung, ...]
    multiple: Fraction
    doubt: float
    least_bad: int
    still_burning: Fraction
    calm_window: timedelta
    calm_burn: Fraction
    latch: Latch
    pace: timedelta | None = None
    pace_floor: Fraction = Fraction(1, 2)

    def windows(self) -> frozenset[timedelta]:
        """Return the lookback windows this ladder needs."""
        spans = {span for rung in self.rungs for span in (rung.window, rung.still)}
        return frozenset(spans | {self.calm_window} | ({self.pace} if self.pace else set()))


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


PAGE_LADDER = Ladder(
    urgency=Urgency.PAGE,
    rungs=(
        Rung(_minutes(1), _minutes(1), Fraction(16, 1000)),
        Rung(_minutes(2), _minutes(1), Fraction(16, 1000)),
        Rung(_minutes(5), _minutes(2), Fraction(16, 1000)),
        Rung(_minutes(10), _minutes(2), Fraction(16, 1000)),
        Rung(_minutes(20), _minutes(5), Fraction(16, 1000)),
        Rung(_minutes(40), _minutes(5), Fraction(20, 1000)),
        Rung(_minutes(90), _minutes(10), Fraction(25, 1000)),
        Rung(_minutes(180), _minutes(20), Fraction(30, 1000)),
        Rung(_minutes(360), _minutes(30), Fraction(40, 1000)),
    ),
    multiple=Fraction(2),
    doubt=0.001,
    least_bad=2,
    still_burning=Fraction(6),
    calm_window=_minutes(15),
    calm_burn=Fraction(1),
    latch=Latch(calm_for=_minutes(5), reopen_within=_minutes(60)),
    pace=timedelta(hours=24),
)

TICKET_LADDER = Ladder(
    urgency=Urgency.TICKET,
    rungs=(
        Rung(timedelta(hours=6), _minutes(30), Fraction(30, 1000)),
        Rung(timedelta(hours=12), timedelta(hours=1), Fraction(45, 1000)),
        Rung(timedelta(hours=24), timedelta(hours=2), Fraction(60, 1000)),
        Rung(timedelta(days=3), timedelta(hours=6), Fraction(100, 1000)),
    ),
    multiple=Fraction(1),
    doubt=0.01,
    least_bad=2,
    still_burning=Fraction(1),
    calm_window=timedelta(hours=2),
    calm_burn=Fraction(1),
    latch=Latch(calm_for=_minutes(30), reopen_within=timedelta(hours=24), yields_for_good=True),
)


@dataclass(frozen=True, slots=True)
class LadderRule:
    """Pages by the quick ladder, tickets by the slow one.

    Where shares are counted in parts, whether errors may be chance is asked of whole units: a slice is one observation.
    """

    name: str = "tocsin"
    period: timedelta = timedelta(days=30)
    ladders: tuple[Ladder, ...] = field(default=(PAGE_LADDER, TICKET_LADDER))
    every: timedelta | None = None
    own_window: timedelta = timedelta(hours=1)
    unit: Unit = EVENTS

    @property
    def latches(self) -> tuple[tuple[Urgency, Latch], ...]:
        """Return one latch for each ladder."""
        return tuple((ladder.urgency, ladder.latch) for ladder in self.ladders)

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose counts the rule needs, shortest first."""
        return tuple(sorted({self.own_window}.union(*(ladder.windows() for ladder in self.ladders))))

    def heats(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> tuple[HeatArray, ...]:
        """Return one int8 array of ``Heat`` for each ladder, shape ``(n,)``."""
        return tuple(self._heats(ladder, sums, allowed) for ladder in self.ladders)

    def may_burn(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> BoolArray:
        """Return where a rung could hold: its window burns faster than 1, and so does the one that shows it goes on."""
        found = np.zeros(sums[self.own_window].valid.shape, dtype=np.bool_)
        burning = {span: might_exceed(sums[span], limit=Fraction(1), allowed=allowed) for span in self._rung_windows()}
        for ladder in self.ladders:
            still = {
                span: might_exceed(sums[span], limit=ladder.still_burning, allowed=allowed)
                for span in {rung.still for rung in ladder.rungs}
            }
            for rung in ladder.rungs:
                found |= burning[rung.window] & still[rung.still]
        return found

    def _rung_windows(self) -> frozenset[timedelta]:
        return frozenset(rung.window for ladder in self.ladders for rung in ladder.rungs)

    def limit(self, rung: Rung) -> Fraction:
        """Return the burn rate a rung must exceed; never below 1, at which a service keeps its budget."""
        return max(Fraction(1), limit_for_share(rung.share, rung.window, self.period))

    def _heats(self, ladder: Ladder, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> HeatArray:
        longest = sums[max(rung.window for rung in ladder.rungs)]
        burning = np.zeros(longest.valid.shape, dtype=np.bool_)
        for rung in ladder.rungs:
            burning |= self._rung_holds(ladder, rung, sums, allowed)
        calm = np.logical_not(exceeds(sums[ladder.calm_window], limit=ladder.calm_burn, allowed=allowed))
        # A long window still remembers errors that have stopped: calm outweighs it.
        return heats(burning & ~calm, calm=calm, valid=longest.valid)

    def _rung_holds(
        self, ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
    ) -> BoolArray:
        counts = sums[rung.window]
        holds = np.asarray(
            self._spends(ladder, rung, sums, allowed)
            & exceeds(sums[rung.still], limit=ladder.still_burning, allowed=allowed)
        )
        # Chance is the dear question; of most rows, and of nearly all minutes of a past, it need not be asked.
        places = np.flatnonzero(holds)
        asked = self._whole(WindowArrays(counts.valid[places], counts.bad[places]))
        holds[places] = is_significant(asked, ladder, allowed.at(places))
        return holds

    def _whole(self, counts: WindowArrays) -> WindowArrays:
        parts = self.unit.parts
        return counts if parts == 1 else WindowArrays(valid=counts.valid // parts, bad=counts.bad // parts)

    def _spends(
        self, ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
    ) -> BoolArray:
        counts = sums[rung.window]
        if ladder.pace is None:
            return exceeds(counts, limit=self.limit(rung), allowed=allowed)
        fast = exceeds(counts, limit=max(Fraction(1), self.limit(rung) * ladder.pace_floor), allowed=allowed)
        against_pace = WindowArrays(valid=sums[ladder.pace].valid, bad=counts.bad)
        share = limit_for_share(rung.share, ladder.pace, self.period)
        return np.asarray(fast & exceeds(against_pace, limit=share, allowed=allowed))

    def explain(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> str:
        """Describe the shortest rung of this urgency that holds, or the one nearest to its limit."""
        rung = self._telling(windows, target, urgency)
        limit = self.limit(rung)
        counts = windows[rung.window]
        spent = limit_met(counts, window=rung.window, limit=limit, target=target, unit=self.unit)
        return f"{spent} for {float(rung.share) * 100:g} % of the budget at even traffic"

    def speaks_of(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> timedelta:
        """Return the window of the rung that ``explain`` describes."""
        return self._telling(windows, target, urgency).window

    def _telling(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> Rung:
        """The shortest rung that holds; while none does, the one nearest to its limit.

        The shortest, because it says best since when: with little history every longer window holds the same events.
        """
        ladder = next(ladder for ladder in self.ladders if ladder.urgency is urgency)
        sums = {span: WindowArrays.of([counts]) for span, counts in windows.items()}
        allowed = AllowedRatio.of(target)
        holding = [rung for rung in ladder.rungs if self._rung_holds(ladder, rung, sums, allowed)[0]]
        if holding:
            return min(holding, key=lambda rung: rung.window)
        return max(ladder.rungs, key=lambda rung: self._pressure(rung, windows, target))

    def _pressure(self, rung: Rung, windows: Mapping[timedelta, WindowCounts], target: Decimal) -> Fraction:
        burn = burn_rate(target, windows[rung.window].valid, windows[rung.window].bad)
        return (burn or Fraction(0)) / self.limit(rung)


def is_significant(counts: WindowArrays, ladder: Ladder, allowed: AllowedRatio) -> BoolArray:
    """Return where the errors are too many to be chance at ``multiple`` times the allowed ratio."""
    chance = counts.valid * (allowed.as_float() * float(ladder.multiple))
    certain = poisson_lower_bounds(counts.bad, doubt=ladder.doubt)
    return np.asarray((certain > chance) & (counts.bad >= ladder.least_bad))
