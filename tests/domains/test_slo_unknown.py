"""What is not known is never good: failing servers, holes in the past, late events, impossible numbers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.alerts.models import Alert, AlertState
from tocsin.core.access import SYSTEM
from tocsin.core.slo_windows import Span
from tocsin.engine import pull_sources, silent_sources, turns
from tocsin.incidents.models import Incident
from tocsin.platform import http
from tocsin.slo import actions, buckets, prometheus, queries
from tocsin.slo.models import DataSource, Health, Objective
from tocsin.slo.specs import SignalKind

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class Answers:
    """A server of Prometheus' API: ten requests a second, or whatever reply the test sets."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.reply: Response | None = None
        self.since = 0
        httpserver.expect_request("/api/v1/query").respond_with_handler(self.answer)
        httpserver.expect_request("/api/v1/query_range").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        if self.reply is not None:
            return self.reply
        form = request.form.to_dict()
        events = 10.0 * int(form["query"].split(" offset ")[1].split("s")[0])
        if request.path.endswith("range"):
            moments = range(int(form["start"]), int(form["end"]) + 1, int(form["step"]))
            values = [[moment, str(events)] for moment in moments if moment >= self.since]
            result: list[dict[str, Any]] = [{"metric": {}, "values": values}] if values else []
        else:
            result = [{"metric": {}, "value": [int(form["time"]), str(events)]}]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def server(httpserver: HTTPServer) -> Answers:
    return Answers(httpserver)


@pytest.fixture
def slo(httpserver: HTTPServer, server: Answers, monkeypatch: pytest.MonkeyPatch) -> Objective:
    real = [0.0]
    monkeypatch.setattr(silent_sources, "_watch", silent_sources._Watch())
    monkeypatch.setattr(silent_sources.clock, "monotonic", lambda: real.append(real[-1] + 1) or real[-1])
    worlds.process()
    actions.save_source(SYSTEM, name="prometheus", url=httpserver.url_for("/"), every=MINUTE, now=NOON)
    return slo_worlds.objective(
        now=NOON,
        source="prometheus",
        good_query='sum(requests_total{code!~"5.."})',
        total_query="sum(requests_total)",
        period=timedelta(days=7),
    )


def live(start: datetime, minutes: int) -> datetime:
    now = start
    for _ in range(minutes):
        now += MINUTE
        for _ in range(30):
            if not pull_sources.turn(now=now):
                break
        turns.evaluate(now=now)
        silent_sources.turn(now=now)
        turns.let_time_pass(now=now)
    return now


USELESS = {
    "down": Response("no", status=502),
    "too busy": Response('{"status":"error","error":"query timed out"}', status=422),
    "half": Response('{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["store b is down"]}'),
    "a page to log in": Response("<html>", content_type="text/html"),
    "nothing": Response(""),
    "a stranger": Response("who are you", status=401),
}


@pytest.mark.parametrize("reply", USELESS.values(), ids=USELESS.keys())
def test_a_failing_server_leaves_the_last_state_then_nothing_is_known_then_somebody_is_told(
    server: Answers, slo: Objective, reply: Response
) -> None:
    now = live(NOON - MINUTE, 3)
    assert slo_worlds.state(slo).health == Health.MET
    server.reply = reply
    now = live(now, 8)
    state = slo_worlds.state(slo)
    assert (state.health, state.remaining) == (Health.MET, 1.0)
    assert DataSource.objects.get().last_error
    assert not Incident.objects.exists()
    now = live(now, 6)
    assert slo_worlds.state(slo).health == Health.NO_DATA
    assert "No data from prometheus" in Incident.objects.get().title
    assert DataSource.objects.get().last_error[:40] in Alert.objects.get().annotations["description"]
    server.reply = None
    live(now, 3)
    assert slo_worlds.state(slo).health == Health.MET
    assert Alert.objects.get().state == AlertState.RESOLVED


