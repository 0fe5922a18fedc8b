"""Counts: added at every width at once, never twice, never what is no count; windows that end now."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.domains import slo_worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import actions, buckets, queries, windows
from tocsin.slo.models import Bucket
from tocsin.slo.specs import Count

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def _rows(width: int) -> list[tuple[int, int, int]]:
    return list(Bucket.objects.filter(width=width).order_by("start").values_list("start", "good", "bad"))


def _counts(slo: int, span: timedelta, now: datetime) -> WindowCounts:
    return queries.window_counts([slo], [span], now=now)[slo][span]


def test_an_event_is_added_to_its_minute_quarter_and_hour() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON + 17 * MINUTE, good=5, bad=1)
    slo_worlds.push(slo, NOON + 17 * MINUTE + timedelta(seconds=59), good=2, bad=3)
    slo_worlds.push(slo, NOON + 31 * MINUTE, good=10, bad=0)
    noon = buckets.epoch_seconds(NOON)
    assert _rows(60) == [(noon + 17 * 60, 7, 4), (noon + 31 * 60, 10, 0)]
    assert _rows(900) == [(noon + 900, 7, 4), (noon + 1800, 10, 0)]
    assert _rows(3600) == [(noon, 17, 4)]


def test_a_batch_that_names_a_minute_twice_is_one_statement_and_one_sum() -> None:
    slo, other = slo_worlds.objective(), slo_worlds.objective("search-availability")
    rows = [Count(slo.pk, NOON, 1, 0), Count(other.pk, NOON, 4, 4), Count(slo.pk, NOON, 2, 2)]
    with (
        transaction.atomic(),
        CaptureQueriesContext(
            connection,
        ) as seen,
    ):
        touched = actions.add_counts(rows, now=NOON)
    assert touched == {slo.pk, other.pk}
    assert len([query for query in seen.captured_queries if "INSERT" in query["sql"]]) == 1
    assert _counts(slo.pk, MINUTE, NOON) == WindowCounts(5, 2)
    assert _counts(other.pk, MINUTE, NOON) == WindowCounts(8, 4)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"good": -1, "bad": 0}, "0.good"),
        ({"good": 1, "bad": -1}, "0.bad"),
        ({"good": float("nan"), "bad": 0}, "0.good"),
        ({"good": float("inf"), "bad": 0}, "0.good"),
        ({"good": 1.5, "bad": 0}, "0.good"),
        ({"good": "7", "bad": 0}, "0.good"),
        ({"good": True, "bad": 0}, "0.good"),
        ({"good": 10**16, "bad": 0}, "0.good"),
    ],
)
def test_what_is_no_count_is_refused_and_nothing_of_the_batch_is_taken(row: dict[str, object], field: str) -> None:
    slo = slo_worlds.objective()
    rows = [Count(slo.pk, NOON, **row), Count(slo.pk, NOON, 1, 1)]  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused, transaction.atomic():
        actions.add_counts(rows, now=NOON)
    assert list(refused.value.fields) == [field]
    assert not Bucket.objects.exists()


def test_a_row_from_the_future_is_refused_and_a_fast_clock_counts_as_now() -> None:
    slo = slo_worlds.objective()
    with pytest.raises(Invalid):
        slo_worlds.push(slo, NOON + 6 * MINUTE, good=1, bad=0, now=NOON)
    slo_worlds.push(slo, NOON + 4 * MINUTE, good=1, bad=0, now=NOON)
    assert _counts(slo.pk, MINUTE, NOON) == WindowCounts(1, 0)


@pytest.mark.parametrize("minutes", [1, 5, 60, 360])
def test_on_the_grid_a_window_holds_exactly_its_own_minutes(minutes: int) -> None:
    slo = slo_worlds.objective()
    first = NOON - minutes * MINUTE
    slo_worlds.push(slo, first - timedelta(seconds=1), good=100, bad=0, now=NOON)
    slo_worlds.push(slo, first, good=0, bad=7, now=NOON)
    slo_worlds.push(slo, NOON - timedelta(seconds=1), good=3, bad=0, now=NOON)
    expected = WindowCounts(10, 7)
    assert _counts(slo.pk, minutes * MINUTE, NOON) == expected


def test_just_after_a_full_minute_a_window_of_one_minute_is_not_empty() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON - MINUTE, good=9, bad=1, now=NOON)
    assert _counts(slo.pk, MINUTE, NOON + timedelta(milliseconds=200)) == WindowCounts(10, 1)
    assert _counts(slo.pk, MINUTE, NOON + timedelta(seconds=40)) == WindowCounts(0, 0)


def test_long_windows_are_summed_from_quarters_and_hours() -> None:
    slo = slo_worlds.objective()
    for ago in (timedelta(minutes=1), timedelta(hours=20), timedelta(days=2), timedelta(days=20), timedelta(days=40)):
        slo_worlds.push(slo, NOON - ago, good=0, bad=1, now=NOON)
    found = queries.window_counts(
        [slo.pk], [timedelta(hours=24), timedelta(days=3), timedelta(days=28), timedelta(days=90)], now=NOON
    )[slo.pk]
    assert [counts.bad for counts in found.values()] == [2, 3, 4, 5]


def test_all_windows_of_many_objectives_cost_three_queries() -> None:
    slos = [slo_worlds.objective(f"slo-{number}") for number in range(5)]
    for slo in slos:
        slo_worlds.push(slo, NOON - MINUTE, good=1, bad=1, now=NOON)
    spans = [MINUTE, 5 * MINUTE, HOUR, 24 * HOUR, timedelta(days=28)]
    with CaptureQueriesContext(connection) as seen:
        found = queries.window_counts([slo.pk for slo in slos], spans, now=NOON)
    assert len(seen.captured_queries) == 3
    assert all(counts == WindowCounts(2, 1) for by_span in found.values() for counts in by_span.values())


def test_replacing_a_minute_moves_the_wider_buckets_by_the_difference() -> None:
    slo = slo_worlds.objective()
    start = buckets.epoch_seconds(NOON)
    for counts in ((10, 1), (12, 1), (7, 0), (7, 0)):
        with transaction.atomic():
            buckets.replace_minutes({(slo.pk, start): counts})
    for width in buckets.WIDTHS:
        assert _rows(width) == [(start, 7, 0)]


def test_a_minute_that_was_already_known_is_not_written_again() -> None:
    slo = slo_worlds.objective()
    start = buckets.epoch_seconds(NOON)
    with transaction.atomic():
        assert buckets.replace_minutes({(slo.pk, start): (3, 0), (slo.pk, start + 60): (4, 0)}) == 2
        assert buckets.replace_minutes({(slo.pk, start): (3, 0), (slo.pk, start + 60): (5, 0)}) == 1


def test_the_newest_and_the_oldest_data_are_remembered_whatever_the_order() -> None:
    slo = slo_worlds.objective()
    for minute in (5, 3, 9, 7):
        slo_worlds.push(slo, NOON + minute * MINUTE, good=1, bad=0, now=NOON + 10 * MINUTE)
    state = slo_worlds.state(slo)
    assert state.first_data_at == NOON + 3 * MINUTE
    assert state.last_data_at == NOON + 9 * MINUTE


def test_old_minutes_go_and_the_hours_that_a_budget_needs_stay() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON - timedelta(days=20), good=5, bad=0, now=NOON)
    slo_worlds.push(slo, NOON, good=1, bad=0)
    assert actions.forget_counts(0, now=NOON) == slo.pk
    assert len(_rows(60)) == len(_rows(900)) == 1
    assert actions.forget_counts(slo.pk, now=NOON) is None
    assert _counts(slo.pk, timedelta(days=28), NOON) == WindowCounts(6, 0)


@given(minutes=st.integers(1, 360), late=st.integers(0, 7200))
def test_between_ticks_a_window_is_at_most_half_a_minute_off(minutes: int, late: int) -> None:
    now = NOON + timedelta(seconds=late)
    stretch = windows.trailing(minutes * MINUTE, now=now)
    covered = buckets.epoch_seconds(now) - stretch.start
    assert stretch.width == 60
    assert abs(covered - minutes * 60) <= 30
