"""One state machine for every alert rule: from what a tick shows to whether a person is told.

A rule says how hot a tick is; the latch decides what that means after what went before. The rules differ only in
the latch's three durations, so replay, simulator and the running engine cannot drift apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any


class Urgency(StrEnum):
    """How soon a person must look: at once, or in working hours."""

    PAGE = "page"
    TICKET = "ticket"


class Heat(IntEnum):
    """What one tick shows. Stored in int8 arrays, hence the numbers."""

    CALM = 0  # an alert that fires may end
    LINGERING = 1  # not enough to open an alert, too much to end one
    BURNING = 2  # the condition holds
    NO_DATA = 3  # no valid event in any window: nothing can be said


class Reason(StrEnum):
    """Why the latch decided as it did."""

    QUIET = "quiet"
    OPENED = "opened"
    REOPENED = "reopened"
    COVERED = "covered"
    STILL_BURNING = "still_burning"
    RENOTIFIED = "renotified"
    GROWN = "grown"
    CALMING = "calming"
    CALM = "calm"
    NO_DATA = "no_data"
    NOT_DUE = "not_due"


REASON_TEXTS: Mapping[Reason, str] = {
    Reason.QUIET: "nothing to tell",
    Reason.OPENED: "the condition has begun to hold",
    Reason.REOPENED: "burning again so soon that nobody is told anew",
    Reason.COVERED: "a more urgent alert of the same SLO is active and speaks for this one",
    Reason.STILL_BURNING: "still burning; people know",
    Reason.RENOTIFIED: "still burning after the time for a reminder",
    Reason.GROWN: "worse: since people were told, a further share of the budget is gone",
    Reason.CALMING: "calm, but not yet for long enough",
    Reason.CALM: "calm: the alert ends",
    Reason.NO_DATA: "no data; the alert stays as it was",
    Reason.NOT_DUE: "between two evaluations",
}


@dataclass(frozen=True, slots=True)
class Latch:
    """How long calm must last, how soon a recurrence is the same story, when to remind.

    ``hold_for``: how long the condition must have held at every tick before it counts. ``yields_for_good``: an alert
    that began under a more urgent one is never told by itself later. ``grown_in``: a condition with it opens nothing; it
    holds when a further share of the budget went in that time, and people are told again once it has passed since they
    were told.
    """

    calm_for: timedelta = timedelta(0)
    reopen_within: timedelta | None = None
    renotify_after: timedelta | None = None
    yields_for_good: bool = False
    hold_for: timedelta = timedelta(0)
    grown_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """What an alert of one SLO and urgency must remember. ``due_at``: when time alone may change it.

    ``ripe_at`` has one moment for each condition of the urgency that must hold for a while: from when on it counts,
    None while it does not hold.
    """

    firing: bool = False
    opened_at: datetime | None = None
    notified_at: datetime | None = None
    calm_since: datetime | None = None
    closed_at: datetime | None = None
    due_at: datetime | None = None
    ripe_at: tuple[datetime | None, ...] = ()

    def wakes_at(self, *, now: datetime) -> datetime | None:
        """Return when time alone may change this state after ``now``."""
        moments = [at for at in self.ripe_at if at is not None and at > now]
        return min([*moments, self.due_at] if self.due_at is not None else moments, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; instants as ISO 8601."""
        instants = {name: getattr(self, name) for name in _INSTANTS}
        ripe = {"ripe_at": [at.isoformat() if at else None for at in self.ripe_at]} if any(self.ripe_at) else {}
        return {
            "firing": self.firing,
            **{name: at.isoformat() for name, at in instants.items() if at is not None},
            **ripe,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AlertState":
        """Read back what ``as_json`` wrote."""
        instants = {name: datetime.fromisoformat(data[name]) for name in _INSTANTS if name in data}
        ripe = tuple(datetime.fromisoformat(at) if at else None for at in data.get("ripe_at", ()))
        return cls(firing=bool(data.get("firing", False)), ripe_at=ripe, **instants)


_INSTANTS = ("opened_at", "notified_at", "calm_since", "closed_at", "due_at")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the latch decided for one urgency. ``grown_in``: where people are told of growth, the time it took."""

    firing: bool
    notify: bool
    reason: Reason
    grown_in: timedelta | None = None


_WEIGHT = {Heat.NO_DATA: 0, Heat.CALM: 1, Heat.LINGERING: 2, Heat.BURNING: 3}


def ripened(
    rows: Sequence[tuple[timedelta, Heat]], ripe_at: tuple[datetime | None, ...], *, now: datetime
) -> tuple[Heat, tuple[datetime | None, ...]]:
    """Fold the conditions of one urgency, as (how long it must hold, its heat), into one heat.

    A condition that has not held for long enough yet is calm; the hottest of them speaks for all. Also returns the
    moments to remember; a memory of other conditions than these is none.
    """
    if not any(hold_for for hold_for, _ in rows):
        return max((heat for _, heat in rows), key=_WEIGHT.__getitem__), ()
    known = ripe_at if len(ripe_at) == len(rows) else (None,) * len(rows)
    moments = tuple(
        (at or now + hold_for) if heat is Heat.BURNING else None
        for (hold_for, heat), at in zip(rows, known, strict=True)
    )
    heats = [Heat.CALM if at is not None and now < at else heat for (_, heat), at in zip(rows, moments, strict=True)]
    return max(heats, key=_WEIGHT.__getitem__), moments if any(moments) else ()


def advance(
    state: AlertState,
    heat: Heat,
    *,
    latch: Latch,
    now: datetime,
    covered: bool = False,
    grown_in: timedelta | None = None,
) -> tuple[AlertState, Outcome]:
    """Take one tick's heat into account.

    ``covered``: a more urgent alert of the same SLO is firing, so this one keeps quiet. ``grown_in``: the shortest time
    in which a further share of the budget went. Between ``now`` and the returned ``due_at`` the same heat and growth
    change nothing, which lets a replay skip those ticks.
    """
    if heat is Heat.NO_DATA:
        # Silence is no proof of health: an open alert stays open, a closed one stays closed.
        return replace(state, calm_since=None, due_at=None), Outcome(state.firing, False, Reason.NO_DATA)
    if not state.firing:
        state, outcome = _while_quiet(state, heat, latch, now, covered)
    elif heat is Heat.BURNING:
        state, outcome = _while_burning(state, latch, now, covered)
    elif heat is Heat.LINGERING:
        state, outcome = replace(state, calm_since=None, due_at=None), Outcome(True, False, Reason.STILL_BURNING)
    else:
        return _while_calm(state, latch, now)
    return (state, outcome) if grown_in is None else _while_growing(state, outcome, latch, now, grown_in)


def _while_growing(
    state: AlertState, outcome: Outcome, latch: Latch, now: datetime, grown_in: timedelta
) -> tuple[AlertState, Outcome]:
    """Tell of growth that lies wholly after what people were told last."""
    if not state.firing or state.notified_at is None or outcome.reason is Reason.COVERED:
        return state, outcome
    if now >= state.notified_at + grown_in:
        state, outcome = _told(state, latch, now), Outcome(True, True, Reason.GROWN, grown_in)
    due_at = (state.notified_at or now) + grown_in
    return replace(state, due_at=due_at if state.due_at is None else min(due_at, state.due_at)), outcome


def _while_quiet(
    state: AlertState, heat: Heat, latch: Latch, now: datetime, covered: bool
) -> tuple[AlertState, Outcome]:
    if heat is not Heat.BURNING:
        return state, Outcome(False, False, Reason.QUIET)
    if _is_recurrence(state, latch, now):
        opened = AlertState(firing=True, opened_at=state.opened_at, notified_at=state.notified_at)
        return _with_reminder(opened, latch), Outcome(True, False, Reason.REOPENED)
    opened = AlertState(firing=True, opened_at=now)
    if covered:
        return _yielded(opened, latch, now), Outcome(True, False, Reason.COVERED)
    return _told(opened, latch, now), Outcome(True, True, Reason.OPENED)


def _while_burning(state: AlertState, latch: Latch, now: datetime, covered: bool) -> tuple[AlertState, Outcome]:
    state = _with_reminder(replace(state, calm_since=None), latch)
    if covered:
        return state, Outcome(True, False, Reason.COVERED)
    if state.notified_at is None:
        return _told(state, latch, now), Outcome(True, True, Reason.OPENED)
    if state.due_at is not None and now >= state.due_at:
        return _told(state, latch, now), Outcome(True, True, Reason.RENOTIFIED)
    return state, Outcome(True, False, Reason.STILL_BURNING)


def _while_calm(state: AlertState, latch: Latch, now: datetime) -> tuple[AlertState, Outcome]:
    calm_since = state.calm_since or now
    if now - calm_since < latch.calm_for:
        waiting = replace(state, calm_since=calm_since, due_at=calm_since + latch.calm_for)
        return waiting, Outcome(True, False, Reason.CALMING)
    closed = replace(state, firing=False, calm_since=None, closed_at=now, due_at=None)
    return closed, Outcome(False, False, Reason.CALM)


def _is_recurrence(state: AlertState, latch: Latch, now: datetime) -> bool:
    """Whether people were told so recently that the same key again is the same story."""
    if state.notified_at is None:
        return False
    if latch.renotify_after is not None and now < state.notified_at + latch.renotify_after:
        return True
    return (
        latch.reopen_within is not None
        and state.closed_at is not None
        and (now < state.closed_at + latch.reopen_within)
    )


def _told(state: AlertState, latch: Latch, now: datetime) -> AlertState:
    return _with_reminder(replace(state, notified_at=now), latch)


def _yielded(state: AlertState, latch: Latch, now: datetime) -> AlertState:
    return _told(state, latch, now) if latch.yields_for_good else state


def _with_reminder(state: AlertState, latch: Latch) -> AlertState:
    if latch.renotify_after is None or state.notified_at is None:
        return replace(state, due_at=None)
    return replace(state, due_at=state.notified_at + latch.renotify_after)
