"""From the link in a page to "taken", half asleep: one tap, no password, no script, and looking changes nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visitor, photograph
from tests.browser.wholeness import findings, sideways
from tests.browser.world import World
from tocsin.incidents.models import Incident
from tocsin.incidents.models import Page as PageRow
from tocsin.platform.models import OutboxMessage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

THUMB = 48


def link(username: str) -> str:
    """The path in the first page that this person was sent about the youngest incident."""
    burning = Incident.objects.latest("number")
    pages = OutboxMessage.objects.filter(kind="page", incident=burning.ref, address=f"{username}@harbor.example")
    mail = pages.earliest("id")
    found = re.search(r"/p/\S+", str(mail.payload["text"]))
    assert found is not None
    return found[0].rstrip(".")


def open_link(visitor: Visitor, username: str = "ana", *, script: bool = True, scheme: str = "dark") -> Page:
    page = visitor.page(viewport=PHONE, scheme=scheme, java_script_enabled=script)
    page.goto(link(username))
    return page


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_one_tap_takes_the_incident_without_signing_in(visitor: Visitor, world: World, script: bool) -> None:
    page = open_link(visitor, script=script)
    page.get_by_test_id("page-take").click()
    expect(page.get_by_test_id("page-answer")).to_contain_text("Others will not be paged")
    incident = Incident.objects.get(number=world.burning)
    assert incident.acknowledged_by is not None
    assert (incident.state, incident.acknowledged_by.username) == ("acknowledged", "ana")


def test_passing_on_is_one_tap_as_well(visitor: Visitor, world: World) -> None:
    page = open_link(visitor, script=False)
    page.get_by_test_id("page-pass").click()
    expect(page.get_by_test_id("page-answer")).to_contain_text("Thank you for saying so")
    assert Incident.objects.get(number=world.burning).state == "triggered"


def test_looking_at_the_link_takes_nothing(visitor: Visitor, world: World) -> None:
    for _ in range(3):
        open_link(visitor)
    assert Incident.objects.get(number=world.burning).state == "triggered"
    assert not PageRow.objects.exclude(answered_at=None).exists()


def test_a_second_answer_hears_who_has_it(visitor: Visitor, world: World) -> None:
    open_link(visitor, "bo").get_by_test_id("page-take").click()
    page = open_link(visitor, "ana")
    expect(page.locator("main")).to_contain_text("Bo Lind has it")
    expect(page.get_by_test_id("page-take")).to_have_count(0)


def test_the_button_is_under_the_thumb_and_the_fact_is_seen_at_once(visitor: Visitor, world: World) -> None:
    page = open_link(visitor)
    button = page.get_by_test_id("page-take").bounding_box()
    fact = page.get_by_test_id("page-fact").bounding_box()
    assert button is not None
    assert fact is not None
    assert button["height"] >= THUMB
    assert button["y"] > PHONE["height"] * 2 / 3
    assert fact["y"] + fact["height"] < button["y"]
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_behind_the_link_is_whole(visitor: Visitor, world: World, scheme: str) -> None:
    page = open_link(visitor, scheme=scheme)
    photograph(page, f"page-link-360-{scheme}")
    assert sideways(page) <= 0
    assert findings(page) == []
    assert visitor.troubles == []


def test_a_wrong_link_says_so_calmly(visitor: Visitor, world: World) -> None:
    page = visitor.page(viewport=PHONE)
    answer = page.goto("/p/nothing-like-this")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("main")).to_contain_text("This link leads to no page")
