"""What the pictures of an SLO are drawn from says the same as the budget and the evaluator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from tests.domains import slo_worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.core.access import ANONYMOUS, SYSTEM
from tocsin.core.errors import NotAllowed
from tocsin.core.objective_health import Direction, HealthReason
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import actions, queries
from tocsin.slo.models import Objective
from tocsin.slo.specs import Count

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def hourly(slo: Objective, start: datetime, bad: list[int], *, valid: int = 1000) -> None:
    """`valid` events three quarters into each hour."""
    rows = [Count(slo.pk, start + n * HOUR + 45 * MINUTE, valid - failed, failed) for n, failed in enumerate(bad)]
    with transaction.atomic():
        actions.add_counts(rows, now=start + len(bad) * HOUR)


def test_the_budget_is_told_in_three_units_that_say_the_same() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"), period=timedelta(days=7))
    hourly(slo, NOON - 168 * HOUR, [5] * 168)
    view = queries.budget(SYSTEM, slo, now=NOON)
    assert view.left == Fraction(1, 2)
    assert view.events_left == 840
    assert view.outage_left == timedelta(days=7) / 200


def test_the_budget_lasts_the_period_at_an_even_pace_within_the_target() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"), period=timedelta(days=7))
    hourly(slo, NOON - 168 * HOUR, [2] * 168)
    view = queries.budget(SYSTEM, slo, now=NOON)
    assert view.exhausts_at is None
    assert view.direction is Direction.FINE


def test_at_a_hot_pace_the_end_is_named_and_lies_within_the_cone() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"), period=timedelta(days=7))
    hourly(slo, NOON - 168 * HOUR, [0] * 150 + [10] * 12 + [20] * 6)
    view = queries.budget(SYSTEM, slo, now=NOON)
    assert view.exhausts_at is not None
    early, late = view.cone
    assert early is not None
    assert late is not None
    assert NOON < early <= view.exhausts_at <= late
    assert view.exhausts_at == NOON + timedelta(hours=(1680 - 240) / 20)


def test_a_silent_source_leaves_the_budget_unknown_never_full() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"), period=timedelta(days=7))
    hourly(slo, NOON - 168 * HOUR, [2] * 100)
    view = queries.budget(SYSTEM, slo, now=NOON)
    assert view.health is HealthReason.NO_DATA
    assert view.left is None
    assert view.outage_left is None
    levels = queries.burn_down(slo, view, now=NOON)
    assert levels[50].left is not None
    assert levels[-1].left is None


def test_the_burn_down_ends_at_what_the_budget_says_and_falls_where_events_failed() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"), period=timedelta(days=7))
    hourly(slo, NOON - 168 * HOUR, [0] * 100 + [84] + [0] * 67)
    view = queries.budget(SYSTEM, slo, now=NOON)
    levels = queries.burn_down(slo, view, now=NOON)
    assert levels[-1].at == NOON
    assert levels[-1].left == float(view.left or 0) == 0.95
    before = next(level for level in levels if level.at == NOON - 68 * HOUR)
    after = next(level for level in levels if level.at == NOON - 67 * HOUR)
    assert (before.left, after.left) == (1.0, 0.95)


def test_hours_without_events_are_unknown_in_the_burn_down() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"), period=timedelta(days=7))
    hourly(slo, NOON - 168 * HOUR, [1] * 50)
    hourly(slo, NOON - 100 * HOUR, [1] * 100)
    view = queries.budget(SYSTEM, slo, now=NOON)
    unknown = [level.at for level in queries.burn_down(slo, view, now=NOON)[1:] if level.left is None]
    assert unknown[0] == NOON - 117 * HOUR
    assert len(unknown) == 18


def test_burn_rates_are_those_the_rules_judge_by() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"))
    for minute in range(120):
        slo_worlds.push(
            slo, NOON - (120 - minute) * MINUTE, good=900 if minute >= 90 else 1000, bad=100 if minute >= 90 else 0
        )
    points = queries.burn_series(slo, short=5 * MINUTE, long=HOUR, limit=Fraction(2), shown=HOUR, now=NOON)
    assert len(points) == 60
    assert points[-1].at == NOON
    view = queries.budget(SYSTEM, slo, now=NOON)
    assert points[-1].long == float(view.burns[HOUR] or 0) == 5.0
    assert points[-1].short == float(view.burns[5 * MINUTE] or 0) == 10.0


def test_the_four_words_of_a_burn_come_in_their_order() -> None:
    slo = slo_worlds.objective(target=Decimal("0.99"))
    for minute in range(240):
        burning = 60 <= minute < 120
        slo_worlds.push(slo, NOON - (240 - minute) * MINUTE, good=900 if burning else 1000, bad=100 if burning else 0)
    points = queries.burn_series(slo, short=5 * MINUTE, long=HOUR, limit=Fraction(2), shown=3 * HOUR, now=NOON)
    words = [point.direction for point in points]
    seen = [word for place, word in enumerate(words) if place == 0 or words[place - 1] is not word]
    assert seen == [
        Direction.FINE,
        Direction.RISING,
        Direction.BURNING,
        Direction.RECOVERING,
        Direction.FINE,
    ]


def test_an_hour_without_events_has_no_burn_rate() -> None:
    slo = slo_worlds.objective()
    slo_worlds.push(slo, NOON - 5 * HOUR, good=10, bad=0)
    points = queries.burn_series(slo, short=5 * MINUTE, long=HOUR, limit=Fraction(2), shown=HOUR, now=NOON)
    assert {point.direction for point in points} == {Direction.UNKNOWN}
    assert points[-1].long is None


def test_time_slices_are_judged_as_slices() -> None:
    slo = slo_worlds.objective(
        target=Decimal("0.9"),
        period=timedelta(days=1),
        budgeting="Timeslices",
        slice_window=MINUTE,
        slice_target=Decimal("0.95"),
    )
    for minute in range(100):
        slo_worlds.push(
            slo, NOON - (100 - minute) * MINUTE, good=90 if minute < 5 else 100, bad=10 if minute < 5 else 0
        )
    view = queries.budget(SYSTEM, slo, now=NOON)
    levels = queries.burn_down(slo, view, now=NOON)
    assert view.left == Fraction(1, 2)
    assert levels[-1].left == 0.5


def test_days_are_those_of_the_viewers_zone_also_over_a_clock_change() -> None:
    slo = slo_worlds.objective()
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 24, tzinfo=berlin)
    days = [(first + n * DAY).astimezone(UTC) for n in range(4)]
    assert [round((end - start) / HOUR) for start, end in pairwise(days)] == [24, 25, 24]
    hourly(slo, days[0], [1] * 73, valid=10)
    found = queries.day_counts([slo.pk], days)[slo.pk]
    assert found == [WindowCounts(240, 24), WindowCounts(250, 25), WindowCounts(240, 24)]


def test_a_day_without_events_counts_nothing() -> None:
    slo = slo_worlds.objective()
    assert queries.day_counts([slo.pk], [NOON - DAY, NOON])[slo.pk] == [WindowCounts(0, 0)]


def test_whoever_may_not_read_slos_sees_no_budget() -> None:
    with pytest.raises(NotAllowed):
        queries.budget(ANONYMOUS, slo_worlds.objective(), now=NOON)
