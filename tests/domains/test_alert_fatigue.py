"""Alerting goes through an algorithm: never more alerts than breaches, and how many nobody needed is counted."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.domains import slo_worlds, worlds
from tests.domains.slo_worlds import MINUTE, NOON
from tocsin.alerts import actions as alerts
from tocsin.alerts.models import Alert
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Incident
from tocsin.insights.alert_fatigue import report
from tocsin.slo import actions
from tocsin.slo.models import Breach, Objective

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def lived(slo: Objective, bad_by_minute: list[int]) -> None:
    """Minute by minute: counts, the judgement, its alerts and their incidents."""
    for minute, bad in enumerate(bad_by_minute):
        end = NOON + (minute + 1) * MINUTE
        slo_worlds.push(slo, NOON + minute * MINUTE, good=100 - bad, bad=bad, now=end)
        with transaction.atomic():
            signals = actions.evaluate([slo.pk], now=end)
            incidents.take_alert_changes(alerts.take_slo_signals(signals, now=end), now=end)


def burning(name: str = "checkout-availability", **more: Any) -> Objective:
    worlds.process()
    slo = slo_worlds.objective(name, **more)
    actions.assign_priority(SYSTEM, objective=slo, decision="set", priority=2, now=NOON)
    return slo


@pytest.mark.req("R-9.2.6-4")
@pytest.mark.parametrize("seed", range(4))
def test_there_are_never_more_alerts_than_breaches(seed: int) -> None:
    chance = random.Random(seed)
    slo = burning()
    fires = [chance.choice((0, 0, 0, 1, 40)) for _ in range(8)]
    lived(slo, [bad for bad in fires for _ in range(8)])
    counts = Breach.objects.count(), Alert.objects.count()
    found = report(SYSTEM, start=NOON, end=NOON + DAY)
    assert (found.total.breaches, found.total.alerts) == counts
    assert found.total.alerts <= found.total.breaches


@pytest.mark.req("R-9.2.6-4")
def test_alerts_a_breach_and_the_share_nobody_needed_are_reported_by_slo() -> None:
    slo = burning()
    lived(slo, [40] * 10 + [0] * 60)
    mara = worlds.actor("mara", now=NOON)
    before = report(SYSTEM, start=NOON, end=NOON + DAY)
    [row] = before.rows
    assert row.objective == slo.name
    assert before.total.breaches > before.total.alerts > 0
    assert 0 < before.total.alerts_per_breach < 1  # type: ignore[operator] # there are breaches
    for incident in Incident.objects.all():
        if incident.is_open:
            incidents.cancel(mara, incident.ref, reason="A test of the alarm", now=NOON + 2 * MINUTE * 60)
    after = report(SYSTEM, start=NOON, end=NOON + DAY)
    assert after.total.not_actionable_share == 1
    assert report(SYSTEM, start=NOON - DAY, end=NOON).rows == ()


def test_the_number_of_questions_to_the_database_does_not_grow(django_assert_max_num_queries: Any) -> None:
    lived(burning(), [40] * 6)
    with django_assert_max_num_queries(4):
        assert isinstance(report(SYSTEM, start=NOON, end=NOON + DAY).rows, tuple)
