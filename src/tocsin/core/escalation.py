"""Who is paged next, and when: an incident's way along its escalation policy.

An incident keeps the policy it began with (a snapshot). Events (an acknowledgement, a snooze, a hand on the button)
change the state and say when the next action is due; `decide` is the only function that pages, one step at each tick. So
a clock that stood still is caught up step by step, and no wait is ever counted from a time that has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from tocsin.core.errors import Invalid, Refused
from tocsin.core.reasons import Reason

# How soon the fallback is sought again while there is nobody at all to tell.
FALLBACK_SOUGHT_AGAIN = timedelta(minutes=1)

# A page that nobody has answered for so long wakes nobody any more.
GROWN_UNANSWERED = timedelta(hours=1)

Hold = Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True)
class Step:
    """The targets paged together, and how long an acknowledgement is waited for before the next step."""

    wait: timedelta
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A chain of steps, gone through 1 + `repeat` times; `fallback` are the targets told when it ends unanswered."""

    name: str
    steps: tuple[Step, ...] = ()
    repeat: int = 0
    fallback: tuple[str, ...] = ()


class Phase(StrEnum):
    """Where an incident's escalation stands. The functions below are the only ways from one to another."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    QUIET = "quiet"
    EXHAUSTED = "exhausted"
    ENDED = "ended"


class Cause(Reason):
    """Why the next action of an escalation is due."""

    STARTED = "started", "The incident began."
    STEP_UNANSWERED = "step_unanswered", "Nobody acknowledged in time."
    STEP_UNREACHABLE = "step_unreachable", "Nobody of the step could be reached."
    BY_HAND = "by_hand", "A person escalated."
    ACKNOWLEDGEMENT_TIMED_OUT = "acknowledgement_timed_out", "It was taken, and nothing was written down since."
    SNOOZE_ENDED = "snooze_ended", "The snooze ended."
    GROWN = "grown", "It has grown and nobody has it."
    QUIET_ENDED = "quiet_ended", "The maintenance or silence ended while the alert still fires."


class EscalationReason(Reason):
    """What a tick decided."""

    NOTHING_DUE = "nothing_due", "Nothing is due."
    HELD = "held", "The page waits for business hours."
    STEP_PAGED = "step_paged", "The step was paged."
    EXHAUSTED = "exhausted", "The policy ended without an acknowledgement; the fallback was told."
    NOBODY_TO_TELL = "nobody_to_tell", "The policy ended without an acknowledgement and there is no fallback to tell."


class PassedOverReason(Reason):
    """Why a step was passed over at once."""

    GAP = "gap", "Nobody is on call for this step."
    UNREACHABLE = "unreachable", "The people of this step have no way to be reached."


class PageKind(StrEnum):
    """A page of a step, or the word to the fallback."""

    PAGE = "page"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Page:
    """One person to page: once for each (loop, step), whatever number of targets leads to them. Steps count from 0."""

    person: str
    target: str
    loop: int
    step: int | None
    kind: PageKind = PageKind.PAGE


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A step that had nobody to page."""

    loop: int
    step: int
    reason: PassedOverReason


