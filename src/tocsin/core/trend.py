"""Will the budget end before its period does?"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from tocsin.core.error_budget import seconds
from tocsin.core.errors import Invalid


class TrendReason(StrEnum):
    """Why a trend is, or is not, called premature."""

    EXHAUSTED = "exhausted"
    ENDS_BEFORE_PERIOD = "ends_before_period"
    LASTS = "lasts"
    NOTHING_BURNS = "nothing_burns"


@dataclass(frozen=True, slots=True)
class Trend:
    """``hours`` until nothing is left (None: never), and whether that is before the period's end."""

    hours: Fraction | None
    premature: bool
    reason: TrendReason


def per_hour(depletion: Fraction, span: timedelta) -> Fraction:
    """Return the share of the grant consumed per hour over a trend window."""
    if span <= timedelta(0):
        raise Invalid({"span": "must be positive"})
    return depletion * 3600 / seconds(span)


def trend(remaining: Fraction, per_hour: Fraction, *, hours_left: Fraction) -> Trend:
    """Extend the present speed to exhaustion (requirements 4.5).

    Premature when nothing is left, or when the budget ends strictly before the period. A rolling
    period has no end: pass the horizon to look ahead as ``hours_left``.
    """
    if remaining <= 0:
        return Trend(Fraction(0), premature=True, reason=TrendReason.EXHAUSTED)
    if per_hour <= 0:
        return Trend(None, premature=False, reason=TrendReason.NOTHING_BURNS)
    hours = remaining / per_hour
    if hours < hours_left:
        return Trend(hours, premature=True, reason=TrendReason.ENDS_BEFORE_PERIOD)
    return Trend(hours, premature=False, reason=TrendReason.LASTS)
