"""What the pages of an incident say of a budget nobody knows, and what they call people."""

from __future__ import annotations

import copy
import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.domains import incident_worlds as incidents
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.web_client import has, read, signed_in
from tocsin.core.access import SYSTEM, Role
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.platform import clock as clocks
from tocsin.process import actions as published
from tocsin.process import queries as process
from tocsin.slo.models import Health, ObjectiveState

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    return House(now=clock.now())


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


@pytest.fixture
def burning(house: House) -> Incident:
    """An incident of an SLO that nobody has evaluated yet."""
    row = house.declare()
    row.objective = incidents.objective(house.service, now=house.now)
    row.save(update_fields=["objective"])
    return row


@pytest.mark.parametrize("place", ["", "/desk"])
def test_an_slo_without_a_state_is_unknown_and_breaks_no_page(ada: Client, burning: Incident, place: str) -> None:
    assert "no data yet, so nobody can tell what is left of the budget" in read(ada, f"/i/{burning.number}{place}")


def test_the_link_in_a_page_says_that_nothing_is_known_yet(ada: Client, burning: Incident, house: House) -> None:
    house.run()
    token = incidents.token_of(incidents.mails()[-1])
    assert "no data yet" in read(Client(), f"/p/{token}")


@pytest.mark.parametrize(
    ("health", "remaining", "said"),
    [
        (Health.BURNING, 0.18, "18% of the budget left"),
        (Health.EXHAUSTED, -0.2, "budget spent"),
        (Health.NO_DATA, 0.18, "no data since"),
        (Health.INVALID, 0.18, "impossible numbers"),
    ],
)
def test_an_old_number_is_no_knowledge(
    ada: Client, burning: Incident, house: House, health: Health, remaining: float, said: str
) -> None:
    seen = house.now - timedelta(minutes=7)
    ObjectiveState.objects.create(
        objective=burning.objective, health=health, remaining=remaining, last_data_at=seen, next_at=house.now
    )
    page = read(ada, f"/i/{burning.number}")
    assert said in page
    assert ("18% of" in page) is (health is Health.BURNING)


def test_whoever_declared_it_is_called_by_name(house: House, ada: Client) -> None:
    page = read(ada, f"/i/{house.declare().number}")
    assert "<dt>Declared by</dt><dd>Ben</dd>" in page


def test_whoever_waived_a_duty_is_called_by_name(house: House, ada: Client) -> None:
    row = house.declare()
    duty = row.obligations.first()
    assert duty
    actions.waive_obligation(house.ada, duty.pk, reason="Nobody uses it", now=house.now)
    assert "Nobody uses it (Ada)" in read(ada, f"/i/{row.number}")


def test_what_a_hand_over_needs_is_not_called_optional(house: House, ada: Client) -> None:
    row = house.declare()
    actions.assign_role(house.ada, row.ref, role="incident_coordinator", username="ada", now=house.now)
    page = read(ada, f"/i/{row.number}/people/hand-over")
    assert "What has been done?" in page
    assert "(optional)" not in page


def optional(page: str) -> list[str]:
    """The labels of the fields that a page calls optional."""
    return re.findall(r"<label[^>]*>([^<]*) <span class=\"optional\">", page)


def test_what_the_end_of_an_incident_needs_is_not_called_optional(house: House, ada: Client) -> None:
    row = house.declare()
    assert optional(read(ada, f"/i/{row.number}/resolve")) == ["What ended it?"]
    fix = row.obligations.get(kind="hotfix")
    assert optional(read(ada, f"/i/{row.number}/obligations/{fix.pk}/fulfil")) == []
    actions.resolve(house.ada, row.ref, category="other", now=house.now)
    page = read(ada, f"/i/{row.number}/close")
    assert not {"What kind of incident was it?", "Which service was it?"} & set(optional(page))
    assert has(page, "close-to-owed")


def test_a_channel_that_is_opened_by_hand_has_its_button(house: House, ada: Client) -> None:
    document = copy.deepcopy(process.current().document)
    [answer] = [one for one in document["questions"]["process_questions"] if one["code"] == "how_made_known"]
    answer["machine"]["create"] = "by_hand"
    published.publish_version(SYSTEM, document, note="Only when it is wanted", now=house.now)
    row = house.declare(severity="critical")
    address = f"/i/{row.number}"
    assert has(read(ada, address), "open-channel")
    worlds.person("rea", role=Role.READER.value)
    reader = signed_in("rea")
    assert not has(read(reader, address), "open-channel")
    assert reader.post(f"{address}/channel").status_code == 403
    assert has(read(ada, address), "open-channel")
    assert ada.post(f"{address}/channel")["Location"] == f"{address}#channel"
    page = read(ada, address)
    assert has(page, "channel-own")
    assert not has(page, "open-channel")
    assert "has its channel" in ada.post(f"{address}/channel", follow=True).content.decode()
