"""Checklists, reviews, tensions, authorities and sorting in front of people: they fit a phone, and nothing complains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PHONE, Visitor
from tests.browser.wholeness import assert_whole
from tests.domains.incident_worlds import MINUTE, House
from tests.domains.test_incident_sorting import slo_incident
from tests.edges.test_learning_edges import over
from tocsin.incidents import actions
from tocsin.platform.clock import WoundClock
from tocsin.postmortems.models import ActionItem

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
MET = ["critical_services", "malicious_access"]


@pytest.fixture
def house(transactional_db: None, clock: WoundClock) -> House:
    return House(now=clock.now())


@pytest.fixture
def visitor(chromium: Browser, live_server: LiveServer, house: House) -> Iterator[Visitor]:
    """In a house of its own, not in the town of the other pages."""
    yield Visitor(browser=chromium, address=live_server.url, troubles=[])
    for context in chromium.contexts:
        context.close()


def test_the_pages_are_whole(visitor: Visitor, house: House) -> None:
    number = over(house).removeprefix("INC-")
    item = ActionItem.objects.latest("pk").pk
    actions.note_people_issue(house.ada, number, text="We do not talk to each other any more", now=house.now)
    actions.classify_for_authority(house.ada, number, "dora", major=True, met=MET, now=house.now)
    actions.report_to_authority(house.ada, number, "dora", report="initial", reference="A-7", now=house.now)
    burning = slo_incident(house, name="seats", environment="production", region="eu")
    house.pass_time(MINUTE)
    paths = {
        "review": f"/i/{number}/review",
        "explain": f"/i/{number}/review/checklist/B2/explain",
        "action-review": f"/actions/{item}/review",
        "tensions": f"/i/{number}/people/tensions",
        "authorities": f"/i/{number}/authorities",
        "authority": f"/i/{number}/authorities/dora/finding",
        "sort": f"/i/{burning.number}/sort",
        "incident": f"/i/{burning.number}",
        "list": "/i?origin=slo",
    }
    assert_whole(visitor, {f"learning-{name}": ("ada", path) for name, path in paths.items()})


def test_an_item_is_ticked_off_and_left_out_with_a_reason(visitor: Visitor, house: House) -> None:
    number = over(house).removeprefix("INC-")
    page = visitor.page(user="ada", viewport=PHONE)
    page.goto(f"/i/{number}/review")
    page.get_by_test_id("done-B1").click()
    expect(page.get_by_test_id("item-B1")).to_contain_text("done")
    page.get_by_test_id("explain-B2").click()
    page.get_by_label("Why is it left out?").fill("Everybody knows")
    page.get_by_test_id("save-explain").click()
    expect(page.get_by_test_id("item-B2")).to_contain_text("left out: Everybody knows")
    expect(page.get_by_test_id("checklist-1")).to_contain_text("4 of 6 open")
