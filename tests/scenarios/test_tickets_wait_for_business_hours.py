"""A slow burn at night: the incident is there at once, people hear of it when their business hours begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.domains import slo_worlds
from tests.scenarios.stage import Stage
from tocsin.audit.models import Entry
from tocsin.core.facts import Kind
from tocsin.incidents.models import Incident
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def stage(clock: WoundClock) -> Stage:
    """Monday, 02:12: checkout has run well for a day."""
    stage = Stage(clock)
    stage.on_call("checkout", "mara", "noor")
    slo_worlds.objective(now=stage.now)
    quarter = timedelta(minutes=15)
    past = [stage.now - number * quarter for number in range(1, 97)]
    stage.send("sli", [{"slo": "checkout-availability", "good": 15000, "bad": 0, "at": at.isoformat()} for at in past])
    return stage


def burn_until(stage: Stage, end: datetime, *, bad: int) -> None:
    while stage.now < end:
        stage.clock.wind_to(min(stage.now + timedelta(minutes=5), end))
        stage.count("checkout-availability", good=5000 - bad, bad=bad)


def test_a_slow_burn_at_night_is_an_incident_at_once_and_a_page_at_nine(stage: Stage) -> None:
    burn_until(stage, NINE - timedelta(minutes=5), bad=60)
    [incident] = Incident.objects.all()
    assert incident.urgency == "ticket"
    assert incident.created_at < NINE - HOUR
    assert not incident.pages.exists()
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn_until(stage, NINE + timedelta(minutes=1), bad=60)
    stage.phone.settle()
    paged = Entry.objects.get(incident=incident.ref, kind=Kind.PAGE_CREATED)
    assert NINE <= paged.at <= NINE + timedelta(minutes=1)


def test_when_the_slow_burn_becomes_a_fire_people_are_woken(stage: Stage) -> None:
    burn_until(stage, stage.now + 6 * HOUR, bad=60)
    [incident] = Incident.objects.all()
    assert not incident.pages.exists()
    stage.phone.expect(to="mara@harbor.example", kind="page")
    burn_until(stage, stage.now + timedelta(minutes=5), bad=4000)
    stage.phone.settle()
    incident.refresh_from_db()
    assert incident.urgency == "page"
    assert Incident.objects.count() == 1
