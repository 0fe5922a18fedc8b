"""Counts pulled from a real Prometheus 2.42: equal to what it computes itself, resets included, none twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.domains import slo_worlds, worlds
from tests.edges.real_prometheus import Exporter, prometheus, value, wait_until, write_past
from tocsin.core.access import SYSTEM
from tocsin.engine import pull_sources
from tocsin.incidents.models import Incident
from tocsin.platform import clock
from tocsin.slo import actions, buckets, pulling, queries
from tocsin.slo.models import Bucket, DataSource, Health, Objective

pytestmark = [pytest.mark.prometheus, pytest.mark.django_db, pytest.mark.xdist_group("prometheus")]

STEP = 15
HOURS = 5
SAMPLES = HOURS * 3600 // STEP + 1


@pytest.fixture
def _world(db: None) -> None:
    worlds.process()


def _objective(name: str, url: str, *, now: object, job: str = "", metric: str = "http_requests_total") -> Objective:
    if not DataSource.objects.exists():
        actions.save_source(SYSTEM, name="prometheus", url=url, every=timedelta(seconds=1), now=now)  # type: ignore[arg-type]
    matcher = f'job="{job or name}"'
    return slo_worlds.objective(
        name,
        now=now,
        source="prometheus",
        good_query=f'sum({metric}{{{matcher},code!~"5.."}})',
        total_query=f"sum({metric}{{{matcher}}})",
        target=Decimal("0.999"),
        period=timedelta(days=28),
    )


def _pull(now: object) -> None:
    for _ in range(60):
        pull_sources.turn(now=now)  # type: ignore[arg-type]
        source = DataSource.objects.get()
        assert source.last_error == ""
        if source.next_at is not None and source.next_at > now:
            return
    raise AssertionError("the source never comes to rest")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Five hours of samples on the grid, ending at an aligned moment; job c is restarted in the middle."""
    folder = tmp_path_factory.mktemp("prometheus") / "data"
    end = buckets.floor_to(buckets.epoch_seconds(clock.wall_now()) - 1200, 3600)
    lines = ["# TYPE http_requests counter"]
    for job in "abc":
        for code in ("200", "404", "500"):
            total = 1000
            for sample in range(SAMPLES):
                at = end - HOURS * 3600 + sample * STEP
                total = (0 if job == "c" and sample == SAMPLES // 2 else total) + _events(job, code, sample)
                lines.append(f'http_requests_total{{job="{job}",code="{code}"}} {total} {at}')
    write_past(folder, lines)
    with prometheus(folder) as url:
        yield url, end


def _events(job: str, code: str, sample: int) -> int:
    """How many events a sample brought."""
    number = "abc".index(job)
    if code == "500":
        return number + (sample % 11 == number)
    return (40 + number if code == "200" else 3) + sample % 7


@pytest.mark.usefixtures("_world")
@pytest.mark.parametrize("window", [timedelta(minutes=5), timedelta(hours=1), timedelta(hours=3)])
def test_burn_rates_equal_promql_on_aligned_series(past: tuple[str, int], window: timedelta) -> None:
    url, end = past
    now = pulling.instant(end)
    slos = {name: _objective(name, url, now=now) for name in ("a", "b")}
    _pull(now)
    span = f"{int(window.total_seconds())}s"
    for name, slo in slos.items():
        counts = queries.window_counts([slo.pk], [window], now=now)[slo.pk][window]
        bad = value(url, f'sum(increase(http_requests_total{{job="{name}",code=~"5.."}}[{span}]))', end)
        total = value(url, f'sum(increase(http_requests_total{{job="{name}"}}[{span}]))', end)
        assert counts.bad / counts.valid / 0.001 == pytest.approx(bad / total / 0.001, rel=1e-6)
        assert counts.valid == pytest.approx(total, abs=1)


@pytest.mark.usefixtures("_world")
def test_a_counter_that_begins_anew_never_makes_growth_negative_or_huge(past: tuple[str, int]) -> None:
    url, end = past
    now = pulling.instant(end)
    slo = _objective("c", url, now=now)
    _pull(now)
    window = timedelta(hours=HOURS - 1)
    counts = queries.window_counts([slo.pk], [window], now=now)[slo.pk][window]
    first = SAMPLES - (HOURS - 1) * 3600 // STEP
    happened = sum(_events("c", code, sample) for code in ("200", "404", "500") for sample in range(first, SAMPLES))
    assert counts.valid == happened
    total = value(url, f'sum(increase(http_requests_total{{job="c"}}[{HOURS - 1}h]))', end)
    assert counts.valid == pytest.approx(total, rel=1e-3)
    minutes = Bucket.objects.filter(objective=slo, width=60)
    assert minutes.count() == HOURS * 60 + 1  # the first one saw the first sample and no growth
    assert max(good + bad for good, bad in minutes.values_list("good", "bad")) < 1000


@pytest.mark.usefixtures("_world")
def test_wide_history_holds_the_same_events_as_the_minutes(past: tuple[str, int]) -> None:
    """Asked a day later, the very same samples come by the quarter of an hour."""
    url, end = past
    slo = _objective("b", url, now=pulling.instant(end))
    _pull(pulling.instant(end + 86_400))
    found = Bucket.objects.filter(objective=slo, start__gte=end - 3 * 3600, start__lt=end)
    by_width = {
        width: sum(sum(row) for row in found.filter(width=width).values_list("good", "bad")) for width in (900, 3600)
    }
    total = value(url, 'sum(increase(http_requests_total{job="b"}[3h]))', end)
    assert by_width[900] == by_width[3600] == pytest.approx(total, abs=1)
    assert not found.filter(width=60).exists()


@pytest.mark.usefixtures("_world")
def test_a_metric_nobody_has_is_no_data(past: tuple[str, int]) -> None:
    url, end = past
    now = pulling.instant(end)
    slo = _objective("a", url, now=now, metric="no_such_metric_total")
    _pull(now)
    assert slo_worlds.state(slo).health == Health.NO_DATA
    assert not Bucket.objects.exists()


@pytest.mark.usefixtures("_world")
def test_an_outage_scraped_each_second_is_counted_exactly_and_opens_an_incident(tmp_path: Path) -> None:
    exporter = Exporter()
    exporter.counts = {'http_requests_total{code="200"}': 100_000, 'http_requests_total{code="500"}': 7}
    try:
        with prometheus(tmp_path / "data", scrape=exporter.port) as url:
            wait_until(lambda: _seen(url) == 100_007)
            slo = _objective("shop", url, now=clock.now())
            _grow(exporter, url, slo, good=300, bad=0)
            assert slo_worlds.state(slo).alerting is False
            _grow(exporter, url, slo, good=0, bad=500)
            wait_until(lambda: _turn() and slo_worlds.state(slo).alerting)
            assert Incident.objects.count() == 1
            counted = [
                sum(column)
                for column in zip(
                    *Bucket.objects.filter(objective=slo, width=3600).values_list("good", "bad"), strict=True
                )
            ]
            # What the counters stood at when they were first seen was no event of ours.
            assert counted == [300, 500]
    finally:
        exporter.close()


def _seen(url: str) -> float:
    try:
        return value(url, "sum(http_requests_total)", buckets.epoch_seconds(clock.wall_now()))
    except ValueError:
        return 0.0


def _turn() -> bool:
    pull_sources.turn(now=clock.now())
    return True


def _grow(exporter: Exporter, url: str, slo: Objective, *, good: int, bad: int) -> None:
    """Let the counters move and ask until the SLO has heard of it all. Before that, it must have been asked once."""
    wait_until(lambda: _turn() and slo_worlds.state(slo).pulled_until is not None)
    first = _counted(slo)
    exporter.counts['http_requests_total{code="200"}'] += good
    exporter.counts['http_requests_total{code="500"}'] += bad
    wait_until(lambda: _turn() and _counted(slo) >= first + good + bad, seconds=90)


def _counted(slo: Objective) -> int:
    return sum(good + bad for good, bad in Bucket.objects.filter(objective=slo, width=3600).values_list("good", "bad"))
