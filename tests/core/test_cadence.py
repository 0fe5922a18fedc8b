"""When the next update is due, and when it is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.process_samples import PROCESS, at
from tocsin.core.cadence import due_after_change, is_late, next_due, planned_updates

TWO, FOUR, EIGHT = timedelta(hours=2), timedelta(hours=4), timedelta(hours=8)
GRACE = PROCESS.catalogue.notification.overdue_grace


@pytest.mark.req("R-9.2.2-2")
def test_raising_after_nine_o_clock_makes_the_next_update_due_at_the_moment_of_raising() -> None:
    found = due_after_change(
        current_due_at=at("17:00"), last_sent_at=at("09:00"), old_interval=EIGHT, new_interval=TWO, now=at("11:30")
    )
    assert found == at("11:30")


@pytest.mark.req("R-9.2.2-2")
def test_lowering_keeps_the_promise_and_then_takes_the_new_interval() -> None:
    kept = due_after_change(
        current_due_at=at("14:00"), last_sent_at=at("12:00"), old_interval=TWO, new_interval=FOUR, now=at("13:00")
    )
    assert kept == at("14:00")
    assert next_due(at("14:00"), FOUR) == at("18:00")


def test_a_priority_without_updates_still_keeps_a_promise() -> None:
    for promised in (at("14:00"), None):
        found = due_after_change(
            current_due_at=promised, last_sent_at=at("12:00"), old_interval=TWO, new_interval=None, now=at("13:00")
        )
        assert found == promised


def test_updates_that_begin_again_count_from_the_last_one_sent() -> None:
    found = due_after_change(
        current_due_at=None, last_sent_at=at("12:00"), old_interval=None, new_interval=TWO, now=at("15:00")
    )
    assert found == at("15:00")


@pytest.mark.req("R-9.2.3-12")
def test_late_begins_after_the_grace_and_not_with_it() -> None:
    last_instant = at("12:00") + GRACE
    assert timedelta(minutes=10) == GRACE
    assert not is_late(at("12:00"), GRACE, now=last_instant)
    assert is_late(at("12:00"), GRACE, now=last_instant + timedelta(microseconds=1))
    assert not is_late(None, GRACE, now=last_instant)


def test_a_progress_update_that_falls_on_the_resolution_gives_way_to_the_closing_one() -> None:
    assert planned_updates(at("10:00"), at("14:00"), TWO) == (at("10:00"), at("12:00"), at("14:00"))


INSTANTS = st.integers(0, 2880).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
INTERVALS = st.integers(1, 600).map(lambda minutes: timedelta(minutes=minutes))


@given(INSTANTS, INTERVALS, INTERVALS, st.integers(0, 900))
def test_a_change_of_interval_never_delays_a_promise_that_is_still_ahead(
    last: datetime, old: timedelta, new: timedelta, later: int
) -> None:
    now, due = last + timedelta(minutes=later), last + old
    found = due_after_change(current_due_at=due, last_sent_at=last, old_interval=old, new_interval=new, now=now)
    assert found is not None
    assert found <= max(due, now)
    assert found >= min(due, now)
