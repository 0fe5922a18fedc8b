"""How pushed counters grow: never backwards, whatever a sender does."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.counter_growth import MINUTE_MS, Growths, Point, Stand, cumulative, delta

values = st.integers(0, 10**9).map(float)


def points(*given: float | None, every: int = 15_000) -> list[Point]:
    return [Point((place + 1) * every, value) for place, value in enumerate(given)]


def grown(found: Growths) -> float:
    return sum(events for _, events in found.grown)


def test_the_first_sample_says_where_a_series_stands_and_counts_nothing() -> None:
    found = cumulative(None, points(5000))
    assert found.grown == []
    assert found.stand == Stand(15_000, 5000.0)


def test_growth_is_seen_at_the_sample_that_shows_it() -> None:
    assert cumulative(None, points(10, 14, 14, 20)).grown == [(30_000, 4), (45_000, 0), (60_000, 6)]


@pytest.mark.parametrize(
    ("samples", "events"),
    [
        ((10, 3), 3),  # began anew at zero
        ((10, 0, 5), 5),
        ((10, 12, 4, 6, 1), 2 + 4 + 2 + 1),  # two resets
        ((0, 0), 0),
    ],
)
def test_a_counter_that_begins_anew_counts_what_it_holds(samples: tuple[float, ...], events: float) -> None:
    assert grown(cumulative(None, points(*samples))) == events


def test_a_new_process_is_known_by_its_start_even_when_it_has_counted_more_than_the_old_one() -> None:
    found = cumulative(Stand(1000, 10, start=1), [Point(2000, 50, start=1500)])
    assert grown(found) == 50


@given(st.lists(values, min_size=1, max_size=40))
def test_growth_equals_a_per_sample_reference_and_is_never_negative(samples: list[float]) -> None:
    found = cumulative(None, points(*samples))
    reference = sum(after - before if after >= before else after for before, after in itertools.pairwise(samples))
    assert grown(found) == reference
    assert all(events >= 0 for _, events in found.grown)


@given(st.lists(values, min_size=2, max_size=30), st.integers(0, 30))
def test_samples_sent_in_two_requests_or_twice_count_once(samples: list[float], cut: int) -> None:
    whole = points(*samples)
    at_once = cumulative(None, whole)
    first = cumulative(None, whole[:cut])
    second = cumulative(first.stand, whole[cut:])
    again = cumulative(second.stand, whole)
    assert first.grown + second.grown == at_once.grown
    assert (again.grown, again.late, again.stand) == ([], len(whole), at_once.stand)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_count_is_rejected_and_leaves_the_series_where_it_stood(value: float | None) -> None:
    for read in (cumulative, delta):
        found = read(Stand(1000, 7.0), [Point(2000, value)])
        assert (found.invalid, found.grown, found.stand) == (1, [], Stand(1000, 7.0))


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=30))
def test_no_sequence_of_numbers_makes_growth_negative_or_endless(samples: list[float | None]) -> None:
    for read in (cumulative, delta):
        found = read(None, points(*samples))
        assert all(events >= 0 and math.isfinite(events) for _, events in found.grown)


def test_a_series_that_ended_and_comes_back_goes_on_from_where_it_stood() -> None:
    ended = cumulative(None, [Point(1000, 5), Point(2000, None, stale=True)])
    assert ended.stand == Stand(1000, 5, stale=True)
    assert cumulative(ended.stand, [Point(3000, 9)]).grown == [(3000, 4)]
    assert cumulative(None, [Point(1000, None, stale=True)]).stand is None


def test_growth_after_a_silence_is_shared_out_among_its_minutes() -> None:
    found = cumulative(Stand(0, 0), [Point(10 * MINUTE_MS, 100)])
    assert [at for at, _ in found.grown] == [minute * MINUTE_MS for minute in range(1, 11)]
    assert {events for _, events in found.grown} == {10}


@given(st.integers(1, 10**9), values)
def test_sharing_out_loses_nothing_and_stays_within_an_hour(gap: int, events: float) -> None:
    found = cumulative(Stand(0, 0), [Point(gap, events)])
    assert grown(found) == pytest.approx(events, rel=1e-9)
    assert all(gap - 61 * MINUTE_MS < at <= gap for at, _ in found.grown)


def test_deltas_are_the_growth_itself_and_count_once() -> None:
    sent = [Point(60_000, 5, start=1), Point(120_000, 7, start=60_000)]
    found = delta(None, sent)
    assert grown(found) == 12
    assert delta(found.stand, sent).grown == []
