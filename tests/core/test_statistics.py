from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core import statistics
from tocsin.core.errors import Invalid
from tocsin.core.statistics import PercentileMethod, percentile

MINUTES = [5, 7, 8, 9, 10, 12, 15, 20, 45, 600]
START = datetime(2026, 1, 5, tzinfo=UTC)


def test_nearest_rank_takes_a_value_of_the_sample() -> None:
    rank = PercentileMethod.NEAREST_RANK
    assert [percentile(MINUTES, p, method=rank) for p in (0, 50, 90, 100)] == [5, 10, 45, 600]


def test_one_outlier_moves_the_mean_and_not_the_median() -> None:
    with_it, without = statistics.distribution(MINUTES), statistics.distribution(MINUTES[:-1])
    assert with_it is not None
    assert without is not None
    assert (with_it.n, with_it.mean, with_it.p50, with_it.max) == (10, Fraction(731, 10), 11, 600)
    assert (without.mean, without.p50) == (Fraction(131, 9), 10)


@given(values=st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), percent=st.integers(0, 100))
def test_type_7_agrees_with_numpy(values: list[int], percent: int) -> None:
    assert float(percentile(values, percent)) == pytest.approx(float(np.percentile(values, percent)))


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1], 101), ([1], -1)])
def test_percentiles_of_nothing_or_beyond_a_hundred_are_refused(values: list[int], percent: int) -> None:
    with pytest.raises(Invalid):
        percentile(values, percent)


def test_what_cannot_be_said_is_none() -> None:
    quality = statistics.precision_recall(alerts=0, alerts_overlapping=0, significant=0, alerted=0)
    assert (quality.precision, quality.recall) == (None, None)
    assert statistics.adherence_ratio(passed=0, failed=0) is None
    assert statistics.distribution([]) is None


@pytest.mark.req("R-9.5.6-1")
def test_a_missing_point_in_time_makes_its_figures_missing() -> None:
    done = START + timedelta(hours=5)
    dropped = statistics.action_item_times(created_at=START, started_at=None, done_at=None)
    assert (dropped.lead, dropped.queue, dropped.cycle, dropped.efficiency) == (None, None, None, None)
    unstarted = statistics.action_item_times(created_at=START, started_at=None, done_at=done)
    assert (unstarted.lead, unstarted.queue, unstarted.cycle, unstarted.efficiency) == (5, None, None, None)


def test_an_item_done_at_once_has_no_efficiency() -> None:
    found = statistics.action_item_times(created_at=START, started_at=START, done_at=START)
    assert (found.lead, found.efficiency) == (0, None)


def test_overlapping_incidents_are_counted_once() -> None:
    def span(begin: float, end: float) -> tuple[datetime, datetime]:
        return START + timedelta(hours=begin), START + timedelta(hours=end)

    assert statistics.union_length([span(10, 12), span(11.5, 13), span(0, 1.5)]) == timedelta(hours=4.5)
    assert statistics.union_length([span(0, 10), span(2, 3)]) == timedelta(hours=10)
    assert statistics.union_length([]) == timedelta(0)
