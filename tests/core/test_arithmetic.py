"""Sums in words: whoever reckons again from what is shown comes to the same."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.core.arithmetic import breach_steps, budget_steps, is_exact, number, percent, read_windows, sentences
from tocsin.core.burn_rate import burns_faster
from tocsin.core.error_budget import grant_events
from tocsin.core.rule_protocol import Unit
from tocsin.core.slo_windows import WindowCounts

HOUR = timedelta(hours=1)
TARGET = Decimal("0.997")


def numbers(text: str) -> list[Fraction]:
    return [Fraction(one.replace(",", "").replace("−", "-")) for one in re.findall(r"[−-]?\d[\d,]*(?:\.\d+)?", text)]


def close(shown: Fraction, true: Fraction) -> bool:
    return abs(shown - true) <= abs(true) / 10_000 or abs(shown - true) < Fraction(1, 10**9)


def test_the_chapters_own_boundary_is_written_out() -> None:
    assert sentences(breach_steps(WindowCounts(60_000, 361), window=HOUR, target=TARGET)) == (
        "May fail: 100 % − 99.7 % = 0.3 %",
        "Failed in the last 1 h: 361 ÷ 60,000 events ≈ 0.601667 %",
        "Burn rate: 0.601667 % ÷ 0.3 % ≈ 2.00556",
        "Verdict: 2.00556 > 1: more than allowed, so a breach",
    )
    exactly = sentences(breach_steps(WindowCounts(1000, 3), window=HOUR, target=TARGET))
    assert exactly[-1] == "Verdict: 1 = 1: not more than allowed, so no breach"


@settings(deadline=None, max_examples=80)
@given(
    valid=st.integers(1, 10**9),
    share=st.fractions(0, 1),
    target=st.sampled_from(["0.9", "0.99", "0.997", "0.9995", "0.99999", "0.5"]),
)
def test_each_line_follows_from_the_numbers_it_shows(valid: int, share: Fraction, target: str) -> None:
    bad = int(valid * share)
    counts, goal = WindowCounts(valid, bad), Decimal(target)
    may, failed, burn, verdict = breach_steps(counts, window=HOUR, target=goal)
    hundred, kept, allowed = numbers(may.sum)
    assert hundred - abs(kept) == allowed
    lost, of, ratio = numbers(failed.sum)
    assert (lost, of) == (bad, valid)
    assert close(ratio, 100 * lost / of)
    above, below, shown_burn = numbers(burn.sum)
    assert below == allowed
    assert close(shown_burn, (100 * lost / of) / allowed)
    assert above == ratio or close(above, ratio)
    assert ("a breach" in verdict.sum and "no breach" not in verdict.sum) == burns_faster(
        counts, limit=Fraction(1), target=goal
    )
    grant = grant_events(goal, valid)
    _, granted, spent, left = budget_steps(counts, grant=grant, target=goal)
    assert close(numbers(granted.sum)[-1], numbers(granted.sum)[0] * numbers(granted.sum)[1] / 100)
    assert close(numbers(spent.sum)[-1], 100 * numbers(spent.sum)[0] / grant)
    assert numbers(left.sum.split("=")[1])[0] == 100 - numbers(spent.sum)[-1]
    assert ("overspent" in left.sum) == (bad > grant)


def test_a_calendar_period_shows_the_forecast_it_was_granted_from() -> None:
    steps = budget_steps(
        WindowCounts(6000, 9), grant=grant_events(TARGET, 12_000), target=TARGET, elapsed=Fraction(1, 2)
    )
    assert sentences(steps)[1:] == (
        "Expected in the whole period: 6,000 ÷ 50 % of the period = 12,000 events",
        "Granted: 12,000 events × 0.3 % = 36 may fail",
        "Spent: 9 ÷ 36 = 25 %",
        "Left: 100 % − 25 % = 75 %",
    )


def test_without_events_nothing_is_reckoned_and_it_says_so() -> None:
    assert "nothing can be said" in breach_steps(WindowCounts(0, 0), window=HOUR, target=TARGET)[1].sum
    assert "no budget" in budget_steps(WindowCounts(0, 0), grant=Fraction(0), target=TARGET)[1].sum
    assert read_windows({HOUR: WindowCounts(0, 0)}, TARGET)[0].burn is None


def test_parts_of_slices_are_shown_as_slices() -> None:
    unit = Unit("slices", 1000)
    steps = budget_steps(WindowCounts(100_000, 250), grant=grant_events(TARGET, 100_000), target=TARGET, unit=unit)
    assert sentences(steps)[1:3] == ("Granted: 100 slices × 0.3 % = 0.3 may fail", "Spent: 0.25 ÷ 0.3 ≈ 83.3333 %")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(2), "2"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(1, 300_000), "0.00000333333"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(1_234_567, 100), "12,345.67"),
        (Fraction(0), "0"),
    ],
)
def test_numbers_keep_the_digits_that_matter(value: Fraction, text: str) -> None:
    assert number(value) == text
    assert percent(value / 100) == f"{text} %"
    assert is_exact(value) == (Fraction(text.replace(",", "")) == value)
