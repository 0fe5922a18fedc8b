"""Load over some weeks: one's own figures to oneself, and those of a team from five people on, together and unnamed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from tocsin.core.wall_time import wall_of, zone
from tocsin.core.wellbeing_record import Stretch, is_night, joined
from tocsin.core.wellbeing_settings import Limits

FEWEST = 5
"""Figures of fewer people would be figures of persons; no setting changes that."""

SHIFT = timedelta(hours=12)


@dataclass(frozen=True)
class PersonFacts:
    """What happened to one person in a period: turns on call, work in incidents, and when pages came."""

    time_zone: str
    shifts: tuple[Stretch, ...] = ()
    work: tuple[Stretch, ...] = ()
    pages: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Load:
    """One person's load. A night counts once however many pages came in it; `disturbed` counts distinct hours."""

    on_call: timedelta
    in_incidents: timedelta
    pages: int
    nights: int
    disturbed: int
    shifts: int
    shifts_with_night_page: int
    busy_shifts: int
    short_rests: int


@dataclass(frozen=True)
class TeamLoad:
    """The load of a team together. `None` stands where there is nothing to reckon with."""

    people: int
    on_call: timedelta
    in_incidents: timedelta
    pages: int
    nights: int
    disturbed: int
    night_share: float | None
    busy_share: float | None
    on_call_share: float | None
    unevenness: float | None
    heat: tuple[tuple[int, ...], ...]


def clipped(stretches: Iterable[Stretch], *, start: datetime, end: datetime) -> list[Stretch]:
    """What of each lies in [start, end), in order."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: stretch.start):
        begin, stop = max(one.start, start), min(one.end or end, end)
        if begin < stop:
            found.append(Stretch(begin, stop))
    return found


def load_of(person: PersonFacts, limits: Limits, *, start: datetime, end: datetime) -> Load:
    """The load of one person in [start, end)."""
    shifts = clipped(person.shifts, start=start, end=end)
    work = joined(clipped(person.work, start=start, end=end))
    pages = sorted({at for at in person.pages if start <= at < end})
    at_night = [at for at in pages if _night(at, person, limits)]
    night_shifts = [one for one in shifts if any(_within(at, one) for at in at_night)]
    return Load(
        on_call=_sum(joined(shifts, gap=timedelta(0)), end),
        in_incidents=_sum(work, end),
        pages=len(pages),
        nights=len({wall_of(at - timedelta(hours=12), zone(person.time_zone)).date() for at in at_night}),
        disturbed=len({at.replace(minute=0, second=0, microsecond=0) for at in pages}),
        shifts=len(shifts),
        shifts_with_night_page=len(night_shifts),
        busy_shifts=sum(_is_busy(one, pages) for one in shifts),
        short_rests=_short_rests(work, person, limits),
    )


def _night(at: datetime, person: PersonFacts, limits: Limits) -> bool:
    return is_night(at, person.time_zone, begins=limits.night_from, ends=limits.night_to)


def _within(at: datetime, stretch: Stretch) -> bool:
    return stretch.start <= at and (stretch.end is None or at < stretch.end)


def _is_busy(shift: Stretch, pages: Sequence[datetime]) -> bool:
    """More than two pages within any twelve hours of it."""
    own = [at for at in pages if _within(at, shift)]
    return any(third - first < SHIFT for first, third in zip(own, own[2:], strict=False))


def _short_rests(work: Sequence[Stretch], person: PersonFacts, limits: Limits) -> int:
    """How often work began again too soon after work that ended at night."""
    pairs = pairwise(work)
    return sum(
        former.end is not None and later.start - former.end < limits.rest and _night(former.end, person, limits)
        for former, later in pairs
    )


def _sum(stretches: Iterable[Stretch], end: datetime) -> timedelta:
    return sum((one.length(end) for one in stretches), timedelta(0))


def team_load(
    people: Sequence[PersonFacts], limits: Limits, *, team_zone: str, start: datetime, end: datetime
) -> TeamLoad | None:
    """The load of a team in [start, end), by the clock of the team. None below five people: that would name them."""
    if len(people) < FEWEST:
        return None
    loads = [load_of(one, limits, start=start, end=end) for one in people]
    shifts = sum(one.shifts for one in loads)
    on_call = sum((one.on_call for one in loads), timedelta(0))
    return TeamLoad(
        people=len(people),
        on_call=on_call,
        in_incidents=sum((one.in_incidents for one in loads), timedelta(0)),
        pages=sum(one.pages for one in loads),
        nights=sum(one.nights for one in loads),
        disturbed=sum(one.disturbed for one in loads),
        night_share=sum(one.shifts_with_night_page for one in loads) / shifts if shifts else None,
        busy_share=sum(one.busy_shifts for one in loads) / shifts if shifts else None,
        on_call_share=on_call / ((end - start) * len(people)) if on_call else None,
        unevenness=_unevenness([one.on_call for one in loads]),
        heat=heat_of((at for one in people for at in one.pages if start <= at < end), team_zone=team_zone),
    )


def _unevenness(spans: Sequence[timedelta]) -> float | None:
    """The largest share over the median one: a reason to plan anew, not a ranking. None when the median is nothing."""
    middle = median(one.total_seconds() for one in spans)
    return max(spans).total_seconds() / middle if middle else None


def heat_of(pages: Iterable[datetime], *, team_zone: str) -> tuple[tuple[int, ...], ...]:
    """Pages by weekday (Monday first) and hour on the team's clock."""
    cells = [[0] * 24 for _ in range(7)]
    where = zone(team_zone)
    for at in pages:
        wall = wall_of(at, where)
        cells[wall.weekday()][wall.hour] += 1
    return tuple(tuple(row) for row in cells)
