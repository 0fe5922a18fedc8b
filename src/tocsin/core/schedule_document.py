"""A schedule file (ONCALL-1) read into a `Schedule`, with every mistake named by its path.

{"name", "time_zone", "layers": [{"name", "priority", "start", "until"?, "time_zone"?, "rotation": {"unit", "every"},
 "users": [["a"], ["b", "c"]], "restrictions": [{"days"?, "from", "to"}]}],
 "overrides": [{"start", "end", "users", "priority"}]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.core.document_checks import known_only, optional_items, optional_whole, refuse_problems
from tocsin.core.document_reading import Cursor
from tocsin.core.errors import Invalid
from tocsin.core.on_call_now import Schedule
from tocsin.core.overrides import Override
from tocsin.core.rotations import Layer, Restriction, Rotation, Unit
from tocsin.core.wall_time import instant_of, zone

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Bounds that no honest rotation meets, so that one file cannot keep the machine busy.
MOST_ITEMS = 10_000
_LONGEST_EVERY = 10_000
# Stands for a time that could not be read; it is late, so that nothing seems to begin after it ends.
_UNREADABLE = datetime.max.replace(tzinfo=UTC)
_PRIORITIES = range(-1_000_000, 1_000_001)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::00)?")
_DESCRIBED_ELSEWHERE = ("description", "role", "team")
_SCHEDULE_KEYS = ("name", "time_zone", "layers", "overrides", *_DESCRIBED_ELSEWHERE)
_LAYER_KEYS = ("name", "priority", "start", "until", "time_zone", "rotation", "users", "restrictions")
_OVERRIDE_KEYS = ("start", "end", "users", "priority")


def parse_schedule(document: Mapping[str, Any]) -> Schedule:
    """The schedule that a parsed file describes. Raises `Invalid` with one sentence for each wrong field.

    Times without an offset are wall times of the schedule's (or the layer's) zone. The keys description, role and team
    are left to the caller.
    """
    cursor = Cursor(document)
    schedule = _schedule(cursor)
    refuse_problems(cursor)
    return schedule


def _schedule(cursor: Cursor) -> Schedule:
    known_only(cursor, _SCHEDULE_KEYS)
    where = _zone(cursor.at("time_zone"))
    layers = optional_items(cursor, "layers", most=MOST_ITEMS)
    overrides = optional_items(cursor, "overrides", most=MOST_ITEMS)
    if not layers and not overrides:
        cursor.at("layers").note("present", "A schedule needs at least one layer.")
    return Schedule(
        name=cursor.at("name").text(),
        time_zone=where.key,
        layers=tuple(_layer(item, where) for item in layers),
        # The order of the file is the order of creation, which decides between equal overrides.
        overrides=tuple(_override(item, where, created) for created, item in enumerate(overrides)),
    )


def _layer(cursor: Cursor, default_zone: ZoneInfo) -> Layer:
    known_only(cursor, _LAYER_KEYS)
    where = _zone(cursor.at("time_zone")) if cursor.has("time_zone") else default_zone
    start_at = _instant(cursor.at("start"), where)
    until_at = _instant(cursor.at("until"), where) if cursor.has("until") else None
    _ordered(cursor.at("until"), start_at, until_at)
    return Layer(
        name=cursor.at("name").text() if cursor.has("name") else cursor.where,
        start_at=start_at,
        time_zone=where.key,
        rotation=_rotation(cursor.at("rotation")),
        users=_turns(cursor.at("users")),
        until_at=until_at,
        restrictions=tuple(_restriction(item) for item in optional_items(cursor, "restrictions", most=MOST_ITEMS)),
        priority=optional_whole(cursor, "priority", default=1, allowed=_PRIORITIES),
    )


def _override(cursor: Cursor, where: ZoneInfo, created: int) -> Override:
    known_only(cursor, _OVERRIDE_KEYS)
    start_at, end_at = _instant(cursor.at("start"), where), _instant(cursor.at("end"), where)
    _ordered(cursor.at("end"), start_at, end_at)
    users = _users(cursor.at("users"))
    if not users:
        cursor.at("users").note("present", "An override needs at least one user.")
    return Override(
        start_at, end_at, users, optional_whole(cursor, "priority", default=0, allowed=_PRIORITIES), created
    )


def _rotation(cursor: Cursor) -> Rotation:
    known_only(cursor, ("unit", "every"))
    return Rotation(
        cursor.at("unit").choice(Unit), optional_whole(cursor, "every", default=1, allowed=range(1, _LONGEST_EVERY + 1))
    )


def _restriction(cursor: Cursor) -> Restriction:
    known_only(cursor, ("days", "from", "to"))
    days = cursor.at("days").texts() if cursor.has("days") else WEEKDAYS
    if not days or any(day not in WEEKDAYS for day in days):
        cursor.at("days").note("choice", f"Days are a list of some of {', '.join(WEEKDAYS)}.")
    weekdays = frozenset(WEEKDAYS.index(day) for day in days if day in WEEKDAYS)
    return Restriction(_clock(cursor.at("from")), _clock(cursor.at("to")), weekdays)


def _turns(cursor: Cursor) -> tuple[tuple[str, ...], ...]:
    # One name in place of a list of one is what people write first; it can mean nothing else.
    groups = tuple((item.value,) if isinstance(item.value, str) else _users(item) for item in cursor.items())
    if not any(groups):
        cursor.note("present", "A layer needs at least one user, as a list of lists.")
    return groups


def _users(cursor: Cursor) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cursor.texts()))


def _zone(cursor: Cursor) -> ZoneInfo:
    try:
        return zone(cursor.text())
    except Invalid as refusal:
        cursor.note("zone", refusal.fields["time_zone"])
        return zone("UTC")


def _instant(cursor: Cursor, where: ZoneInfo) -> datetime:
    try:
        read = cursor.value if isinstance(cursor.value, datetime) else datetime.fromisoformat(str(cursor.value))
        return instant_of(read, where) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        cursor.note("kind", "A time such as 2026-03-02T09:00:00Z belongs here.")
        return _UNREADABLE


def _ordered(cursor: Cursor, start_at: datetime, end_at: datetime | None) -> None:
    if end_at is not None and end_at <= start_at and start_at is not _UNREADABLE:
        cursor.note("order", "The end must be after the start.")


def _clock(cursor: Cursor) -> time:
    value = cursor.value
    # YAML 1.1 reads an unquoted 10:00 as the base-sixty number 600: minutes since midnight.
    text = f"{value // 60}:{value % 60:02}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    if text == "24:00":
        return time(0, 0)
    if found := _CLOCK.fullmatch(text):
        return time(int(found[1]), int(found[2]))
    cursor.note("kind", "A wall time such as 09:00 belongs here.")
    return time(0, 0)
