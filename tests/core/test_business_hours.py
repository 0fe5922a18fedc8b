"""Business hours: open by the team's own wall clock, closed on holidays, and never closed for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.business_hours import BusinessHours, is_open, next_open

BERLIN = BusinessHours("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_they_open_at_nine_and_are_closed_at_seventeen_on_the_wall() -> None:
    assert not is_open(BERLIN, now=utc(2026, 1, 5, 8) - timedelta.resolution)
    assert is_open(BERLIN, now=utc(2026, 1, 5, 8))
    assert is_open(BERLIN, now=utc(2026, 1, 5, 16) - timedelta.resolution)
    assert not is_open(BERLIN, now=utc(2026, 1, 5, 16))


def test_friday_evening_waits_for_monday_across_a_clock_change() -> None:
    assert next_open(BERLIN, now=utc(2026, 3, 27, 18)) == utc(2026, 3, 30, 7)
    assert next_open(BERLIN, now=utc(2026, 10, 23, 18)) == utc(2026, 10, 26, 8)


def test_what_comes_while_they_are_open_does_not_wait() -> None:
    now = utc(2026, 1, 7, 11, 30)
    assert next_open(BERLIN, now=now) == now


def test_a_holiday_is_left_out() -> None:
    hours = BusinessHours("Europe/Berlin", holidays=frozenset({date(2026, 1, 6), date(2026, 1, 7)}))
    assert next_open(hours, now=utc(2026, 1, 5, 16)) == utc(2026, 1, 8, 8)


def test_holidays_that_never_end_are_a_mistake_and_are_ignored() -> None:
    endless = BusinessHours("UTC", holidays=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(500)))
    assert next_open(endless, now=utc(2026, 1, 5, 3)) == utc(2026, 1, 5, 9)


def test_a_late_shift_belongs_to_the_day_it_begins_on() -> None:
    late = BusinessHours("UTC", weekdays=frozenset({4}), opens=time(18), closes=time(2))
    assert is_open(late, now=utc(2026, 1, 10, 1))
    assert not is_open(late, now=utc(2026, 1, 9, 1))
    assert next_open(late, now=utc(2026, 1, 10, 2)) == utc(2026, 1, 16, 18)


@pytest.mark.parametrize("weekdays", [frozenset(), frozenset({7})])
def test_hours_without_a_real_weekday_are_refused(weekdays: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="need weekdays"):
        BusinessHours("UTC", weekdays=weekdays)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - the strategy wants naive bounds
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]),
    st.sets(st.integers(0, 6), min_size=1),
    st.times(),
    st.times(),
)
def test_the_next_opening_is_open_never_past_and_nothing_before_it_is(
    moment: datetime, where: str, days: set[int], opens: time, closes: time
) -> None:
    hours = BusinessHours(where, frozenset(days), opens.replace(microsecond=0), closes.replace(microsecond=0))
    now = moment.replace(tzinfo=UTC)
    found = next_open(hours, now=now)
    assert found >= now
    assert is_open(hours, now=found)
    assert found == now or not is_open(hours, now=now + (found - now) / 2)
