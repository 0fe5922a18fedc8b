"""Every way OpenSLO v1 lets a budget be reckoned and an alert be asked for is applied as it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tests.domains.test_slo_thresholds import Server, pull
from tocsin.config.apply import apply_texts
from tocsin.config.evaluate_csv import reckon
from tocsin.core import error_budget
from tocsin.core.access import SYSTEM
from tocsin.core.breach_rules import replay
from tocsin.core.counted_shares import MINUTE_PARTS, bad_parts, slice_parts
from tocsin.core.rule_protocol import Unit
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import actions, queries, raw_ratios, rules, snapshots
from tocsin.slo.models import Bucket, Health, Objective
from tocsin.slo.openslo import objective_specs, parse
from tocsin.slo.prometheus import SEVERAL, Moments

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)

# --- RatioTimeslices: the average of the slices' own shares


def _ratio_slices(length: timedelta = 5 * MINUTE, **fields: Any) -> Objective:
    settings = {"budgeting": "RatioTimeslices", "slice_window": length, "period": timedelta(hours=6), "now": NOON}
    return slo_worlds.objective(**{**settings, "target": Decimal("0.9"), **fields})


def _left(slo: Objective, now: datetime) -> Fraction:
    view = queries.budget(SYSTEM, Objective.objects.get(pk=slo.pk), now=now)
    assert view.left is not None
    return view.left


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_a_ratio_of_slices_is_the_average_of_their_shares_whatever_their_traffic(minutes: int) -> None:
    """A busy slice weighs as much as a quiet one; a slice without events does not count."""
    slo = _ratio_slices(minutes * MINUTE)
    rng = np.random.default_rng(minutes)
    counted: dict[int, WindowCounts] = {}
    for minute in range(120):
        valid = int(rng.choice([0, 1, 3, 7, 1000, 123_456]))
        bad = int(rng.integers(0, valid + 1))
        counted[minute // minutes] = counted.get(minute // minutes, WindowCounts(0, 0)) + WindowCounts(valid, bad)
        if valid:
            slo_worlds.push(slo, NOON + minute * MINUTE, good=valid - bad, bad=bad, now=NOON + 2 * HOUR)
    sli = error_budget.averaged_slices_sli(counted.values())
    assert sli is not None
    expected = 1 - (1 - sli) / error_budget.allowed_ratio(slo.target)
    assert abs(_left(slo, NOON + 2 * HOUR) - expected) < Fraction(1, 10**7)
    levels = queries.burn_down(slo, queries.budget(SYSTEM, slo, now=NOON + 2 * HOUR), now=NOON + 2 * HOUR)
    assert levels[-1].left == pytest.approx(float(expected))


@pytest.mark.django_db
def test_an_even_share_is_exact_and_shown_in_slices() -> None:
    slo = _ratio_slices()
    for minute in range(10):
        slo_worlds.push(slo, NOON + minute * MINUTE, good=1, bad=1 if minute < 5 else 0, now=NOON + 10 * MINUTE)
    assert _left(slo, NOON + 10 * MINUTE) == 1 - Fraction(1, 4) / Fraction(1, 10)
    view = queries.budget(SYSTEM, slo, now=NOON + 10 * MINUTE)
    unit = snapshots.unit_of(slo)
    assert (unit.word, unit.shown(view.bad), unit.shown(view.valid)) == ("slices", "0.5", "2")
    assert "0.5 of 2 slices bad (25 %)" in dict(view.explanations)["page"]


@given(st.integers(1, 10**9), st.data())
def test_a_share_in_parts_is_the_nearest_whole_number(valid: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, valid))
    for length in (MINUTE, timedelta(days=1)):
        parts = slice_parts(length)
        assert abs(Fraction(bad_parts(valid, bad, parts)) - Fraction(bad * parts, valid)) <= Fraction(1, 2)


@pytest.mark.django_db
def test_the_product_s_rule_needs_whole_slices_before_it_believes_in_errors() -> None:
    """One event that fails in one quiet slice is one observation, not a thousand million of them."""
    slo = _ratio_slices(MINUTE, target=Decimal("0.99"), period=timedelta(days=28))
    slo_worlds.push(slo, NOON, good=0, bad=1)
    assert slo_worlds.judge(slo, NOON + MINUTE) == []
    told = slo_worlds.run(slo, NOON + MINUTE, [1000] * 10, every=1)
    assert [signal.kind for _, signal in told] == ["opened"]
    assert "slices bad" in told[0][1].explanation


# --- a raw ratio: computed elsewhere, asked for minute by minute


@pytest.fixture
def server(httpserver: HTTPServer, db: None) -> Server:
    worlds.process()
    actions.save_source(SYSTEM, name="prometheus", url=httpserver.url_for("/"), every=MINUTE, now=NOON)
    return Server(httpserver)


def _raw(**fields: Any) -> Objective:
    settings: dict[str, Any] = {
        "source": "prometheus",
        "raw_query": "job:errors:ratio",
        "raw_type": "failure",
        "target": Decimal("0.9"),
        "period": timedelta(days=1),
    }
    return slo_worlds.objective("raw", now=NOON, **{**settings, **fields})


@pytest.mark.parametrize(("raw_type", "left"), [("failure", Fraction(1, 2)), ("success", Fraction(-17, 2))])
def test_a_ratio_that_was_computed_elsewhere_counts_each_minute_alike(
    server: Server, raw_type: str, left: Fraction
) -> None:
    server.at = lambda _second: 0.05
    slo = _raw(raw_type=raw_type)
    pull()
    assert _left(slo, NOON) == left
    assert {one["query"] for one in server.asked} == {"job:errors:ratio"}
    assert snapshots.unit_of(slo).word == "minutes"


def test_a_raw_ratio_can_be_judged_by_slices_too(server: Server) -> None:
    server.at = lambda second: 0.5 if second % 600 == 0 else 0.0
    slices = {"slice_window": 10 * MINUTE, "slice_target": Decimal("0.95")}
    slo = _raw(budgeting="Timeslices", **slices)
    pull()
    assert _left(slo, NOON) == 1
    actions.save_objective(SYSTEM, _spec(slo, slice_target=Decimal("0.96")), now=NOON)
    assert _left(slo, NOON) == -9


def _spec(slo: Objective, **changes: Any) -> actions.ObjectiveSpec:
    names = ("name", "target", "period", "budgeting", "slice_window", "slice_target", "raw_query", "raw_type")
    fields = {name: getattr(slo, name) for name in names}
    return actions.ObjectiveSpec(**{**fields, "service": slo.service.name, "source": "prometheus", **changes})


@pytest.mark.parametrize("value", [1.2, -0.3, 99.5])
def test_what_is_no_share_makes_the_slo_unknown_and_says_why(server: Server, value: float) -> None:
    server.at = lambda second: value if second > NOON.timestamp() - 600 else 0.0
    slo = _raw()
    pull()
    slo_worlds.judge(slo, NOON)
    state = slo_worlds.state(slo)
    assert state.health == Health.INVALID
    assert "a ratio lies between 0 and 1" in state.invalid_reason
    assert Bucket.objects.filter(objective=slo, width=60).count() == 24 * 60 - 10


@given(st.floats(0, 1))
def test_every_share_fills_its_minute(value: float) -> None:
    found = raw_ratios.counted({60: value, 120: SEVERAL}, Moments(60, 180, 60), raw_type="failure")
    good, bad = found.counts[0]
    assert good + bad == MINUTE_PARTS
    assert bad == pytest.approx(value * MINUTE_PARTS, abs=1)
    assert "several series" in found.invalid


# --- alert conditions: the running rule and the reckoning of a file agree

CONDITIONS = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: get-data
  annotations: {{tocsin.dev/snooze: 2h}}
spec:
  service: data
  indicator: {{metadata: {{name: x}}, spec: {{ratioMetric: {{good: {{metricSource: {{spec: {{}}}}}}, total: {{metricSource: {{spec: {{}}}}}}}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.9}}]
  alertPolicies:
    - kind: AlertPolicy
      metadata: {{name: burn}}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {{name: fast}}
            spec:
              severity: {severity}
              condition: {{kind: burnrate, op: {op}, threshold: {threshold}, lookbackWindow: {lookback}m, alertAfter: {after}m}}
        notificationTargets: [{{targetRef: mail}}]
"""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 10), min_size=5, max_size=60),
    st.sampled_from(["gt", "gte", "lt", "lte"]),
    st.sampled_from(["0", "1", "2", "2.5", "5", "10"]),
    st.integers(1, 9),
    st.integers(0, 6),
    st.sampled_from(["page", "ticket"]),
)
def test_the_running_rule_opens_and_closes_when_the_reckoning_says_so(
    bad: list[int], op: str, threshold: str, lookback: int, after: int, severity: str
) -> None:
    text = CONDITIONS.format(op=op, threshold=threshold, lookback=lookback, after=after, severity=severity)
    rows = [f"{(START + (at + 1) * MINUTE).isoformat()},{10 - one},10" for at, one in enumerate(bad)]
    answer = reckon(text, "\n".join(["timestamp,good,total", *rows]), every=MINUTE)
    (spec,) = objective_specs(parse(text, "slo.yaml").documents).objectives
    rule = rules.rule_for(spec.rule, period=spec.period, renotify_after=spec.renotify_after, unit=Unit())
    (found,) = replay(np.full(len(bad), 10), np.array(bad), step=MINUTE, target=spec.target, rule=rule)
    assert found.urgency.value == severity
    firing = [False, *found.firing.tolist(), False]
    opened = [step for step in range(len(bad)) if firing[step + 1] and not firing[step]]
    closed = [step for step in range(len(bad)) if firing[step] and not firing[step + 1]]
    assert [_step(alert["opened"]) for alert in answer["alerts"]] == opened
    assert [_step(alert["closed"]) for alert in answer["alerts"] if alert["closed"]] == closed


def _step(text: str) -> int:
    return (datetime.fromisoformat(text) - START) // MINUTE - 1


@pytest.mark.django_db
def test_an_alert_waits_as_long_as_its_condition_asks_for_in_the_running_product() -> None:
    worlds.process()
    text = CONDITIONS.format(op="gte", threshold="5", lookback=1, after=3, severity="page")
    plan = apply_texts(SYSTEM, {"slo.yaml": text}, dry_run=False, now=NOON)
    assert plan.errors == []
    slo = Objective.objects.get()
    assert slo.rule["conditions"][0] == {
        "op": "gte",
        "threshold": "5",
        "lookback_seconds": 60,
        "alert_after_seconds": 180,
        "severity": "page",
        "urgency": "page",
    }
    told = slo_worlds.run(slo, NOON, [0, 500, 500, 0, 500, 500, 500, 500, 500, 0], every=1)
    assert [(minute, signal.kind) for minute, signal in told] == [(8, "opened"), (10, "closed")]
    assert "alerts when at least it, held for 3 min" in told[0][1].explanation
