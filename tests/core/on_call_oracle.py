"""A second, slow way to say who is on call: minute by minute, by the words of the contract, sharing no code with the first.

It reads the schedule file itself, finds the instant of a wall time by looking at every minute around it, and asks for one
moment at a time.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@cache
def first_minute(wall: datetime, where: str) -> datetime:
    """The first minute at which the wall shows `wall`, else the first at which it shows something later."""
    begins = wall.replace(tzinfo=UTC) - timedelta(hours=27)
    minutes = [begins + n * MINUTE for n in range(54 * 60)]
    shown = [minute.astimezone(ZoneInfo(where)).replace(tzinfo=None) for minute in minutes]
    exact = [minute for minute, text in zip(minutes, shown, strict=True) if text == wall]
    return exact[0] if exact else next(minute for minute, text in zip(minutes, shown, strict=True) if text > wall)


def on_call(document: Mapping[str, Any], now: datetime) -> tuple[frozenset[str], bool]:
    """The people on call at a whole minute, and whether an override put them there."""
    overrides = [
        (override.get("priority", 0), index, override["users"])
        for index, override in enumerate(document.get("overrides", ()))
        if _instant(override["start"]) <= now < _instant(override["end"])
    ]
    if overrides:
        return frozenset(max(overrides)[2]), True
    given = [
        (layer.get("priority", 1), _users(layer, layer.get("time_zone", document["time_zone"]), now))
        for layer in document["layers"]
    ]
    given = [(priority, users) for priority, users in given if users]
    highest = max((priority for priority, _ in given), default=None)
    return frozenset(user for priority, users in given if priority == highest for user in users), False


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _users(layer: Mapping[str, Any], where: str, now: datetime) -> list[str]:
    if now < _instant(layer["start"]) or ("until" in layer and now >= _instant(layer["until"])):
        return []
    if layer.get("restrictions") and not any(_open(one, where, now) for one in layer["restrictions"]):
        return []
    number = next(n for n in count() if _handoff(layer, where, n + 1) > now)
    users: list[str] = layer["users"][number % len(layer["users"])]
    return users


def _handoff(layer: Mapping[str, Any], where: str, number: int) -> datetime:
    start = _instant(layer["start"])
    unit, amount = layer["rotation"]["unit"], number * layer["rotation"]["every"]
    if number == 0:
        return start
    if unit == "hour":
        return start + timedelta(hours=amount)
    wall = start.astimezone(ZoneInfo(where)).replace(tzinfo=None)
    if unit == "month":
        month = wall.year * 12 + wall.month - 1 + amount
        year, month = month // 12, month % 12 + 1
        return first_minute(
            wall.replace(year=year, month=month, day=min(wall.day, calendar.monthrange(year, month)[1])), where
        )
    return first_minute(wall + amount * (DAY if unit == "day" else 7 * DAY), where)


def _open(restriction: Mapping[str, Any], where: str, now: datetime) -> bool:
    today = now.astimezone(ZoneInfo(where)).date()
    return any(_open_from(restriction, where, now, today + n * DAY) for n in (-2, -1, 0, 1))


def _open_from(restriction: Mapping[str, Any], where: str, now: datetime, day: date) -> bool:
    if DAYS[day.weekday()] not in restriction.get("days", DAYS):
        return False
    begins, ends = (datetime.fromisoformat(f"{day}T{restriction[key]}:00") for key in ("from", "to"))
    ends += DAY if ends <= begins else timedelta(0)
    return first_minute(begins, where) <= now < first_minute(ends, where)
