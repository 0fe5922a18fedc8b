"""Contract SLO-2: on aligned, backfilled counters the product's burn rates are those of PromQL's `increase()`.

Four weeks of samples each minute, with days and nights, a hard outage, a slow burn and a quiet service; every window that
a rule or a page looks at, and the whole budget period.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.domains import slo_worlds, worlds
from tests.edges.real_prometheus import prometheus, value, write_past
from tocsin.core.access import SYSTEM
from tocsin.core.burn_rate import burn_rate
from tocsin.engine import pull_sources
from tocsin.platform import clock
from tocsin.slo import actions, buckets, pulling, queries
from tocsin.slo.models import DataSource, Objective, ObjectiveState

pytestmark = [pytest.mark.prometheus, pytest.mark.django_db, pytest.mark.xdist_group("prometheus")]

DAYS = 28
MINUTES = DAYS * 24 * 60
TARGETS = {"shop": Decimal("0.999"), "search": Decimal("0.995"), "report": Decimal("0.9")}
WINDOWS = [
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=DAYS),
]


def _events(job: str, minute: int) -> tuple[int, int]:
    """(events, failed events) of a minute: the shop has an outage, search burns slowly, the report is quiet."""
    hour = minute // 60 % 24
    if job == "shop":
        total = 60 + 20 * min(hour, 24 - hour) + minute % 13
        return total, total // 4 if MINUTES - 90 <= minute < MINUTES - 40 else minute % 17 == 0
    if job == "search":
        return 30 + minute % 7, 1 if minute % 5 == 0 and minute > MINUTES // 2 else 0
    return int(minute % 20 == 0), int(minute % 400 == 0)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp("four-weeks") / "data"
    end = buckets.floor_to(buckets.epoch_seconds(clock.wall_now()) - 7200, 3600)
    lines = ["# TYPE served counter"]
    for job in TARGETS:
        good = bad = 0
        samples: dict[str, list[str]] = {"200": [], "500": []}
        for minute in range(MINUTES + 1):
            if minute:
                total, failed = _events(job, minute)
                good, bad = good + total - failed, bad + failed
            at = end - (MINUTES - minute) * 60
            samples["200"].append(f'served_total{{job="{job}",code="200"}} {good} {at}')
            samples["500"].append(f'served_total{{job="{job}",code="500"}} {bad} {at}')
        lines += samples["200"] + samples["500"]
    write_past(folder, lines)
    with prometheus(folder) as url:
        yield url, end


@pytest.fixture
def slos(past: tuple[str, int]) -> dict[str, Objective]:
    url, end = past
    now = pulling.instant(end)
    worlds.process()
    actions.save_source(SYSTEM, name="prometheus", url=url, every=timedelta(seconds=15), now=now)
    found = {
        job: slo_worlds.objective(
            job,
            now=now,
            source="prometheus",
            good_query=f'sum(served_total{{job="{job}",code!~"5.."}})',
            total_query=f'sum(served_total{{job="{job}"}})',
            target=target,
            period=timedelta(days=DAYS),
        )
        for job, target in TARGETS.items()
    }
    for _ in range(60):
        pull_sources.turn(now=now)
        source = DataSource.objects.get()
        assert source.last_error == ""
        if source.next_at is not None and source.next_at > now:
            return found
    raise AssertionError("the source never comes to rest")


def test_four_weeks_that_were_pulled_equal_promql(past: tuple[str, int], slos: dict[str, Objective]) -> None:
    """One test, because reading four weeks minute by minute takes most of it."""
    url, end = past
    _burn_rates_are_equal_to_a_millionth_in_every_window(url, end, slos)
    _the_budget_left_is_that_of_the_whole_period(url, end, slos)
    _counts_are_whole_events_so_that_decisions_on_the_boundary_are_exact(end, slos)


def _burn_rates_are_equal_to_a_millionth_in_every_window(url: str, end: int, slos: dict[str, Objective]) -> None:
    now = pulling.instant(end)
    compared = 0
    for job, slo in slos.items():
        allowed = float(1 - TARGETS[job])
        found = queries.window_counts([slo.pk], WINDOWS, now=now)[slo.pk]
        for window in WINDOWS:
            span = f"{int(window.total_seconds())}s"
            bad = value(url, f'sum(increase(served_total{{job="{job}",code=~"5.."}}[{span}]))', end)
            total = value(url, f'sum(increase(served_total{{job="{job}"}}[{span}]))', end)
            ours = burn_rate(TARGETS[job], found[window].valid, found[window].bad)
            if total == 0:
                assert ours is None
                continue
            assert ours is not None
            assert float(ours) == pytest.approx(bad / total / allowed, rel=1e-6), (job, window)
            assert found[window].valid == pytest.approx(total, rel=1e-6), (job, window)
            compared += 1
    assert compared >= 25


def _the_budget_left_is_that_of_the_whole_period(url: str, end: int, slos: dict[str, Objective]) -> None:
    for job, slo in slos.items():
        ratio = f'sum(increase(served_total{{job="{job}",code=~"5.."}}[{DAYS}d])) / '
        failed = value(url, ratio + f'sum(increase(served_total{{job="{job}"}}[{DAYS}d]))', end)
        state = ObjectiveState.objects.get(objective=slo)
        assert state.remaining == pytest.approx(1 - failed / float(1 - TARGETS[job]), rel=1e-6)


def _counts_are_whole_events_so_that_decisions_on_the_boundary_are_exact(end: int, slos: dict[str, Objective]) -> None:
    now = pulling.instant(end)
    for job, slo in slos.items():
        found = queries.window_counts([slo.pk], WINDOWS, now=now)[slo.pk]
        for window in WINDOWS:
            minutes = range(MINUTES - int(window / timedelta(minutes=1)) + 1, MINUTES + 1)
            happened = [_events(job, minute) for minute in minutes]
            assert found[window].valid == sum(total for total, _ in happened)
            assert found[window].bad == sum(failed for _, failed in happened)
