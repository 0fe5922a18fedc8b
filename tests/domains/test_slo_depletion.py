"""The budget step by step: hours, weeks and periods, each with what was left at its end, unknown where nothing was heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import transaction

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tocsin.core.access import SYSTEM
from tocsin.slo import actions, queries
from tocsin.slo.models import Objective
from tocsin.slo.queries import Span
from tocsin.slo.specs import Count

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def house() -> None:
    worlds.process()
    worlds.service("log-on", of_team="identity", display_name="Log-on")


def counted(days: int, *, bad_at: dict[int, int] | None = None, silent: frozenset[int] = frozenset()) -> Objective:
    """A thousand events an hour for so many days; `bad_at` and `silent` count hours back from now."""
    made = slo_worlds.objective("log-on-availability", service="log-on", target=Decimal("0.99"))
    last = NOW.replace(minute=0, second=0, microsecond=0)
    rows = []
    for back in range(days * 24, -1, -1):
        bad = (bad_at or {}).get(back, 0)
        if back not in silent:
            rows.append(Count(made.pk, last - back * HOUR, 1000 - bad, bad))
    with transaction.atomic():
        actions.add_counts(rows, now=NOW)
    slo_worlds.judge(made, NOW)
    return made


def steps(made: Objective, span: Span) -> list[queries.Step]:
    return queries.depletion(SYSTEM, Objective.objects.get(pk=made.pk), span, now=NOW)


@pytest.mark.parametrize(("span", "count"), [(Span.DAY, 24), (Span.PERIOD, 4), (Span.YEAR, 13)])
def test_the_spans_are_hours_weeks_and_periods_without_a_hole(span: Span, count: int) -> None:
    found = steps(counted(30), span)
    assert len(found) == count
    assert found[-1].ends_at == NOW
    assert all(one.ends_at == two.starts_at for one, two in pairwise(found))


@pytest.mark.parametrize("span", list(Span))
def test_the_last_step_is_what_the_page_says_is_left(span: Span) -> None:
    made = counted(40, bad_at={0: 100, 5: 300, 100: 500, 700: 900})
    view = queries.budget(SYSTEM, Objective.objects.select_related("state").get(pk=made.pk), now=NOW)
    assert view.left is not None
    assert steps(made, span)[-1].left == pytest.approx(float(view.left))


def test_nothing_is_counted_twice_and_nothing_is_lost() -> None:
    made = counted(27, bad_at={0: 1, 3: 2, 167: 4, 168: 8, 400: 16})
    assert sum(one.bad for one in steps(made, Span.PERIOD)) == 31
    assert sum(one.bad for one in steps(made, Span.DAY)) == 3


def test_an_hour_that_failed_lowers_its_own_step_and_those_after_it() -> None:
    found = steps(counted(28, bad_at={10: 700}), Span.DAY)
    whole = [one.left for one in found]
    place = next(place for place, one in enumerate(found) if one.bad)
    assert all(left == pytest.approx(1.0) for left in whole[:place])
    assert all(left is not None and left < 0.91 for left in whole[place:])


def test_an_hour_without_data_is_unknown_and_the_next_one_is_known_again() -> None:
    found = steps(counted(28, silent=frozenset({6, 7})), Span.DAY)
    assert sum(one.left is None for one in found) == 2
    assert found[-1].left is not None


def test_without_any_data_every_step_is_unknown() -> None:
    made = slo_worlds.objective("log-on-availability", service="log-on")
    for span in Span:
        assert all(one.left is None for one in steps(made, span))


def test_a_calendar_period_begins_full_and_ends_with_what_it_had_at_its_end() -> None:
    made = counted(60, bad_at={24 * 30: 900})
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    Objective.objects.filter(pk=made.pk).update(calendar_start=begin, period=30 * DAY, time_zone="UTC")
    found = steps(made, Span.YEAR)
    assert all((one.ends_at - one.starts_at) >= timedelta(0) for one in found)
    assert found[-1].left == pytest.approx(1.0, abs=0.2)
    assert any(one.bad == 900 for one in found)
