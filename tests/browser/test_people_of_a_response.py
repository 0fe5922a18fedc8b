"""Looking after people as they do it: the card, the list, a hand-over, and what others do not see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.wholeness import assert_whole
from tests.browser.world import World
from tests.domains import worlds
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, RoleHeld

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

HOUR = timedelta(hours=1)
COORDINATOR = "incident_coordinator"


@pytest.fixture
def response(world: World) -> Incident:
    """Ana coordinates and Gus works, for more than four hours; team identity has five people."""
    then = world.now - 4 * HOUR - timedelta(minutes=20)
    for name in ("ines", "jo", "kim"):
        worlds.person(name, in_team="identity", display_name=name.title(), now=then)
    ana, gus = worlds.actor("ana"), worlds.actor("gus")
    row = actions.declare(ana, title="Log-on is slow", service="log-on", priority=2, severity="error", now=then)
    actions.acknowledge(gus, row.ref, now=then)
    actions.assign_role(ana, row.ref, role=COORDINATOR, username="ana", now=then)
    actions.introduce(gus, row.ref, text="I know the session store.", now=then + timedelta(minutes=1))
    return row


def pages(row: Incident) -> dict[str, str]:
    return {
        "people": f"/i/{row.number}/people",
        "people-card": f"/i/{row.number}",
        "hand-over": f"/i/{row.number}/people/hand-over",
        "wellbeing": "/wellbeing",
    }


def test_each_page_is_whole(visitor: Visitor, response: Incident) -> None:
    assert_whole(visitor, {name: ("ana", path) for name, path in pages(response).items()})


@pytest.mark.req("R-9.3.12-1")
@pytest.mark.req("R-9.3.12-4")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_coordinator_sees_hours_and_answers_or_defers_each_prompt(
    visitor: Visitor, response: Incident, script: bool
) -> None:
    page = visitor.page(user="ana", viewport=PHONE, java_script_enabled=script)
    page.goto(f"/i/{response.number}")
    expect(page.get_by_test_id("hours-gus")).to_contain_text("4 h 2")
    expect(page.get_by_test_id("person-gus")).to_contain_text("offer a hand-over")
    page.get_by_test_id("people-open").click()
    prompts = page.get_by_test_id("prompt")
    expect(prompts.filter(has_text="Gus Patel has been on this for 4 h")).to_have_count(1)
    waiting = prompts.count()
    prompts.filter(has_text="Gus Patel has had no break").get_by_role("button", name="Break taken").click()
    expect(prompts).to_have_count(waiting - 1)
    prompts.first.get_by_role("button", name="In 30 min").click()
    expect(prompts).to_have_count(waiting - 2)
    expect(page.get_by_test_id("answered")).to_contain_text("Answered (1)")


@pytest.mark.req("R-9.3.12-3")
@pytest.mark.req("R-9.3.12-7")
def test_others_see_who_is_who_and_the_coordinator_who_is_new_to_whom(visitor: Visitor, response: Incident) -> None:
    page = visitor.page(user="bo", viewport=DESK)
    page.goto(f"/i/{response.number}/people")
    card = page.get_by_test_id("person-gus")
    expect(card).to_contain_text("Asia/Kolkata")
    expect(card).to_contain_text("identity")
    expect(card).to_contain_text("Technical expert")
    for hidden in ("hours-gus", "hours-ana", "prompts", "strangers", "relief"):
        expect(page.get_by_test_id(hidden)).to_have_count(0)
    own = visitor.page(user="gus", viewport=DESK)
    own.goto(f"/i/{response.number}/people")
    expect(own.get_by_test_id("hours-gus")).to_be_visible()
    expect(own.get_by_test_id("hours-ana")).to_have_count(0)
    lead = visitor.page(user="ana", viewport=DESK)
    lead.goto(f"/i/{response.number}/people")
    expect(lead.locator("h2", has_text="First time together")).to_be_visible()


def fill(page: Page) -> None:
    page.get_by_label("To whom?").select_option("bo")
    for label, text in (("What has been done?", "Cache emptied"), ("What is open?", "Find the cause")):
        page.get_by_label(label).fill(text)
    page.get_by_label("When is the next update due?").fill("05:00")


@pytest.mark.req("R-9.3.12-8")
def test_a_role_changes_hands_once_all_is_said_and_accepted(visitor: Visitor, response: Incident) -> None:
    page = visitor.page(user="ana", viewport=PHONE)
    page.goto(f"/i/{response.number}/people/hand-over")
    fill(page)
    page.get_by_test_id("hand-confirm").click()
    expect(page.locator("main")).to_contain_text("Say what could go wrong")
    expect(page.get_by_label("What is open?")).to_have_value("Find the cause")
    page.get_by_label("What could go wrong?").fill("It may fill again")
    page.get_by_test_id("hand-confirm").click()
    expect(page).to_have_url(f"{page.url.split('/i/')[0]}/i/{response.number}/people")
    holds = RoleHeld.objects.filter(incident=response, role=COORDINATOR, until_at=None)
    assert [one.person.username for one in holds.select_related("person")] == ["ana"]
    taker = visitor.page(user="bo", viewport=PHONE)
    taker.goto(f"/i/{response.number}")
    photograph(taker, "hand-over-offered-360-light")
    taker.get_by_role("button", name="I take it over").click()
    expect(taker.get_by_test_id("person-bo")).to_contain_text("Incident coordinator")
    assert [one.person.username for one in holds.select_related("person")] == ["bo"]
