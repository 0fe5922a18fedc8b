"""What only a browser shows of the pictures of SLOs: keys on the list, copies that are files, no sideways scroll, print."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, photograph
from tests.browser.wholeness import assert_whole

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAGE = "/slos/log-on/log-on-availability"


def test_the_list_is_walked_and_opened_by_keys(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/slos")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PAGE}")
    page.goto("/slos")
    page.keyboard.press("/")
    page.keyboard.type("refund")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=refund**")
    assert page.locator("[data-row]").count() == 1
    assert visitor.troubles == []


def test_what_is_unknown_is_hatched_on_the_list_and_on_its_page(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/slos?state=unknown")
    rows = page.locator("[data-row]")
    assert rows.count() == 2
    assert rows.locator(".chip.hatched").count() == 2
    assert rows.locator(".chip.good").count() == 0


def test_a_picture_alone_is_drawn_by_the_browser_as_on_its_page(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto(PAGE)
    for name in ("burn-down", "burn-rate"):
        link = page.get_by_test_id(f"{name}-svg").get_attribute("href") or ""
        answer = page.request.get(link)
        assert answer.status == 200
        assert len(answer.body()) <= 30_000
        size = page.evaluate(
            """(href) => new Promise((done) => { const one = new Image(); one.onload = () => done(one.naturalWidth);
            one.onerror = () => done(0); one.src = href; })""",
            link,
        )
        assert size == 760
    assert visitor.troubles == []


def test_switching_the_pair_of_windows_keeps_the_page_and_its_address(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto(PAGE)
    tabs = page.locator("[data-testid^=windows-]")
    assert tabs.count() >= 2
    tabs.nth(1).click()
    page.wait_for_url("**windows=1**")
    expect(tabs.nth(1)).to_have_attribute("aria-current", "page")
    assert "windows=1" in (page.get_by_test_id("burn-rate-svg").get_attribute("href") or "")


def test_the_pages_of_slos_are_whole(visitor: Visitor) -> None:
    pages = {"slo-list": "/slos", "slo-page": PAGE, "slo-unknown": "/slos/ticket-sales/sales-latency"}
    assert_whole(visitor, {name: ("ana", path) for name, path in pages.items()})


@pytest.mark.req("R-9.2.6-5")
def test_the_budget_is_drawn_by_the_hour_the_week_and_the_period_with_its_numbers(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    for span, steps, name in (("day", 24, "Hour"), ("period", 4, "Week"), ("year", 13, "Period")):
        page.goto(PAGE)
        page.get_by_test_id(f"span-{span}").click()
        page.wait_for_url(f"**span={span}**")
        table = page.get_by_test_id("depletion-table")
        table.get_by_text("Show as table").click()
        rows = table.locator("tbody tr")
        expect(rows).to_have_count(steps)
        expect(table.locator("thead th").first).to_contain_text(name)
        figure = page.get_by_test_id("depletion").locator(".for-desk")
        drawn = figure.locator("[class^=cell-]").count()
        hatched = figure.locator("[fill^='url(#']").count()
        assert drawn + hatched == steps
        assert hatched == rows.get_by_text("unknown").count()
        assert page.get_by_test_id("left-percent").inner_text() in rows.last.inner_text()
        photograph(page, f"slo-steps-{span}")
    assert visitor.troubles == []


def test_a_picture_and_the_command_are_copied_and_said_to_be(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(PAGE)
    page.get_by_test_id("burn-down-svg").click()
    expect(page.get_by_test_id("burn-down-svg")).to_have_attribute("data-copied", "1")
    assert page.evaluate("navigator.clipboard.readText()").startswith("<svg xmlns")
    page.get_by_test_id("copy-command").click()
    expect(page.locator("[data-announce]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "tocsin slo show log-on-availability"
    page.get_by_test_id("copy-link").click()
    expect(page.get_by_test_id("copy-link")).to_have_attribute("data-copied", "1")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert visitor.troubles == []


def test_without_javascript_a_copy_is_a_file(visitor: Visitor) -> None:
    page = visitor.page(user="ana", java_script_enabled=False)
    page.goto(PAGE)
    page.get_by_test_id("days-svg").click()
    page.wait_for_url("**/days.svg")


def test_a_printed_page_keeps_its_pictures_and_leaves_the_buttons(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto(PAGE)
    page.emulate_media(media="print")
    expect(page.get_by_test_id("burn-down-files")).not_to_be_visible()
    expect(page.get_by_test_id("burn-down-finding")).to_be_visible()
    assert visitor.troubles == []
