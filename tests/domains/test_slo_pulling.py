"""Which minutes a source is asked for and what its answers count as."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.core.access import SYSTEM
from tocsin.core.slo_windows import WindowCounts
from tocsin.engine import pull_sources
from tocsin.slo import actions, buckets, pulling, queries
from tocsin.slo.actions.pulling import claim_due
from tocsin.slo.models import DataSource, Health, Objective
from tocsin.slo.prometheus import Moments
from tocsin.slo.pulling import Answer, counted

NOON_SECOND = buckets.epoch_seconds(NOON)


def _moments(count: int) -> Moments:
    return Moments(60, 60 * count, 60)


def _series(values: Sequence[float | None]) -> dict[int, float]:
    return {60 * at: value for at, value in enumerate(values, start=1) if value is not None}


def test_whole_growths_are_counted_as_they_are() -> None:
    found = counted(
        Answer(good=_series([9, 8]), bad=None, total=_series([10, 10])), _moments(2), rests=(0, 0), final=120
    )
    assert found.counts == {0: (9, 1), 60: (8, 2)}
    assert (found.rest_good, found.rest_bad, found.newest) == (0, 0, 120)


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1)), min_size=1, max_size=60))
def test_fractions_are_carried_over_so_that_sums_stay_within_one_event(rows: list[tuple[float, float]]) -> None:
    total, bad = [row[0] for row in rows], [row[0] * row[1] for row in rows]
    found = counted(
        Answer(good=None, bad=_series(bad), total=_series(total)),
        _moments(len(rows)),
        rests=(0, 0),
        final=60 * len(rows),
    )
    assert abs(sum(one[1] for one in found.counts.values()) - sum(bad)) <= 1.01
    assert abs(sum(sum(one) for one in found.counts.values()) - sum(total)) <= 2.02
    assert all(min(one) >= 0 for one in found.counts.values())


def test_silence_is_no_zero_and_zero_is_no_silence() -> None:
    found = counted(
        Answer(good=_series([None, 0, 5]), bad=None, total=_series([None, 0, 5])), _moments(3), rests=(0, 0), final=180
    )
    assert found.counts == {60: (0, 0), 120: (5, 0)}


def test_a_counter_of_good_events_that_does_not_exist_yet_has_counted_none() -> None:
    found = counted(Answer(good={}, bad=None, total=_series([10])), _moments(1), rests=(0, 0), final=60)
    assert found.counts == {0: (0, 10)}
    found = counted(Answer(good=None, bad={}, total=_series([10])), _moments(1), rests=(0, 0), final=60)
    assert found.counts == {0: (10, 0)}


def test_good_and_bad_without_a_total_are_enough() -> None:
    found = counted(
        Answer(good=_series([3, 1]), bad=_series([1, None]), total=None), _moments(2), rests=(0, 0), final=120
    )
    assert found.counts == {0: (3, 1)}


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_invalid_and_counted_as_nothing(wrong: float) -> None:
    found = counted(
        Answer(good=_series([wrong, 5]), bad=None, total=_series([10, 10])), _moments(2), rests=(0, 0), final=120
    )
    assert found.counts == {60: (5, 5)}
    assert found.invalid


def test_more_good_events_than_events_is_invalid_and_never_good() -> None:
    found = counted(Answer(good=_series([20]), bad=None, total=_series([10])), _moments(1), rests=(0, 0), final=60)
    assert found.counts == {}
    assert "more good" in found.invalid


def test_a_hair_more_good_than_all_is_the_scrapes_doing_and_made_up_for_later() -> None:
    found = counted(
        Answer(good=_series([100.5, 99.5]), bad=None, total=_series([100, 101])), _moments(2), rests=(0, 0), final=120
    )
    assert not found.invalid
    assert sum(one[1] for one in found.counts.values()) == 1


def test_only_final_spans_move_the_rests() -> None:
    answer = Answer(good=None, bad=_series([0.4, 0.4]), total=_series([10.4, 10.4]))
    found = counted(answer, _moments(2), rests=(0, 0), final=60)
    assert found.rest_bad == pytest.approx(0.4)


# --- which moments


def test_history_comes_by_hours_then_quarters_then_minutes() -> None:
    until, widths = pulling.begin_of(timedelta(days=28), now=NOON), []
    while not pulling.is_current(until, now=NOON):
        moments = pulling.stretch_after(until, asks=2, now=NOON)
        assert moments.first == until + moments.step
        assert moments.last <= NOON_SECOND
        widths.append(moments.step)
        until = moments.last
    assert list(dict.fromkeys(widths)) == [3600, 900, 60]
    assert widths.count(3600) == 4  # a week at a time


@given(
    behind=st.integers(120, 5 * 86400),
    asks=st.integers(1, 20_000),
    late=st.integers(0, 3600),
)
def test_whatever_the_gap_it_is_filled_without_hole_or_overlap(behind: int, asks: int, late: int) -> None:
    now = NOON + timedelta(seconds=late)
    until = buckets.floor_to(buckets.epoch_seconds(now) - behind, 60)
    for _ in range(20_000):
        if pulling.is_current(until, now=now):
            break
        moments = pulling.stretch_after(until, asks=asks, now=now)
        assert moments.first == until + moments.step
        assert until % moments.step == 0
        assert (moments.last - until) % moments.step == 0
        assert (moments.last - until) // moments.step <= pulling.MOST_STEPS
        until = moments.last
    assert pulling.is_current(until, now=now)


def test_the_running_minute_is_asked_as_far_as_it_has_come() -> None:
    assert pulling.running_minute(now=NOON) is None
    assert pulling.running_minute(now=NOON + timedelta(seconds=17.9)) == Moments(NOON_SECOND + 17, NOON_SECOND + 17, 17)


def test_a_minute_is_final_some_time_after_its_end() -> None:
    assert pulling.final_until(now=NOON + timedelta(seconds=89)) == NOON_SECOND - 60
    assert pulling.final_until(now=NOON + timedelta(seconds=90)) == NOON_SECOND


# --- turns, against a server that answers what the test says


class FakeServer:
    """A server of Prometheus' query API. `total` and `good` give the events of the span that ends at a second."""

    def __init__(self, server: HTTPServer) -> None:
        self.questions: list[dict[str, str]] = []
        self.total: dict[int, float] | None = None
        self.bad_share = 0.0
        self.reply: Response | None = None
        self.per_second = 10.0
        server.expect_request("/api/v1/query").respond_with_handler(self.answer)
        server.expect_request("/api/v1/query_range").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        form = request.form.to_dict()
        self.questions.append({"path": request.path, **form})
        if self.reply is not None:
            return self.reply
        import json

        seconds = int(form["query"].split(" offset ")[1].split("s")[0])
        events = self.per_second * seconds * ((1 - self.bad_share) if "code" in form["query"] else 1)
        if request.path.endswith("range"):
            moments = range(int(form["start"]), int(form["end"]) + 1, int(form["step"]))
            series = {"metric": {}, "values": [[moment, str(events)] for moment in moments]}
            data = {"resultType": "matrix", "result": [series]}
        else:
            data = {"resultType": "vector", "result": [{"metric": {}, "value": [int(form["time"]), str(events)]}]}
        return Response(json.dumps({"status": "success", "data": data}), content_type="application/json")


