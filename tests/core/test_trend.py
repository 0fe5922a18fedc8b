from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.errors import Invalid
from tocsin.core.trend import TrendReason, per_hour, trend

positive = st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=10**6)


@pytest.mark.parametrize("left", [Fraction(0), Fraction(-1, 20)])
def test_an_exhausted_budget_is_premature_whatever_burns(left: Fraction) -> None:
    found = trend(left, Fraction(0), hours_left=Fraction(0))
    assert (found.premature, found.hours, found.reason) == (True, 0, TrendReason.EXHAUSTED)


def test_a_budget_that_nothing_burns_never_ends() -> None:
    found = trend(Fraction(1, 2), Fraction(0), hours_left=Fraction(10**9))
    assert (found.premature, found.hours, found.reason) == (False, None, TrendReason.NOTHING_BURNS)


@given(left=positive, speed=positive)
def test_ending_with_the_period_is_not_premature(left: Fraction, speed: Fraction) -> None:
    hours = left / speed
    assert trend(left, speed, hours_left=hours).reason is TrendReason.LASTS
    assert trend(left, speed, hours_left=hours + Fraction(1, 10**9)).reason is TrendReason.ENDS_BEFORE_PERIOD


def test_speed_is_share_per_hour() -> None:
    assert per_hour(Fraction(12, 100), timedelta(hours=24)) == Fraction(1, 200)
    with pytest.raises(Invalid):
        per_hour(Fraction(1), timedelta(0))
