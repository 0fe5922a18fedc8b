"""What only a browser shows of SLOs and rotations: the table behind a picture, deciding by keys, the agenda of a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_the_table_behind_a_picture_opens_and_says_what_the_finding_says(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/slos/log-on/log-on-availability")
    table = page.get_by_test_id("burn-down-table")
    expect(table.locator("table")).not_to_be_visible()
    table.get_by_text("Show as table").click()
    expect(table.locator("table")).to_be_visible()
    left = page.get_by_test_id("left-percent").inner_text()
    assert left in page.get_by_test_id("burn-down-finding").inner_text()
    assert left in table.locator("tbody tr").last.inner_text()
    assert visitor.troubles == []


def test_a_desk_shows_one_picture_and_a_phone_the_other(visitor: Visitor) -> None:
    for options, shown, hidden in (({}, ".for-desk", ".for-phone"), ({"viewport": PHONE}, ".for-phone", ".for-desk")):
        page = visitor.page(user="ana", **options)
        page.goto("/slos/log-on/log-on-availability")
        figure = page.get_by_test_id("burn-down")
        expect(figure.locator(shown)).to_be_visible()
        expect(figure.locator(hidden)).not_to_be_visible()


def test_the_ledger_says_what_ate_the_budget_and_leads_to_the_incident(visitor: Visitor) -> None:
    page = visitor.page(user="ana", viewport=PHONE)
    page.goto("/slos/log-on/log-on-availability")
    ledger = page.get_by_test_id("ledger")
    expect(ledger).to_contain_text("so far")
    expect(ledger.locator("a[href^='/i/']").first).to_contain_text("INC-")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert visitor.troubles == []


def test_a_choice_shows_its_effects_and_works_without_javascript(visitor: Visitor) -> None:
    page = visitor.page(user="ana", java_script_enabled=False)
    page.goto("/slos/ticket-sales/refunds")
    expect(page.get_by_test_id("priority-form")).to_contain_text("A postmortem follows")
    page.get_by_test_id("priority-3").check()
    page.get_by_test_id("priority-reason").fill("Money waits a day at most")
    page.get_by_test_id("priority-save").click()
    expect(page.get_by_test_id("priority-now")).to_contain_text("P3")


def test_an_slo_without_data_is_hatched_and_nowhere_green(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/slos/ticket-sales/sales-latency")
    expect(page.get_by_test_id("no-data")).to_contain_text("No data since")
    assert page.locator(".chip.good").count() == 0
    assert page.get_by_test_id("burn-down").locator("[fill^='url(#']").count() > 0


def test_a_phone_reads_the_calendar_as_an_agenda_and_a_desk_as_a_picture(visitor: Visitor) -> None:
    phone = visitor.page(user="ana", viewport=PHONE)
    phone.goto("/oncall")
    expect(phone.get_by_test_id("oncall-agenda")).to_be_visible()
    expect(phone.get_by_test_id("oncall-calendar")).not_to_be_visible()
    desk = visitor.page(user="ana")
    desk.goto("/oncall")
    expect(desk.get_by_test_id("oncall-calendar")).to_be_visible()
    expect(desk.get_by_test_id("oncall-agenda")).not_to_be_visible()


def test_standing_in_takes_one_form_and_shows_on_the_calendar(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/oncall/identity-primary")
    page.get_by_test_id("override-user").select_option("bo")
    page.get_by_test_id("override-start").fill("2026-11-28T00:00")
    page.get_by_test_id("override-end").fill("2026-11-28T14:00")
    page.get_by_test_id("override-save").click()
    expect(page.get_by_test_id("messages")).to_contain_text("Bo Lind stands in: Sat 28 Nov 00:00 CET")
    assert page.locator(".shift-override").count() == 1
    assert visitor.troubles == []


def test_the_theme_is_there_before_the_first_paint(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/me")
    page.get_by_test_id("me-theme-dark").check()
    page.get_by_test_id("me-save").click()
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"