@pytest.fixture
def server(httpserver: HTTPServer) -> FakeServer:
    return FakeServer(httpserver)


@pytest.fixture
def slo(db: None, httpserver: HTTPServer) -> Objective:
    worlds.process()
    actions.save_source(SYSTEM, name="prometheus", url=httpserver.url_for("/"), every=timedelta(seconds=15), now=NOON)
    return slo_worlds.objective(
        now=NOON,
        source="prometheus",
        good_query='sum(requests_total{code!~"5.."})',
        total_query="sum(requests_total)",
        period=timedelta(days=7),
    )


def _pull_all(now: object = NOON) -> int:
    for turns in range(1, 50):
        pull_sources.turn(now=NOON if now is NOON else now)  # type: ignore[arg-type]
        if not DataSource.objects.filter(next_at__lte=now).exists():
            return turns
    raise AssertionError("the source never comes to rest")


def _day(slo: Objective, now: object = NOON) -> WindowCounts:
    span = timedelta(hours=24)
    return queries.window_counts([slo.pk], [span], now=now)[slo.pk][span]  # type: ignore[arg-type]


def test_history_is_filled_in_and_every_second_counted_once(server: FakeServer, slo: Objective) -> None:
    _pull_all()
    state = slo_worlds.state(slo)
    assert state.pulled_until == NOON - 2 * MINUTE
    assert state.last_data_at == NOON
    assert _day(slo) == WindowCounts(864_000, 0)
    assert queries.window_counts([slo.pk], [timedelta(days=7)], now=NOON)[slo.pk][timedelta(days=7)].valid == 6_048_000
    assert state.health == Health.MET


