"""Periods by the names people give them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.errors import Invalid
from tocsin.core.report_periods import month_of, parse_period, quarter_of

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-q4", "2026-10-01", "2027-01-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        (" 2024-02 ", "2024-02-01", "2024-03-01"),
    ],
)
def test_a_named_period_reaches_from_its_first_day_to_the_next_one(text: str, start: str, end: str) -> None:
    found = parse_period(text, now=NOW)
    assert (f"{found.start:%Y-%m-%d}", f"{found.end:%Y-%m-%d}") == (start, end)
    assert found.holds(found.start)
    assert not found.holds(found.end)


def test_days_reach_back_from_now() -> None:
    found = parse_period("90d", now=NOW)
    assert (found.start, found.end) == (NOW - timedelta(days=90), NOW)


@pytest.mark.parametrize("text", ["", "soon", "2026-Q5", "2026-13", "2026-00", "0d", "26", "9999", "2026-1", "1e3d"])
def test_anything_else_is_refused_with_what_one_can_write(text: str) -> None:
    with pytest.raises(Invalid, match="2026-Q3"):
        parse_period(text, now=NOW)


@given(st.integers(0, 7000 * 365 * 24 * 60), st.integers(-12, 14))
def test_every_instant_lies_in_one_quarter_and_one_month_that_name_themselves(minutes: int, offset: int) -> None:
    at = datetime(1971, 1, 2, tzinfo=timezone(timedelta(hours=offset))) + timedelta(minutes=minutes)
    for found in (quarter_of(at), month_of(at)):
        assert found.holds(at)
        assert parse_period(found.name, now=NOW) == found
