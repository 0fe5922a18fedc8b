from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core import slo_windows
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import CalendarPeriod, CalendarUnit, WindowCounts, calendar_window

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def wall(*parts: int) -> datetime:
    """What a clock on the wall shows, without saying where the wall is."""
    return datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001


@given(counts=st.lists(st.integers(0, 10**9), max_size=60), steps=st.integers(1, 70))
def test_sliding_sums_add_what_is_there(counts: list[int], steps: int) -> None:
    found = slo_windows.sliding_sums(np.array(counts, dtype=np.int64), steps)
    assert found.tolist() == [sum(counts[max(0, i + 1 - steps) : i + 1]) for i in range(len(counts))]


def test_a_window_holds_whole_steps_and_at_least_one() -> None:
    assert slo_windows.steps_in(timedelta(hours=1), MINUTE) == 60
    assert slo_windows.steps_in(timedelta(hours=1), timedelta(minutes=7)) == 8
    assert slo_windows.steps_in(MINUTE, timedelta(minutes=5)) == 1
    with pytest.raises(Invalid):
        slo_windows.steps_in(MINUTE, timedelta(0))


def test_counts_add_up() -> None:
    assert WindowCounts(3, 1) + WindowCounts(4, 2) == WindowCounts(7, 3)


def test_a_rolling_window_trails() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    found = slo_windows.rolling_window(timedelta(days=28), now=now)
    assert (found.starts_at, found.ends_at) == (datetime(2026, 2, 1, tzinfo=UTC), now)


def monthly(first: datetime, unit: CalendarUnit = CalendarUnit.MONTH, count: int = 1) -> CalendarPeriod:
    return CalendarPeriod(first, BERLIN, count, unit)


def test_a_month_begins_at_local_midnight_on_either_side_of_the_clock_change() -> None:
    found = calendar_window(monthly(wall(2026, 1, 1)), now=datetime(2026, 3, 31, 12, tzinfo=UTC))
    assert found.starts_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert found.ends_at == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_the_moment_of_change_still_belongs_to_the_old_period() -> None:
    period = monthly(wall(2026, 1, 1))
    change = datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert calendar_window(period, now=change).ends_at == change
    assert calendar_window(period, now=change + MINUTE).starts_at == change


def test_a_period_from_the_31st_takes_the_last_day_of_short_months() -> None:
    period = monthly(wall(2026, 1, 31))
    starts = [period.start_of(n).astimezone(BERLIN).day for n in range(4)]
    assert starts == [31, 28, 31, 30]


def test_a_period_may_be_asked_for_before_its_first_start() -> None:
    found = calendar_window(monthly(wall(2026, 1, 1), CalendarUnit.QUARTER), now=datetime(2025, 11, 1, tzinfo=UTC))
    assert found.starts_at.astimezone(BERLIN).replace(tzinfo=None) == wall(2025, 10, 1)


def test_a_start_in_the_gap_is_the_end_of_the_gap_and_one_that_comes_twice_the_first() -> None:
    daily = monthly(wall(2026, 3, 28, 2, 30), CalendarUnit.DAY)
    assert daily.start_of(1) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert daily.start_of(2) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    autumn = monthly(wall(2026, 10, 25, 2, 30), CalendarUnit.DAY)
    assert autumn.start_of(0) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_half_hour_jump_is_found_too() -> None:
    lord_howe = CalendarPeriod(wall(2026, 10, 4, 2, 10), ZoneInfo("Australia/Lord_Howe"), 1, CalendarUnit.DAY)
    assert lord_howe.start_of(0) == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


@given(
    now=st.datetimes(wall(2020, 1, 1), wall(2032, 1, 1), timezones=st.just(UTC)),
    unit=st.sampled_from(CalendarUnit),
    count=st.integers(1, 5),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_every_moment_lies_in_one_period(now: datetime, unit: CalendarUnit, count: int, zone: str) -> None:
    period = CalendarPeriod(wall(2026, 1, 31, 2, 30), ZoneInfo(zone), count, unit)
    found = calendar_window(period, now=now)
    assert found.starts_at < now <= found.ends_at


def test_ticks_lie_on_multiples_in_utc() -> None:
    five = timedelta(minutes=5)
    now = datetime(2026, 1, 1, 12, 7, 30, tzinfo=UTC)
    assert slo_windows.grid_tick(now, five) == datetime(2026, 1, 1, 12, 5, tzinfo=UTC)
    assert slo_windows.grid_tick(now.astimezone(BERLIN), five) == datetime(2026, 1, 1, 12, 5, tzinfo=UTC)


def test_a_rule_is_due_once_for_each_tick() -> None:
    five = timedelta(minutes=5)
    at = datetime(2026, 1, 1, 12, 5, tzinfo=UTC)
    assert slo_windows.is_due(None, every=five, now=at)
    assert not slo_windows.is_due(at, every=five, now=at + 4 * MINUTE)
    assert slo_windows.is_due(at, every=five, now=at + 5 * MINUTE)
    assert slo_windows.is_due(at, every=None, now=at + timedelta(seconds=1))
    assert not slo_windows.is_due(at, every=None, now=at)
