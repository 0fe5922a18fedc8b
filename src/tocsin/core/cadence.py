"""When the next stakeholder update is due, and when it counts as late."""

from __future__ import annotations

from datetime import datetime, timedelta


def next_due(last_sent_at: datetime, interval: timedelta) -> datetime:
    """The latest time for the next update: counted from the last one sent, early ones included."""
    return last_sent_at + interval


def due_after_raise(
    *, current_due_at: datetime, last_sent_at: datetime, new_interval: timedelta, now: datetime
) -> datetime:
    """The due time after the priority was raised at `now`: sooner if the new interval says so, never in the past."""
    return max(now, min(current_due_at, last_sent_at + new_interval))


def due_after_lowering(*, current_due_at: datetime) -> datetime:
    """The due time after the priority was lowered: what was promised is kept, then the new interval counts."""
    return current_due_at


def due_after_change(
    *,
    current_due_at: datetime | None,
    last_sent_at: datetime,
    old_interval: timedelta | None,
    new_interval: timedelta | None,
    now: datetime,
) -> datetime | None:
    """The due time after a change of interval at `now`. An interval of None asks for no updates.

    A promise already given outlives a change to None; None is returned only when nothing was promised.
    """
    if new_interval is None:
        return current_due_at
    if current_due_at is None:
        return max(now, last_sent_at + new_interval)
    if old_interval is not None and new_interval >= old_interval:
        return due_after_lowering(current_due_at=current_due_at)
    return due_after_raise(current_due_at=current_due_at, last_sent_at=last_sent_at, new_interval=new_interval, now=now)


def late_at(due_at: datetime, grace: timedelta) -> datetime:
    """The instant up to which something due is still in time."""
    return due_at + grace


def is_late(due_at: datetime | None, grace: timedelta, *, now: datetime) -> bool:
    """Whether something due is late: only after the grace has passed, not at its last instant."""
    return due_at is not None and now > late_at(due_at, grace)


def planned_updates(opened_at: datetime, resolved_at: datetime, interval: timedelta) -> tuple[datetime, ...]:
    """The times of a whole bracket when each update is sent on time: opening, progress, closing.

    A progress update that would fall on the resolution gives way to the closing one.
    """
    times: list[datetime] = []
    at = opened_at
    while at < resolved_at:
        times.append(at)
        at += interval
    return (*times, resolved_at)


def initial_report_due(
    aware_at: datetime,
    classified_at: datetime,
    *,
    after_classification: timedelta = timedelta(hours=4),
    after_awareness: timedelta = timedelta(hours=24),
) -> datetime:
    """When the first report of a major incident is due to an authority (Delegated Regulation (EU) 2025/301, art. 5).

    Within 4 hours of classification and at most 24 hours after becoming aware; when it was classified later than
    that, within 4 hours of classification.
    """
    cap_at = aware_at + after_awareness
    if classified_at > cap_at:
        return classified_at + after_classification
    return min(classified_at + after_classification, cap_at)
