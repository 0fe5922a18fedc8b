"""The states of an incident, the one table of transitions, and what may wait.

The process document shows the same table to people; it cannot change it (`process_problems` refuses one that differs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.errors import Refused
from tocsin.core.process_parts import PriorityDefinition, Urgency
from tocsin.core.reasons import Reason


class State(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"
    CANCELLED = "cancelled"


class Status(StrEnum):
    """The three words of the API; each is a group of states."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What somebody or something wants to do to an incident."""

    ACKNOWLEDGE = "acknowledge"
    TAKE_BACK = "take_back"
    INVESTIGATE = "investigate"
    IDENTIFY = "identify"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"
    MERGE = "merge"
    CANCEL = "cancel"


class TransitionReason(Reason):
    MOVED = "moved", "The incident moved."
    ALREADY_THERE = "already_there", "Nothing to do: the incident is there already."
    ENDED_FOR_GOOD = "ended_for_good", "The incident has ended for good. Declare a new one and refer to it."
    NOT_FROM_HERE = "not_from_here", "That step does not lead on from the present state."
    REOPEN_WINDOW_OVER = (
        "reopen_window_over",
        "The time for reopening is over. Declare a new incident and refer to this one.",
    )


TRANSITIONS: Mapping[State, tuple[State, ...]] = {
    State.TRIGGERED: (
        State.ACKNOWLEDGED,
        State.INVESTIGATING,
        State.MITIGATED,
        State.RESOLVED,
        State.MERGED,
        State.CANCELLED,
    ),
    State.ACKNOWLEDGED: (
        State.TRIGGERED,
        State.INVESTIGATING,
        State.IDENTIFIED,
        State.MITIGATED,
        State.RESOLVED,
        State.MERGED,
        State.CANCELLED,
    ),
    State.INVESTIGATING: (State.IDENTIFIED, State.MITIGATED, State.RESOLVED, State.MERGED, State.CANCELLED),
    State.IDENTIFIED: (State.INVESTIGATING, State.MITIGATED, State.RESOLVED, State.MERGED),
    State.MITIGATED: (State.INVESTIGATING, State.IDENTIFIED, State.RESOLVED, State.MERGED),
    State.RESOLVED: (State.INVESTIGATING, State.CLOSED),
    State.CLOSED: (),
    State.MERGED: (),
    State.CANCELLED: (),
}

STATUS_GROUPS: Mapping[Status, tuple[State, ...]] = {
    Status.TRIGGERED: (State.TRIGGERED,),
    Status.ACKNOWLEDGED: (State.ACKNOWLEDGED, State.INVESTIGATING, State.IDENTIFIED, State.MITIGATED),
    Status.RESOLVED: (State.RESOLVED, State.CLOSED, State.MERGED, State.CANCELLED),
}

OPEN_STATES: frozenset[State] = frozenset(STATUS_GROUPS[Status.TRIGGERED] + STATUS_GROUPS[Status.ACKNOWLEDGED])

_TARGETS: Mapping[Event, State] = {
    Event.ACKNOWLEDGE: State.ACKNOWLEDGED,
    Event.TAKE_BACK: State.TRIGGERED,
    Event.INVESTIGATE: State.INVESTIGATING,
    Event.IDENTIFY: State.IDENTIFIED,
    Event.MITIGATE: State.MITIGATED,
    Event.RESOLVE: State.RESOLVED,
    Event.REOPEN: State.INVESTIGATING,
    Event.CLOSE: State.CLOSED,
    Event.MERGE: State.MERGED,
    Event.CANCEL: State.CANCELLED,
}


@dataclass(frozen=True)
class Transition:
    """What an event does to a state. `to` is None when it is refused; it equals `origin` when nothing changes."""

    origin: State
    event: Event
    to: State | None
    reason: TransitionReason

    @property
    def allowed(self) -> bool:
        return self.to is not None

    @property
    def changes(self) -> bool:
        return self.to is not None and self.to is not self.origin

    @property
    def text(self) -> str:
        return self.reason.text


def transition(state: State, event: Event) -> Transition:
    """What `event` does to an incident in `state`.

    Asking for what is so already changes nothing and is no fault: two people may press the same button. A further
    acknowledgement never takes an incident back from a later step of the response.
    """
    target = _TARGETS[event]
    if state is target or (event is Event.ACKNOWLEDGE and status_of(state) is Status.ACKNOWLEDGED):
        return Transition(state, event, state, TransitionReason.ALREADY_THERE)
    if event is Event.REOPEN and is_open(state):
        return Transition(state, event, state, TransitionReason.ALREADY_THERE)
    if not TRANSITIONS[state]:
        return Transition(state, event, None, TransitionReason.ENDED_FOR_GOOD)
    if target not in TRANSITIONS[state] or (event is Event.INVESTIGATE and state is State.RESOLVED):
        return Transition(state, event, None, TransitionReason.NOT_FROM_HERE)
    return Transition(state, event, target, TransitionReason.MOVED)


