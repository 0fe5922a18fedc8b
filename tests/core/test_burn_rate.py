from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core import burn_rate
from tocsin.core.burn_rate import AllowedRatio, burns_faster, exceeds
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import WindowArrays, WindowCounts

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
TARGET = Decimal("0.997")
counts = st.builds(WindowCounts, valid=st.integers(0, 2**62), bad=st.integers(0, 2**62))
targets = st.decimals(min_value=0, max_value="0.999999999", places=9)
limits = st.fractions(min_value=0, max_value=1500, max_denominator=10**6)


def exactly(one: WindowCounts, limit: Fraction, target: Decimal) -> bool:
    return one.bad > limit * (1 - Fraction(target)) * one.valid


def test_twice_the_allowed_errors_do_not_burn_faster_than_two() -> None:
    # The float quotient 0.2 / (1 - 0.9) is 2.0000000000000004.
    assert not burns_faster(WindowCounts(100, 20), limit=Fraction(2), target=Decimal("0.9"))
    assert burns_faster(WindowCounts(100, 21), limit=Fraction(2), target=Decimal("0.9"))


def test_no_events_never_burn() -> None:
    assert burn_rate.burn_rate(TARGET, 0, 0) is None
    assert not burns_faster(WindowCounts(0, 0), limit=Fraction(0), target=TARGET)


@given(rows=st.lists(counts, min_size=1, max_size=5), limit=limits, target=targets)
def test_comparisons_are_exact_up_to_the_largest_counts(
    rows: list[WindowCounts], limit: Fraction, target: Decimal
) -> None:
    found = exceeds(WindowArrays.of(rows), limit=limit, allowed=AllowedRatio.of(target))
    assert found.tolist() == [exactly(row, limit, target) for row in rows]


@given(valid=st.integers(1, 2**40), limit=limits, target=targets, off=st.integers(-1, 1))
def test_comparisons_are_exact_beside_the_boundary(valid: int, limit: Fraction, target: Decimal, off: int) -> None:
    bad = max(0, int(limit * (1 - Fraction(target)) * valid) + off)
    row = WindowCounts(valid, bad)
    assert burns_faster(row, limit=limit, target=target) is exactly(row, limit, target)


@given(rows=st.lists(st.tuples(counts, targets), min_size=1, max_size=5), limit=limits)
def test_a_fleet_holds_each_row_against_its_own_target(
    rows: list[tuple[WindowCounts, Decimal]], limit: Fraction
) -> None:
    allowed = AllowedRatio.of_each([target for _, target in rows])
    found = exceeds(WindowArrays.of([one for one, _ in rows]), limit=limit, allowed=allowed)
    assert found.tolist() == [exactly(one, limit, target) for one, target in rows]


def test_an_equal_product_beyond_64_bits_is_not_above() -> None:
    valid = 2**61
    row = WindowCounts(valid, valid // 2)
    assert not burns_faster(row, limit=Fraction(5), target=Decimal("0.9"))
    assert burns_faster(WindowCounts(valid, valid // 2 + 1), limit=Fraction(5), target=Decimal("0.9"))


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(Invalid):
        burns_faster(WindowCounts(1, 1), limit=Fraction(-1), target=TARGET)


def test_burn_rates_for_display_say_nothing_without_events() -> None:
    shown = burn_rate.burn_rates(WindowArrays.of([WindowCounts(1000, 6), WindowCounts(0, 0)]), AllowedRatio.of(TARGET))
    assert shown[0] == pytest.approx(2)
    assert np.isnan(shown[1])


@pytest.mark.parametrize(
    ("percent_errors", "detect", "reset"),
    [
        ("100", "0.36", "59.64"),
        ("10", "3.6", "56.4"),
        ("5", "7.2", "52.8"),
        ("1.2", "30", "30"),
        ("1", "36", "24"),
        ("0.75", "48", "12"),
        ("0.6", None, "0"),
    ],
)
def test_detection_and_reset_of_the_depletion_rule(percent_errors: str, detect: str | None, reset: str) -> None:
    ratio = Fraction(percent_errors) / 100
    found = burn_rate.detection_minutes(TARGET, ratio, limit=Fraction(2), window=HOUR)
    assert found == (None if detect is None else Fraction(detect))
    assert burn_rate.reset_minutes(TARGET, ratio, limit=Fraction(2), window=HOUR) == Fraction(reset)


@pytest.mark.parametrize(
    ("share", "hours", "days", "limit"),
    [("2", 1, 30, "14.4"), ("2", 1, 28, "13.44"), ("5", 6, 30, "6"), ("5", 6, 28, "5.6"), ("10", 24, 28, "2.8")],
)
def test_limits_that_stand_for_a_share_of_the_budget(share: str, hours: int, days: int, limit: str) -> None:
    found = burn_rate.limit_for_share(Fraction(share) / 100, hours * HOUR, timedelta(days=days))
    assert found == Fraction(limit)


def test_an_hour_of_outage_spends_more_than_a_strict_budget() -> None:
    assert burn_rate.depletion_even(Fraction(1000), HOUR, MONTH) == Fraction(25, 18)


def test_nothing_burning_lasts_for_ever() -> None:
    assert burn_rate.exhaustion_hours(MONTH, Fraction(0)) is None


@pytest.mark.parametrize(("percent", "hours", "speed"), [(70, 52, "35/26"), (80, 2, "40"), (80, 336, "5/21")])
def test_depletion_speed_is_percent_per_hour(percent: int, hours: int, speed: str) -> None:
    assert burn_rate.depletion_speed(Fraction(percent), hours * HOUR) == Fraction(speed)
