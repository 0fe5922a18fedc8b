"""A team on its way, in a browser: its policy comes into force, a find gets its answer, a wish its place."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.req("R-9-1")
def test_a_policy_is_refused_with_what_is_missing_and_the_button_stays(visitor: Visitor) -> None:
    page = visitor.page(user="ana", viewport=PHONE)
    page.goto("/teams")
    page.get_by_test_id("team-tickets").get_by_role("link").first.click()
    page.get_by_test_id("activate").click()
    expect(page.get_by_test_id("problems")).to_contain_text("a rotation")
    expect(page.get_by_test_id("needed-rotation")).to_contain_text("missing")
    expect(page.get_by_test_id("activate")).to_be_visible()


@pytest.mark.req("R-9.2.7-1", "R-9.2.7-2")
def test_a_find_is_looked_at_and_answered_without_javascript(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana", java_script_enabled=False)
    page.goto(f"/walks/{world.walk}")
    last = page.get_by_test_id("cases").locator(":scope > li").last
    last.get_by_role("button", name="Keep").click()
    last = page.get_by_test_id("cases").locator(":scope > li").last
    last.get_by_label("Can a new SLO watch it once a new SLI exists?").check()
    last.get_by_label("Name of the resource alert").fill("RefundsTwice")
    last.get_by_role("button", name="Keep the answer").click()
    answered = page.get_by_test_id("cases").locator(":scope > li").last
    expect(answered).to_contain_text("for the time being")
    answered.get_by_role("link", name="RefundsTwice").click()
    expect(page.get_by_test_id("alert-priority")).to_contain_text("P1")


@pytest.mark.req("R-9.2.4-5")
def test_operations_move_a_wish_to_the_top_by_keys(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/backlog")
    page.get_by_test_id("wish-text").fill("Counts from the ticket printers")
    page.get_by_test_id("wish-add").press("Enter")
    added = page.get_by_test_id("wishes").locator(":scope > li", has_text="Counts from the ticket printers")
    added.get_by_text("Rank and own").press("Enter")
    place = added.get_by_label("Place")
    place.fill("1")
    place.press("Enter")
    expect(page.get_by_test_id("wishes").locator(":scope > li").first).to_contain_text("ticket printers")
    assert visitor.troubles == []
