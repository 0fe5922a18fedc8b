"""SLOs that are a value and a line: minutes are good or bad by the value, slices by their minutes, unknown stays unknown."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.config import apply
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid
from tocsin.engine import pull_sources
from tocsin.slo import actions, buckets, queries, thresholds
from tocsin.slo.models import Bucket, DataSource, Health, Objective
from tocsin.slo.prometheus import SEVERAL, Moments

NOON_SECOND = buckets.epoch_seconds(NOON)
QUERY = 'histogram_quantile(0.99, sum by (le) (rate(latency_bucket{job="shop"}[5m])))'


@pytest.mark.parametrize(
    ("op", "below", "on", "above"),
    [
        ("lt", True, False, False),
        ("lte", True, True, False),
        ("gt", False, False, True),
        ("gte", False, True, True),
    ],
)
def test_a_value_on_the_line_is_what_the_operator_says(op: str, below: bool, on: bool, above: bool) -> None:
    line = Decimal("0.3")
    assert [thresholds.keeps(value, op, line) for value in (0.29, 0.3, 0.31)] == [below, on, above]


@given(st.dictionaries(st.integers(1, 30).map(lambda one: one * 60), st.floats(allow_nan=True, allow_infinity=True)))
def test_each_minute_with_a_number_is_one_event_and_no_other_minute_is_any(values: dict[int, float]) -> None:
    found = thresholds.counted(values, Moments(60, 1800, 60), op="lte", line=Decimal(1))
    assert set(found.counts) == {at - 60 for at, value in values.items() if math.isfinite(value)}
    assert all(good + bad == 1 for good, bad in found.counts.values())


def test_several_series_are_no_value() -> None:
    found = thresholds.counted({60: SEVERAL}, Moments(60, 60, 60), op="lte", line=Decimal(1))
    assert found.counts == {}
    assert "several series" in found.invalid


class Server:
    """Answers queries as they are with the values of `at`, by second."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.at: Callable[[int], float | None] = lambda _second: 0.2
        self.series = 1
        self.asked: list[dict[str, str]] = []
        httpserver.expect_request("/api/v1/query_range").respond_with_handler(self.answer)
        httpserver.expect_request("/api/v1/query").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        form = request.form.to_dict()
        self.asked.append(form)
        first = int(form.get("start", form.get("time", "0")))
        moments = range(first, int(form.get("end", first)) + 1, int(form.get("step", "60")))
        values = [[moment, str(value)] for moment in moments if (value := self.at(moment)) is not None]
        if "time" in form:
            result: list[Any] = [{"metric": {}, "value": one} for one in values]
        else:
            result = [{"metric": {"n": str(number)}, "values": values} for number in range(self.series)]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result if values else []}}
        return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def server(httpserver: HTTPServer, db: None) -> Server:
    worlds.process()
    actions.save_source(SYSTEM, name="prometheus", url=httpserver.url_for("/"), every=MINUTE, now=NOON)
    return Server(httpserver)


def latency(name: str = "latency", **fields: Any) -> Objective:
    settings: dict[str, Any] = {
        "source": "prometheus",
        "threshold_query": QUERY,
        "threshold_op": "lte",
        "threshold_value": Decimal("0.3"),
        "target": Decimal("0.99"),
        "period": timedelta(days=1),
    }
    return slo_worlds.objective(name, now=NOON, **{**settings, **fields})


def pull(now: Any = NOON) -> None:
    for _ in range(60):
        pull_sources.turn(now=now)
        if not DataSource.objects.filter(next_at__lte=now).exists():
            return
    raise AssertionError("the source never comes to rest")


def test_minutes_are_counted_by_their_value_over_the_whole_past(server: Server) -> None:
    server.at = lambda second: 0.9 if NOON_SECOND - 3600 < second <= NOON_SECOND - 3000 else 0.2
    slo = latency()
    pull()
    assert DataSource.objects.get().last_error == ""
    minutes = Bucket.objects.filter(objective=slo, width=60)
    assert sum(minutes.values_list("bad", flat=True)) == 10
    assert sum(minutes.values_list("good", flat=True)) == 24 * 60 - 10
    assert {one["query"] for one in server.asked} == {QUERY}
    assert {one["step"] for one in server.asked} == {"60"}


