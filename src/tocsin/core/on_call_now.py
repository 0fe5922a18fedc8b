"""Who is on call: layers and overrides of a schedule laid over each other.

Every answer about a schedule comes from one sweep over time, so a preview, the page of now and the engine cannot differ.
Periods are half open: at a boundary it is already the incoming person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from tocsin.core.overrides import Override, rank
from tocsin.core.rotations import Layer, Turn, duties

# How far ahead the end of the present shift is searched, in growing steps: most shifts end within the first.
_HORIZONS = (timedelta(days=3), timedelta(days=35), timedelta(days=400))


@dataclass(frozen=True, slots=True)
class Schedule:
    """An on-call rotation as configured: layers, and overrides above them."""

    name: str
    time_zone: str
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """The same users on call throughout [start, end); `override` says that an override put them there."""

    start: datetime
    end: datetime
    users: tuple[str, ...]
    override: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody on call throughout [start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call at an instant. No users is an explicit gap.

    `until` is when that changes, None when it does not within the 400 days that are looked at.
    """

    users: tuple[str, ...]
    override: bool
    until: datetime | None

    @property
    def is_gap(self) -> bool:
        """Nobody is on call."""
        return not self.users


@dataclass(frozen=True, slots=True)
class DoubleBooking:
    """One user on call in several schedules at once throughout [start, end)."""

    user: str
    schedules: tuple[str, ...]
    start: datetime
    end: datetime


def shifts(schedule: Schedule, *, start: datetime, end: datetime) -> list[Shift]:
    """The shifts within [start, end): cut to it, neighbours with the same users joined, gaps left out, in order."""
    joined: list[Shift] = []
    for piece in _pieces(schedule, start, end):
        if joined and _continues(joined[-1], piece):
            joined[-1] = replace(joined[-1], end=piece.end)
        else:
            joined.append(piece)
    return joined


def _continues(shift: Shift, piece: Shift) -> bool:
    same_people = set(shift.users) == set(piece.users)
    return shift.end == piece.start and same_people and shift.override == piece.override


def _pieces(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Shift]:
    """The stretches between any two neighbouring boundaries in which somebody is on call."""
    entries = _entries(schedule, start, end)
    for here, there, active in _sweep([(turn.start_at, turn.end_at) for turn, _ in entries]):
        users, override = _on_duty([entries[index] for index in active])
        if users:
            yield Shift(here, there, users, override)


def _sweep(spans: Sequence[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime, list[int]]]:
    """Each stretch between neighbouring edges, with the indices of the spans that cover it, in their order."""
    opening: dict[datetime, list[int]] = {}
    closing: dict[datetime, list[int]] = {}
    for index, (begins, ends) in enumerate(spans):
        opening.setdefault(begins, []).append(index)
        closing.setdefault(ends, []).append(index)
    active: set[int] = set()
    for here, there in pairwise(sorted(opening.keys() | closing.keys())):
        active.difference_update(closing.get(here, ()))
        active.update(opening.get(here, ()))
        yield here, there, sorted(active)


_Entry = tuple[Turn, Layer | Override]


def _entries(schedule: Schedule, start: datetime, end: datetime) -> list[_Entry]:
    """All that layers and overrides give within [start, end), layers in the order of the schedule."""
    found: list[_Entry] = [(turn, layer) for layer in schedule.layers for turn in duties(layer, start=start, end=end)]
    for override in schedule.overrides:
        begins, ends = max(override.start_at, start), min(override.end_at, end)
        if begins < ends:
            found.append((Turn(begins, ends, override.users), override))
    return found


def _on_duty(active: list[_Entry]) -> tuple[tuple[str, ...], bool]:
    """The users whom the things that hold at one moment put on duty, and whether an override did it."""
    overrides = [source for _, source in active if isinstance(source, Override)]
    if overrides:
        return max(overrides, key=rank).users, True
    highest = max((source.priority for _, source in active), default=0)
    shared = (user for turn, source in active if source.priority == highest for user in turn.users)
    return tuple(dict.fromkeys(shared)), False


def people_on_call(schedule: Schedule, *, now: datetime) -> tuple[str, ...]:
    """The users on call at `now`, nobody in a gap. Cheaper than `on_call_now`, which also looks ahead."""
    present = shifts(schedule, start=now, end=now + timedelta.resolution)
    return present[0].users if present else ()


def on_call_now(schedule: Schedule, *, now: datetime) -> OnCall:
    """Who is on call at `now`, and until when."""
    ahead: list[Shift] = []
    for horizon in _HORIZONS:
        ahead = shifts(schedule, start=now, end=now + horizon)
        if not ahead:
            continue
        if ahead[0].start > now:
            return OnCall((), False, ahead[0].start)
        if ahead[0].end < now + horizon:
            return OnCall(ahead[0].users, ahead[0].override, ahead[0].end)
    return OnCall(ahead[0].users, ahead[0].override, None) if ahead else OnCall((), False, None)


def gaps(schedule: Schedule, *, start: datetime, end: datetime) -> list[Gap]:
    """The stretches of [start, end) in which nobody is on call, in order (R-9.3.9-3)."""
    found: list[Gap] = []
    covered_until = start
    for shift in shifts(schedule, start=start, end=end):
        if shift.start > covered_until:
            found.append(Gap(covered_until, shift.start))
        covered_until = shift.end
    return [*found, Gap(covered_until, end)] if covered_until < end else found


def double_bookings(schedules: Mapping[str, Schedule], *, start: datetime, end: datetime) -> list[DoubleBooking]:
    """Users who are on call in more than one of the schedules at once, by user and time (R-9.3.9-3).

    The keys are the names to report; pass the dedicated roles only.
    """
    spans: dict[str, list[tuple[datetime, datetime, str]]] = {}
    for name, schedule in schedules.items():
        for shift in shifts(schedule, start=start, end=end):
            for user in shift.users:
                spans.setdefault(user, []).append((shift.start, shift.end, name))
    return [booking for user in sorted(spans) for booking in _overlaps(user, spans[user])]


def _overlaps(user: str, spans: Sequence[tuple[datetime, datetime, str]]) -> list[DoubleBooking]:
    """The stretches in which one user's spans overlap, with the schedules they belong to."""
    found: list[DoubleBooking] = []
    for here, there, active in _sweep([(begins, ends) for begins, ends, _ in spans]):
        names = tuple(sorted({spans[index][2] for index in active}))
        if len(names) < 2:
            continue
        if found and found[-1].end == here and found[-1].schedules == names:
            found[-1] = replace(found[-1], end=there)
        else:
            found.append(DoubleBooking(user, names, here, there))
    return found
