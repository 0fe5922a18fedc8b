"""The one place that reads a clock.

A request or a loop turn asks once and hands `now` on. On SQLite the operating system's wall clock decides what is due,
and it never runs backwards for us; on PostgreSQL the database's clock does, so that all nodes agree. Only the demo may
add an offset and a speed.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.db import connection


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    """Wall clock of the machine, or of the database when that is PostgreSQL; monotone within the process."""

    def __init__(self) -> None:
        self._last = datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        """The present instant (aware, UTC). A clock that is set back stands still until it has caught up."""
        self._last = max(self._last, self._read())
        return self._last

    def _read(self) -> datetime:
        if connection.vendor != "postgresql":
            return wall_now()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            instant: datetime = cursor.fetchone()[0]
        return instant.astimezone(UTC)


@dataclass(slots=True)
class DemoClock:
    """A clock with an offset and a speed, for `tocsin demo` alone: virtual = start + (real - anchor) * speed."""

    start: datetime
    anchor: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        return self.start + (wall_now() - self.anchor) * self.speed

    def set_speed(self, speed: float) -> None:
        """Go on from the present instant at another speed."""
        self.start, self.anchor, self.speed = self.now(), wall_now(), speed

    def shift(self, by: timedelta) -> None:
        """Jump forward; a jump back is refused, because what was promised would be promised again."""
        if by < timedelta(0):
            raise ValueError("the demo clock only goes forward")
        self.start += by


class WoundClock:
    """A clock that stands still until it is wound: tests and the demo's past."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def wind(self, by: timedelta) -> datetime:
        self._now += by
        return self._now

    def wind_to(self, instant: datetime) -> datetime:
        self._now = max(self._now, instant)
        return self._now


_clock: Clock = SystemClock()


def wall_now() -> datetime:
    """The operating system's clock, for logs and leases of this process; never for what is due on PostgreSQL."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that only measures spans (watchdogs, latency)."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Give way for at most `seconds`.

    By `select`, because a timed wait on a threading primitive stands still under a faked clock, and a sleep until an
    absolute time is refused where only the wall clock is faked.
    """
    select.select([], [], [], seconds)


def now() -> datetime:
    """The instant that decides what is due (aware, UTC)."""
    return _clock.now()


def install(clock: Clock) -> Clock:
    """Replace the process's clock; returns the former one so that it can be put back."""
    global _clock
    former, _clock = _clock, clock
    return former


def installed() -> Clock:
    return _clock