def reopening(state: State, *, resolved_at: datetime | None, window: timedelta, now: datetime) -> Transition:
    """Whether an incident may be reopened: only from resolved, and no later than `window` after it was resolved."""
    found = transition(state, Event.REOPEN)
    if found.changes and (resolved_at is None or now - resolved_at > window):
        return Transition(state, Event.REOPEN, None, TransitionReason.REOPEN_WINDOW_OVER)
    return found


def accepted(found: Transition) -> State:
    """The state after a transition; raises `Refused` with its reason when there is none."""
    if found.to is None:
        raise Refused(found.text, reason=found.reason.value)
    return found.to


def status_of(state: State) -> Status:
    """The word of the API for a state."""
    return next(status for status, states in STATUS_GROUPS.items() if state in states)


def is_open(state: State) -> bool:
    """Whether the response is still running."""
    return state in OPEN_STATES


def missing_facts(
    event: Event, *, by_person: bool, service: str, category: str, priority_undecided: bool = False
) -> tuple[str, ...]:
    """Which facts an incident still lacks for `event`: a person who resolves, and whoever closes, needs both.

    A machine's end is taken without them; closing then asks a person for what is missing. Nothing closes without a
    decision on its priority; the response itself never waits for one.
    """
    if event is not Event.CLOSE and not (event is Event.RESOLVE and by_person):
        return ()
    missing = tuple(name for name, value in (("service", service), ("category", category)) if not value.strip())
    return (*missing, "priority") if event is Event.CLOSE and priority_undecided else missing


class AlertEnd(StrEnum):
    """What the end of an alert means for its incident."""

    RESOLVE = "resolve"
    MARK_AND_ASK = "mark_and_ask"


def alert_end(priority: PriorityDefinition | None, *, taken_by_person: bool, source_fell_silent: bool) -> AlertEnd:
    """An alert's end resolves, except where the priority asks a person first.

    Such an incident is only marked once a person has taken it, or when nobody said that the alert is over: its source
    merely fell silent.
    """
    asks = priority is not None and priority.alert_end_asks
    return AlertEnd.MARK_AND_ASK if asks and (taken_by_person or source_fell_silent) else AlertEnd.RESOLVE


class Attention(StrEnum):
    NOW = "now"
    CAN_WAIT = "can_wait"


class AttentionReason(Reason):
    SOMETHING_IS_LATE = "something_is_late", "Something promised or asked for is late."
    SNOOZED = "snoozed", "A person put it off until later."
    DECIDED_AS_NONE = "decided_as_none", "It was decided that this opens nothing."
    LOW_URGENCY = "low_urgency", "Its priority can be handled in the normal flow."
    NEEDS_FOCUS = "needs_focus", "It needs attention now."


@dataclass(frozen=True)
class AttentionFacts:
    """What decides whether an open incident may wait. `urgency` is its priority's, None for a priority of none."""

    urgency: Urgency | None
    snoozed_until_at: datetime | None = None
    something_late: bool = False


@dataclass(frozen=True)
class AttentionVerdict:
    attention: Attention
    reason: AttentionReason


def attention(facts: AttentionFacts, *, now: datetime) -> AttentionVerdict:
    """Whether an open incident needs focus now or can wait (first rule that fits).

    Late work always needs focus, even while snoozed: a promise to others does not sleep.
    """
    if facts.something_late:
        return AttentionVerdict(Attention.NOW, AttentionReason.SOMETHING_IS_LATE)
    if facts.snoozed_until_at is not None and facts.snoozed_until_at > now:
        return AttentionVerdict(Attention.CAN_WAIT, AttentionReason.SNOOZED)
    if facts.urgency is None:
        return AttentionVerdict(Attention.CAN_WAIT, AttentionReason.DECIDED_AS_NONE)
    if facts.urgency is Urgency.LOW:
        return AttentionVerdict(Attention.CAN_WAIT, AttentionReason.LOW_URGENCY)
    return AttentionVerdict(Attention.NOW, AttentionReason.NEEDS_FOCUS)
