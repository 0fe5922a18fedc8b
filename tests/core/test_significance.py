import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.errors import Invalid
from tocsin.core.significance import (
    binomial_tail,
    poisson_lower,
    poisson_lower_bounds,
    poisson_tail,
    poisson_upper,
    wilson_bounds,
)


@pytest.mark.parametrize(
    ("bad", "valid", "low", "high"),
    [
        (1, 10, 0.017876, 0.40415),
        (2, 10, 0.056682, 0.509838),
        (1, 1000, 0.000177, 0.005643),
        (20, 1000, 0.012984, 0.03069),
        (0, 10, 0, 0.277533),
    ],
)
def test_wilson_bounds_are_the_published_ones(bad: int, valid: int, low: float, high: float) -> None:
    assert wilson_bounds(bad, valid) == pytest.approx((low, high), abs=5e-7)


def test_wilson_says_nothing_of_nothing_and_is_mirrored() -> None:
    assert wilson_bounds(0, 0) == (0, 1)
    assert wilson_bounds(10, 10) == pytest.approx((1 - 0.277533, 1), abs=5e-7)


@pytest.mark.parametrize(("least", "trials", "chance"), [(1, 10, 0.058406), (2, 10, 0.001569), (12, 1000, 0.019754)])
def test_binomial_tails_are_the_published_ones(least: int, trials: int, chance: float) -> None:
    assert binomial_tail(least, trials, 0.006) == pytest.approx(chance, abs=5e-7)


def test_tails_at_their_ends() -> None:
    assert binomial_tail(0, 10, 0.5) == poisson_tail(0, 3.0) == 1
    assert binomial_tail(11, 10, 0.5) == binomial_tail(1, 10, 0.0) == poisson_tail(1, 0.0) == 0
    assert binomial_tail(3, 10, 1.0) == 1


@given(count=st.integers(1, 60), doubt=st.sampled_from([0.05, 0.01, 0.001]))
def test_the_lower_bound_is_the_mean_at_which_so_many_would_be_doubtful(count: int, doubt: float) -> None:
    bound = poisson_lower(count, doubt)
    assert poisson_tail(count, bound) == pytest.approx(doubt, rel=1e-6)
    assert bound < count


@given(count=st.integers(0, 60), doubt=st.sampled_from([0.05, 0.01]))
def test_the_upper_bound_is_the_mean_at_which_so_few_would_be_doubtful(count: int, doubt: float) -> None:
    bound = poisson_upper(count, doubt)
    assert 1 - poisson_tail(count + 1, bound) == pytest.approx(doubt, rel=1e-5)
    assert bound > count


def test_no_event_of_three_needs_the_rule_of_three() -> None:
    assert poisson_upper(0, 0.05) == pytest.approx(2.9957, abs=1e-4)
    assert poisson_lower(0, 0.05) == 0
    assert poisson_lower(3, 0.05) == pytest.approx(0.8177, abs=1e-4)


@pytest.mark.parametrize("doubt", [0.0, 0.5, 1.0])
def test_a_doubt_outside_its_range_is_refused(doubt: float) -> None:
    with pytest.raises(Invalid):
        poisson_lower(3, doubt)


@pytest.mark.parametrize("doubt", [0.05, 0.001])
def test_the_array_form_agrees_with_the_exact_one_and_grows(doubt: float) -> None:
    counts = np.arange(400)
    bounds = poisson_lower_bounds(counts, doubt=doubt)
    exact = [poisson_lower(int(count), doubt) for count in counts]
    assert bounds == pytest.approx(exact, rel=1e-3)
    assert np.all(np.diff(bounds) > 0)


def test_one_row_and_many_agree_to_the_bit() -> None:
    counts = np.arange(0, 5_000, 7)
    many = poisson_lower_bounds(counts, doubt=0.001)
    assert many.tolist() == [poisson_lower_bounds(np.array([c]), doubt=0.001)[0] for c in counts]
