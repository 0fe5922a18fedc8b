"""What a choice of priority would mail to the subscribers of a service is said, counted, before it is made."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.domains.incident_worlds import House, fresh
from tests.edges.api_client import Caller
from tests.edges.web_client import read, signed_in, words
from tocsin.comms import actions as comms
from tocsin.comms.status_effects import StatusEffects
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.platform import clock as clocks
from tocsin.platform.models import OutboxMessage

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    made = House(now=clock.now())
    for name in ("ops", "shop", "desk"):
        comms.add_subscriber(SYSTEM, email=f"{name}@harbor.example", service="log-on", now=made.now)
    return made


@pytest.fixture
def incident(house: House) -> Incident:
    row = house.declare(priority=3)
    comms.advance_status_mails(now=house.now)
    return row


def status_mails() -> int:
    return OutboxMessage.objects.filter(kind="status").count()


@pytest.mark.parametrize(("rank", "said"), [(1, "at once, then every 2 h"), (2, "at once, then every 4 h")])
def test_the_count_is_what_is_sent_when_it_is_chosen(house: House, incident: Incident, rank: int, said: str) -> None:
    found = StatusEffects(house.ada, incident, now=house.now).of(rank)
    assert found
    assert (found.addresses, found.words) == (3, f"3 subscribers are mailed {said}")
    before = status_mails()
    actions.change_priority(house.ada, incident.ref, priority=rank, reason="More people", now=house.now)
    comms.advance_status_mails(now=house.now)
    assert status_mails() - before == found.addresses
    comms.advance_status_mails(now=house.now + found.every)  # type: ignore[operator]
    assert status_mails() - before == 2 * found.addresses


def test_a_priority_without_a_pace_and_none_are_heard_at_their_own_times(house: House, incident: Incident) -> None:
    effects = StatusEffects(house.ada, incident, now=house.now)
    none = effects.of(None)
    assert none
    assert (none.at_once, none.words) == (False, "3 subscribers are mailed again at the end only")
    before = status_mails()
    actions.change_priority(house.ada, incident.ref, priority=None, state="none", reason="Nothing", now=house.now)
    comms.advance_status_mails(now=house.now + timedelta(days=1))
    assert status_mails() == before


def test_what_changes_nothing_tells_nobody(house: House, incident: Incident) -> None:
    assert StatusEffects(house.ada, incident, now=house.now).of(3) is None
    actions.resolve(house.ada, incident.ref, category="other", now=house.now)
    assert StatusEffects(house.ada, fresh(incident), now=house.now).of(1) is None


def test_page_and_dry_run_say_it(house: House, incident: Incident) -> None:
    page = read(signed_in("ada"), f"/i/{incident.number}/priority")
    assert "3 subscribers are mailed at once, then every 2 h" in words(page, "effects-1")
    assert "subscriber" not in words(page, "effects-3")
    found = Caller("ada").must("POST", f"/api/v1/incidents/{incident.ref}/priority?dry_run=true", {"priority": 1})
    assert found["subscribers_mailed"] == 3
    assert any(re.match("3 subscribers are mailed at once", one) for one in found["effects"])
