"""One look at many SLOs at once: who needs a closer one, and what is shown of everybody else.

An SLO is *quiet* when a full evaluation could decide nothing: no alert of it fires, no breach goes on, nothing burns,
and whether its data are there has not changed. For those the look gives the word for their health and the figures
people see; every boundary in it is decided with whole numbers, as in a full evaluation. All others are judged one by
one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tocsin.core.burn_rate import AllowedRatio, burn_rates, exceeds, falls_below
from tocsin.core.objective_health import HealthReason
from tocsin.core.rule_protocol import Rule
from tocsin.core.slo_windows import BoolArray, FloatArray, WindowArrays

WORDS = tuple(HealthReason)
_PLACE = {word: number for number, word in enumerate(WORDS)}


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is remembered of each SLO, bool arrays ``(n,)``.

    ``awake``: an alert fires or waits to, a breach goes on, or it was never evaluated. ``silent``: people were told that its data
    are lost. ``lost``: its source has been silent for too long; ``invalid``: it sent what cannot be counts;
    ``heard``: it had data once.
    """

    awake: BoolArray
    silent: BoolArray
    lost: BoolArray
    invalid: BoolArray
    heard: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """``closer``: who must be judged one by one. The rest holds for the others: ``health`` numbers ``WORDS``.

    ``remaining`` is the share of the grant left (NaN without one), ``burns`` the burn rates (NaN without events),
    ``hours`` those until nothing is left, infinite when that is not before the period's end.
    """

    closer: BoolArray
    health: npt.NDArray[np.int8]
    remaining: FloatArray
    burns: Mapping[timedelta, FloatArray]
    hours: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What SLOs that are looked at together have in common.

    ``forecast`` is by how much a calendar period's traffic so far is multiplied (1 for a rolling period),
    ``hours_left`` the horizon, ``projection`` the window whose pace is extended.
    """

    rule: Rule
    shown: tuple[timedelta, ...]
    projection: timedelta
    forecast: Fraction
    hours_left: Fraction


def look(
    terms: Terms,
    sums: Mapping[timedelta, WindowArrays],
    period: WindowArrays,
    known: Known,
    allowed: AllowedRatio,
) -> Look:
    """Look at SLOs with these window sums, each ending now, and these counts of their budget period."""
    rule = terms.rule
    own = sums[rule.own_window]
    gone = (period.valid > 0) & ~falls_below(period, limit=terms.forecast, allowed=allowed)
    health = _health(known, gone=gone, idle=own.valid == 0)
    lost = (health == _PLACE[HealthReason.NO_DATA]) & known.heard
    closer = known.awake | (lost != known.silent) | exceeds(own, limit=Fraction(1), allowed=allowed)
    closer |= rule.may_burn(sums, allowed)
    with np.errstate(divide="ignore", invalid="ignore"):
        grant = period.valid * (allowed.as_float() * float(terms.forecast))
        remaining = np.where(period.valid > 0, 1 - period.bad / grant, np.nan)
        pace = sums[terms.projection].bad / grant / (terms.projection / timedelta(hours=1))
        hours = np.where(gone, 0.0, remaining / pace)
    hours[~(hours < float(terms.hours_left)) & ~gone] = np.inf
    burns = {span: burn_rates(sums[span], allowed) for span in terms.shown}
    return Look(closer=np.asarray(closer), health=health, remaining=remaining, burns=burns, hours=hours)


def _health(known: Known, *, gone: BoolArray, idle: BoolArray) -> npt.NDArray[np.int8]:
    """The word of ``objective_health.health`` for SLOs that neither burn nor breach, first match first."""
    return np.select(
        [known.invalid, known.lost, gone, idle],
        [
            np.int8(_PLACE[word])
            for word in (
                HealthReason.INVALID,
                HealthReason.NO_DATA,
                HealthReason.EXHAUSTED,
                HealthReason.NO_TRAFFIC,
            )
        ],
        default=np.int8(_PLACE[HealthReason.MET]),
    ).astype(np.int8)
