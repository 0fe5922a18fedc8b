"""What is known of the people of one response and of how they work together: what the well-being checks look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from tocsin.core.wall_time import wall_of, zone

# Leaving and coming back within this is one stint: a role that changes hands and back is no rest.
_SAME_STINT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Work or a shift from a moment to a moment; without an end it goes on."""

    start: datetime
    end: datetime | None = None

    def length(self, now: datetime) -> timedelta:
        """How long it has lasted by `now`."""
        return max((self.end or now) - self.start, timedelta(0))


def joined(stretches: Iterable[Stretch], *, gap: timedelta = _SAME_STINT) -> list[Stretch]:
    """Stretches in order, those that overlap or are at most `gap` apart made one."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: stretch.start):
        last = found[-1] if found else None
        if last is None or (last.end is not None and one.start - last.end > gap):
            found.append(one)
        else:
            end = None if last.end is None or one.end is None else max(last.end, one.end)
            found[-1] = Stretch(last.start, end)
    return found


@dataclass(frozen=True, slots=True)
class Participant:
    """One person of the response.

    `work` is the time in roles of this incident, `other_work` that in others, `pages` when the person was paged for
    anything, `shifts` the turns on call one by one, `incidents` when each incident began for the person;
    `led_by_another` is whether the person reports to the leader of a sub-team.
    """

    username: str
    name: str
    time_zone: str
    work: tuple[Stretch, ...]
    team: str = ""
    roles: tuple[str, ...] = ()
    coordinates: bool = False
    only_watches: bool = False
    led_by_another: bool = False
    introduced_at: datetime | None = None
    active_at: datetime | None = None
    break_at: datetime | None = None
    other_work: tuple[Stretch, ...] = ()
    pages: tuple[datetime, ...] = ()
    shifts: tuple[Stretch, ...] = ()
    incidents: tuple[datetime, ...] = ()

    @property
    def joined_at(self) -> datetime:
        """When the person first took part."""
        return min(one.start for one in self.work)

    @property
    def stint(self) -> Stretch | None:
        """The present time without a break between roles; None once the person has left."""
        last = joined(self.work)[-1]
        return last if last.end is None else None


@dataclass(frozen=True, slots=True)
class Decision:
    seq: int
    risky: bool = False
    objections_asked: bool = False
    addressees: tuple[str, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A role that went from one person to another, and what of it was not written down."""

    key: str
    role: str
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """One response. `met` holds the pairs that were in an earlier incident together; `loads` the hours of roles of the
    people of the team in the last weeks; `texts` what was written, by its number in the log.
    """

    severity: str
    coordinated_since: datetime | None
    participants: tuple[Participant, ...]
    ended_at: datetime | None = None
    met: frozenset[frozenset[str]] = frozenset()
    ground_rules_at: datetime | None = None
    thanked_at: datetime | None = None
    hand_overs: tuple[HandOver, ...] = ()
    decisions: tuple[Decision, ...] = ()
    rank_refused: int = 0
    rank_overridden: int = 0
    loads: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])
    summary_at: datetime | None = None
    conflicts: tuple[str, ...] = ()
    texts: tuple[tuple[int, str], ...] = ()
    people_issues_open: int = 0
    review_started_at: datetime | None = None
    directive_at: datetime | None = None

    @property
    def present(self) -> tuple[Participant, ...]:
        """Those who are in the response now."""
        return tuple(one for one in self.participants if one.stint is not None)


def is_night(at: datetime, time_zone: str, *, begins: time, ends: time) -> bool:
    """Whether the clock of that zone shows night; a night may reach past midnight."""
    wall = wall_of(at, zone(time_zone)).time()
    return begins <= wall < ends if begins < ends else wall >= begins or wall < ends


def touches_night(stretch: Stretch, time_zone: str, *, begins: time, ends: time, now: datetime) -> bool:
    """Whether any of it lay in the night of that zone."""
    at, end = stretch.start, stretch.end or now
    # A night is longer than the step, so none is stepped over; the end itself is looked at as well.
    while at < end:
        if is_night(at, time_zone, begins=begins, ends=ends):
            return True
        at += timedelta(minutes=15)
    return is_night(end, time_zone, begins=begins, ends=ends)


@dataclass(frozen=True, slots=True)
class Rest:
    """How long somebody rested, whether that was too short, and from when on it would have been enough."""

    length: timedelta
    too_short: bool
    earliest: datetime


def rest_between(work_ended: datetime, next_start: datetime, *, needed: timedelta) -> Rest:
    """The rest between the end of work and the next start."""
    length = next_start - work_ended
    return Rest(length, length < needed, work_ended + needed)