def test_asking_again_doubles_nothing_and_the_running_minute_grows(server: FakeServer, slo: Objective) -> None:
    _pull_all()
    for seconds in (15, 30, 45, 60, 75):
        now = NOON + timedelta(seconds=seconds)
        _pull_all(now)
        events = sum(sum(one) for one in buckets.minute_counts([slo.pk], NOON_SECOND, NOON_SECOND + 120).values())
        assert events == 10 * seconds
    hour = queries.window_counts([slo.pk], [timedelta(hours=1)], now=NOON + MINUTE)[slo.pk][timedelta(hours=1)]
    assert hour.valid == 36_000 + 150


def test_a_restart_after_hours_catches_up_without_gap_or_double(server: FakeServer, slo: Objective) -> None:
    _pull_all()
    later = NOON + timedelta(hours=9, minutes=7)
    _pull_all(later)
    assert slo_worlds.state(slo).pulled_until == later - 2 * MINUTE
    assert _day(slo, later).valid == pytest.approx(864_000, abs=15 * 60 * 10)
    hours = buckets.Bucket.objects.filter(
        objective=slo, width=3600, start__gte=NOON_SECOND, start__lt=NOON_SECOND + 9 * 3600
    )
    assert [good + bad for good, bad in hours.values_list("good", "bad")] == [36_000] * 9


def _month(httpserver: HTTPServer) -> Objective:
    return slo_worlds.objective(
        "month",
        now=NOON,
        source="prometheus",
        good_query='sum(requests_total{code!~"5.."})',
        total_query="sum(requests_total)",
        period=timedelta(days=28),
    )


def _progress(slo: Objective, now: datetime = NOON) -> str:
    return str(queries.reading_past(queries.objective(SYSTEM, slo.name), now=now))


def test_the_past_is_read_in_portions_and_says_how_far_it_has_come(
    server: FakeServer, slo: Objective, httpserver: HTTPServer
) -> None:
    actions.retire_objective(SYSTEM, slo.name, now=NOON)
    month = _month(httpserver)
    said = []
    for _ in range(20):
        pull_sources.turn(now=NOON)
        said.append(_progress(month))
        if said[-1] == "None":
            break
    assert said[0] == "Reading the past: 7 of 28 days"
    assert said[1] == "Reading the past: 14 of 28 days"
    assert said[-1] == "None"
    spans = [int(one["end"]) - int(one["start"]) for one in server.questions if one["path"].endswith("range")]
    assert max(spans) <= 7 * 86_400
    state = slo_worlds.state(month)
    assert state.first_data_at == NOON - timedelta(days=28)
    assert state.health == Health.MET
    assert state.next_at is not None


