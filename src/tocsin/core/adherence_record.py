"""An incident as its log tells it: what checks of the process look at. Nothing else than entries goes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from tocsin.core.adherence_outcomes import Waiver
from tocsin.core.facts import Kind
from tocsin.core.priorities import PriorityState
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PriorityDefinition
from tocsin.core.roles import is_coordinated

BEGINNINGS = (Kind.INCIDENT_OPENED, Kind.INCIDENT_DECLARED)
CLASSIFYING = (*BEGINNINGS, Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED, Kind.SEVERITY_CONFIRMED)
LIFE = (
    *BEGINNINGS,
    Kind.INCIDENT_RESOLVED,
    Kind.INCIDENT_CLOSED,
    Kind.INCIDENT_REOPENED,
    Kind.INCIDENT_MERGED,
    Kind.INCIDENT_UNMERGED,
    Kind.INCIDENT_CANCELLED,
)
_AGAIN = (Kind.INCIDENT_REOPENED, Kind.INCIDENT_UNMERGED)
_ENDS = (Kind.INCIDENT_RESOLVED, Kind.INCIDENT_MERGED, Kind.INCIDENT_CANCELLED)
_NOBODY = "system"


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the log. `data` is None where it was removed for good."""

    seq: int
    at: datetime
    kind: str
    actor: str
    data: Mapping[str, Any] | None

    def get(self, name: str) -> Any:
        return None if self.data is None else self.data.get(name)

    def text(self, name: str) -> str:
        return str(self.get(name) or "").strip()

    def words(self, name: str) -> set[str]:
        """A list of texts; empty where there is none."""
        found = self.get(name)
        return {str(one) for one in cast("list[object]", found)} if isinstance(found, list) else set()


@dataclass(frozen=True, slots=True)
class PriorityStand:
    """From `at` on the incident had this priority."""

    event: Event
    state: PriorityState
    rank: int | None
    by_person: bool

    @property
    def at(self) -> datetime:
        return self.event.at


@dataclass(frozen=True, slots=True)
class SeverityStand:
    event: Event
    severity: str
    by_person: bool

    @property
    def at(self) -> datetime:
        return self.event.at


