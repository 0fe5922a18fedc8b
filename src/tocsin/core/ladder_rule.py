"""The product's own rule: wake people early, rarely and for a reason.

A ladder of windows from a minute to six hours, each with the share of the budget that must have gone, finds a total
outage within a minute and a smouldering one within hours. What lasts, or has cost more than a burst can, pages for less
than what may be over in a moment. Three questions keep it from crying wolf: is it as much of the budget as it looks,
given a whole day's traffic and not only that of a quiet hour; are the errors too many to be chance at a multiple of the
allowed ratio; and are they still coming? It stays latched until calm, and a recurrence within half
an hour is the same story. While it lasts, people are told again when a further share of the budget is gone, once an hour
at most. What burns too slowly for a page becomes a ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tocsin.core.alert_latch import Heat, Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, burn_rate, exceeds, limit_for_share, might_exceed
from tocsin.core.ladder import PAGE_LADDER, TICKET_LADDER, Ladder, Rung
from tocsin.core.rule_protocol import EVENTS, HeatArray, Unit, heats, limit_met
from tocsin.core.significance import poisson_lower_bounds
from tocsin.core.slo_windows import BoolArray, WindowArrays, WindowCounts


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
        """Return one latch for each ladder, and after them one for each way it tells of growth."""
        return (
            *((ladder.urgency, ladder.latch) for ladder in self.ladders),
            *((ladder.urgency, Latch(grown_in=rung.window)) for ladder in self.ladders for rung in ladder.growth),
        )

    @property
    def told_again(self) -> Fraction:
        """The further share of the budget at which people are told again; 0 when they are told once."""
        return max((rung.share for ladder in self.ladders for rung in ladder.growth), default=Fraction(0))

    def telling_again(self, share: Fraction) -> "LadderRule":
        """Return the rule that tells people again at each further ``share`` of the budget; never again at 0."""
        return replace(self, ladders=tuple(ladder.telling_again(share) for ladder in self.ladders))

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose counts the rule needs, shortest first."""
        return tuple(sorted({self.own_window}.union(*(ladder.windows() for ladder in self.ladders))))

    def heats(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> tuple[HeatArray, ...]:
        """Return one int8 array of ``Heat`` for each latch, shape ``(n,)``."""
        return (
            *(self._heats(ladder, sums, allowed) for ladder in self.ladders),
            *(self._grown(ladder, rung, sums, allowed) for ladder in self.ladders for rung in ladder.growth),
        )

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
        going_on: dict[tuple[timedelta, Fraction | None], npt.NDArray[np.intp]] = {}
        for rung in ladder.rungs:
            stretch = rung.still, rung.still_burning
            if stretch not in going_on:
                going_on[stretch] = _going_on(ladder, rung, sums, allowed)
            rows = going_on[stretch]
            if rows.size:
                burning[rows] |= self._rung_holds(ladder, rung, rows, sums, allowed)
        calm = np.logical_not(exceeds(sums[ladder.calm_window], limit=ladder.calm_burn, allowed=allowed))
        # A long window still remembers errors that have stopped: calm outweighs it.
        return heats(burning & ~calm, calm=calm, valid=longest.valid)

    def _grown(
        self, ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
    ) -> HeatArray:
        result = np.full(sums[rung.window].valid.shape, Heat.CALM, dtype=np.int8)
        rows = _going_on(ladder, rung, sums, allowed)
        if rows.size:
            result[rows[self._rung_holds(ladder, rung, rows, sums, allowed)]] = Heat.BURNING
        return result

    def _rung_holds(
        self,
        ladder: Ladder,
        rung: Rung,
        rows: npt.NDArray[np.intp],
        sums: Mapping[timedelta, WindowArrays],
        allowed: AllowedRatio,
    ) -> BoolArray:
        """Of the rows whose errors go on, those in which the rung holds."""
        few = {span: _at(sums[span], rows) for span in {*rung.spans(), ladder.pace or rung.window}}
        few_allowed = allowed.at(rows)
        holds = self._spends(ladder, rung, few, few_allowed)
        spending = np.flatnonzero(holds)
        if spending.size:
            fewer = {span: _at(counts, spending) for span, counts in few.items()}
            holds[spending] = self._is_fire(ladder, rung, fewer, few_allowed.at(spending))
        return holds

    def _is_fire(
        self, ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
    ) -> BoolArray:
        return np.asarray(
            (sums[rung.still].bad >= rung.still_bad * self.unit.parts)
            & is_significant(self._whole(sums[rung.window]), ladder, allowed)
            & _has_lasted(ladder, rung, sums, allowed)
            & _has_lost(ladder, rung, sums)
        )

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
        holding = [
            rung
            for rung in ladder.rungs
            if (rows := _going_on(ladder, rung, sums, allowed)).size
            and self._rung_holds(ladder, rung, rows, sums, allowed)[0]
        ]
        if holding:
            return min(holding, key=lambda rung: rung.window)
        return max(ladder.rungs, key=lambda rung: self._pressure(rung, windows, target))

    def _pressure(self, rung: Rung, windows: Mapping[timedelta, WindowCounts], target: Decimal) -> Fraction:
        burn = burn_rate(target, windows[rung.window].valid, windows[rung.window].bad)
        return (burn or Fraction(0)) / self.limit(rung)


def _going_on(
    ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
) -> npt.NDArray[np.intp]:
    """The rows whose errors go on. Asked first: they are few, in a fleet as in a replay."""
    limit = ladder.still_burning if rung.still_burning is None else rung.still_burning
    return np.flatnonzero(exceeds(sums[rung.still], limit=limit, allowed=allowed))


def _at(counts: WindowArrays, rows: npt.NDArray[np.intp]) -> WindowArrays:
    return WindowArrays(valid=counts.valid[rows], bad=counts.bad[rows])


def _has_lasted(
    ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
) -> BoolArray | bool:
    """Whether it burned in the part of the window before ``since`` as well."""
    if rung.since is None:
        return True
    whole, late = sums[rung.window], sums[rung.since]
    # Windows of a running series need not nest to the event: never below nothing.
    early = WindowArrays(valid=np.maximum(whole.valid - late.valid, 0), bad=np.maximum(whole.bad - late.bad, 0))
    return exceeds(early, limit=ladder.still_burning, allowed=allowed)


def _has_lost(ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays]) -> BoolArray | bool:
    """Whether as many events failed as usually come in the time of ``lost``."""
    if rung.lost is None:
        return True
    usual = ladder.pace or rung.window
    second = timedelta(seconds=1)
    return np.asarray(sums[rung.window].bad * (usual // second) > sums[usual].valid * (rung.lost // second))


def is_significant(counts: WindowArrays, ladder: Ladder, allowed: AllowedRatio) -> BoolArray:
    """Return where the errors are too many to be chance at ``multiple`` times the allowed ratio."""
    chance = counts.valid * (allowed.as_float() * float(ladder.multiple))
    certain = poisson_lower_bounds(counts.bad, doubt=ladder.doubt)
    return np.asarray((certain > chance) & (counts.bad >= ladder.least_bad))
