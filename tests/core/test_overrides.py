"""Which override rules, and that it rules exactly inside its half-open time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.overrides import Override, rank, ruling

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def override(user: str, *, start: int, end: int, priority: int = 0, created: int = 0) -> Override:
    return Override(NOON + start * HOUR, NOON + end * HOUR, (user,), priority, created)


def test_an_override_begins_at_its_start_and_is_over_at_its_end() -> None:
    only = override("a", start=0, end=1)
    assert ruling([only], now=NOON) == only
    assert ruling([only], now=NOON + HOUR) is None
    assert ruling([only], now=NOON - timedelta.resolution) is None


def test_the_higher_priority_rules_even_when_it_was_made_first() -> None:
    first = override("a", start=0, end=2, priority=5, created=1)
    second = override("b", start=0, end=2, priority=1, created=2)
    assert ruling([second, first], now=NOON) == first


def test_among_equals_the_one_created_last_rules() -> None:
    first, second = override("a", start=-1, end=2, created=1), override("b", start=0, end=1, created=2)
    assert ruling([second, first], now=NOON) == second
    assert ruling([second, first], now=NOON + HOUR) == first


spans = st.builds(
    lambda start, length, priority, created: override(
        str(created), start=start, end=start + length, priority=priority, created=created
    ),
    st.integers(-5, 5),
    st.integers(1, 5),
    st.integers(-2, 2),
    st.integers(0, 50),
)


@given(st.lists(spans, max_size=8), st.integers(-6, 11))
def test_the_ruling_one_covers_the_moment_and_nothing_that_covers_it_ranks_higher(
    overrides: list[Override], hour: int
) -> None:
    now = NOON + hour * HOUR
    covering = [one for one in overrides if one.start_at <= now < one.end_at]
    found = ruling(overrides, now=now)
    assert (found is None) == (not covering)
    assert found is None or all(rank(found) >= rank(one) for one in covering)
