"""The ledger of a budget: closed periods stay after their counts are gone, and say what ate them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.domains import incident_worlds as world
from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE
from tocsin.alerts.changes import AlertChange, ChangeKind
from tocsin.core.access import SYSTEM
from tocsin.core.slo_windows import EPOCH
from tocsin.engine import close_periods
from tocsin.incidents.breach_refs import refs_by_episode
from tocsin.slo import actions, queries
from tocsin.slo.models import Breach, Bucket, BudgetPeriod, Objective

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = timedelta(days=7)
MONDAY = EPOCH + (datetime.fromisoformat("2026-11-23T00:00:00+00:00") - EPOCH) // WEEK * WEEK  # a week's tile begins


def weekly(**fields: object) -> Objective:
    return slo_worlds.objective(period=WEEK, target=Decimal("0.9"), rule=slo_worlds.DEPLETION, **fields)


def outage(slo: Objective, start: datetime, minutes: int) -> None:
    """Everything fails for so many minutes, judged each fifth."""
    slo_worlds.run(slo, start, [1000] * minutes)


def close_all(now: datetime) -> int:
    after: int | None = 0
    written = 0
    while after is not None:
        after, some = actions.close_periods(after, now=now)
        written += some
    return written


def test_a_period_that_is_over_is_written_down_with_what_ate_it() -> None:
    slo = weekly()
    slo_worlds.push(slo, MONDAY + HOUR, good=99_000, bad=100)
    outage(slo, MONDAY + DAY, 10)
    slo_worlds.run(slo, MONDAY + DAY + 10 * MINUTE, [0] * 75)
    outage(slo, MONDAY + 2 * DAY, 5)
    assert close_all(MONDAY + WEEK + timedelta(minutes=59)) == 0
    assert close_all(MONDAY + WEEK + HOUR) == 1
    row = BudgetPeriod.objects.get()
    assert (row.starts_at, row.ends_at) == (MONDAY, MONDAY + WEEK)
    assert (row.valid, row.bad, row.granted) == (189_100, 15_100, 18_910)
    assert row.spent == pytest.approx(15_100 / 18_910)
    assert [(one["bad"], one["from"][:16]) for one in row.eaten_by] == [
        (10_000, (MONDAY + DAY - HOUR + 5 * MINUTE).isoformat()[:16]),
        (5_000, (MONDAY + 2 * DAY - HOUR + 5 * MINUTE).isoformat()[:16]),
    ]
    assert row.breaches == Breach.objects.count()
    assert close_all(MONDAY + WEEK + HOUR) == 0


def test_it_stays_for_a_year_after_the_counts_are_gone() -> None:
    slo = weekly()
    outage(slo, MONDAY + DAY, 10)
    close_all(MONDAY + WEEK + HOUR)
    Bucket.objects.all().delete()
    found = queries.ledger(SYSTEM, slo, now=MONDAY + 364 * DAY)
    assert [(one.closed, one.bad) for one in found] == [(False, 0), (True, 10_000)]
    assert found[1].eaten_by[0]["share"] == pytest.approx(10)


def test_every_period_since_the_first_data_is_caught_up_with() -> None:
    slo = weekly()
    for week in range(3):
        slo_worlds.push(slo, MONDAY + week * WEEK + DAY, good=900, bad=week)
    now = MONDAY + 3 * WEEK + 2 * HOUR
    assert close_all(now) == 3
    assert list(BudgetPeriod.objects.order_by("starts_at").values_list("bad", flat=True)) == [0, 1, 2]
    running, *closed = queries.ledger(SYSTEM, slo, now=now)
    assert (running.closed, running.spent, len(closed)) == (False, None, 3)


def test_the_running_period_says_what_has_eaten_it_so_far() -> None:
    slo = weekly()
    outage(slo, MONDAY + DAY, 10)
    [running] = queries.ledger(SYSTEM, slo, now=MONDAY + DAY + HOUR)
    assert (running.closed, running.bad, running.rest) == (False, 10_000, 0)
    assert running.coverage < 0.1


def test_a_calendar_budget_has_the_calendars_periods() -> None:
    begin = datetime.fromisoformat("2026-09-30T22:00:00+00:00")  # the first of October in Berlin
    slo = slo_worlds.objective(
        calendar_start=begin,
        time_zone="Europe/Berlin",
        period=timedelta(days=30),
        document={"spec": {"timeWindow": [{"duration": "1M"}]}},
    )
    slo_worlds.push(slo, begin + DAY, good=900, bad=1)
    close_all(begin + 70 * DAY)
    spans = list(BudgetPeriod.objects.order_by("starts_at").values_list("starts_at", "ends_at"))
    assert [span[0].isoformat() for span in spans] == ["2026-09-30T22:00:00+00:00", "2026-10-31T23:00:00+00:00"]
    assert spans[0][1] == spans[1][0]


def test_time_slices_are_reckoned_in_slices() -> None:
    slo = weekly(budgeting="Timeslices", slice_window=MINUTE, slice_target=Decimal("0.95"))
    slo_worlds.push(slo, MONDAY + HOUR, good=900, bad=100)
    slo_worlds.push(slo, MONDAY + HOUR + MINUTE, good=1000, bad=0)
    [running] = queries.ledger(SYSTEM, slo, now=MONDAY + DAY)
    assert (running.valid, running.bad) == (2, 1)


def test_what_ate_it_leads_to_the_incident() -> None:
    house = world.House()
    slo = world.objective(worlds.service("log-on", now=house.now), now=house.now)
    said = world.signal(slo, now=house.now, episode=4)
    change = AlertChange(world.slo_alert(said, now=house.now), ChangeKind.OPENED, "new", said)
    [incident] = world.tell(change, now=house.now)
    assert refs_by_episode(house.ada, slo.pk) == {4: [incident.ref]}


def test_the_engine_looks_every_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close_periods, "_round", close_periods._Round())
    slo = weekly()
    slo_worlds.push(slo, MONDAY + HOUR, good=900, bad=0)
    now = MONDAY + WEEK + HOUR
    assert [close_periods.turn(now=now) for _ in range(3)] == [1, 0, 0]
    assert close_periods.turn(now=now + 9 * MINUTE) == 0
    slo_worlds.push(slo, now, good=900, bad=0)
    assert close_periods.turn(now=now + WEEK) == 1
