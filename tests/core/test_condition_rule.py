"""Conditions as a team wrote them: each operator, the exact threshold, how long it must hold, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tocsin.core.alert_latch import AlertState, Heat, Urgency, ripened
from tocsin.core.breach_rules import RuleState, advance_all, replay, urgencies
from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.condition_rule import BurnCondition, Comparison, ConditionRule
from tocsin.core.rule_protocol import Unit
from tocsin.core.slo_windows import WindowArrays, WindowCounts

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TARGET = Decimal("0.9")
NOW = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


def _holds(op: Comparison, bad: int, *, valid: int = 100, threshold: str = "2") -> bool:
    condition = BurnCondition(Urgency.PAGE, Fraction(threshold), HOUR, op)
    sums = {HOUR: WindowArrays.of([WindowCounts(valid, bad)])}
    return bool(condition.holds(sums, AllowedRatio.of(TARGET))[0])


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        (Comparison.GT, False, False, True),
        (Comparison.GTE, False, True, True),
        (Comparison.LT, True, False, False),
        (Comparison.LTE, True, True, False),
    ],
)
def test_each_operator_is_taken_at_its_word_on_the_very_threshold(
    op: Comparison, below: bool, at: bool, above: bool
) -> None:
    """Twenty of a hundred under 90 % is a burn rate of exactly 2, which a float quotient is not."""
    assert [_holds(op, bad) for bad in (19, 20, 21)] == [below, at, above]
    condition = BurnCondition(Urgency.PAGE, Fraction(2), HOUR, op)
    assert [condition.met_by(Fraction(bad, 10)) for bad in (19, 20, 21)] == [below, at, above]


@pytest.mark.parametrize("op", list(Comparison))
def test_nothing_holds_in_a_window_without_events(op: Comparison) -> None:
    assert not _holds(op, 0, valid=0)


@pytest.mark.parametrize("op", list(Comparison))
def test_counts_beyond_machine_numbers_are_compared_exactly(op: Comparison) -> None:
    big = 3 * 10**17
    expected = {Comparison.GT: False, Comparison.GTE: True, Comparison.LT: False, Comparison.LTE: True}
    assert _holds(op, 2 * big // 10, valid=big, threshold="2") is expected[op]
    assert _holds(op, 2 * big // 10 + 1, valid=big, threshold="2") is (op in (Comparison.GT, Comparison.GTE))


def test_a_short_window_must_show_that_it_goes_on() -> None:
    condition = BurnCondition(Urgency.PAGE, Fraction(2), HOUR, short=5 * MINUTE)
    sums = {
        HOUR: WindowArrays.of([WindowCounts(100, 50)] * 2),
        5 * MINUTE: WindowArrays.of([WindowCounts(10, 0), WindowCounts(10, 9)]),
    }
    assert condition.holds(sums, AllowedRatio.of(TARGET)).tolist() == [False, True]


def _replayed(rule: ConditionRule, bad: list[int]) -> list[tuple[str, list[bool], list[int]]]:
    found = replay(np.full(len(bad), 10), np.array(bad), step=MINUTE, target=TARGET, rule=rule)
    return [(one.urgency.value, one.firing.tolist(), one.notified.tolist()) for one in found]


def test_it_opens_when_it_has_held_long_enough_and_closes_at_the_first_tick_it_does_not() -> None:
    rule = ConditionRule((BurnCondition(Urgency.PAGE, Fraction(2), MINUTE, alert_after=3 * MINUTE),))
    ((_, firing, told),) = _replayed(rule, [0, 9, 9, 9, 0, 9, 9, 9, 9, 9, 0, 0])
    assert told == [8]
    assert [step for step, on in enumerate(firing) if on] == [8, 9]


def test_conditions_of_one_urgency_are_one_alert_and_each_waits_for_itself() -> None:
    rule = ConditionRule(
        (
            BurnCondition(Urgency.PAGE, Fraction(5), MINUTE, alert_after=2 * MINUTE),
            BurnCondition(Urgency.PAGE, Fraction(1), MINUTE, alert_after=5 * MINUTE),
            BurnCondition(Urgency.TICKET, Fraction(1), MINUTE),
        )
    )
    assert urgencies(rule) == (Urgency.PAGE, Urgency.TICKET)
    page, ticket = _replayed(rule, [9, 3, 9, 3, 9, 3, 3, 0])
    assert page[2] == [5]
    assert [step for step, on in enumerate(page[1]) if on] == [5, 6]
    assert ticket[2] == [0]


def test_what_comes_back_within_the_snooze_is_not_told_and_what_goes_on_is_told_again_after_it() -> None:
    condition = BurnCondition(Urgency.PAGE, Fraction(2), MINUTE)
    assert _replayed(ConditionRule((condition,), snooze=4 * MINUTE), [9, 0, 9, 9, 9, 9, 0])[0][2] == [0, 4]
    assert _replayed(ConditionRule((condition,)), [9, 0, 9, 9, 9, 9, 0])[0][2] == [0, 2]


def test_what_has_held_is_remembered_between_two_evaluations_and_forgotten_with_the_condition() -> None:
    rule = ConditionRule((BurnCondition(Urgency.PAGE, Fraction(2), MINUTE, alert_after=3 * MINUTE),))
    alerts, _ = advance_all(rule, {}, [Heat.BURNING], now=NOW)
    state = RuleState.from_json(RuleState(alerts).as_json())
    assert state.waiting
    assert state.alert(Urgency.PAGE).ripe_at == (NOW + 3 * MINUTE,)
    assert state.alert(Urgency.PAGE).wakes_at(now=NOW) == NOW + 3 * MINUTE
    _, outcomes = advance_all(rule, state.alerts, [Heat.BURNING], now=NOW + 3 * MINUTE)
    assert outcomes[0].notify
    calm, _ = advance_all(rule, state.alerts, [Heat.NO_DATA], now=NOW + MINUTE)
    assert not RuleState(calm).waiting


def test_a_memory_of_other_conditions_is_none() -> None:
    heat, moments = ripened([(MINUTE, Heat.BURNING)] * 2, (NOW - HOUR,), now=NOW)
    assert (heat, moments) == (Heat.CALM, (NOW + MINUTE, NOW + MINUTE))
    assert AlertState.from_json(AlertState(ripe_at=moments).as_json()).ripe_at == moments


def test_it_says_what_was_measured_against_what_and_how_long_it_must_hold() -> None:
    rule = ConditionRule(
        (
            BurnCondition(Urgency.PAGE, Fraction(5), HOUR, Comparison.GTE, alert_after=10 * MINUTE),
            BurnCondition(Urgency.PAGE, Fraction(2), 6 * HOUR),
        )
    )
    windows = {HOUR: WindowCounts(1000, 900), 6 * HOUR: WindowCounts(6000, 900)}
    assert rule.explain(windows, TARGET, Urgency.PAGE) == (
        "900 of 1,000 events bad (90 %) in the last 1 h: burn rate 9, limit 5 (alerts when at least it, held for 10 min)"
    )
    assert rule.speaks_of(windows, TARGET, Urgency.PAGE) == HOUR
    windows[HOUR] = WindowCounts(1000, 100)
    assert rule.speaks_of({**windows, 6 * HOUR: WindowCounts(6000, 3000)}, TARGET, Urgency.PAGE) == 6 * HOUR


def test_shares_of_slices_are_shown_as_slices() -> None:
    rule = ConditionRule((BurnCondition(Urgency.PAGE, Fraction(2), HOUR),), unit=Unit("slices", 1000))
    text = rule.explain({HOUR: WindowCounts(60_000, 12_340)}, TARGET, Urgency.PAGE)
    assert text.startswith("12.34 of 60 slices bad (20.6 %)")
