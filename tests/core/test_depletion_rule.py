from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tocsin.core.alert_latch import Heat, Urgency
from tocsin.core.breach_rules import replay
from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.depletion_rule import DepletionBasis, DepletionRule, readings
from tocsin.core.slo_windows import WindowArrays, WindowCounts

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PERIOD = timedelta(days=28)
TARGET = Decimal("0.997")


@pytest.mark.req("R-9.2.11-3")
def test_the_chapters_settings_are_the_defaults_and_each_can_be_set() -> None:
    rule = DepletionRule(name="Availability of get data API")
    assert rule.threshold_percent == 200
    assert (rule.window, rule.every, rule.renotify_after) == (HOUR, timedelta(minutes=5), 2 * HOUR)
    assert rule.windows() == (HOUR,)
    assert rule.own_window == HOUR


@pytest.mark.req("R-9.2.11-4")
@pytest.mark.parametrize(("bad", "heat"), [(360, Heat.CALM), (361, Heat.BURNING)])
def test_360_of_60000_do_not_alert_and_361_do(bad: int, heat: Heat) -> None:
    sums = {HOUR: WindowArrays.of([WindowCounts(60_000, bad)])}
    [found] = DepletionRule().heats(sums, AllowedRatio.of(TARGET))
    assert found.tolist() == [heat]


def test_a_window_without_events_says_nothing() -> None:
    [found] = DepletionRule().heats({HOUR: WindowArrays.of([WindowCounts(0, 0)])}, AllowedRatio.of(TARGET))
    assert found.tolist() == [Heat.NO_DATA]


def test_the_three_readings_of_the_traffic_example() -> None:
    night = readings(WindowCounts(2_000, 20), 12_000_000, target=TARGET, window=HOUR, period=PERIOD)
    peak = readings(WindowCounts(60_000, 240), 12_000_000, target=TARGET, window=HOUR, period=PERIOD)
    assert (night.window_traffic, peak.window_traffic) == (Fraction(10, 3), Fraction(4, 3))
    assert night.period_pro_rata == Fraction(20 * 672, 36_000)
    assert peak.period_pro_rata == Fraction("4.48")
    assert (night.period_grant, peak.period_grant) == (Fraction(20, 36_000), Fraction(240, 36_000))


def test_nothing_can_be_read_without_traffic() -> None:
    found = readings(WindowCounts(0, 0), 0, target=TARGET, window=HOUR, period=PERIOD)
    assert (found.window_traffic, found.period_pro_rata, found.period_grant) == (None, None, None)


@pytest.mark.parametrize(
    ("basis", "night", "peak"),
    [
        (DepletionBasis.WINDOW_TRAFFIC, Heat.BURNING, Heat.CALM),
        (DepletionBasis.PERIOD_PRO_RATA, Heat.CALM, Heat.BURNING),
    ],
)
def test_the_basis_decides_whether_the_night_or_the_peak_alerts(basis: DepletionBasis, night: Heat, peak: Heat) -> None:
    rule = DepletionRule(basis=basis)
    hour = WindowArrays.of([WindowCounts(2_000, 20), WindowCounts(60_000, 240)])
    sums = {HOUR: hour, PERIOD: WindowArrays.of([WindowCounts(12_000_000, 0)] * 2)}
    [found] = rule.heats(sums, AllowedRatio.of(TARGET))
    assert found.tolist() == [night, peak]


def test_the_explanation_names_measure_limit_and_basis() -> None:
    windows = {HOUR: WindowCounts(60_000, 361), PERIOD: WindowCounts(12_000_000, 500)}
    text = DepletionRule().explain(windows, TARGET, Urgency.PAGE)
    assert text == "361 of 60,000 events bad (0.602 %) in the last 1 h: burn rate 2.006, limit 2"
    assert DepletionRule().speaks_of(windows, TARGET, Urgency.PAGE) == HOUR
    pro_rata = DepletionRule(basis=DepletionBasis.PERIOD_PRO_RATA)
    assert "share in time of the period's budget, limit 200 %" in pro_rata.explain(windows, TARGET, Urgency.PAGE)


@pytest.mark.req("R-9.2.11-5")
def test_a_minimal_alert_at_every_reminder_spends_exactly_its_hours() -> None:
    # 0.7 % errors for ten hours: the vector's reminders come every two hours on the five-minute grid.
    valid = np.full(720, 1000)
    bad = np.zeros(720, dtype=np.int64)
    bad[60:660] = 7
    [page] = replay(valid, bad, step=MINUTE, target=TARGET, rule="depletion")
    assert (page.notified + 1 - 60).tolist() == [55, 175, 295, 415, 535]


def test_between_ticks_the_decision_holds() -> None:
    valid, bad = np.full(20, 100), np.zeros(20, dtype=np.int64)
    bad[1:3] = 100
    [page] = replay(valid, bad, step=MINUTE, target=TARGET, rule="depletion")
    assert page.firing.tolist() == [False] * 4 + [True] * 16
    assert page.notified.tolist() == [4]
