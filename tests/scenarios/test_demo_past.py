"""Some days of the demo's past, lived through as the demo does: real, verifiable, and cheap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.domains import worlds
from tocsin.alerts.models import Integration
from tocsin.audit import queries as audit
from tocsin.audit.models import Entry
from tocsin.channels.console import OutboxChannel
from tocsin.core.access import SYSTEM
from tocsin.demo import company
from tocsin.demo.faults import PAST, TRAFFIC, story
from tocsin.demo.past import Past
from tocsin.engine import turns
from tocsin.incidents.models import Incident
from tocsin.platform.clock import WoundClock, install
from tocsin.slo import queries as slo
from tocsin.wiring.demo_past import SELDOM, Cycle

UNTIL = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
DAYS = 8
A_LIVED_DAY = 450
"""Statements a lived day may cost, the incidents in it included; the whole past has ninety of them."""


@pytest.fixture
def clock() -> Any:
    wound = WoundClock(UNTIL - PAST)
    former = install(wound)
    yield wound
    install(former)


@pytest.mark.django_db(transaction=True)
def test_days_with_incidents_are_lived_through_with_few_statements_and_the_log_verifies(clock: WoundClock) -> None:
    began, end = clock.now(), clock.now() + timedelta(days=DAYS)
    worlds.process(now=began)
    company.set_up(now=began, until=UNTIL)
    faults = [fault for fault in story(until=UNTIL, seed=1) if fault.start + fault.lasts < end - timedelta(days=1)]
    outbox = OutboxChannel()
    cycle = Cycle(turns.loops(deliver=lambda *, now: 0)[0].turns, {"email": outbox, "webhook": outbox})
    source = f"integration:{Integration.objects.get(kind='sli').pk}"
    told: list[tuple[float, datetime | None, int]] = []

    def tell(_words: str, share: float | None, day: datetime | None = None, *, incidents: int = 0) -> None:
        told.append((share or 0.0, day, incidents))

    asked = [0]

    def count(execute: Any, *call: Any) -> Any:
        asked[0] += 1
        return execute(*call)

    with connection.execute_wrapper(count):
        Past(clock=clock, source=source, turns=cycle).live(faults, until=end, tell=tell)
        cycle.finish(clock.now())
    assert asked[0] / DAYS < A_LIVED_DAY
    assert told == sorted(told, key=lambda one: one[0])
    assert (told[-1][0], told[-1][2]) == (1.0, Incident.objects.count())
    assert Incident.objects.count() >= 2
    assert audit.verify().ok
    assert Entry.objects.filter(kind="incident.resolved").count() == Incident.objects.count()
    assert not Incident.objects.exclude(acknowledged_at=None).filter(resolved_at=None).exists()
    for name in TRAFFIC:
        state = slo.objective(SYSTEM, name).state
        assert state.last_data_at is not None, name
        assert state.last_data_at >= end - timedelta(hours=1), name


def test_the_turns_that_are_taken_seldom_are_turns_of_the_engine() -> None:
    main, _ = turns.loops(deliver=lambda *, now: 0)
    assert SELDOM.keys() <= {turn.name for turn in main.turns}
