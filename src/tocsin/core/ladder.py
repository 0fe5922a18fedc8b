"""The ladder of the product's own rule: which share of the budget, within which window, is worth telling of."""

from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from tocsin.core.alert_latch import Latch, Urgency


@dataclass(frozen=True, slots=True)
class Rung:
    """``share`` of the period's budget gone within ``window``, and ``still`` the window that shows it goes on.

    ``still_bad`` errors in it show that: with two, one ordinary error long after a fire does not bring it back. With
    ``since`` the errors must have begun before that last stretch: what has lasted may page for less than what may be over
    in a moment. With ``lost`` at least so long a stretch of the usual traffic must have failed, which a short burst
    cannot do. ``still_burning`` is the burn rate of that last stretch, where it is another than its ladder's.
    """

    window: timedelta
    still: timedelta
    share: Fraction
    still_bad: int = 1
    since: timedelta | None = None
    lost: timedelta | None = None
    still_burning: Fraction | None = None

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

    While its alert fires, people are told again when a rung of ``growth`` holds whose window began after they were told:
    the trouble has eaten so much more since.
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
    growth: tuple[Rung, ...] = ()

    def windows(self) -> frozenset[timedelta]:
        """Return the lookback windows this ladder needs."""
        spans = {span for rung in (*self.rungs, *self.growth) for span in rung.spans()}
        return frozenset(spans | {self.calm_window} | ({self.pace} if self.pace else set()))

    def telling_again(self, share: Fraction) -> "Ladder":
        """Return the ladder that tells people again at each further ``share`` of the budget; never again at 0."""
        return replace(self, growth=tuple(replace(rung, share=share) for rung in self.growth) if share else ())


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def _percent(of_budget: float) -> Fraction:
    return Fraction(str(of_budget)) / 100


_GROWN = _percent(3)

PAGE_LADDER = Ladder(
    urgency=Urgency.PAGE,
    rungs=(
        # A burst, however short.
        Rung(_minutes(1), _minutes(1), _percent(1.6)),
        Rung(_minutes(2), _minutes(1), _percent(1.6)),
        Rung(_minutes(5), _minutes(2), _percent(1.6)),
        # More than a burst can do.
        Rung(_minutes(5), _minutes(2), _percent(1.1), lost=_minutes(1)),
        Rung(_minutes(10), _minutes(2), _percent(1.1), lost=_minutes(1)),
        Rung(_minutes(20), _minutes(5), _percent(1.3), still_bad=2, lost=_minutes(1)),
        # What has lasted: longer than a hiccup, longer than a bad deploy takes to be gone.
        Rung(_minutes(5), _minutes(1), _percent(0.9), since=_minutes(4)),
        Rung(_minutes(10), _minutes(1), _percent(0.9), since=_minutes(4)),
        Rung(_minutes(20), _minutes(2), _percent(0.9), still_bad=2, since=_minutes(5)),
        Rung(_minutes(40), _minutes(5), _percent(1.2), still_bad=2, since=_minutes(10)),
        Rung(_minutes(90), _minutes(10), _percent(1.4), still_bad=3, since=_minutes(20)),
        Rung(_minutes(180), _minutes(20), _percent(2.0), still_bad=3, since=_minutes(40)),
        # One trouble after the other.
        Rung(_minutes(90), _minutes(10), _percent(3.0), still_bad=3),
        Rung(_minutes(180), _minutes(20), _percent(3.8), still_bad=3),
        Rung(_minutes(360), _minutes(20), _percent(5.0), still_bad=3),
    ),
    multiple=Fraction(2),
    doubt=0.001,
    least_bad=2,
    still_burning=Fraction(6),
    calm_window=_minutes(15),
    calm_burn=Fraction(1),
    latch=Latch(calm_for=_minutes(5), reopen_within=_minutes(30)),
    pace=timedelta(hours=24),
    # No window below an hour: nobody is told more often than that.
    growth=(
        Rung(_minutes(60), _minutes(10), _GROWN, still_bad=2),
        Rung(_minutes(180), _minutes(20), _GROWN, still_bad=2, still_burning=Fraction(2)),
        Rung(_minutes(360), _minutes(30), _GROWN, still_bad=2, still_burning=Fraction(1)),
        Rung(timedelta(hours=12), timedelta(hours=1), _GROWN, still_bad=2, still_burning=Fraction(1)),
        Rung(timedelta(hours=24), timedelta(hours=2), _GROWN, still_bad=2, still_burning=Fraction(1)),
    ),
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
