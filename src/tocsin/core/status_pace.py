"""When the subscribers of a service hear of an incident: at its beginning, at a steady pace, at its end.

Their clock is not the one of the promises to stakeholder groups: a new priority is told at once and sets the pace from
that moment, whether it was raised or lowered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.core.reasons import Reason


class StatusReason(Reason):
    """Why subscribers are told, or the clock is set without telling them."""

    DECLARED = "declared", "The incident was declared."
    REOPENED = "reopened", "The incident was reopened."
    PRIORITY_CHANGED = "priority_changed", "The incident has another priority."
    DUE = "due", "It is time again."
    ENDED = "ended", "The incident is over."
    NO_PACE = "no_pace", "Without a priority subscribers hear again at the end."


@dataclass(frozen=True)
class StatusClockFacts:
    """What subscribers were told. `told_rank` is None where it was no priority; `ended` when they heard of the end."""

    begun: bool
    told_rank: int | None
    next_at: datetime | None
    ended: bool = False


@dataclass(frozen=True)
class StatusIncidentFacts:
    """What the incident is. `interval` is the pace of its priority, None for none; `ended_at` is None while it is open."""

    began_at: datetime
    rank: int | None
    rank_since_at: datetime | None
    interval: timedelta | None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class StatusStep:
    """What happens now. `said_for` is the moment the message is for, which may be earlier when nobody was there."""

    reason: StatusReason
    said_for: datetime
    next_at: datetime | None

    @property
    def tells(self) -> bool:
        return self.reason is not StatusReason.NO_PACE


def status_step(clock: StatusClockFacts, incident: StatusIncidentFacts, *, now: datetime) -> StatusStep | None:
    """The next thing to tell subscribers at `now`, None when there is nothing; ask again after each step.

    Of due times that passed unused only the last one is told: the pace stays the one that was begun.
    """
    if not clock.begun:
        since = max(incident.began_at, incident.rank_since_at or incident.began_at)
        return StatusStep(StatusReason.DECLARED, incident.began_at, _after(since, incident, now))
    if incident.ended_at is not None:
        return None if clock.ended else StatusStep(StatusReason.ENDED, incident.ended_at, None)
    if clock.ended:
        return StatusStep(StatusReason.REOPENED, now, _after(now, incident, now))
    if clock.told_rank != incident.rank:
        return _reclassified(incident, now)
    if clock.next_at is None or clock.next_at > now:
        return None
    return _due(clock.next_at, incident, now)


def _reclassified(incident: StatusIncidentFacts, now: datetime) -> StatusStep:
    since = incident.rank_since_at or now
    if incident.rank is None:
        return StatusStep(StatusReason.NO_PACE, since, None)
    return StatusStep(StatusReason.PRIORITY_CHANGED, since, _after(since, incident, now))


def _due(next_at: datetime, incident: StatusIncidentFacts, now: datetime) -> StatusStep:
    following = _after(next_at, incident, now)
    said_for = following - incident.interval if following is not None and incident.interval is not None else next_at
    return StatusStep(StatusReason.DUE, said_for, following)


def _after(since: datetime, incident: StatusIncidentFacts, now: datetime) -> datetime | None:
    """The first time after `now` on the grid that starts at `since`."""
    if incident.interval is None or incident.ended_at is not None:
        return None
    missed = max(0, (now - since) // incident.interval)
    return since + (missed + 1) * incident.interval