@dataclass(frozen=True, slots=True)
class Escalation:
    """The stored state. `step` is the last one paged in this loop, None before the first; loops only ever count up.

    `cause` says why the action at `next_at` is due (or, without one, what the last was due for).
    """

    phase: Phase
    next_at: datetime | None
    cause: Cause = Cause.STARTED
    loop: int = 0
    step: int | None = None
    repeats_left: int = 0
    paged_at: datetime | None = None
    fallback_told: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick does. `cause` is why it was due and `late_by` how long ago it was."""

    state: Escalation
    reason: EscalationReason
    cause: Cause
    pages: tuple[Page, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    late_by: timedelta = timedelta(0)

    @property
    def next_at(self) -> datetime | None:
        """When the next action is due."""
        return self.state.next_at


def at_once(now: datetime) -> datetime:
    """The hold of a priority that may page at any hour."""
    return now


def begin(policy: Policy, *, now: datetime, quiet: bool = False) -> Escalation:
    """The escalation of a new or reopened incident: the first step is due now, or held back while `quiet`."""
    phase, next_at = (Phase.QUIET, None) if quiet else (Phase.WAITING, now)
    return Escalation(phase, next_at, Cause.STARTED, repeats_left=policy.repeat)


def acknowledge(state: Escalation, *, now: datetime, timeout: timedelta | None) -> Escalation:
    """A person takes charge: nobody is paged until the timeout of the priority, if it has one, has run out."""
    next_at = None if timeout is None else now + timeout
    return replace(_live(state), phase=Phase.ACKNOWLEDGED, next_at=next_at, cause=Cause.ACKNOWLEDGEMENT_TIMED_OUT)


def acknowledgement_ran_out(state: Escalation, policy: Policy, *, now: datetime) -> Escalation:
    """Nothing was heard for as long as the priority allows: the first step is due now."""
    return _again(state, policy, Cause.ACKNOWLEDGEMENT_TIMED_OUT, now) if state.phase is Phase.ACKNOWLEDGED else state


def escalate_by_hand(state: Escalation, policy: Policy, *, now: datetime) -> Escalation:
    """The next step is due now, also after an acknowledgement. When the policy had ended, it begins again."""
    # Also when the fallback answered: what follows must be new pages, not the ones that were sent before.
    if _live(state).fallback_told or state.phase is Phase.EXHAUSTED:
        return _again(state, policy, Cause.BY_HAND, now)
    return replace(state, phase=Phase.WAITING, next_at=now, cause=Cause.BY_HAND)


def snooze(state: Escalation, *, now: datetime, until: datetime) -> Escalation:
    """Nobody is paged before `until`; then the first step is. Raises `Invalid` when that is not in the future."""
    if until <= now:
        raise Invalid({"until": "A snooze ends in the future."})
    return replace(_live(state), phase=Phase.SNOOZED, next_at=until, cause=Cause.SNOOZE_ENDED)


def end_quiet(state: Escalation, policy: Policy, *, now: datetime) -> Escalation:
    """The maintenance or silence ended and the alert still fires: the first step is due now."""
    return _again(state, policy, Cause.QUIET_ENDED, now) if state.phase is Phase.QUIET else state


def end_snooze(state: Escalation, policy: Policy, *, now: datetime) -> Escalation:
    """A person ends the snooze early: the first step is due now."""
    return _again(state, policy, Cause.SNOOZE_ENDED, now) if state.phase is Phase.SNOOZED else state


def step_unreachable(state: Escalation, *, loop: int, step: int, now: datetime) -> Escalation:
    """All pages of a step failed for good: the next step is due now, unless the escalation has moved on meanwhile."""
    if state.phase is not Phase.WAITING or (state.loop, state.step) != (loop, step) or state.next_at is None:
        return state
    return replace(state, next_at=min(state.next_at, now), cause=Cause.STEP_UNREACHABLE)


def grown(state: Escalation, policy: Policy, *, now: datetime) -> Escalation:
    """The trouble has grown: when nobody has it and nobody was paged for so long, the first step is due now.

    A chain that still goes through its people goes on as it is; so does one that somebody holds or keeps quiet.
    """
    silent = state.paged_at is not None and now - state.paged_at >= GROWN_UNANSWERED
    if state.phase is Phase.EXHAUSTED or (state.phase is Phase.WAITING and silent):
        return _again(state, policy, Cause.GROWN, now)
    return state


def raise_priority(
    state: Escalation, policy: Policy, *, now: datetime, hold: Hold, ack_timeout: timedelta | None
) -> Escalation:
    """The timers of the higher priority, which never make the next page later than it was."""
    if state.phase is Phase.WAITING and state.next_at is not None:
        return replace(state, next_at=min(state.next_at, hold(max(_due_without_hold(state, policy, now), now))))
    if state.phase is Phase.ACKNOWLEDGED and ack_timeout is not None:
        return replace(state, next_at=min(state.next_at or datetime.max.replace(tzinfo=now.tzinfo), now + ack_timeout))
    return state


def end(state: Escalation) -> Escalation:
    """The incident is resolved or merged away: nothing more is due."""
    return replace(state, phase=Phase.ENDED, next_at=None)


def decide(
    state: Escalation,
    policy: Policy,
    reachable: Mapping[str, Sequence[str]],
    *,
    now: datetime,
    unreachable: Mapping[str, Sequence[str]] | None = None,
    last_resort: Sequence[str] = (),
    hold: Hold = at_once,
) -> Decision:
    """What is due at `now`: at most one step is paged, and steps with nobody to page are passed over in the same tick.

    `reachable` gives for each target the people who are on call and can be reached; `unreachable` those who cannot, and
    only serves to say so. `last_resort` is told when the policy's own fallback yields nobody. `hold` gives the first
    moment from an instant on at which the incident's priority may page; a hand on the button is never held.
    """
    if state.next_at is None or state.next_at > now:
        return Decision(state, EscalationReason.NOTHING_DUE, state.cause)
    late_by = now - state.next_at
    if state.phase in {Phase.ACKNOWLEDGED, Phase.SNOOZED}:
        state = _again(state, policy, state.cause, now)
    if state.cause is not Cause.BY_HAND and hold(now) > now:
        return Decision(replace(state, next_at=hold(now)), EscalationReason.HELD, state.cause, late_by=late_by)
    passed: list[PassedOver] = []
    for loop, step, repeats_left in _positions_ahead(state, policy):
        pages = _pages(policy.steps[step].targets, reachable, loop, step, PageKind.PAGE)
        if pages:
            moved = replace(state, loop=loop, step=step, repeats_left=repeats_left)
            return Decision(
                _paged(moved, policy, now, hold),
                EscalationReason.STEP_PAGED,
                state.cause,
                pages,
                tuple(passed),
                late_by,
            )
        passed.append(PassedOver(loop, step, _why_nobody(policy.steps[step].targets, unreachable or {})))
    return replace(
        _tell_fallback(state, policy, reachable, last_resort, now), passed_over=tuple(passed), late_by=late_by
    )


def _live(state: Escalation) -> Escalation:
    if state.phase is Phase.ENDED:
        raise Refused("The incident is resolved.", reason="ended", remedy="Reopen it first.")
    return state


def _again(state: Escalation, policy: Policy, cause: Cause, now: datetime) -> Escalation:
    """From the first step, in a loop of its own, so that its pages are new ones and its end tells the fallback again."""
    return replace(
        state,
        phase=Phase.WAITING,
        next_at=now,
        cause=cause,
        loop=state.loop + 1,
        step=None,
        repeats_left=policy.repeat,
        fallback_told=False,
    )


def _positions_ahead(state: Escalation, policy: Policy) -> Iterator[tuple[int, int, int]]:
    """The (loop, step, repeats left) to try in turn. One round is enough: nobody becomes reachable within a tick."""
    if state.phase is Phase.EXHAUSTED:
        return iter(())
    return islice(_all_positions(state, policy), len(policy.steps))


def _all_positions(state: Escalation, policy: Policy) -> Iterator[tuple[int, int, int]]:
    loop, repeats_left = state.loop, state.repeats_left
    step = 0 if state.step is None else state.step + 1
    while True:
        if step >= len(policy.steps):
            if repeats_left == 0:
                return
            loop, step, repeats_left = loop + 1, 0, repeats_left - 1
        yield loop, step, repeats_left
        step += 1


def _pages(
    targets: Sequence[str], reachable: Mapping[str, Sequence[str]], loop: int, step: int | None, kind: PageKind
) -> tuple[Page, ...]:
    """One page for each person behind the targets; the first target that leads to a person is named."""
    target_of: dict[str, str] = {}
    for target in targets:
        for person in reachable.get(target, ()):
            target_of.setdefault(person, target)
    return tuple(Page(person, target, loop, step, kind) for person, target in target_of.items())


def _why_nobody(targets: Sequence[str], unreachable: Mapping[str, Sequence[str]]) -> PassedOverReason:
    somebody = any(unreachable.get(target) for target in targets)
    return PassedOverReason.UNREACHABLE if somebody else PassedOverReason.GAP


def _paged(state: Escalation, policy: Policy, now: datetime, hold: Hold) -> Escalation:
    step = policy.steps[state.step or 0]
    return replace(state, next_at=hold(now + step.wait), cause=Cause.STEP_UNANSWERED, paged_at=now)


def _tell_fallback(
    state: Escalation, policy: Policy, reachable: Mapping[str, Sequence[str]], last_resort: Sequence[str], now: datetime
) -> Decision:
    pages = _pages(policy.fallback, reachable, state.loop, None, PageKind.FALLBACK) or tuple(
        Page(person, "last_resort", state.loop, None, PageKind.FALLBACK) for person in dict.fromkeys(last_resort)
    )
    next_at = None if pages else now + FALLBACK_SOUGHT_AGAIN
    ended = replace(state, phase=Phase.EXHAUSTED, next_at=next_at, fallback_told=bool(pages))
    reason = EscalationReason.EXHAUSTED if pages else EscalationReason.NOBODY_TO_TELL
    return Decision(ended, reason, state.cause, pages)


def _due_without_hold(state: Escalation, policy: Policy, now: datetime) -> datetime:
    """When the next page would be due if its priority could page at any hour."""
    if state.step is None or state.paged_at is None or state.cause is not Cause.STEP_UNANSWERED:
        return now
    return state.paged_at + policy.steps[state.step].wait