def test_asking_again_doubles_nothing_and_a_corrected_minute_is_corrected(server: Server) -> None:
    slo = latency()
    pull()
    server.at = lambda second: 0.9 if second == NOON_SECOND + 60 else 0.2
    pull(NOON + MINUTE)
    server.at = lambda _second: 0.2
    pull(NOON + 2 * MINUTE)
    found = buckets.minute_counts([slo.pk], NOON_SECOND, NOON_SECOND + 120)
    assert sorted(found.values()) == [(1, 0), (1, 0)]


@pytest.mark.parametrize(("bad_minutes", "bad_slices"), [(1, 0), (2, 1)])
def test_a_slice_is_good_by_the_share_of_its_good_minutes(server: Server, bad_minutes: int, bad_slices: int) -> None:
    server.at = lambda second: 0.9 if NOON_SECOND - 3600 < second <= NOON_SECOND - 3600 + 60 * bad_minutes else 0.2
    slo = latency(budgeting="Timeslices", slice_window=5 * MINUTE, slice_target=Decimal("0.8"))
    pull()
    _, period = queries.counts_to_judge([slo], now=NOON)[slo.pk]
    assert (period.valid, period.bad) == (24 * 12, bad_slices)


def test_no_value_and_no_number_are_unknown_and_never_good(server: Server) -> None:
    server.at = lambda second: math.nan if second > NOON_SECOND - 3600 else None
    slo = latency()
    pull()
    slo_worlds.judge(slo, NOON)
    assert not Bucket.objects.exists()
    assert slo_worlds.state(slo).health == Health.NO_DATA


def test_a_query_with_several_answers_makes_only_its_own_slo_invalid(server: Server) -> None:
    server.series = 2
    slo = latency()
    pull()
    pull(NOON + MINUTE)
    state = slo_worlds.state(slo)
    assert state.health == Health.INVALID
    assert "several series" in state.invalid_reason
    assert DataSource.objects.get().last_error == ""


def test_slos_with_the_same_query_share_the_question(server: Server) -> None:
    latency()
    latency("stricter", threshold_value=Decimal("0.1"))
    pull()
    server.asked.clear()
    pull(NOON + MINUTE)
    assert len(server.asked) == 1
    assert Bucket.objects.filter(objective__name="stricter", good__gt=0).count() == 0


def test_values_and_counters_live_on_one_source(server: Server) -> None:
    latency()
    slo_worlds.objective(
        "counted", now=NOON, source="prometheus", good_query="sum(a_total)", total_query="sum(b_total)"
    )
    pull()
    assert DataSource.objects.get().last_error == ""
    assert Bucket.objects.filter(objective__name="latency", width=60).count() > 1000


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"threshold_query": "histogram("}, "threshold_query"),
        ({"threshold_op": "is"}, "threshold_op"),
        ({"threshold_value": None}, "threshold_value"),
        ({"threshold_value": Decimal(10) ** 20}, "threshold_value"),
        ({"total_query": "sum(a_total)"}, "threshold_query"),
    ],
)
def test_a_wrong_line_is_refused_by_its_field(server: Server, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        latency(**fields)
    assert path in refused.value.fields


FILE = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: pay-latency}
spec:
  service: checkout
  budgetingMethod: Timeslices
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    metadata: {name: p99}
    spec:
      thresholdMetric:
        metricSource: {metricSourceRef: prometheus, spec: {query: 'max(p99_seconds)'}}
  objectives: [{op: lte, value: 0.3, target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5m}]
"""


def test_an_openslo_threshold_metric_is_asked_for(server: Server) -> None:
    worlds.service("checkout", now=NOON)
    plan = apply.apply_texts(SYSTEM, {"pay.yaml": FILE}, dry_run=False, now=NOON)
    assert plan.errors == []
    slo = Objective.objects.get()
    assert (slo.threshold_query, slo.threshold_op, slo.threshold_value) == ("max(p99_seconds)", "lte", Decimal("0.3"))
    assert slo.threshold_words == "at most 0.3"
    assert slo.slice_target == Decimal("0.9")
