from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from tocsin.core.alert_latch import Heat, Urgency
from tocsin.core.breach_rules import replay
from tocsin.core.burn_rate import AllowedRatio, detection_minutes
from tocsin.core.slo_windows import WindowArrays, WindowCounts
from tocsin.core.workbook_rule import PUBLISHED_PAIRS, WorkbookRule

MINUTE = timedelta(minutes=1)
TARGET = Decimal("0.999")


@pytest.mark.parametrize(
    ("days", "limits"),
    [(30, ["14.4", "6", "3", "1"]), (28, ["13.44", "5.6", "2.8", "1"]), (7, ["3.36", "1.4", "1", "1"])],
)
def test_limits_scale_with_the_period_and_never_fall_below_one(days: int, limits: list[str]) -> None:
    found = [pair.limit(timedelta(days=days)) for pair in PUBLISHED_PAIRS]
    assert found == [Fraction(limit) for limit in limits]


def test_a_pair_may_be_given_a_limit_below_one_on_purpose() -> None:
    pair = replace(PUBLISHED_PAIRS[-1], floor=Fraction(0))
    assert pair.limit(timedelta(days=15)) == Fraction(1, 2)


def test_short_windows_are_a_twelfth_of_the_long_ones() -> None:
    assert all(pair.short * 12 == pair.long for pair in PUBLISHED_PAIRS)


def sums_with(**bad_of_1000: int) -> dict[timedelta, WindowArrays]:
    spans = {"m5": 5, "m30": 30, "h1": 60, "h2": 120, "h6": 360, "h24": 1440, "d3": 4320}
    return {
        timedelta(minutes=minutes): WindowArrays.of([WindowCounts(10_000, bad_of_1000.get(name, 0))])
        for name, minutes in spans.items()
    }


@pytest.mark.parametrize(
    ("bad", "page", "ticket"),
    [
        ({"h1": 145, "m5": 145}, Heat.BURNING, Heat.CALM),
        ({"h1": 145, "m5": 144}, Heat.CALM, Heat.CALM),
        ({"h1": 144, "m5": 145}, Heat.CALM, Heat.CALM),
        ({"h6": 61, "m30": 61}, Heat.BURNING, Heat.CALM),
        ({"h6": 60, "m30": 60}, Heat.CALM, Heat.CALM),
        ({"h24": 31, "h2": 31}, Heat.CALM, Heat.BURNING),
        ({"d3": 11, "h6": 11}, Heat.CALM, Heat.BURNING),
        ({"d3": 10, "h6": 11}, Heat.CALM, Heat.CALM),
    ],
)
def test_both_windows_must_be_strictly_above(bad: dict[str, int], page: Heat, ticket: Heat) -> None:
    found = WorkbookRule().heats(sums_with(**bad), AllowedRatio.of(TARGET))
    assert [row.tolist() for row in found] == [[page], [ticket]]


def test_it_pages_in_the_minute_the_formula_says() -> None:
    valid = np.full(3 * 1440, 1000)
    bad = np.zeros_like(valid)
    onset = 2 * 1440
    bad[onset : onset + 60] = 150
    page, _ = replay(valid, bad, step=MINUTE, target=TARGET, rule="workbook")
    hour, limit = timedelta(hours=1), Fraction("14.4")
    expected = detection_minutes(TARGET, Fraction(15, 100), limit=limit, window=hour)
    assert expected == Fraction("5.76")
    assert page.notified[0] == onset + 5


@pytest.mark.req("R-9.2.11-8")
def test_a_ticket_keeps_quiet_while_a_page_is_active() -> None:
    valid = np.full(4 * 1440, 1000)
    bad = np.zeros_like(valid)
    bad[4320:4400] = 500
    page, ticket = replay(valid, bad, step=MINUTE, target=TARGET, rule="workbook")
    assert ticket.firing.any()
    assert not page.firing[ticket.notified].any()


def test_a_rule_may_have_pages_only() -> None:
    rule = WorkbookRule(pairs=PUBLISHED_PAIRS[:1])
    assert [urgency for urgency, _ in rule.latches] == [Urgency.PAGE]
    assert len(rule.windows()) == 2


def test_the_explanation_shows_the_pair_nearest_its_limit() -> None:
    windows = {span: WindowCounts(10_000, 0) for span in WorkbookRule().windows()}
    windows |= {timedelta(hours=6): WindowCounts(10_000, 70), timedelta(minutes=30): WindowCounts(10_000, 80)}
    text = WorkbookRule().explain(windows, TARGET, Urgency.PAGE)
    assert text.startswith("70 of 10,000 events bad (0.7 %) in the last 6 h: burn rate 7, limit 6; 80 of")
    assert WorkbookRule().speaks_of(windows, TARGET, Urgency.PAGE) == timedelta(hours=6)
    empty = {span: WindowCounts(0, 0) for span in windows}
    assert "no events in the last" in WorkbookRule().explain(empty, TARGET, Urgency.TICKET)


def test_with_little_history_it_names_the_shortest_pair_that_holds() -> None:
    windows = {span: WindowCounts(1000, 1000) for span in WorkbookRule().windows()}
    assert WorkbookRule().speaks_of(windows, TARGET, Urgency.PAGE) == timedelta(hours=1)
