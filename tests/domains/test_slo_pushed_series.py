"""Pushed counters as the fold takes them in: growth by the minute, nothing twice, nothing unknown taken for good."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import NOON
from tocsin.alerts import actions as alerts
from tocsin.core.access import SYSTEM
from tocsin.engine import fold
from tocsin.intake import journal
from tocsin.platform.models import Journal, JournalState
from tocsin.slo import actions, pushed_series, queries
from tocsin.slo.actions import pushed_series as taking
from tocsin.slo.models import Bucket, Health, Objective, PushedGrowth, PushedSeries
from tocsin.slo.pushed_series import Selection, Series, selector_of

pytestmark = pytest.mark.django_db
NOON_MS = int(NOON.timestamp() * 1000)
GOOD, TOTAL = 'sum(http_requests_total{job="shop",code!~"5.."})', 'sum(http_requests_total{job="shop"})'


def shop(**fields: Any) -> Objective:
    worlds.process(now=NOON)
    return slo_worlds.objective("shop", now=NOON, **{"good_query": GOOD, "total_query": TOTAL, **fields})


def series(code: str, *points: tuple[float, float | None], delta: bool = False, start: int = 0, **more: str) -> Series:
    """Points are (seconds after noon, value)."""
    samples = [(NOON_MS + int(at * 1000), value, start, False) for at, value in points]
    labels = {"job": "shop", "code": code, **more}
    return Series(("http_requests_total",), labels, samples, delta=delta)


def take(*sent: Series, now: datetime = NOON + timedelta(minutes=10), service_id: int | None = None) -> set[int]:
    named = Selection(queries.wanted_counters()).named(sent, service_id=service_id)
    with transaction.atomic():
        return actions.take_series([(service_id, pushed_series.from_bytes(pushed_series.to_bytes(named)))], now=now)


def minutes(slo: Objective) -> dict[int, tuple[int, int]]:
    """Minute after noon -> (good, bad), empty minutes left out."""
    rows = Bucket.objects.filter(objective=slo, width=60).values_list("start", "good", "bad")
    return {(start - NOON_MS // 1000) // 60: (good, bad) for start, good, bad in rows if good or bad}


def test_growth_lands_in_the_minute_of_the_sample_that_shows_it() -> None:
    slo = shop()
    take(series("200", (0, 100), (30, 160), (60, 200), (75, 201)), series("500", (0, 7), (30, 9), (60, 9), (75, 10)))
    assert minutes(slo) == {0: (100, 2), 1: (1, 1)}
    widths = Bucket.objects.filter(objective=slo).values_list("width", "good", "bad")
    assert {(w, g, b) for w, g, b in widths if w > 60} == {(900, 101, 3), (3600, 101, 3)}


def test_the_first_sample_of_a_series_is_where_it_stands() -> None:
    slo = shop()
    take(series("200", (0, 5000)))
    assert minutes(slo) == {}
    assert PushedSeries.objects.filter(objective=slo).count() == 2  # it counts as good and as total


def test_the_same_request_twice_counts_once() -> None:
    slo = shop()
    sent = [series("200", (0, 1), (15, 5)), series("500", (0, 1), (15, 2))]
    take(*sent)
    take(*sent)
    assert minutes(slo) == {0: (4, 1)}


def test_a_total_waits_for_its_good_events_that_come_in_another_request() -> None:
    """A sender with several connections sends the series of one scrape apart; in between nothing has failed."""
    slo = shop(good_query='sum(http_ok_total{job="shop"})')

    def ok(*points: tuple[float, float | None]) -> Series:
        return msgspec.structs.replace(series("200", *points), names=("http_ok_total",))

    take(series("200", (0, 0)), ok((0, 0)))
    assert take(series("200", (15, 50))) == set()
    assert minutes(slo) == {}
    take(ok((15, 49)))
    assert minutes(slo) == {0: (49, 1)}


def test_a_series_that_has_gone_holds_nobody_up() -> None:
    slo = shop()
    take(series("200", (0, 0)), series("500", (0, 0)))
    take(series("200", (60, 60)))
    assert minutes(slo) == {}
    take(series("200", (120, 120)))
    assert minutes(slo) == {0: (60, 0), 1: (60, 0)}


def test_a_series_that_used_to_come_often_is_not_waited_for_as_long() -> None:
    slo = shop()
    take(series("200", (0, 0), (15, 15)), series("500", (0, 0)))
    take(series("500", (15, 0)))
    take(series("200", (30, 30), (45, 45)))
    assert minutes(slo) == {0: (15, 0)}
    take(series("200", (60, 60)))  # two rounds and a moment later
    assert minutes(slo) == {0: (60, 0)}


def test_a_stale_marker_frees_the_others_at_once() -> None:
    slo = shop()
    take(series("200", (0, 0)), series("500", (0, 0)))
    gone = msgspec.structs.replace(series("500"), points=[(NOON_MS + 15_000, None, 0, True)])
    take(series("200", (15, 15)), gone)
    assert minutes(slo) == {0: (15, 0)}


def test_a_restart_counts_what_the_new_process_has_counted() -> None:
    slo = shop()
    take(series("200", (0, 1000), (15, 1010), (30, 4), (45, 6)))
    assert minutes(slo) == {0: (16, 0)}


def test_deltas_that_come_too_late_are_counted_as_lost_and_those_sent_again_are_not() -> None:
    slo = shop()
    at = NOON + timedelta(minutes=10)
    take(series("200", (10, 5), (40, 7), delta=True, start=NOON_MS), now=at)
    take(series("200", (40, 7), delta=True, start=NOON_MS), now=at)
    assert slo_worlds.state(slo).late_samples == 0
    take(series("200", (20, 3), (30, 0), delta=True, start=NOON_MS), now=at + timedelta(seconds=1))
    state = slo_worlds.state(slo)
    assert (state.late_samples, state.late_at) == (1, at + timedelta(seconds=1))


def test_deltas_count_as_they_are() -> None:
    slo = shop()
    take(series("200", (10, 5), (20, 7), delta=True, start=NOON_MS))
    take(series("500", (20, 2), delta=True, start=NOON_MS))
    assert minutes(slo) == {0: (12, 2)}


def test_late_samples_say_nothing_new() -> None:
    slo = shop()
    take(series("200", (0, 0), (60, 10)))
    take(series("200", (30, 6)))
    assert minutes(slo) == {0: (10, 0)}


def test_a_value_that_is_no_count_makes_the_slo_invalid_until_counts_come_again() -> None:
    slo = shop()
    take(series("200", (0, 0), (15, 10)), now=NOON + timedelta(seconds=15))
    touched = take(series("200", (30, None)), now=NOON + timedelta(seconds=30))
    assert touched == {slo.pk}
    slo_worlds.judge(slo, NOON + timedelta(seconds=30))
    assert slo_worlds.state(slo).health == Health.INVALID
    assert "http_requests_total" in slo_worlds.state(slo).invalid_reason
    take(series("200", (45, 20)), now=NOON + timedelta(seconds=45))
    slo_worlds.judge(slo, NOON + timedelta(seconds=45))
    assert slo_worlds.state(slo).health == Health.MET


def test_more_good_events_than_events_is_invalid_and_counts_nothing() -> None:
    slo = shop(good_query='sum(http_ok_total{job="shop"})')
    ok = msgspec.structs.replace(series("200", (0, 0), (15, 100)), names=("http_ok_total",))
    take(series("200", (0, 0), (15, 10)), ok)
    assert "more good" in slo_worlds.state(slo).invalid_reason
    assert minutes(slo) == {}


def test_no_traffic_is_known_and_is_not_silence() -> None:
    slo = shop()
    take(series("200", (0, 10), (15, 10)), now=NOON + timedelta(seconds=15))
    slo_worlds.judge(slo, NOON + timedelta(seconds=15))
    assert slo_worlds.state(slo).health == Health.NO_TRAFFIC


def test_labels_that_change_without_end_are_capped_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_SERIES", 10)
    slo = shop()
    take(*(series("200", (0, 1), user=str(number)) for number in range(40)))
    assert PushedSeries.objects.count() == 10
    assert "more than 10 series" in slo_worlds.state(slo).invalid_reason


def test_what_an_sli_names_but_cannot_be_counted_is_said() -> None:
    slo = shop()
    take(msgspec.structs.replace(series("200", (0, 1)), problem="it is a gauge; only a counter can be counted"))
    assert "gauge" in slo_worlds.state(slo).invalid_reason


def test_a_clock_that_runs_ahead_hides_nothing() -> None:
    slo = shop()
    take(series("200", (0, 0), (200, 10), delta=False), now=NOON + timedelta(seconds=30))
    assert sum(good for good, _ in minutes(slo).values()) == 10
    assert max(minutes(slo)) == 0


def test_a_sender_bound_to_another_service_counts_for_nothing() -> None:
    slo = shop()
    named = Selection(queries.wanted_counters()).named([series("200", (0, 0), (15, 10))], service_id=None)
    with transaction.atomic():
        assert actions.take_series([(slo.service_id + 1, named)], now=NOON) == set()
    assert minutes(slo) == {}
    assert take(series("200", (0, 0)), service_id=slo.service_id + 1) == set()


def test_a_retired_slo_and_one_that_is_pulled_take_nothing() -> None:
    slo = shop()
    actions.save_source(SYSTEM, name="prom", url="http://127.0.0.1:9090", now=NOON)
    slo_worlds.objective("pulled", now=NOON, source="prom", good_query=GOOD, total_query=TOTAL)
    assert {one.objective_id for one in queries.wanted_counters()} == {slo.pk}
    actions.retire_objective(SYSTEM, "shop", now=NOON)
    assert queries.wanted_counters() == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (TOTAL, "http_requests_total"),
        ("sum(rate(a_total[5m]))", "a_total"),
        ('a_total{x="y"}', "a_total"),
        ("(sum(a_total))", "a_total"),
        ("sum(a_total) + sum(b_total)", None),
        ("sum by (x) (a_total)", None),
        ("max(a_total)", None),
        ("a_total * 2", None),
        ("sum(", None),
        ('sum({x="y"})', None),
    ],
)
def test_only_the_sum_of_one_counter_can_be_pushed(query: str, name: str | None) -> None:
    found = selector_of(query)
    assert (found and found.name) == name


class Chunking(TestCase):
    """However the samples are cut into requests, the same events are counted."""

    @given(
        growths=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=12),
        cuts=st.sets(st.integers(1, 12), max_size=4),
    )
    @settings(max_examples=25, deadline=None)
    def test_the_sum_of_what_is_counted_is_the_growth_of_the_counters(
        self, growths: Sequence[tuple[int, int]], cuts: set[int]
    ) -> None:
        slo = shop()
        good, bad = 1000, 50
        samples = [(0.0, good, bad)]
        for place, (more, failed) in enumerate(growths, start=1):
            good, bad = good + more, bad + failed
            samples.append((place * 15.0, good, bad))
        edges = [0, *sorted(cut for cut in cuts if cut < len(samples)), len(samples)]
        for first, last in itertools.pairwise(edges):
            part = samples[first:last]
            take(series("200", *((at, up) for at, up, _ in part)))
            take(series("500", *((at, down) for at, _, down in part)))
        counted = minutes(slo).values()
        assert sum(one[0] for one in counted) == sum(one[0] for one in growths)
        assert sum(one[1] for one in counted) == sum(one[1] for one in growths)
        assert PushedGrowth.objects.get(pk=slo.pk).waiting == []


def test_the_fold_counts_and_judges_at_once_and_remembers_the_sender() -> None:
    slo = shop()
    row, _ = alerts.add_integration(SYSTEM, kind="remote-write", now=NOON)
    named = Selection(queries.wanted_counters()).named(
        [series("200", (0, 0), (15, 1)), series("500", (0, 0), (15, 900))], service_id=None
    )
    journal.append_now([("series", f"integration:{row.pk}", pushed_series.to_bytes(named))])
    fold.turn(now=NOON + timedelta(seconds=30))
    assert Journal.objects.get().state == JournalState.FOLDED
    assert minutes(slo) == {0: (1, 900)}
    assert slo_worlds.state(slo).alerting
    row.refresh_from_db()
    assert row.last_seen_at == NOON + timedelta(seconds=30)


def test_a_row_with_nothing_in_it_only_says_that_the_sender_lives() -> None:
    worlds.process(now=NOON)
    row, _ = alerts.add_integration(SYSTEM, kind="otlp", now=NOON)
    journal.append_now([("series", f"integration:{row.pk}", b"[]")])
    fold.turn(now=NOON)
    row.refresh_from_db()
    assert (Journal.objects.get().state, row.last_seen_at) == (JournalState.FOLDED, NOON)
