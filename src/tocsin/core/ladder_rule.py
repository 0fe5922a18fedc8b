"""The product's own rule: wake people early, rarely and for a reason.

A ladder of windows from a minute to six hours, each with the share of the budget that must have gone, finds a total
outage within a minute and a smouldering one within hours. What lasts, or has cost more than a burst can, pages for less
than what may be over in a moment. Three questions keep it from crying wolf: is it as much of the budget as it looks,
given a whole day's traffic and not only that of a quiet hour; are the errors too many to be chance at a multiple of the
allowed ratio; and are they still coming? It stays latched until calm, and a recurrence within half
an hour is the same story. What burns too slowly for a page becomes a ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tocsin.core.alert_latch import Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, burn_rate, exceeds, limit_for_share, might_exceed
from tocsin.core.rule_protocol import EVENTS, HeatArray, Unit, heats, limit_met
from tocsin.core.significance import poisson_lower_bounds
from tocsin.core.slo_windows import BoolArray, WindowArrays, WindowCounts


@dataclass(frozen=True, slots=True)
class Rung:
    """``share`` of the period's budget gone within ``window``, and ``still`` the window that shows it goes on.

    ``still_bad`` errors in it show that: with two, one ordinary error long after a fire does not bring it back. With
    ``since`` the errors must have begun before that last stretch: what has lasted may page for less than what may be over
    in a moment. With ``lost`` at least so long a stretch of the usual traffic must have failed, which a short burst
    cannot do.
    """

    window: timedelta
    still: timedelta
    share: Fraction
    still_bad: int = 1
    since: timedelta | None = None
    lost: timedelta | None = None

    def spans(self) -> tuple[timedelta, ...]:
        """Return the lookback windows it reads."""
        return (self.window, self.still) if self.since is None else (self.window, self.still, self.since)


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
        spans = {span for rung in self.rungs for span in rung.spans()}
        return frozenset(spans | {self.calm_window} | ({self.pace} if self.pace else set()))


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def _percent(of_budget: float) -> Fraction:
    return Fraction(str(of_budget)) / 100


PAGE_LADDER = Ladder(
    urgency=Urgency.PAGE,
    rungs=(
        # A burst, however short.
        Rung(_minutes(1), _minutes(1), _percent(1.5)),
        Rung(_minutes(2), _minutes(1), _percent(1.5)),
        Rung(_minutes(5), _minutes(2), _percent(1.5)),
        # More than a burst can do.
        Rung(_minutes(5), _minutes(2), _percent(1.1), lost=_minutes(1)),
        Rung(_minutes(10), _minutes(2), _percent(1.1), lost=_minutes(1)),
        Rung(_minutes(20), _minutes(5), _percent(1.3), still_bad=2, lost=_minutes(1)),
        # What has lasted: longer than a hiccup, longer than a bad deploy takes to be gone.
        Rung(_minutes(5), _minutes(1), _percent(1.4), since=_minutes(2)),
        Rung(_minutes(5), _minutes(1), _percent(0.9), since=_minutes(4)),
        Rung(_minutes(10), _minutes(1), _percent(0.9), since=_minutes(4)),
        Rung(_minutes(20), _minutes(2), _percent(0.9), still_bad=2, since=_minutes(5)),
        Rung(_minutes(40), _minutes(5), _percent(1.2), still_bad=2, since=_minutes(10)),
        Rung(_minutes(90), _minutes(10), _percent(1.4), still_bad=2, since=_minutes(20)),
        Rung(_minutes(180), _minutes(20), _percent(2.0), still_bad=2, since=_minutes(40)),
        # One trouble after the other.
        Rung(_minutes(90), _minutes(10), _percent(3.0), still_bad=2),
        Rung(_minutes(180), _minutes(20), _percent(3.8), still_bad=2),
        Rung(_minutes(360), _minutes(20), _percent(5.0), still_bad=2),
    ),
    multiple=Fraction(2),
    doubt=0.001,
    least_bad=2,
    still_burning=Fraction(6),
    calm_window=_minutes(15),
    calm_burn=Fraction(1),
    latch=Latch(calm_for=_minutes(5), reopen_within=_minutes(30)),
    pace=timedelta(hours=24),
)

TICKET_LADDER = Ladder(
    urgency=Urgency.TICKET,
    rungs=(
        Rung(timedelta(hours=6), _minutes(30), _percent(2.0)),
        Rung(timedelta(hours=12), timedelta(hours=1), _percent(3.0)),
        Rung(timedelta(hours=24), timedelta(hours=2), _percent(5.0)),
        Rung(timedelta(days=3), timedelta(hours=6), _percent(10)),
    ),
    multiple=Fraction(1),
    doubt=0.1,
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
        holds = self._spends(ladder, rung, sums, allowed)
        rows = np.flatnonzero(holds)
        if rows.size:
            # The other questions are asked only where so much is gone: that is rare, in a fleet as in a replay.
            few = {span: _at(sums[span], rows) for span in {*rung.spans(), ladder.pace or rung.window}}
            holds[rows] = self._is_fire(ladder, rung, few, allowed.at(rows))
        return holds

    def _is_fire(
        self, ladder: Ladder, rung: Rung, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio
    ) -> BoolArray:
        still = sums[rung.still]
        return np.asarray(
            exceeds(still, limit=ladder.still_burning, allowed=allowed)
            & (still.bad >= rung.still_bad * self.unit.parts)
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
        holding = [rung for rung in ladder.rungs if self._rung_holds(ladder, rung, sums, allowed)[0]]
        if holding:
            return min(holding, key=lambda rung: rung.window)
        return max(ladder.rungs, key=lambda rung: self._pressure(rung, windows, target))

    def _pressure(self, rung: Rung, windows: Mapping[timedelta, WindowCounts], target: Decimal) -> Fraction:
        burn = burn_rate(target, windows[rung.window].valid, windows[rung.window].bad)
        return (burn or Fraction(0)) / self.limit(rung)


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