def test_an_answer_without_end_is_cut_off(server: Answers, slo: Objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MOST_BYTES", 100_000)
    server.reply = Response(" " * 200_000)
    live(NOON - MINUTE, 1)
    assert "longer than 100000 bytes" in DataSource.objects.get().last_error


def test_too_many_series_are_refused_and_said(server: Answers, slo: Objective, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MOST_SERIES", 3)
    series = [{"metric": {"user": str(number)}, "values": [[1, "1"]]} for number in range(4)]
    body = {"status": "success", "data": {"resultType": "matrix", "result": series}}
    server.reply = Response(json.dumps(body))
    live(NOON - MINUTE, 1)
    assert "4 series; at most 3" in DataSource.objects.get().last_error
    assert slo_worlds.state(slo).health == Health.NO_DATA


def test_a_slow_server_is_given_up_after_the_deadline_of_its_source(
    server: Answers, slo: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def slow(*_: object, deadline: timedelta, **__: object) -> http.Answer:
        given.append(deadline)
        raise http.HttpFailed("the answer took too long", unknown=True)

    monkeypatch.setattr(prometheus.http, "request", slow)
    DataSource.objects.update(connection={"timeout": "3s"})
    live(NOON - MINUTE, 1)
    assert given[0] == timedelta(seconds=3)
    assert DataSource.objects.get().last_error == "the answer took too long"


def test_numbers_beyond_any_number_make_the_slo_invalid_and_are_not_counted(server: Answers, slo: Objective) -> None:
    now = live(NOON - MINUTE, 1)
    before = queries.window_counts([slo.pk], [DAY], now=now)
    values = [[buckets.epoch_seconds(now) + 60 - step * 60, "1e999"] for step in range(3)]
    body = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
    server.reply = Response(json.dumps(body))
    live(now, 1)
    state = slo_worlds.state(slo)
    assert state.health == Health.INVALID
    assert "no number" in state.invalid_reason
    assert queries.window_counts([slo.pk], [DAY], now=now) == before


def test_a_server_that_keeps_less_than_the_period_leaves_a_hole_that_is_said(server: Answers, slo: Objective) -> None:
    server.since = buckets.epoch_seconds(NOON - 2 * DAY)
    now = live(NOON - MINUTE, 2)
    found = queries.coverage(slo, Span(now - 7 * DAY, now), now=now)
    assert found.has_holes
    assert found.share == pytest.approx(2 / 7, abs=0.015)
    assert str(found).startswith("Data are there for 2 of 7 days")


@pytest.mark.parametrize(
    ("known", "hours", "words"),
    [
        (1, 672, "1 hour of 28 days"),
        (30, 672, "30 hours of 28 days"),
        (48, 672, "2 of 28 days"),
        (3, 24, "3 of 24 hours"),
    ],
)
def test_how_much_is_known_is_told_in_units_people_use(known: int, hours: int, words: str) -> None:
    assert f"for {words}:" in str(queries.Coverage(known, hours))


def test_a_period_that_is_there_has_no_holes(server: Answers, slo: Objective) -> None:
    now = live(NOON - MINUTE, 2)
    assert not queries.coverage(slo, Span(now - 7 * DAY, now), now=now).has_holes


def test_an_hour_without_traffic_is_known_and_keeps_the_budget_as_it_was() -> None:
    worlds.process()
    quiet = slo_worlds.objective(now=NOON)
    slo_worlds.push(quiet, NOON - 3 * MINUTE, good=999, bad=1)
    slo_worlds.judge(quiet, NOON - 3 * MINUTE)
    before = slo_worlds.state(quiet).remaining
    for minute in range(120):
        slo_worlds.push(quiet, NOON + minute * MINUTE, good=0, bad=0)
    slo_worlds.judge(quiet, NOON + 120 * MINUTE)
    state = slo_worlds.state(quiet)
    assert (state.health, state.remaining) == (Health.NO_TRAFFIC, pytest.approx(before))


def test_late_events_may_open_an_alert_and_never_end_one_without_a_word() -> None:
    worlds.process()
    slo = slo_worlds.objective(now=NOON)
    for minute in range(60):
        slo_worlds.push(slo, NOON + minute * MINUTE, good=1000, bad=0)
    now = NOON + 60 * MINUTE
    assert slo_worlds.judge(slo, now) == []
    for minute in range(50, 60):  # told late, about the last ten minutes
        slo_worlds.push(slo, NOON + minute * MINUTE, good=0, bad=900, now=now)
    assert SignalKind.OPENED in {signal.kind for signal in slo_worlds.judge(slo, now + MINUTE)}
    for minute in range(60):  # and later still, that much more was good
        slo_worlds.push(slo, NOON + minute * MINUTE, good=10_000_000, bad=0, now=now + MINUTE)
    told = [signal.kind for later in range(2, 200) for signal in slo_worlds.judge(slo, now + later * MINUTE)]
    state = slo_worlds.state(slo)
    assert state.alerting or SignalKind.CLOSED in told
