"""By which ways, and when, one page tries to reach one person; and whose messages go first.

The ladder belongs to the page, not to the sending: it is laid out when the page is made, so that a slow provider never
delays the next way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType

from tocsin.core.contact_readiness import Contact
from tocsin.core.reasons import Reason

DEFAULT_DELAYS: Mapping[str, timedelta] = MappingProxyType(
    {
        "push": timedelta(0),
        "chat": timedelta(0),
        "webhook": timedelta(0),
        "voice": timedelta(minutes=1),
        "sms": timedelta(minutes=3),
        "email": timedelta(minutes=5),
    }
)
"""When each channel is tried, counted from the page, where the person has not chosen otherwise."""


class PlanReason(Reason):
    """Why a way to reach a person is in the plan."""

    CHOSEN = "chosen", "The person can be reached this way."
    UNVERIFIED = "unverified", "The person has not tried out this way, but no other is left."
    BROKEN = "broken", "This way failed before, but no other is left."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way and the instant at which it is tried. `position` counts from 0 within the plan."""

    contact: Contact
    at: datetime
    position: int
    reason: PlanReason = PlanReason.CHOSEN


def delivery_plan(
    contacts: Sequence[Contact],
    *,
    now: datetime,
    last_resort: bool,
    delays: Mapping[str, timedelta] = DEFAULT_DELAYS,
) -> tuple[Attempt, ...]:
    """The ways in the order in which they are tried; empty when the person cannot be reached.

    The first way is always tried at once: who has only mail is not left asleep for mail's five minutes. With
    `last_resort` (the gravest priorities) ways that are not verified or fail at present are used when nothing else is
    left. An address that stands twice is tried once, at its sooner time.
    """
    usable, reason = _usable(contacts, last_resort=last_resort)
    ordered = sorted(_once_each(usable, delays).items(), key=lambda item: item[1])
    first = ordered[0][1] if ordered else timedelta(0)
    return tuple(
        Attempt(contact, now + (delay - first if position == 0 else delay), position, reason)
        for position, (contact, delay) in enumerate(ordered)
    )


def _usable(contacts: Sequence[Contact], *, last_resort: bool) -> tuple[list[Contact], PlanReason]:
    enabled = [contact for contact in contacts if contact.enabled]
    choices = [(PlanReason.CHOSEN, [contact for contact in enabled if contact.verified and not contact.failing])]
    if last_resort:
        choices.append((PlanReason.UNVERIFIED, [contact for contact in enabled if not contact.failing]))
        choices.append((PlanReason.BROKEN, enabled))
    for reason, found in choices:
        if found:
            return found, reason
    return [], PlanReason.CHOSEN


def _once_each(contacts: Sequence[Contact], delays: Mapping[str, timedelta]) -> dict[Contact, timedelta]:
    found: dict[tuple[str, str], tuple[Contact, timedelta]] = {}
    for contact in contacts:
        delay = contact.delay if contact.delay is not None else delays.get(contact.channel, timedelta(0))
        known = found.get((contact.channel, contact.address))
        if known is None or delay < known[1]:
            found[contact.channel, contact.address] = (contact, delay)
    return dict(found.values())


def after_failure(plan: Sequence[Attempt], *, failed: int, now: datetime) -> tuple[Attempt, ...]:
    """What is left of a plan when the way at position `failed` failed for good: the next one is tried at once.

    Empty means that the person cannot be reached, and the escalation should move on now.
    """
    rest = [attempt for attempt in plan if attempt.position > failed]
    if not rest:
        return ()
    return (replace(rest[0], at=min(rest[0].at, now)), *rest[1:])


class Traffic(IntEnum):
    """What a message is for; the smaller number goes first."""

    PAGE = 0
    FOLLOW_UP = 1
    STAKEHOLDERS = 2
    WEBHOOK = 3
    BACKGROUND = 4


_LANES_EACH = 10


def lane(traffic: Traffic, *, priority: int | None, unset_as: int) -> int:
    """The lane of the send queue, the lowest first: by traffic, then by priority (1 is highest).

    `unset_as` is the priority as which an incident without one is treated. Priorities above 9 share the last lane.
    """
    rank = unset_as if priority is None else priority
    return traffic * _LANES_EACH + min(max(rank, 0), _LANES_EACH - 1)