def test_reading_the_past_goes_on_where_it_was_interrupted(
    server: FakeServer, slo: Objective, httpserver: HTTPServer
) -> None:
    actions.retire_objective(SYSTEM, slo.name, now=NOON)
    month = _month(httpserver)
    pull_sources.turn(now=NOON)
    server.reply = Response("gone", status=503)
    pull_sources.turn(now=NOON)
    assert _progress(month) == "Reading the past: 7 of 28 days"
    server.reply = None
    asked = len(server.questions)
    pull_sources.turn(now=NOON + timedelta(seconds=30))
    assert int(server.questions[asked]["start"]) == NOON_SECOND - 21 * 86_400 + 3600
    _pull_all(NOON + MINUTE)
    assert queries.window_counts([month.pk], [timedelta(days=28)], now=NOON + MINUTE)[month.pk][
        timedelta(days=28)
    ].valid == pytest.approx(28 * 864_000, abs=1200)


def test_while_the_past_is_read_nothing_is_known_and_nobody_is_told_of_what_is_over(
    server: FakeServer, slo: Objective, httpserver: HTTPServer
) -> None:
    from tocsin.engine import silent_sources, turns
    from tocsin.incidents.models import Incident
    from tocsin.slo.models import Breach

    actions.retire_objective(SYSTEM, slo.name, now=NOON)
    month = _month(httpserver)
    server.bad_share = 0.9
    for seconds in (0, 1, 2):
        now = NOON + timedelta(seconds=seconds)
        pull_sources.turn(now=now)
        turns.evaluate(now=now)
        silent_sources.turn(now=now)
        state = slo_worlds.state(month)
        assert (state.health, state.next_at, state.first_data_at) == (Health.NO_DATA, None, None)
    assert not Breach.objects.exists()
    assert not Incident.objects.exists()
    server.bad_share = 0.0
    # What is over by the time the past has been read tells nobody: only the present does.
    later = NOON + timedelta(days=2)
    _pull_all(later)
    assert not Incident.objects.filter(created_at__lt=later).exists()


def test_catching_up_after_a_stop_is_no_silent_source(server: FakeServer, slo: Objective) -> None:
    _pull_all()
    later = NOON + timedelta(hours=9)
    slo_worlds.judge(slo, later)
    assert slo_worlds.state(slo).health == Health.NO_DATA
    assert queries.without_data(now=later) == []
    DataSource.objects.update(last_error="no connection")
    assert [state.pk for state in queries.without_data(now=later)] == [slo.pk]


def test_bad_events_are_judged_and_told_in_the_same_turn(server: FakeServer, slo: Objective) -> None:
    from tocsin.incidents.models import Incident

    _pull_all()
    server.bad_share = 0.5
    _pull_all(NOON + timedelta(seconds=45))
    assert slo_worlds.state(slo).alerting
    assert Incident.objects.count() == 1


def test_the_number_of_questions_does_not_grow_with_the_number_of_slos(server: FakeServer, slo: Objective) -> None:
    for number in range(5):
        slo_worlds.objective(
            f"job-{number}",
            source="prometheus",
            good_query=f'sum(requests_total{{job="{number}",code!~"5.."}})',
            total_query=f'sum(requests_total{{job="{number}"}})',
            period=timedelta(hours=1),
        )
    _pull_all()
    server.questions.clear()
    _pull_all(NOON + timedelta(seconds=15))
    # Two shapes (with and without job) of two queries, for the last minutes and for the running one.
    assert len(server.questions) == 8


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Response("upstream died", status=502), "502"),
        (Response('{"status":"error","error":"query timed out"}', status=422), "query timed out"),
        (Response("<html>log in</html>", status=200, content_type="text/html"), "text/html"),
        (
            Response('{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["half"]}'),
            "in part only",
        ),
        (Response('{"status":"success","data":{"result":[{"metric":{},"value":[1]}]}}'), "something else"),
        (Response("", status=302, headers={"Location": "http://elsewhere/"}), "302"),
    ],
    ids=["502", "422", "html", "partial", "wrong shape", "redirect"],
)
def test_a_useless_answer_is_noted_keeps_what_is_known_and_shows_as_silence(
    server: FakeServer, slo: Objective, reply: Response, words: str
) -> None:
    _pull_all()
    before = slo_worlds.state(slo)
    server.reply = reply
    pull_sources.turn(now=NOON + MINUTE)
    source = DataSource.objects.get()
    assert words in source.last_error
    assert source.claimed_by == ""
    assert source.next_at == NOON + timedelta(seconds=75)
    assert slo_worlds.state(slo).pulled_until == before.pulled_until
    assert [signal.kind for signal in slo_worlds.judge(slo, NOON + 11 * MINUTE)] == ["no_data"]
    server.reply = None
    pull_sources.turn(now=NOON + 2 * MINUTE)
    assert DataSource.objects.get().last_error == ""


