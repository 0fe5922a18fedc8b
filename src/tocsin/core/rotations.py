"""Whose turn it is in one layer of a schedule: rotation periods on the wall clock, cut by restrictions.

Days, weeks and months are counted on the wall clock of the layer's zone, always from the layer's start, so that neither
a clock change nor a short month moves later handoffs. Hours are elapsed hours. The rotation goes on underneath the
restrictions: a turn that nobody sees is used up all the same.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import count
from zoneinfo import ZoneInfo

from tocsin.core.wall_time import instant_of, wall_of, window_on, zone

_DAY = timedelta(days=1)
# A handoff on the wall clock is at most this far from where plain elapsed time puts it: a zone that crosses the date
# line skips or repeats a whole day, and the estimate of the first turn must still start before it.
_CLOCK_SLACK = timedelta(days=2)


class Unit(StrEnum):
    """What the length of a rotation period is counted in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_LENGTHS = {
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: _DAY,
    Unit.WEEK: timedelta(weeks=1),
    Unit.MONTH: timedelta(days=28),
}


@dataclass(frozen=True, slots=True)
class Rotation:
    """The length of a rotation period: every `every` units."""

    unit: Unit
    every: int = 1


@dataclass(frozen=True, slots=True)
class Restriction:
    """A daily window of duty [opens, closes), on the weekdays it starts on (Monday is 0); `closes` <= `opens` is the next day."""

    opens: time
    closes: time
    weekdays: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Layer:
    """One row of a schedule: groups of users that take turns from `start_at` on, within the restrictions if there are any."""

    name: str
    start_at: datetime
    time_zone: str
    rotation: Rotation
    users: tuple[tuple[str, ...], ...]
    until_at: datetime | None = None
    restrictions: tuple[Restriction, ...] = ()
    priority: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """A half-open stretch of time [start_at, end_at) and the users who have it."""

    start_at: datetime
    end_at: datetime
    users: tuple[str, ...]


def handoff(layer: Layer, number: int) -> datetime:
    """The instant at which turn `number` (0 is the first) begins, whether or not the layer still runs then."""
    if number == 0:
        return layer.start_at
    amount = number * layer.rotation.every
    if layer.rotation.unit is Unit.HOUR:
        return layer.start_at + timedelta(hours=amount)
    where = zone(layer.time_zone)
    wall = wall_of(layer.start_at, where)
    if layer.rotation.unit is Unit.MONTH:
        return instant_of(_months_later(wall, amount), where)
    return instant_of(wall + amount * _LENGTHS[layer.rotation.unit], where)


def _months_later(wall: datetime, months: int) -> datetime:
    """The same day of a later month, or that month's last day when it is shorter."""
    years, month0 = divmod(wall.month - 1 + months, 12)
    last_day = calendar.monthrange(wall.year + years, month0 + 1)[1]
    return wall.replace(year=wall.year + years, month=month0 + 1, day=min(wall.day, last_day))


def turns(layer: Layer, *, start: datetime, end: datetime) -> Iterator[Turn]:
    """The turns of a layer that touch [start, end), whole, in order, before any restriction. Empty turns are left out."""
    if start >= end:
        return
    number = _turn_at(layer, start)
    begins = handoff(layer, number)
    stop = end if layer.until_at is None else min(end, layer.until_at)
    while begins < stop:
        ends = handoff(layer, number + 1)
        users = layer.users[number % len(layer.users)]
        shown_until = ends if layer.until_at is None else min(ends, layer.until_at)
        if users and shown_until > max(begins, start):
            yield Turn(begins, shown_until, users)
        number, begins = number + 1, ends


def _turn_at(layer: Layer, instant: datetime) -> int:
    """The number of the turn that an instant lies in; 0 before the layer's start."""
    elapsed = instant - layer.start_at
    if elapsed <= timedelta(0):
        return 0
    # A month has at least 28 days, so this is never too low; the search below only has to look back.
    upper = (elapsed + _CLOCK_SLACK) // (_LENGTHS[layer.rotation.unit] * layer.rotation.every) + 1
    return bisect_right(range(upper + 1), instant, key=lambda number: handoff(layer, number)) - 1


def duties(layer: Layer, *, start: datetime, end: datetime) -> Iterator[Turn]:
    """What a layer gives within [start, end): its turns, cut to the span and to the restrictions, in order."""
    windows = _open_windows(layer, start, end)
    first = 0
    for turn in turns(layer, start=start, end=end):
        while first < len(windows) and windows[first][1] <= turn.start_at:
            first += 1
        # A window may reach into the next turn, so the search for that one starts at `first` again.
        for position in range(first, len(windows)):
            opens, closes = windows[position]
            if opens >= turn.end_at:
                break
            yield Turn(max(opens, turn.start_at), min(closes, turn.end_at), turn.users)


def _open_windows(layer: Layer, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches of [start, end) in which a layer is on duty, in order and without overlap."""
    if not layer.restrictions:
        return [(start, end)]
    where = zone(layer.time_zone)
    found = sorted(
        (max(opens, start), min(closes, end))
        for day in _days_around(start, end, where)
        for restriction in layer.restrictions
        if day.weekday() in restriction.weekdays
        for opens, closes in [window_on(day, restriction.opens, restriction.closes, where)]
    )
    return _merged(found)


def _days_around(start: datetime, end: datetime, where: ZoneInfo) -> Iterator[date]:
    """The local days whose windows can touch [start, end): the day before belongs to it because windows cross midnight."""
    first, last = wall_of(start, where).date() - _DAY, wall_of(end, where).date()
    for offset in count():
        day = first + offset * _DAY
        if day > last:
            return
        yield day


def _merged(windows: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for opens, closes in windows:
        if opens >= closes:
            continue
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return merged
