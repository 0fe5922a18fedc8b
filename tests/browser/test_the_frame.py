"""What every page shares: zones, keys, theme, live parts that never move under somebody's hands, a small load."""

from __future__ import annotations

import gzip
import re

import pytest
from playwright.sync_api import Response, expect

from tests.browser.conftest import PHONE, Visitor
from tests.browser.world import World
from tests.domains import worlds
from tocsin.incidents import actions as incidents
from tocsin.people.models import Person

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def test_one_key_switches_every_time_between_my_zone_and_utc(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto(f"/i/{world.burning}")
    zoned = page.locator("#timeline time").first
    expect(zoned).to_have_text("02:59 CET")
    page.keyboard.press("z")
    expect(zoned).to_have_text("01:59 UTC")
    page.goto("/oncall")
    assert "CET" not in page.locator("main time").first.inner_text()
    page.keyboard.press("z")
    assert "CET" in page.locator("main time").first.inner_text()


def test_every_time_on_a_page_names_its_zone(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="gus")
    for path in ("/", f"/i/{world.burning}", "/oncall", f"/i/{world.learned}/review"):
        page.goto(path)
        for text in page.locator("main time").all_inner_texts():
            if re.search(r"\d:\d\d", text):
                assert text.endswith(("IST", "UTC")), f"{path}: {text}"


def test_keys_lead_to_places_and_can_be_switched_off(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto("/")
    page.keyboard.type("gi")
    expect(page).to_have_url(re.compile(r"/i$"))
    Person.objects.filter(username="ana").update(keys_enabled=False)
    page.goto("/")
    page.keyboard.type("gi")
    expect(page).to_have_url(re.compile(r"/$"))


def test_keys_do_nothing_while_somebody_types(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto(f"/i/{world.burning}")
    page.get_by_test_id("note-text").click()
    page.keyboard.type("gate and zone are open")
    expect(page.get_by_test_id("note-text")).to_have_value("gate and zone are open")
    expect(page).to_have_url(re.compile(rf"/i/{world.burning}$"))


def test_a_chosen_theme_wins_over_the_system_s(visitor: Visitor, world: World) -> None:
    Person.objects.filter(username="ana").update(theme="dark")
    page = visitor.page(user="ana", scheme="light")
    page.goto("/")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(14, 17, 22)"


IN_SIGHT = """() => { const box = document.activeElement.getBoundingClientRect();
return box.top >= 0 && box.bottom <= innerHeight; }"""
"""Whether the field that somebody is typing in is wholly on the screen."""


def test_news_never_moves_what_somebody_is_writing(visitor: Visitor, world: World) -> None:
    """Fifty entries arrive while a note is typed: focus and text stay, and the field stays under the eyes."""
    page = visitor.page(user="ana")
    page.goto(f"/i/{world.burning}")
    note = page.get_by_test_id("note-text")
    note.click()
    page.keyboard.type("rolled back, watching")
    for index in range(50):
        incidents.annotate(worlds.actor("bo"), world.burning, text=f"seen {index}", now=world.now)
    expect(page.get_by_test_id("timeline").get_by_text("seen 49", exact=True)).to_be_visible(timeout=25_000)
    expect(note).to_be_focused()
    expect(note).to_have_value("rolled back, watching")
    assert page.evaluate(IN_SIGHT)


def test_the_skip_link_is_the_first_stop_and_leads_to_the_content(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_stop_of_the_tab_key_is_seen(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto(f"/i/{world.burning}")
    for _ in range(30):
        page.keyboard.press("Tab")
        unseen = page.evaluate(
            """() => { const one = document.activeElement; if (one === document.body) return '';
            const style = getComputedStyle(one), label = one.closest('label');
            const ring = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== 'none';
            return ring || label ? '' : one.outerHTML.slice(0, 120); }"""
        )
        assert unseen == ""


def test_the_incident_page_is_light_enough_for_one_bar(visitor: Visitor, world: World) -> None:
    """Everything that is needed for the first look at an incident stays within 50 KB, compressed as it is served.

    The test's server hands out files before the middleware that compresses them, so the size is worked out here.
    """
    page = visitor.page(user="ana", viewport=PHONE)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a builtin cannot be heard
    asked = page.goto(f"/i/{world.burning}", wait_until="load")
    assert asked is not None
    assert asked.headers.get("content-encoding") == "gzip"
    bodies = [one.body() for one in answers if one.status == 200 and "/live" not in one.url]
    assert len(bodies) >= 5
    assert sum(len(gzip.compress(body)) for body in bodies) < 50_000
