"""Declaring, classifying, telling, ending: each as people do it, with the effects shown before the press."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.world import World
from tocsin.comms.models import Update
from tocsin.incidents.models import Incident

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_two_facts_declare_an_incident(visitor: Visitor, world: World, script: bool) -> None:
    page = visitor.page(user="rea", viewport=PHONE, java_script_enabled=script)
    page.goto("/i/new")
    page.get_by_label("What do people notice?").fill("Tickets arrive twice")
    page.get_by_label("Which service?").select_option("ticket-sales")
    page.get_by_role("button", name="Declare").click()
    expect(page.get_by_test_id("incident-fact")).to_have_text("Tickets arrive twice")
    row = Incident.objects.latest("number")
    assert (row.origin, row.service.name if row.service else "") == ("human", "ticket-sales")


def test_a_form_that_is_not_complete_keeps_what_was_typed(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="bo", java_script_enabled=False)
    page.goto(f"/i/{world.declared}/priority")
    page.get_by_test_id("priority-4").check()
    page.get_by_test_id("reason").fill(" ")
    page.get_by_test_id("priority-save").click()
    expect(page.get_by_test_id("priority-4")).to_be_checked()
    expect(page.get_by_test_id("reason")).to_be_focused()
    assert Incident.objects.get(number=world.declared).priority == 3


def test_a_priority_shows_its_effects_before_and_can_be_taken_back(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="bo", viewport=DESK)
    page.goto(f"/i/{world.declared}")
    page.keyboard.press("p")
    sheet = page.get_by_test_id("sheet")
    expect(sheet.get_by_test_id("effects-1")).to_contain_text("management is told", ignore_case=True)
    expect(sheet.get_by_test_id("effects-1")).to_contain_text("review")
    photograph(page, "incident-priority-sheet-1280-light")
    sheet.get_by_test_id("priority-1").check()
    sheet.get_by_test_id("reason").fill("nobody can choose a seat")
    sheet.get_by_test_id("priority-save").click()
    expect(page.locator("h1")).to_contain_text("P1")
    expect(page.get_by_test_id("timeline")).to_contain_text("nobody can choose a seat")
    page.get_by_test_id("undo").click()
    expect(page.locator("h1")).to_contain_text("P3")
    assert Incident.objects.get(number=world.declared).priority == 3


def test_a_severity_names_the_people_who_will_be_asked(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto(f"/i/{world.burning}/severity")
    expect(page.get_by_test_id("effects-critical")).to_contain_text("coordinator", ignore_case=True)
    page.get_by_test_id("severity-critical").check()
    page.get_by_test_id("severity-save").click()
    expect(page.locator("main .severity").first).to_have_text(re.compile("critical", re.IGNORECASE))


def test_a_reader_sees_everything_and_no_button_that_writes(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="rea")
    page.goto(f"/i/{world.burning}")
    expect(page.get_by_test_id("incident-fact")).to_be_visible()
    for name in ("take-desk", "change-priority", "note-text", "resolve-desk"):
        expect(page.get_by_test_id(name)).to_have_count(0)
    answer = page.goto(f"/i/{world.burning}/review")
    assert answer is not None
    assert answer.status == 200


def test_an_update_needs_no_more_than_a_look_and_a_press(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana", viewport=PHONE)
    page.goto(f"/i/{world.burning}/updates")
    page.locator("[name=text]").fill("Some people cannot log on since 02:58. We are on it.")
    page.get_by_test_id("compose-group-customer-support").check()
    page.get_by_test_id("compose-send").click()
    expect(page.get_by_test_id("sent-updates")).to_contain_text("Some people cannot log on")
    sent = Update.objects.latest("id")
    assert sent.next_update_at is not None
    assert sent.next_update_at > world.now


def test_no_change_goes_out_in_two_clicks_from_now(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto(f"/i/{world.burning}/updates")
    page.locator("[name=text]").fill("Some people cannot log on since 02:58. We are on it.")
    page.get_by_test_id("compose-send").click()
    expect(page.get_by_test_id("sent-updates")).to_contain_text("Some people cannot log on")
    before = Update.objects.count()
    page.goto("/")
    page.get_by_role("link", name="All promises").click()
    page.get_by_test_id(f"no-change-{world.burning}").click()
    page.wait_for_load_state()
    assert Update.objects.count() == before + 1
    assert Update.objects.latest("id").no_change


def test_resolving_asks_for_service_and_category_and_offers_the_review(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana", viewport=PHONE)
    page.goto(f"/i/{world.burning}")
    page.get_by_test_id("take-phone").click()
    expect(page.get_by_test_id("incident-state").first).to_contain_text("Ana Keller has it")
    page.get_by_test_id("resolve-phone").click()
    sheet = page.get_by_test_id("sheet")
    sheet.get_by_label("What kind of incident was it?").fill("deploy")
    sheet.get_by_label("What ended it?").fill("rolled back")
    sheet.get_by_test_id("resolve-confirm").click()
    expect(page.get_by_test_id("incident-state").first).to_have_text("working again")
    row = Incident.objects.get(number=world.burning)
    assert (row.state, row.category) == ("resolved", "deploy")
    expect(page.get_by_test_id("review-phone")).to_be_visible()
