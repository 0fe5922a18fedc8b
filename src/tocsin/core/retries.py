"""Whether, and when, a failed delivery is tried again.

The back-off is exponential with a cap. Chance is passed in as a number, so a decision can be repeated. What a far side
asks for (`Retry-After`) is honoured within bounds that no far side can move.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from fractions import Fraction

from tocsin.core.reasons import Reason

_MOST_DOUBLINGS = 40
# Part of a back-off that chance may add. It is small enough that a later wait is still longer than an earlier one.
_JITTER_SHARE = Fraction(1, 10)
_LONGEST_ASKED = timedelta(days=1)


class Outcome(StrEnum):
    """What became of one try. `unknown`: the far side may or may not have taken it."""

    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class RetryReason(Reason):
    """Why a delivery is tried again, or not."""

    DONE = "done", "The far side accepted it."
    REFUSED = "refused", "The far side refused it for good."
    BACK_OFF = "back_off", "It failed and is tried again after a growing wait."
    ASKED_TO_WAIT = "asked_to_wait", "The far side asked for a longer wait."
    UNCERTAIN = "uncertain", "It may have arrived; it is sent again rather than lost."
    TRIES_USED_UP = "tries_used_up", "It failed too often."
    EXPIRED = "expired", "The next try would come too late to be of use."


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a kind of delivery is tried again.

    The wait after try n (the first is 1) is `first` * 2^(n-1), at most `longest`. A far side may ask for at most
    `stretch` times that. `unknown_wait` is the wait after the first uncertain try, None for the ordinary back-off.
    """

    first: timedelta
    longest: timedelta
    tries: int
    stretch: int = 1
    unknown_wait: timedelta | None = None


WEBHOOK_RETRIES = RetryPolicy(first=timedelta(seconds=1), longest=timedelta(hours=4), tries=20, stretch=2)
"""Six tries begin within 90 s even when each of them hangs for its full 10 s (WH-1); the last comes after about a day."""
PAGE_RETRIES = RetryPolicy(
    first=timedelta(seconds=2), longest=timedelta(minutes=1), tries=30, stretch=15, unknown_wait=timedelta(0)
)
"""For channels on which a repeated page is known as such by its id: an uncertain one is repeated at once."""
CALL_RETRIES = RetryPolicy(
    first=timedelta(seconds=5), longest=timedelta(minutes=2), tries=10, stretch=15, unknown_wait=timedelta(seconds=20)
)
"""For telephone channels without such an id: first there is time for the provider's own word about the call."""
CHAT_RETRIES = RetryPolicy(first=timedelta(seconds=2), longest=timedelta(minutes=5), tries=300, stretch=60)
"""For rooms of a chat tool: about a day, and what the tool asks for in `Retry-After` is kept."""
MAIL_RETRIES = RetryPolicy(first=timedelta(seconds=5), longest=timedelta(minutes=15), tries=60, stretch=3)
"""For mail that is no page; long enough for a mail server that is away for half a day."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The next try, or None when there is none."""

    at: datetime | None
    reason: RetryReason


def next_try(
    policy: RetryPolicy,
    outcome: Outcome,
    *,
    tries_made: int,
    now: datetime,
    jitter: Fraction | float,
    asked_wait: timedelta | None = None,
    expires_at: datetime | None = None,
) -> Retry:
    """When a delivery that ended in `outcome` on try number `tries_made` (from 1) is tried again.

    `jitter` is a number of [0, 1) drawn by the caller; `asked_wait` is what the far side asked for.
    """
    if outcome is Outcome.ACCEPTED:
        return Retry(None, RetryReason.DONE)
    if outcome is Outcome.PERMANENT:
        return Retry(None, RetryReason.REFUSED)
    if tries_made >= policy.tries:
        return Retry(None, RetryReason.TRIES_USED_UP)
    wait, reason = _wait(policy, outcome, tries_made, asked_wait)
    at = now + wait + wait * float(jitter) * float(_JITTER_SHARE)
    if expires_at is not None and at >= expires_at:
        return Retry(None, RetryReason.EXPIRED)
    return Retry(at, reason)


def _wait(
    policy: RetryPolicy, outcome: Outcome, tries_made: int, asked: timedelta | None
) -> tuple[timedelta, RetryReason]:
    if outcome is Outcome.UNKNOWN and tries_made == 1 and policy.unknown_wait is not None:
        return policy.unknown_wait, RetryReason.UNCERTAIN
    own = back_off(policy, tries_made=tries_made)
    # A wait of days is no request but a mistake or an attack, and is not answered at all.
    if asked is not None and own < asked <= _LONGEST_ASKED:
        return min(asked, own * policy.stretch), RetryReason.ASKED_TO_WAIT
    return own, RetryReason.UNCERTAIN if outcome is Outcome.UNKNOWN else RetryReason.BACK_OFF


def back_off(policy: RetryPolicy, *, tries_made: int) -> timedelta:
    """The wait after a number of failed tries, without chance and without what the far side asks for."""
    doublings = min(max(tries_made, 1) - 1, _MOST_DOUBLINGS)
    # Compared before multiplying: a duration cannot hold every power of two.
    return policy.longest if policy.first > policy.longest / 2**doublings else policy.first * 2**doublings


def outcome_of_http(status: int) -> Outcome:
    """What an HTTP status says about a message to a provider. Redirects are not followed and count as refused."""
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    return Outcome.TEMPORARY if status >= 500 or status in {408, 425, 429} else Outcome.PERMANENT


def outcome_of_webhook(status: int) -> Outcome:
    """What an HTTP status says about a webhook: anything but 2xx is tried again, and 410 ends it (WH-1)."""
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    return Outcome.PERMANENT if status == 410 else Outcome.TEMPORARY


def outcome_of_smtp(code: int) -> Outcome:
    """What an SMTP reply says: 2xx accepted, 4xx is tried again, 5xx is not; anything else is no reply at all."""
    return {2: Outcome.ACCEPTED, 4: Outcome.TEMPORARY, 5: Outcome.PERMANENT}.get(code // 100, Outcome.UNKNOWN)


def asked_wait(header: str | None, *, now: datetime) -> timedelta | None:
    """The wait that a `Retry-After` header asks for, as seconds or as a date; None for none, nonsense or the past."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text)) if len(text) <= 9 and int(text) > 0 else None
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return wait if wait > timedelta(0) else None
