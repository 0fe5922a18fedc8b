"""The desk: one screen without scrolling, one line for everything, and news that never touch what is typed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.wholeness import findings, sideways
from tests.browser.world import World
from tests.domains import worlds
from tocsin.comms import actions as comms
from tocsin.incidents import actions as incidents
from tocsin.incidents.models import Decision, Question

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MINUTE = timedelta(minutes=1)


def busy(world: World) -> int:
    """An incident in the middle: roles held and empty, decisions, questions, tasks, a sub-team, a promise."""
    number, now = world.burning, world.now
    ana, gus = worlds.actor("ana"), worlds.actor("gus")
    incidents.acknowledge(gus, number, now=now)
    incidents.change_severity(ana, number, severity="critical", reason="many teams", now=now)
    incidents.assign_role(ana, number, role="incident_coordinator", username="ana", now=now)
    comms.send_update(
        ana, number, text="Log-on: some people cannot log on. We are on it.", next_update_at=now + 41 * MINUTE, now=now
    )
    for line in (
        "/d Roll back 2026.11.3 @gus in 20m",
        "/ok 1 gus",
        "/q Is the queue growing? @bo in 10m",
        "/q Who can add memory to the gateway?",
        "/t Read the logs of the gateway @gus in 30m",
        "/c Database: slow writes | adding memory | a DBA",
        "Errors fall since the rollback began",
    ):
        incidents.enter_line(ana, number, line, now=now)
    incidents.form_sub_team(
        ana, number, name="Database", leader="bo", task="Find the slow query", due_at=now + 60 * MINUTE, now=now
    )
    return number


def within(page: Page, part: Locator) -> bool:
    """Whether a part stands wholly on the screen, and nothing of it is cut off by a column that scrolls."""
    box = part.bounding_box()
    size = page.viewport_size
    assert box is not None
    assert size is not None
    seen: bool = part.evaluate(
        """(one) => { const box = one.getBoundingClientRect();
        const at = document.elementFromPoint(box.x + Math.min(box.width / 2, 40), box.y + box.height / 2);
        return !!at && (one.contains(at) || at.contains(one)); }"""
    )
    inside = box["y"] >= 0 and box["y"] + box["height"] <= size["height"] and box["x"] >= 0
    return inside and seen and box["x"] + box["width"] <= size["width"]


@pytest.mark.req("R-9.3.11-2")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_state_stands_on_one_screen(visitor: Visitor, world: World, scheme: str) -> None:
    number = busy(world)
    page = visitor.page(user="ana", viewport=DESK, scheme=scheme)
    page.goto(f"/i/{number}/desk")
    photograph(page, f"desk-1280-{scheme}")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight + 1")
    for name in (
        "incident-fact",
        "incident-state",
        "desk-promise",
        "role-incident_coordinator",
        "role-incident_communicator",
        "decision-1",
        "question-1",
        "question-2",
        "task-1",
        "desk-line",
        "person-ana",
    ):
        assert within(page, page.get_by_test_id(name)), name
    expect(page.get_by_test_id("role-incident_coordinator")).to_contain_text("Ana Keller")
    expect(page.get_by_test_id("role-incident_communicator")).to_contain_text("empty")
    expect(page.get_by_test_id("decision-1")).to_contain_text("Gus Patel ✓")
    expect(page.get_by_test_id("question-1")).to_contain_text("Bo Lind")
    assert findings(page) == []
    assert visitor.troubles == []


@pytest.mark.req("R-9.3.11-2")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_same_facts_first(visitor: Visitor, world: World, scheme: str) -> None:
    number = busy(world)
    page = visitor.page(user="ana", viewport=PHONE, scheme=scheme)
    for path, name in ((f"/i/{number}/desk", "desk"), (f"/i/{number}", "incident")):
        page.goto(path)
        photograph(page, f"{name}-360-{scheme}")
        assert not sideways(page)
        assert findings(page) == []
    for name in ("fact-promise", "fact-roles", "fact-decision", "fact-questions"):
        assert within(page, page.get_by_test_id(name)), name
    expect(page.get_by_test_id("fact-roles")).to_contain_text("Incident communicator empty")
    expect(page.get_by_test_id("fact-decision")).to_contain_text("Roll back 2026.11.3")
    expect(page.get_by_test_id("fact-questions")).to_contain_text("2 open")
    assert visitor.troubles == []


def test_everything_is_typed_into_one_line_by_keys_alone(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana", viewport=DESK)
    page.goto(f"/i/{world.burning}/desk")
    line = page.get_by_test_id("desk-line")
    page.keyboard.press("d")
    expect(line).to_be_focused()
    page.keyboard.type("Roll back @gus in 20m")
    expect(line).to_have_value("/d Roll back @gus in 20m")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("decision-1")).to_contain_text("Roll back")
    expect(line).to_have_value("")
    expect(line).to_be_focused()
    page.keyboard.type("/z what")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("desk-problem")).to_contain_text("There is no /z")
    expect(line).to_have_value("/z what")
    line.fill("Is it the queue?")
    page.get_by_test_id("prefix-q").click()
    expect(line).to_have_value("/q Is it the queue?")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("question-1")).to_be_visible()
    page.get_by_test_id("answer-1").click()
    page.keyboard.type("No")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("question-1")).to_have_count(0)
    page.get_by_test_id("received-1").click()
    expect(page.get_by_test_id("desk-problem")).to_contain_text("It is for Gus Patel")


def test_the_desk_works_without_a_script(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="gus", viewport=PHONE, java_script_enabled=False)
    page.goto(f"/i/{world.burning}/desk?line=%2Fd%20")
    page.get_by_test_id("desk-line").fill("/d Roll back @gus")
    page.get_by_test_id("desk-enter").click()
    expect(page.get_by_test_id("decision-1")).to_be_visible()
    page.get_by_test_id("received-1").click()
    assert Decision.objects.get().acknowledged_at is not None
    page.get_by_test_id("desk-line").fill("/t")
    page.get_by_test_id("desk-enter").click()
    expect(page.get_by_test_id("desk-problem")).to_be_visible()
    expect(page.get_by_test_id("desk-line")).to_have_value("/t")


def test_fifty_entries_arrive_while_somebody_else_types(visitor: Visitor, world: World) -> None:
    """Two browsers: one writes fifty entries, the other keeps its focus, its text, its caret, and sees them all."""
    number = busy(world)
    page = visitor.page(user="ana", viewport=DESK)
    page.goto(f"/i/{number}/desk")
    other = visitor.page(user="bo", viewport=DESK)
    other.goto(f"/i/{number}/desk")
    line = page.get_by_test_id("desk-line")
    line.click()
    page.keyboard.type("/d Fail over to ")
    theirs = other.get_by_test_id("desk-line")
    for index in range(50):
        theirs.fill(f"seen {index}" if index % 10 else f"/q seen {index}?")
        theirs.press("Enter")
        expect(theirs).to_have_value("")
        if index % 5 == 0:
            page.keyboard.type("x")
    expect(page.get_by_test_id("timeline").get_by_text("seen 49", exact=True)).to_be_visible(timeout=25_000)
    page.keyboard.type(" now")
    expect(line).to_be_focused()
    expect(line).to_have_value("/d Fail over to " + "x" * 10 + " now")
    assert Question.objects.filter(text__startswith="seen").count() == 5
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("decision-2")).to_contain_text("Fail over to")


def test_whoever_reads_further_up_is_told_of_news_and_not_moved(visitor: Visitor, world: World) -> None:
    number = busy(world)
    for index in range(30):
        incidents.annotate(worlds.actor("bo"), number, text=f"before {index}", now=world.now)
    page = visitor.page(user="ana", viewport=DESK)
    page.goto(f"/i/{number}/desk")
    scroll = page.locator("[data-desk-scroll]")
    scroll.evaluate("one => { one.scrollTop = -300; }")
    read = page.get_by_test_id("timeline").get_by_text("before 20", exact=True)
    before = read.bounding_box()
    incidents.annotate(worlds.actor("bo"), number, text="the news", now=world.now)
    expect(page.get_by_test_id("desk-news")).to_have_text("1 new entry", timeout=25_000)
    after = read.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2
    page.get_by_test_id("desk-news").click()
    expect(page.get_by_test_id("desk-news")).to_be_hidden()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_timeline_is_a_picture_and_its_dots_are_round(
    visitor: Visitor, world: World, size: dict[str, int], scheme: str
) -> None:
    number = busy(world)
    page = visitor.page(user="ana", viewport=size, scheme=scheme)
    page.goto(f"/i/{number}/timeline")
    photograph(page, f"timeline-{size['width']}-{scheme}")
    assert not sideways(page)
    assert findings(page) == []
    dots = page.locator(".timeline .dot").evaluate_all(
        "all => all.map((one) => { const box = one.getBoundingClientRect(); return box.width - box.height; })"
    )
    assert dots
    assert max(abs(one) for one in dots) < 1
    expect(page.get_by_test_id("incident-lanes-finding")).to_contain_text("INC-")
    page.goto(f"/i/{number}")
    photograph(page, f"incident-{size['width']}-{scheme}")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_sub_team_is_formed_in_a_sheet(visitor: Visitor, world: World, size: dict[str, int]) -> None:
    number = busy(world)
    page = visitor.page(user="ana", viewport=size)
    page.goto(f"/i/{number}/desk")
    page.get_by_test_id("sub-team-form").click()
    photograph(page, f"sub-team-{size['width']}")
    page.get_by_label("What is it called?").fill("Network")
    page.get_by_label("What is its task?").fill("Watch the routes")
    page.get_by_label("Who leads it?").select_option("gus")
    page.get_by_test_id("sub-team-confirm").click()
    expect(page.get_by_test_id("sub-team-network")).to_contain_text("Watch the routes")
    page.get_by_test_id("end-sub-team-network").click()
    expect(page.get_by_test_id("sub-team-network")).to_have_count(0)
