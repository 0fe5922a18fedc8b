"""What can be said of an SLO now, and in which direction it moves. Unknown is never green."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tocsin.core.reasons import Reason


class HealthReason(Reason):
    """The health of an SLO and why; the code is what is stored."""

    INVALID = "invalid", "The source sent numbers that cannot be counts."
    NO_DATA = "no_data", "The source has been silent for too long; nothing is known."
    EXHAUSTED = "exhausted", "The error budget of the period is used up."
    BURNING = "burning", "More fails at present than the target allows."
    NO_TRAFFIC = "no_traffic", "The source answers, but nobody used the service."
    MET = "met", "Within the target."


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a verdict on health needs: when data last came, what they say, and how long silence is borne."""

    last_data_at: datetime | None
    invalid_at: datetime | None
    silence_limit: timedelta
    remaining: Fraction | None
    breaching: bool
    alerting: bool
    recent_valid: int


def health(seen: Observation, *, now: datetime) -> HealthReason:
    """Return the first word that fits, from the least to the most that is known."""
    if seen.invalid_at is not None and (seen.last_data_at is None or seen.invalid_at >= seen.last_data_at):
        return HealthReason.INVALID
    if seen.last_data_at is None or now - seen.last_data_at > seen.silence_limit:
        return HealthReason.NO_DATA
    if seen.remaining is not None and seen.remaining <= 0:
        return HealthReason.EXHAUSTED
    if seen.alerting or seen.breaching:
        return HealthReason.BURNING
    if seen.recent_valid == 0:
        return HealthReason.NO_TRAFFIC
    return HealthReason.MET


class Direction(Reason):
    """The four words of the burn-rate picture: which of a short and a long window is over the limit."""

    BURNING = "burning", "Both windows are over the limit."
    RISING = "rising", "The short window is over the limit, the long one not yet."
    RECOVERING = "recovering", "The long window is still over the limit, the short one no longer."
    FINE = "fine", "Neither window is over the limit."
    UNKNOWN = "unknown", "There are no events to judge by."


def direction(short: Fraction | None, long: Fraction | None, *, limit: Fraction) -> Direction:
    """Return the word for the burn rates of a short and a long window; None means no events in it."""
    if short is None and long is None:
        return Direction.UNKNOWN
    short_over, long_over = (short or 0) > limit, (long or 0) > limit
    if short_over:
        return Direction.BURNING if long_over else Direction.RISING
    return Direction.RECOVERING if long_over else Direction.FINE
