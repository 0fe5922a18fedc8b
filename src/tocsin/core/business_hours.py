"""Business hours of a team: when they are open, and when they open next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tocsin.core.wall_time import wall_of, window_on, zone

_DAY = timedelta(days=1)
# Holidays that cover more than this are taken for a mistake: what waits must not wait for ever.
_LONGEST_CLOSED_DAYS = 400


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """The half-open window [opens, closes) of a zone's weekdays (Monday is 0), holidays left out.

    `closes` at or before `opens` is on the next day; a window belongs to the day it starts on. Raises `ValueError`
    without a weekday.
    """

    time_zone: str
    weekdays: frozenset[int] = frozenset(range(5))
    opens: time = time(9)
    closes: time = time(17)
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise ValueError("business hours need weekdays from 0 (Monday) to 6 (Sunday)")


def is_open(hours: BusinessHours, *, now: datetime) -> bool:
    """Whether `now` lies in business hours."""
    return next_open(hours, now=now) == now


def next_open(hours: BusinessHours, *, now: datetime) -> datetime:
    """`now` when it lies in business hours, else the next opening as a UTC instant.

    After more than 400 days of holidays the holidays are ignored.
    """
    found = _next_open(hours, now, hours.holidays)
    return found or _next_open(hours, now, frozenset()) or now


def _next_open(hours: BusinessHours, now: datetime, holidays: frozenset[date]) -> datetime | None:
    where = zone(hours.time_zone)
    # Yesterday's window may reach past midnight.
    first = wall_of(now, where).date() - _DAY
    for day in (first + offset * _DAY for offset in range(_LONGEST_CLOSED_DAYS)):
        if day.weekday() not in hours.weekdays or day in holidays:
            continue
        opens_at, closes_at = window_on(day, hours.opens, hours.closes, where)
        if now < closes_at and opens_at < closes_at:
            return max(now, opens_at)
    return None
