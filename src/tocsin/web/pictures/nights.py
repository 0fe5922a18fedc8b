"""The nights that a picture shades, on the clock of whoever looks at it."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from tocsin.core.wall_time import instant_of
from tocsin.core.wall_time import zone as wall_zone

_MOST = 32


def nights(
    night: tuple[time, time] | None, since: datetime, until: datetime, where: tzinfo
) -> list[tuple[datetime, datetime]]:
    """The nights between two moments, cut to them; at most a month of them. `night` is from and to on the clock."""
    if night is None:
        return []
    begins, ends = night
    zone = wall_zone(str(where))
    first = since.astimezone(where).date() - timedelta(days=1)
    found = []
    for days in range(min((until - since).days + 3, _MOST)):
        day = first + timedelta(days=days)
        last = day if begins < ends else day + timedelta(days=1)
        start = max(instant_of(datetime.combine(day, begins), zone), since)
        end = min(instant_of(datetime.combine(last, ends), zone), until)
        if start < end:
            found.append((start, end))
    return found
