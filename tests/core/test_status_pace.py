"""When subscribers hear: declaration, pace, new priority, end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.status_pace import StatusClockFacts, StatusIncidentFacts, StatusReason, status_step

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
P1 = StatusIncidentFacts(TEN, 1, TEN, 2 * HOUR)
NEW = StatusClockFacts(begun=False, told_rank=None, next_at=TEN)
TOLD = StatusClockFacts(begun=True, told_rank=1, next_at=TEN + 2 * HOUR)


def at(hours: float) -> datetime:
    return TEN + timedelta(hours=hours)


def test_a_declaration_is_told_at_once_and_sets_the_pace() -> None:
    step = status_step(NEW, P1, now=TEN)
    assert step is not None
    assert (step.reason, step.said_for, step.next_at) == (StatusReason.DECLARED, TEN, at(2))


@pytest.mark.parametrize(("now", "tells"), [(at(2) - timedelta(microseconds=1), False), (at(2), True)])
def test_the_pace_is_kept_to_the_instant(now: datetime, tells: bool) -> None:
    step = status_step(TOLD, P1, now=now)
    assert (step is not None) is tells


def test_times_that_were_missed_are_told_once_and_the_pace_stays() -> None:
    step = status_step(TOLD, P1, now=at(7))
    assert step is not None
    assert (step.reason, step.said_for, step.next_at) == (StatusReason.DUE, at(6), at(8))


@pytest.mark.parametrize(("rank", "hours"), [(2, 4), (3, 8)])
def test_a_new_priority_is_told_at_once_and_sets_the_pace_from_then(rank: int, hours: int) -> None:
    changed = replace(P1, rank=rank, rank_since_at=at(1), interval=hours * HOUR)
    step = status_step(TOLD, changed, now=at(1))
    assert step is not None
    assert (step.reason, step.said_for, step.next_at) == (StatusReason.PRIORITY_CHANGED, at(1), at(1 + hours))


def test_a_priority_without_a_pace_is_told_and_then_only_the_end() -> None:
    step = status_step(TOLD, replace(P1, rank=4, rank_since_at=at(1), interval=None), now=at(1))
    assert step is not None
    assert (step.tells, step.next_at) == (True, None)


def test_no_priority_tells_nothing_until_the_end() -> None:
    undecided = StatusIncidentFacts(TEN, None, None, None)
    declared = status_step(NEW, undecided, now=TEN)
    assert declared is not None
    assert declared.next_at is None
    step = status_step(TOLD, replace(P1, rank=None, rank_since_at=at(1), interval=None), now=at(1))
    assert step is not None
    assert (step.reason, step.tells, step.next_at) == (StatusReason.NO_PACE, False, None)
    silent = StatusClockFacts(begun=True, told_rank=None, next_at=None)
    assert status_step(silent, undecided, now=at(100)) is None


def test_the_end_is_told_once() -> None:
    over = replace(P1, ended_at=at(1.5))
    step = status_step(TOLD, over, now=at(3))
    assert step is not None
    assert (step.reason, step.said_for, step.next_at) == (StatusReason.ENDED, at(1.5), None)
    assert status_step(replace(TOLD, ended=True, next_at=None), over, now=at(3)) is None


def test_what_began_and_ended_between_two_looks_is_told_as_both() -> None:
    over = replace(P1, ended_at=TEN + timedelta(seconds=1))
    first = status_step(NEW, over, now=at(1))
    assert first is not None
    assert (first.reason, first.next_at) == (StatusReason.DECLARED, None)


def test_a_reopened_incident_is_told_of_again() -> None:
    step = status_step(replace(TOLD, ended=True, next_at=None), P1, now=at(5))
    assert step is not None
    assert (step.reason, step.next_at) == (StatusReason.REOPENED, at(7))


@given(minutes=st.integers(0, 60 * 48), every=st.sampled_from([2, 4, 8]))
def test_whatever_the_moment_the_next_time_lies_ahead_on_the_grid(minutes: int, every: int) -> None:
    incident = replace(P1, interval=every * HOUR)
    clock = replace(TOLD, next_at=at(every))
    now = TEN + timedelta(minutes=minutes)
    step = status_step(clock, incident, now=now)
    if step is None:
        assert now < at(every)
        return
    assert step.said_for <= now < (step.next_at or TEN)
    assert ((step.next_at or TEN) - TEN) % (every * HOUR) == timedelta(0)
