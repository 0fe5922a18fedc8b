"""From a clock on the wall to an instant: the one place that knows about clock changes.

A wall time that comes twice is its first occurrence; one that is left out is the end of the gap. `zoneinfo` silently
accepts both, so nothing else in the project may turn a wall time into an instant.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.core.errors import Invalid

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
# Names that the machine, not the time zone database, gives a meaning to.
_LOCAL_NAMES = frozenset({"localtime", "posixrules", "Factory"})


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Raises `Invalid` under the path "time_zone" when there is none."""
    try:
        found = None if name in _LOCAL_NAMES else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = None
    if found is None:
        raise Invalid({"time_zone": f"There is no time zone called {name!r}; use a name such as Europe/Berlin."})
    return found


def instant_of(wall: datetime, where: ZoneInfo) -> datetime:
    """The UTC instant at which a naive wall time is shown in a zone."""
    first = wall.replace(tzinfo=where, fold=0)
    before, after = first.utcoffset(), first.replace(fold=1).utcoffset()
    if before is None or after is None:
        raise ValueError("a time zone without an offset")
    if before < after:
        return _clock_change(wall - after, wall - before, where)
    return (wall - before).replace(tzinfo=UTC)


def _clock_change(earliest: datetime, latest: datetime, where: ZoneInfo) -> datetime:
    """The instant in (earliest, latest], two naive UTC times, from which the zone has its new offset, to the second."""
    low, high = earliest.replace(microsecond=0, tzinfo=UTC), latest.replace(microsecond=0, tzinfo=UTC)
    offset_before = low.astimezone(where).utcoffset()
    while high - low > _SECOND:
        middle = low + _SECOND * ((high - low) // _SECOND // 2)
        if middle.astimezone(where).utcoffset() == offset_before:
            low = middle
        else:
            high = middle
    return high


def wall_of(instant: datetime, where: ZoneInfo) -> datetime:
    """The naive wall time that a zone shows at an instant."""
    return instant.astimezone(where).replace(tzinfo=None, fold=0)


def window_on(day: date, opens: time, closes: time, where: ZoneInfo) -> tuple[datetime, datetime]:
    """The half-open window [opens, closes) that belongs to the day it starts on, as two UTC instants.

    `closes` at or before `opens` is on the next day. A window that a clock change swallows whole is empty.
    """
    last_day = day if closes > opens else day + _DAY
    return instant_of(datetime.combine(day, opens), where), instant_of(datetime.combine(last_day, closes), where)
