"""How an instant is written for people: in the viewer's zone, with the zone's short name beside it, always."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.core.cadence import is_late


def zone_of(name: str) -> tzinfo:
    """The zone of that name; UTC for a name the tz database does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def zone_name(instant: datetime, zone: tzinfo) -> str:
    """Short name at that instant: CET, IST, UTC; zones without letters read UTC+05:45."""
    name = instant.astimezone(zone).tzname() or "UTC"
    if name[0] not in "+-":
        return name
    hours, minutes = name[1:3], name[3:5]
    return f"UTC{name[0]}{hours}" + (f":{minutes}" if minutes else "")


def clock_text(instant: datetime, zone: tzinfo, *, now: datetime, form: str = "auto") -> str:
    """ "03:12 CET" today, "Mon 23 Nov 03:12 CET" otherwise, with the year when it is another one.

    `form`: auto | time | long | date (date alone carries no zone name: it names a day of the viewer's calendar).
    """
    local, today = instant.astimezone(zone), now.astimezone(zone)
    clock = f"{local:%H:%M} {zone_name(instant, zone)}" if form != "date" else ""
    if form == "time" or (form == "auto" and local.date() == today.date()):
        return clock
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local:%a} {local.day} {local:%b}{year} {clock}".rstrip()


def span_text(span: timedelta) -> str:
    """A duration in at most two units people act on: "45 s", "4 min", "1 h 46 min", "3 d 4 h"."""
    seconds = int(abs(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 and hours < 10 else "")
    if days < 14:
        return f"{days} d" + (f" {hours % 24} h" if hours % 24 and days < 4 else "")
    return f"{days} d"


def countdown_text(due: datetime, *, now: datetime, grace: timedelta = timedelta(0)) -> str:
    """ "in 41 min" before `due`, "due now" until the grace has passed, "12 min late" after it."""
    left = due - now
    if left < timedelta(0) and not is_late(due, grace, now=now):
        return "due now"
    return f"in {span_text(left)}" if left >= timedelta(0) else f"{span_text(left)} late"


def clock_age(instant: datetime, *, now: datetime) -> str:
    """T+1:12 for a running incident: hours and minutes since `instant`."""
    minutes = max(0, int((now - instant).total_seconds() // 60))
    return f"T+{minutes // 60}:{minutes % 60:02d}"


def iso(instant: datetime) -> str:
    """What goes into a `datetime` attribute: UTC with Z, whole seconds."""
    return instant.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
