"""The priority map by keyboard alone: five SLOs decided with a key each, put back, picked, asked what if, taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, photograph
from tests.browser.wholeness import assert_whole
from tests.browser.world import World
from tests.domains import slo_worlds
from tocsin.slo import queries
from tocsin.slo.models import Objective

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def held(name: str, world: World) -> tuple[str, int | None]:
    row = queries.assignment_at(Objective.objects.get(name=name), world.now)
    return ("unset", None) if row is None else (row.decision, row.priority)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def chosen(page: Page, name: str, value: str) -> None:
    expect(page.get_by_test_id(f"decide-{name}-{value}")).to_be_checked()


def test_the_map_is_decided_by_keyboard_alone(visitor: Visitor, world: World) -> None:
    for name in ("x-one", "x-two", "x-three"):
        slo_worlds.objective(name, service="ticket-sales", display_name=name, now=world.now)
    page = visitor.page(user="ana")
    page.goto("/priorities/map")
    order = page.locator("[data-row]").evaluate_all("rows => rows.map(row => row.dataset.slo)")
    undecided = [one for one in order if held(one, world) == ("unset", None)]
    assert order[: len(undecided)] == undecided
    assert len(undecided) >= 3
    press(page, "j", "2", "j", "0", "j", "3")
    for name, value in zip(undecided, ("2", "none", "3"), strict=False):
        chosen(page, name, value)
    expect(page.get_by_test_id("map-count")).to_have_text("3 changed, not decided yet.")
    press(page, "u")
    chosen(page, undecided[2], "unset")
    press(page, "1", "k", "x", "k", "x", "4")
    chosen(page, undecided[0], "4")
    chosen(page, undecided[1], "4")
    chosen(page, undecided[2], "1")
    expect(page.get_by_test_id("map-count")).to_have_text("3 changed, not decided yet, 2 picked.")
    press(page, "d")
    expect(page.get_by_test_id("map-reason")).to_be_focused()
    page.keyboard.type("Agreed on 1 December")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("messages")).to_contain_text("Decided for 3 SLOs.")
    assert [held(one, world) for one in undecided[:3]] == [("set", 4), ("set", 4), ("set", 1)]
    page.get_by_test_id("map-undo").press("Enter")
    expect(page.get_by_test_id("messages")).to_contain_text("Taken back for 3 SLOs.")
    assert held(undecided[0], world) == ("unset", None)
    assert visitor.troubles == []


def test_what_if_opens_over_the_map_and_gives_the_focus_back(visitor: Visitor) -> None:
    page = visitor.page(user="ana")
    page.goto("/priorities/map")
    press(page, "j", "w")
    sheet = page.get_by_test_id("sheet")
    expect(sheet.get_by_test_id("whatif-choices")).to_be_visible()
    press(page, "3")
    assert "changed" not in page.get_by_test_id("map-count").inner_text()
    press(page, "Escape")
    expect(sheet).not_to_be_visible()
    expect(page.locator("[data-what-if]").first).to_be_focused()
    assert visitor.troubles == []


def test_the_choices_open_as_a_change_and_nothing_is_decided(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    page.goto("/priorities/map")
    press(page, "j", "3")
    page.get_by_test_id("map-change").click()
    expect(page.get_by_test_id("change-diff").first).to_contain_text("+    - {slo:")
    assert held("refunds", world) == ("unset", None)
    photograph(page, "map-change")


def test_the_map_works_without_javascript(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana", java_script_enabled=False)
    page.goto("/priorities/map")
    page.get_by_test_id("decide-refunds-3").check(force=True)
    page.get_by_test_id("map-decide").click()
    expect(page.get_by_test_id("messages")).to_contain_text("Decided for 1 SLO.")
    assert held("refunds", world) == ("set", 3)


def test_map_and_what_if_fit_their_screen(visitor: Visitor) -> None:
    changed = "/slos/log-on/log-on-availability/whatif?target=90&priority=3"
    assert_whole(visitor, {"map": ("ana", "/priorities/map"), "whatif": ("ana", changed)})