@dataclass(frozen=True, slots=True)
class Holding:
    """A person held a role of the process from an entry on, to another one or to now."""

    role: str
    who: str
    taken: Event
    released: Event | None

    def overlaps(self, begin: datetime, end: datetime) -> bool:
        """Whether it was held at some moment of `begin` to `end`, both included."""
        return self.taken.at <= end and (self.released is None or self.released.at > begin)


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which the incident was open; `end` is None while it is."""

    begin: Event
    end: Event | None

    def holds(self, at: datetime) -> bool:
        return self.begin.at <= at and (self.end is None or at <= self.end.at)


@dataclass(frozen=True, eq=False)
class Record:
    """The entries of the incident `ref` up to `as_of`, with the process version it pinned. Equal to itself alone.

    `recorded` holds the kinds of entries that this installation writes at all.
    """

    ref: str
    events: tuple[Event, ...]
    process: ProcessDefinition = field(repr=False)
    as_of: datetime
    recorded: frozenset[str] = field(repr=False)

    def records(self, kind: str) -> bool:
        return kind in self.recorded or bool(self.of(kind))

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.events:
            found.setdefault(event.kind, []).append(event)
        return found

    def of(self, *kinds: str) -> list[Event]:
        """The entries of these kinds, in order."""
        found = [event for kind in kinds for event in self._by_kind.get(kind, ())]
        return found if len(kinds) == 1 else sorted(found, key=lambda event: event.seq)

    @cached_property
    def began(self) -> Event | None:
        return next(iter(self.of(*BEGINNINGS)), None)

    @cached_property
    def grace(self) -> timedelta:
        return self.process.catalogue.notification.overdue_grace

    @cached_property
    def taken_back(self) -> frozenset[int]:
        """The changes that were taken back within the half minute in which one may, and the taking back itself."""
        pairs = [(event.seq, event.get("undo_of")) for event in self.events if event.get("undo_of")]
        return frozenset(seq for pair in pairs for seq in pair if isinstance(seq, int))

    @cached_property
    def priorities(self) -> tuple[PriorityStand, ...]:
        return tuple(
            PriorityStand(event, PriorityState(event.get("priority_state")), event.get("rank"), _by_person(event))
            for event in self.of(*BEGINNINGS, Kind.PRIORITY_CHANGED)
            if event.get("priority_state")
        )

    @cached_property
    def severities(self) -> tuple[SeverityStand, ...]:
        return tuple(
            SeverityStand(event, event.get("severity"), _severity_by_person(event))
            for event in self.of(*BEGINNINGS, Kind.SEVERITY_CHANGED, Kind.SEVERITY_CONFIRMED)
            if event.get("severity") in self.process.severities.codes
        )

    @property
    def priority(self) -> PriorityDefinition | None:
        """The final priority, None when there is none."""
        return self.priority_of(self.priorities[-1]) if self.priorities else None

    def priority_of(self, stand: PriorityStand) -> PriorityDefinition | None:
        return None if stand.rank is None else self.process.catalogue.by_rank(stand.rank)

    @property
    def severity(self) -> str:
        return self.severities[-1].severity if self.severities else self.process.severities.start

    @cached_property
    def coordinated(self) -> Event | None:
        """The entry with which the incident first had a severity that is coordinated; None if it never had one."""
        found = (one.event for one in self.severities if is_coordinated(self.process, one.severity))
        return next((event for event in found if event.seq not in self.taken_back), None)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        spans: list[Span] = []
        begin = self.began
        for event in self.of(*_ENDS, *_AGAIN):
            if event.kind in _AGAIN:
                begin = begin or event
            elif begin is not None and not self._is_for_another(event):
                spans.append(Span(begin, event))
                begin = None
        return (*spans, Span(begin, None)) if begin is not None else tuple(spans)

    def _is_for_another(self, event: Event) -> bool:
        mergers = {Kind.INCIDENT_MERGED, Kind.INCIDENT_UNMERGED}
        return event.kind in mergers and event.get("merged") != self.ref

    @property
    def ended(self) -> Event | None:
        """The entry that ended it; None while it is open."""
        return self.spans[-1].end if self.spans else None

    @cached_property
    def void(self) -> Event | None:
        """The entry that says that it was no incident, or goes on in another one."""
        kinds = (Kind.INCIDENT_MERGED, Kind.INCIDENT_UNMERGED, Kind.INCIDENT_CANCELLED)
        found = [one for one in self.of(*kinds) if not self._is_for_another(one)]
        return found[-1] if found and found[-1].kind != Kind.INCIDENT_UNMERGED else None

    @cached_property
    def acknowledged(self) -> Event | None:
        return next(iter(self.of(Kind.INCIDENT_ACKNOWLEDGED)), None)

    @cached_property
    def holdings(self) -> tuple[Holding, ...]:
        open_ones: dict[tuple[str, str], Event] = {}
        done: list[Holding] = []
        for event in self.of(Kind.ROLE_TAKEN, Kind.ROLE_RELEASED):
            mark = (event.text("role_code"), event.text("username"))
            if event.kind == Kind.ROLE_TAKEN:
                open_ones.setdefault(mark, event)
            elif mark in open_ones:
                done.append(Holding(*mark, open_ones.pop(mark), event))
        done += [Holding(*mark, event, None) for mark, event in open_ones.items()]
        return tuple(sorted(done, key=lambda one: one.taken.seq))

    def response_starts(self, at: datetime) -> datetime | None:
        """From when on somebody was expected to act at all, as known at `at`; None for at once."""
        told = [one.event.text("response_starts_at") for one in self.priorities if one.at <= at]
        return datetime.fromisoformat(told[-1]) if told and told[-1] else None

    def earliest(self, at: datetime) -> datetime:
        """`at`, but not before the response was expected to start."""
        return max(at, self.response_starts(at) or at)

    @cached_property
    def waived_obligations(self) -> Mapping[str, Waiver]:
        return {event.text("key"): _waiver(event) for event in self.of(Kind.OBLIGATION_WAIVED)}

    @cached_property
    def waived_checks(self) -> Mapping[str, Waiver]:
        """The waivers of checks that were not withdrawn; the last one of a check counts."""
        found: dict[str, Waiver] = {}
        for event in self.of(Kind.CHECK_WAIVED, Kind.CHECK_WAIVER_WITHDRAWN):
            check = event.text("check")
            if event.kind == Kind.CHECK_WAIVED:
                found[check] = _waiver(event)
            else:
                found.pop(check, None)
        return found

    @cached_property
    def is_exercise(self) -> bool:
        return self.began is not None and self.began.get("exercise") is True


def _by_person(event: Event) -> bool:
    """Older entries do not say who decided; there, everybody but the system counts as a person."""
    said = event.get("priority_by_person" if event.kind in BEGINNINGS else "by_person")
    return said if isinstance(said, bool) else event.kind != Kind.INCIDENT_OPENED and event.actor != _NOBODY


def _severity_by_person(event: Event) -> bool:
    said = event.get("severity_by_person" if event.kind in BEGINNINGS else "by_person")
    return said if isinstance(said, bool) else event.kind not in BEGINNINGS and event.actor != _NOBODY


def _waiver(event: Event) -> Waiver:
    return Waiver(event.seq, event.at, event.actor, event.text("reason"))


def role_runs(
    record: Record, called: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, datetime, datetime | None, Event]]:
    """The unbroken times in which the severity called a role: role, begin, end (None: still), the calling entry.

    `called` maps severities to the roles they call. An end of the incident ends them all, a reopening begins anew.
    """
    for span in record.spans:
        end = span.end.at if span.end else None
        stands = [one for one in record.severities if end is None or one.at < end]
        for role in sorted({role for roles in called.values() for role in roles}):
            yield from _runs_of(role, stands, called, span, end)


def _runs_of(
    role: str,
    stands: list[SeverityStand],
    called: Mapping[str, frozenset[str]],
    span: Span,
    end: datetime | None,
) -> Iterator[tuple[str, datetime, datetime | None, Event]]:
    began: Event | None = None
    for stand in stands:
        calls = role in called[stand.severity]
        if calls and began is None:
            began = stand.event
        elif not calls and began is not None:
            if stand.at > span.begin.at:
                yield role, max(began.at, span.begin.at), stand.at, began
            began = None
    if began is not None:
        yield role, max(began.at, span.begin.at), end, began


def listed(words: Iterable[str]) -> str:
    """Words as a list for people: sorted, each once."""
    return ", ".join(sorted(set(words)))
