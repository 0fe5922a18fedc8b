"""The published vectors of budgets, burn rates, alerts and figures, one test each."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tocsin.core import budget_priorities, burn_rate, error_budget, statistics
from tocsin.core.breach_frequency import CountedAs, FrequencyRule, priority_by_frequency
from tocsin.core.breach_rules import replay
from tocsin.core.depletion_rule import DepletionRule
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import WindowCounts
from tocsin.core.trend import trend

MINUTE = timedelta(minutes=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))


def vectors(*kinds: str) -> pytest.MarkDecorator:
    chosen = [v for v in VECTORS if v["kind"] in kinds]
    assert {v["kind"] for v in chosen} == set(kinds)
    return pytest.mark.parametrize(
        ("given", "expected"), [pytest.param(v["input"], v["expect"], id=v["id"]) for v in chosen]
    )


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@vectors("sli")
def test_sli_and_error_ratio(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert error_budget.sli(given["valid"], given["bad"]) == Fraction(expected["sli"])
    assert error_budget.error_ratio(given["valid"], given["bad"]) == Fraction(expected["error_ratio"])


@vectors("grant_events")
def test_grant_in_events(given: dict[str, Any], expected: str) -> None:
    assert error_budget.grant_events(Decimal(given["target"]), given["valid_in_period"]) == Fraction(expected)


@vectors("grant_slices")
def test_grant_in_slices(given: dict[str, Any], expected: dict[str, Any]) -> None:
    grant = error_budget.grant_slices(
        Decimal(given["target"]), minutes(given["period_min"]), minutes(given["slice_min"])
    )
    assert grant == Fraction(expected["grant"])
    assert error_budget.most_bad(grant) == expected["max_bad"]


@vectors("grant_minutes")
def test_grant_in_minutes(given: dict[str, Any], expected: str) -> None:
    assert error_budget.grant_time(Decimal(given["target"]), minutes(given["period_min"])) / 60 == Fraction(expected)


@vectors("grant_seconds")
def test_grant_in_seconds(given: dict[str, Any], expected: str) -> None:
    period = timedelta(seconds=given["period_s"])
    assert error_budget.grant_time(Decimal(given["target"]), period) == Fraction(expected)


@vectors("remaining")
def test_depletion_and_remaining(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert error_budget.depletion(given["grant"], given["bad"]) == Fraction(expected["depletion"])
    assert error_budget.remaining(given["grant"], given["bad"]) == Fraction(expected["remaining"])


@vectors("slo_valid")
def test_a_target_without_budget_is_refused(given: dict[str, Any], expected: bool) -> None:
    assert expected is False
    with pytest.raises(Invalid):
        error_budget.allowed_ratio(Decimal(given["target"]))


@vectors("burn_rate")
def test_burn_rate(given: dict[str, Any], expected: str) -> None:
    ratio = Fraction(given["error_ratio"])
    assert burn_rate.burn_rate_of_ratio(Decimal(given["target"]), ratio) == Fraction(expected)
    assert burn_rate.burn_rate(Decimal(given["target"]), ratio.denominator, ratio.numerator) == Fraction(expected)


@vectors("exhaustion_hours")
def test_hours_to_exhaustion(given: dict[str, Any], expected: str) -> None:
    period = timedelta(hours=given["period_h"])
    assert burn_rate.exhaustion_hours(period, Fraction(given["burn"])) == Fraction(expected)


@vectors("max_burn")
def test_largest_burn_rate(given: dict[str, Any], expected: str) -> None:
    assert burn_rate.max_burn(Decimal(given["target"])) == Fraction(expected)


@vectors("depletion_even")
def test_depletion_at_even_traffic(given: dict[str, Any], expected: str) -> None:
    burn = burn_rate.burn_rate_of_ratio(Decimal(given["target"]), Fraction(given["error_ratio"]))
    window, period = minutes(given["window_min"]), minutes(given["period_min"])
    assert burn_rate.depletion_even(burn, window, period) == Fraction(expected)


@vectors("rule_reachable")
def test_rule_reachable(given: dict[str, Any], expected: bool) -> None:
    assert burn_rate.rule_reachable(Decimal(given["target"]), Fraction(given["burn"])) is expected


@pytest.mark.req("R-9.2.11-5")
@vectors("snooze_sim")
def test_alerts_on_the_grid_with_renotification(given: dict[str, Any], expected: dict[str, Any]) -> None:
    clean = given["clean_minutes_before"]
    valid = np.full(clean + given["horizon_min"], given["events_per_min"], dtype=np.int64)
    bad = np.zeros_like(valid)
    bad[clean : clean + given["bad_minutes"]] = given["bad_per_min"]
    rule = DepletionRule(
        threshold_percent=Fraction(given["threshold_percent"]),
        window=minutes(given["window_min"]),
        every=minutes(given["tick_min"]),
        renotify_after=minutes(given["snooze_min"]),
    )

    [page] = replay(valid, bad, step=MINUTE, target=Decimal(given["target"]), rule=rule)

    # Step i ends at minute i + 1.
    assert [step + 1 - clean for step in page.notified.tolist()] == expected["alerts"]
    ticks = [end - clean for end in range(1, valid.size + 1) if end % given["tick_min"] == 0 and page.firing[end - 1]]
    if "true_first_last_count" in expected:
        assert [ticks[0], ticks[-1], len(ticks)] == expected["true_first_last_count"]
    else:
        assert bool(ticks) is bool(expected["alerts"])


@pytest.mark.req("R-9.2.11-4")
@vectors("fires")
def test_strictly_above_the_threshold(given: dict[str, Any], expected: bool) -> None:
    counts = WindowCounts(valid=given["valid"], bad=given["bad"])
    limit = Fraction(given["threshold_percent"], 100)
    assert burn_rate.burns_faster(counts, limit=limit, target=Decimal(given["target"])) is expected


@pytest.mark.req("R-9.2.4-4")
@vectors("frequency_priority")
def test_priority_by_frequency(given: dict[str, Any], expected: list[int]) -> None:
    rule = FrequencyRule(
        base=given["base"],
        raised=given["raised"],
        more_than=given["more_than"],
        window=minutes(given["window_min"]),
        counted_as=CountedAs.OCCURRENCES,
    )
    breached_at = [START + minutes(minute) for minute in given["breach_minutes"]]
    priorities = [priority_by_frequency(rule, breached_at[:n], now=now).priority for n, now in enumerate(breached_at)]
    assert priorities == expected


@vectors("trend")
def test_trend(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = trend(Fraction(given["remaining"]), Fraction(given["per_hour"]), hours_left=Fraction(given["hours_left"]))
    assert found.hours == Fraction(expected["hours"])
    assert found.premature is expected["premature"]


@pytest.mark.req("R-9.2.5-1")
@vectors("threshold_priority")
def test_priority_by_remaining_budget(given: dict[str, Any], expected: int | None) -> None:
    remaining = Fraction(given["remaining"])
    assert budget_priorities.priority_by_remaining(remaining, premature=given["premature"]) == expected


@pytest.mark.req("R-9.2.5-2")
@vectors("velocity_priority")
def test_priority_by_depletion_velocity(given: dict[str, Any], expected: int | None) -> None:
    shares = (Fraction(percent, 100) for percent in given["depletion_percent_5_10_15_20"])
    depletion = dict(zip(map(minutes, (5, 10, 15, 20)), shares, strict=True))
    assert budget_priorities.priority_by_velocity(depletion) == expected


@vectors("multiwindow_times_min")
def test_detection_and_reset_times(given: dict[str, Any], expected: dict[str, str]) -> None:
    target, ratio, limit = Decimal(given["target"]), Fraction(given["error_ratio"]), Fraction(given["burn"])
    for name, window in (("long", minutes(given["long_min"])), ("short", minutes(given["short_min"]))):
        detect = burn_rate.detection_minutes(target, ratio, limit=limit, window=window)
        reset = burn_rate.reset_minutes(target, ratio, limit=limit, window=window)
        assert (detect, reset) == (Fraction(expected[f"detect_{name}"]), Fraction(expected[f"reset_{name}"]))


@vectors("precision_recall")
def test_precision_and_recall(given: dict[str, int], expected: dict[str, str]) -> None:
    quality = statistics.precision_recall(**given)
    assert (quality.precision, quality.recall) == (Fraction(expected["precision"]), Fraction(expected["recall"]))


@vectors("distribution")
def test_distribution(given: dict[str, Any], expected: dict[str, str]) -> None:
    method = statistics.PercentileMethod(given["method"])
    found = statistics.distribution(given["minutes"], method=method)
    assert {name: getattr(found, name) for name in expected} == {k: Fraction(v) for k, v in expected.items()}


@pytest.mark.req("R-9.5.6-1")
@vectors("action_item_hours")
def test_action_item_hours(given: dict[str, str], expected: dict[str, float]) -> None:
    at = {f"{name}_at": datetime.fromisoformat(text) for name, text in given.items()}
    found = statistics.action_item_times(**at)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.efficiency == Fraction(102, 270)


@vectors("adherence")
def test_adherence(given: dict[str, int], expected: str) -> None:
    assert statistics.adherence_ratio(passed=given["passed"], failed=given["failed"]) == Fraction(expected)
