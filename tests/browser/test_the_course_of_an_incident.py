"""The course of an incident: asking others, saying what is known, noting a report, closing without a cause."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.world import World
from tocsin.core.incident_escalations import Direction
from tocsin.incidents.models import Incident, Obligation, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.mark.req("R-9.1-6")
@pytest.mark.req("R-9.1-8")
@pytest.mark.req("R-9-2")
def test_steps_known_things_and_who_heard_first_stand_on_the_page(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="bo", viewport=DESK)
    page.goto(f"/i/{world.declared}")
    expect(page.get_by_test_id("phases").get_by_role("listitem")).to_have_count(5)
    page.get_by_test_id("say-known").click()
    sheet = page.get_by_test_id("sheet")
    sheet.get_by_label("A workaround").select_option("known")
    sheet.get_by_label("What helps until then?").fill("Choose the seat by phone")
    sheet.get_by_test_id("known-save").click()
    expect(page.get_by_test_id("workaround")).to_contain_text("Choose the seat by phone")
    expect(page.get_by_test_id("cause")).to_contain_text("nobody has said")
    expect(page.get_by_test_id("lead")).to_contain_text("unknown")
    page.get_by_test_id("customer-report").click()
    page.get_by_test_id("sheet").get_by_test_id("report-save").click()
    expect(page.get_by_test_id("lead")).to_contain_text("customer")
    photograph(page, "incident-course-1280-light")


@pytest.mark.req("R-9.1-7")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_another_team_is_asked_from_the_page(visitor: Visitor, world: World, script: bool) -> None:
    page = visitor.page(user="bo", viewport=PHONE, java_script_enabled=script)
    page.goto(f"/i/{world.declared}")
    page.get_by_test_id("ask-others").click()
    form = page.get_by_test_id("sheet-form")
    choices = form.get_by_label("Whom do you ask?")
    team = choices.locator("optgroup").first.locator("option").first.get_attribute("value")
    choices.select_option(team)
    form.get_by_label("What do you need of them?").fill("Routes flap")
    form.get_by_test_id("ask-confirm").click()
    expect(page.locator("[data-testid^='escalation-']")).to_contain_text("Routes flap")
    assert Page.objects.filter(kind=Direction.FUNCTIONAL.value).exists()
    page.get_by_role("button", name="It is heard").click()
    expect(page.locator("[data-testid^='escalation-']")).to_contain_text("answered")


@pytest.mark.req("R-9.1-1")
@pytest.mark.req("R-9.1-5")
@pytest.mark.req("R-9.1-8")
def test_a_near_miss_without_a_priority_is_asked_and_closed_without_a_cause(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="bo", viewport=PHONE)
    page.goto("/i/new")
    page.get_by_label("What do people notice?").fill("Disks were filling")
    page.get_by_label("Which service?").select_option("ticket-sales")
    page.locator("summary").first.click()
    page.get_by_label("Does anybody feel it?").select_option("potential")
    page.get_by_role("button", name="Declare").click()
    expect(page.get_by_test_id("near-miss")).to_be_visible()
    expect(page.get_by_test_id("decide-priority")).to_be_visible()
    row = Incident.objects.latest("number")
    page.goto(f"/i/{row.number}/resolve")
    page.get_by_label("What kind of incident was it?").fill("capacity")
    page.get_by_test_id("resolve-confirm").click()
    expect(page.get_by_test_id("decide-priority")).to_be_visible()
    page.goto(f"/i/{row.number}/priority")
    page.get_by_test_id("priority-none").check()
    page.get_by_test_id("reason").fill("nobody felt it")
    page.get_by_test_id("priority-save").click()
    expect(page.get_by_test_id("decide-priority")).to_have_count(0)
    Obligation.objects.filter(incident=row, state="open").update(state="lapsed")
    page.get_by_test_id("close-phone").click()
    sheet = page.get_by_test_id("sheet")
    sheet.get_by_label("Is the cause known?").select_option("unknown")
    sheet.get_by_test_id("close-confirm").click()
    expect(page.get_by_test_id("close-work-item-errors")).to_contain_text("work item")
    page.get_by_label("Where does looking for it go on?").fill("T-42")
    page.get_by_test_id("close-confirm").click()
    expect(page.get_by_test_id("incident-state")).to_have_text("closed")
    expect(page.get_by_test_id("cause-work-item")).to_have_text("T-42")
