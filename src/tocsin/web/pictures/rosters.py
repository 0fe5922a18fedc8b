"""From a schedule to what a person reads of it: the lane of a calendar, the entries of an agenda, now and next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from tocsin.core.on_call_now import Gap, OnCall, Schedule, gaps, on_call_now, shifts
from tocsin.web.pictures.on_call_calendar import Lane, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks: `names` maps user names to what they are called."""

    username: str
    names: Mapping[str, str]
    zone: tzinfo

    def called(self, usernames: Sequence[str]) -> tuple[str, ...]:
        """The names people go by, the viewer's own marked."""
        return tuple(
            f"{self.names.get(name, name)} (you)" if name == self.username else self.names.get(name, name)
            for name in usernames
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Who has it now and who has it next; nobody is a gap, and `until` None means no change within a year."""

    people: tuple[str, ...]
    until: datetime | None
    override: bool
    mine: bool
    next_people: tuple[str, ...]
    next_until: datetime | None


def duty(schedule: Schedule, viewer: Viewer, *, now: datetime) -> Duty:
    """Now and next of one rotation."""
    present = on_call_now(schedule, now=now)
    following = on_call_now(schedule, now=present.until) if present.until else OnCall((), False, None)
    return Duty(
        people=viewer.called(present.users),
        until=present.until,
        override=present.override,
        mine=viewer.username in present.users,
        next_people=viewer.called(following.users),
        next_until=following.until,
    )


def lane(name: str, schedule: Schedule, viewer: Viewer, *, start: datetime, end: datetime) -> Lane:
    """Every stretch of [start, end) in order, those without anybody included."""
    duties = [
        Stretch(
            starts_at=shift.start,
            ends_at=shift.end,
            people=viewer.called(shift.users),
            override=shift.override,
            mine=viewer.username in shift.users,
        )
        for shift in shifts(schedule, start=start, end=end)
    ]
    holes = [_hole(gap) for gap in gaps(schedule, start=start, end=end)]
    return Lane(name, sorted([*duties, *holes], key=lambda one: one.starts_at))


def _hole(gap: Gap) -> Stretch:
    return Stretch(starts_at=gap.start, ends_at=gap.end, people=())


@dataclass(frozen=True, slots=True)
class AgendaDay:
    """A day on which something changes, and what: (rotation, stretch) in order of time."""

    day: date
    starts_at: datetime
    entries: Sequence[tuple[str, Stretch]]


def agenda(lanes: Sequence[Lane], zone: tzinfo) -> list[AgendaDay]:
    """The stretches by the viewer's day on which they begin; days without a change are left out."""
    days: dict[date, list[tuple[str, Stretch]]] = {}
    for one in lanes:
        for stretch in one.stretches:
            days.setdefault(stretch.starts_at.astimezone(zone).date(), []).append((one.name, stretch))
    return [
        AgendaDay(day, min(stretch.starts_at for _, stretch in entries), sorted(entries, key=_order))
        for day, entries in sorted(days.items())
    ]


def _order(entry: tuple[str, Stretch]) -> tuple[datetime, str]:
    return entry[1].starts_at, entry[0]


def midnight(now: datetime, zone: tzinfo, *, days: int = 0) -> datetime:
    """The first instant of the viewer's day, `days` from today, in UTC: instants of one zone differ by wall time."""
    local = now.astimezone(zone) + timedelta(days=days)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