def test_no_answer_at_all_is_noted_as_well(slo: Objective) -> None:
    DataSource.objects.update(url="http://127.0.0.1:1")
    pull_sources.turn(now=NOON)
    assert "no connection" in DataSource.objects.get().last_error


def test_nobody_knows_the_metric_is_no_data_not_a_hundred_percent(server: FakeServer, slo: Objective) -> None:
    server.reply = Response('{"status":"success","data":{"resultType":"vector","result":[]}}')
    _pull_all()
    assert slo_worlds.state(slo).health == Health.NO_DATA
    assert not buckets.Bucket.objects.exists()


def test_impossible_numbers_make_the_slo_invalid(server: FakeServer, slo: Objective) -> None:
    _pull_all()
    server.bad_share = -1.0
    _pull_all(NOON + timedelta(seconds=30))
    state = slo_worlds.state(slo)
    assert state.health == Health.INVALID
    assert "more good" in state.invalid_reason


def test_a_source_is_asked_by_one_worker_at_a_time(server: FakeServer, slo: Objective) -> None:
    assert len(claim_due(now=NOON)) == 1
    assert claim_due(now=NOON) == []


def test_an_answer_that_comes_after_the_claim_was_lost_is_not_counted(server: FakeServer, slo: Objective) -> None:
    from tocsin.slo import prometheus
    from tocsin.slo.actions.pulling import take_answers

    (errand,) = claim_due(now=NOON)
    answers = [[prometheus.fetch(errand.server, one.asks, span) for span in one.spans] for one in errand.rounds]
    DataSource.objects.update(attempt=99)
    with transaction.atomic():
        assert take_answers(errand, answers, now=NOON) == []
    assert not buckets.Bucket.objects.exists()


def test_a_failure_while_writing_gives_the_source_back(
    server: FakeServer, slo: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(pull_sources.slo, "evaluate", broken)
    with pytest.raises(RuntimeError):
        pull_sources.turn(now=NOON)
    source = DataSource.objects.get()
    assert (source.claimed_by, source.last_error) == ("", "RuntimeError: disk full")


def test_a_header_takes_its_secret_from_the_environment_and_only_from_names_meant_for_it(
    server: FakeServer, slo: Objective, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_SOURCE_KEY", "s3cret")
    DataSource.objects.update(headers={"Authorization": "Bearer ${env:TOCSIN_SOURCE_KEY}", "X-Other": "${env:HOME}"})
    pull_sources.turn(now=NOON)
    sent = httpserver.log[0][0].headers
    assert sent["Authorization"] == "Bearer s3cret"
    assert sent["X-Other"] == "${env:HOME}"


def test_retired_slos_and_pushed_ones_are_not_asked_for(server: FakeServer, slo: Objective) -> None:
    actions.retire_objective(SYSTEM, slo.name, now=NOON)
    slo_worlds.objective("pushed")
    _pull_all()
    assert server.questions == []
