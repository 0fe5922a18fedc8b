"""The five steps of the response (initial diagnosis to closure), each with when it was entered and left.

They are read out of the log and stored nowhere. A step may be entered again; every stay is kept and counted. Two steps
share the state `investigating`, as the map of the process says, so both run while an incident is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.core.adherence_record import BEGINNINGS, Event
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import KIND_OF, escalations
from tocsin.core.incident_lifecycle import OPEN_STATES, State, Status, status_of


class Phase(StrEnum):
    INITIAL_DIAGNOSIS = "initial_diagnosis"
    ESCALATION = "escalation"
    INVESTIGATION = "investigation_and_diagnosis"
    RESOLUTION = "resolution_and_recovery"
    CLOSURE = "closure"


STATES_OF: Mapping[Phase, frozenset[State]] = {
    Phase.INITIAL_DIAGNOSIS: frozenset({State.ACKNOWLEDGED, State.INVESTIGATING}),
    Phase.ESCALATION: frozenset(),
    Phase.INVESTIGATION: frozenset({State.INVESTIGATING, State.IDENTIFIED}),
    Phase.RESOLUTION: frozenset({State.MITIGATED, State.RESOLVED}),
    Phase.CLOSURE: frozenset({State.CLOSED}),
}
"""As in `itil_map` of the process. An escalation is no state: that step runs while one is unanswered."""

_ENTERS: Mapping[str, State] = {
    **{kind.value: State.TRIGGERED for kind in BEGINNINGS},
    Kind.INCIDENT_UNACKNOWLEDGED: State.TRIGGERED,
    Kind.INCIDENT_INVESTIGATING: State.INVESTIGATING,
    Kind.INCIDENT_IDENTIFIED: State.IDENTIFIED,
    Kind.INCIDENT_MITIGATED: State.MITIGATED,
    Kind.INCIDENT_RESOLVED: State.RESOLVED,
    Kind.INCIDENT_CLOSED: State.CLOSED,
    Kind.INCIDENT_CANCELLED: State.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Stay:
    """Once in a step. `entered_by` and `left_by` are the log entries; the latter is None while it lasts."""

    entered_at: datetime
    entered_by: int
    left_at: datetime | None = None
    left_by: int | None = None


@dataclass(frozen=True, slots=True)
class PhaseCourse:
    """Every stay in one step, oldest first."""

    phase: Phase
    stays: tuple[Stay, ...]

    @property
    def entered_at(self) -> datetime | None:
        """When it was entered first."""
        return self.stays[0].entered_at if self.stays else None

    @property
    def left_at(self) -> datetime | None:
        """When it was left last; None while it lasts, and where it never began."""
        return self.stays[-1].left_at if self.stays else None

    @property
    def is_running(self) -> bool:
        return bool(self.stays) and self.stays[-1].left_at is None

    @property
    def reentries(self) -> int:
        return max(0, len(self.stays) - 1)


def phases(ref: str, events: Sequence[Event]) -> tuple[PhaseCourse, ...]:
    """The five steps of the incident `ref`, in their order, from its entries in the order of the log."""
    stays: dict[Phase, list[Stay]] = {phase: [] for phase in Phase}
    for event, inside in _steps(ref, events):
        for phase in Phase:
            mine = stays[phase]
            running = bool(mine) and mine[-1].left_at is None
            if phase in inside and not running:
                mine.append(Stay(event.at, event.seq))
            elif phase not in inside and running:
                mine[-1] = Stay(mine[-1].entered_at, mine[-1].entered_by, event.at, event.seq)
    return tuple(PhaseCourse(phase, tuple(stays[phase])) for phase in Phase)


def _steps(ref: str, events: Sequence[Event]) -> Iterable[tuple[Event, frozenset[Phase]]]:
    """After each entry, the steps the incident is in."""
    known = {made.seq for made in escalations(events)}
    waiting: set[int] = set()
    state = State.TRIGGERED
    resolved_from = State.TRIGGERED
    for event in events:
        before, state = state, _state_after(ref, event, state, resolved_from)
        if event.kind == Kind.INCIDENT_RESOLVED:
            resolved_from = before
        waiting = _waiting_after(event, known, waiting) if state in OPEN_STATES else set()
        inside = {phase for phase in Phase if state in STATES_OF[phase]}
        yield event, frozenset(inside | ({Phase.ESCALATION} if waiting else set()))


def _state_after(ref: str, event: Event, state: State, resolved_from: State) -> State:
    if event.kind == Kind.INCIDENT_ACKNOWLEDGED:
        # Who joins later acknowledges as well; that takes nothing back from a later state.
        return State.ACKNOWLEDGED if status_of(state) is Status.TRIGGERED else state
    if event.kind == Kind.INCIDENT_REOPENED:
        # Taken back within half a minute: as if it had not been resolved.
        return resolved_from if event.get("undo_of") else State.INVESTIGATING
    if event.kind == Kind.INCIDENT_MERGED:
        return State.MERGED if event.text("merged") == ref else state
    if event.kind == Kind.INCIDENT_UNMERGED:
        return State(event.text("to_state")) if event.text("merged") == ref else state
    return _ENTERS.get(event.kind, state)


def _waiting_after(event: Event, known: set[int], waiting: set[int]) -> set[int]:
    if event.kind in KIND_OF.values() and event.seq in known:
        return waiting | {event.seq}
    if event.kind == Kind.ESCALATION_ACKNOWLEDGED:
        return waiting - {event.get("escalation")}
    return waiting
