from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core import error_budget
from tocsin.core.error_budget import EmptySlices, SliceRule
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import WindowCounts

DAY = timedelta(days=1)
targets = st.decimals(min_value=0, max_value="0.999999", places=6)


@pytest.mark.parametrize("text", ["1", "1.0", "1.2", "-0.1", "NaN", "Infinity"])
def test_a_target_outside_zero_to_one_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        error_budget.allowed_ratio(Decimal(text))
    assert "target" in refused.value.fields


def test_the_allowed_ratio_comes_from_the_decimal_text() -> None:
    assert error_budget.allowed_ratio(Decimal("0.997")) == Fraction(3, 1000)
    assert error_budget.allowed_ratio(Decimal(0)) == 1


def test_without_events_there_is_no_sli() -> None:
    assert error_budget.sli(0, 0) is None
    assert error_budget.error_ratio(0, 0) is None
    assert error_budget.remaining_of_traffic(Decimal("0.99"), WindowCounts(0, 0)) is None


def test_overspending_is_debt() -> None:
    assert error_budget.remaining(100, 150) == Fraction(-1, 2)


@pytest.mark.parametrize("grant", [0, Fraction(0), -1])
def test_a_share_of_no_grant_is_refused(grant: int | Fraction) -> None:
    with pytest.raises(Invalid):
        error_budget.depletion(grant, 1)


@given(target=targets, valid=st.integers(1, 10**12), share=st.fractions(0, 1))
def test_remaining_and_depletion_make_a_whole(target: Decimal, valid: int, share: Fraction) -> None:
    bad = int(valid * share)
    grant = error_budget.grant_events(target, valid)
    assert error_budget.remaining(grant, bad) + error_budget.depletion(grant, bad) == 1
    assert error_budget.remaining_of_traffic(target, WindowCounts(valid, bad)) == error_budget.remaining(grant, bad)


@given(target=targets, slices=st.integers(1, 10**6))
def test_one_more_than_the_most_bad_breaks_the_grant(target: Decimal, slices: int) -> None:
    grant = error_budget.grant_events(target, slices)
    most = error_budget.most_bad(grant)
    assert most <= grant < most + 1


def test_a_running_period_is_forecast_at_its_pace() -> None:
    assert error_budget.forecast_valid(700, 7 * DAY, 28 * DAY) == 2800
    with pytest.raises(Invalid):
        error_budget.forecast_valid(1, timedelta(0), DAY)


def test_seconds_keep_microseconds() -> None:
    assert error_budget.seconds(timedelta(microseconds=1)) == Fraction(1, 1_000_000)
    assert error_budget.share_of(timedelta(hours=1), 28 * DAY) == Fraction(1, 672)


SLICES = [WindowCounts(100, 5), WindowCounts(100, 6), WindowCounts(0, 0), WindowCounts(10, 0)]


@pytest.mark.parametrize(
    ("empty", "expected"),
    [
        (EmptySlices.LEFT_OUT, WindowCounts(3, 1)),
        (EmptySlices.GOOD, WindowCounts(4, 1)),
        (EmptySlices.BAD, WindowCounts(4, 2)),
    ],
)
def test_a_slice_that_meets_its_target_is_good_and_an_empty_one_is_as_set(
    empty: EmptySlices, expected: WindowCounts
) -> None:
    assert error_budget.slice_counts(SLICES, SliceRule(Decimal("0.95"), empty)) == expected


def test_averaged_slices_weigh_the_same_whatever_their_traffic() -> None:
    assert error_budget.averaged_slices_sli([WindowCounts(1000, 0), WindowCounts(2, 1)]) == Fraction(3, 4)
    assert error_budget.averaged_slices_sli([WindowCounts(0, 0)]) is None
