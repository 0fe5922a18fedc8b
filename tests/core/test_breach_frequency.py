from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.breach_frequency import (
    CountedAs,
    FrequencyReason,
    FrequencyRule,
    breaches_within,
    priority_by_frequency,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
OCCURRENCES = FrequencyRule(base=4, raised=2, counted_as=CountedAs.OCCURRENCES)
EPISODES = FrequencyRule(base=4, raised=2)


def at(*minutes: int) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


@pytest.mark.req("R-9.2.4-4")
def test_the_fourth_breach_within_the_hour_is_raised_and_says_why() -> None:
    *earlier, now = at(0, 10, 20, 59)
    found = priority_by_frequency(OCCURRENCES, earlier, now=now)
    assert (found.priority, found.breaches, found.reason) == (2, 4, FrequencyReason.FREQUENT)


@pytest.mark.req("R-9.2.4-4")
def test_a_breach_exactly_an_hour_ago_no_longer_counts() -> None:
    *earlier, now = at(0, 10, 20, 60)
    found = priority_by_frequency(OCCURRENCES, earlier, now=now)
    assert (found.priority, found.breaches, found.reason) == (4, 3, FrequencyReason.SELDOM)


def test_one_long_burn_is_one_episode() -> None:
    *earlier, now = at(*range(0, 60, 5))
    assert priority_by_frequency(EPISODES, earlier, now=now).breaches == 1
    assert priority_by_frequency(OCCURRENCES, earlier, now=now).priority == 2


def test_a_missed_tick_starts_a_new_episode() -> None:
    *earlier, now = at(0, 5, 15, 20, 30, 40)
    assert priority_by_frequency(EPISODES, earlier, now=now).breaches == 4


def test_the_tail_of_an_episode_that_began_earlier_counts() -> None:
    assert breaches_within(EPISODES, at(0, 5, 10, 40), now=at(66)[0]) == 2


def test_later_breaches_and_none_at_all_count_nothing() -> None:
    assert breaches_within(EPISODES, at(61), now=at(60)[0]) == 0
    assert breaches_within(OCCURRENCES, [], now=at(0)[0]) == 0


@given(minutes=st.lists(st.integers(0, 200), min_size=1, max_size=30))
def test_there_are_never_more_episodes_than_occurrences(minutes: list[int]) -> None:
    *earlier, now = at(*sorted(minutes))
    few = priority_by_frequency(EPISODES, earlier, now=now)
    many = priority_by_frequency(OCCURRENCES, earlier, now=now)
    assert 1 <= few.breaches <= many.breaches
    assert many.priority <= few.priority
