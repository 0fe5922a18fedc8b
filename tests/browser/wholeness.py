"""What makes a page whole on a desk and on a phone, in light and in dark: nothing complains, nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, Visitor, photograph

SERIOUS = {"serious", "critical"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALLEST = 24  # CSS pixels of a target (WCAG 2.5.8)
CONTRAST = ["color-contrast"]

LOOKS = {
    "desk-light": (DESK, "light", RULES),
    "phone-light": (PHONE, "light", CONTRAST),
    "phone-dark": (PHONE, "dark", RULES),
    "desk-dark": (DESK, "dark", CONTRAST),
}
"""A page is loaded once and seen four ways. Structure depends on the width alone and colours on the scheme alone, so
that all rules of axe are asked once for each width and once for each scheme, contrast each time."""


def assert_whole(visitor: Visitor, pages: Mapping[str, tuple[str, str]]) -> None:
    """Each page, by name who looks and its path, is whole in every look; all that is wrong is said at once."""
    visits = {who: visitor.page(user=who) for who in dict.fromkeys(who for who, _ in pages.values())}
    wrong: list[str] = []
    for name, (who, path) in pages.items():
        visits[who].set_default_navigation_timeout(60_000)
        wrong += [f"{name}: {one}" for one in faults(visits[who], path, name) + visitor.troubles]
        visitor.troubles.clear()
    assert not wrong, "\n".join(wrong)


def faults(page: Page, path: str, name: str = "") -> list[str]:
    """Everything that is wrong with the page at `path`, with the look it is wrong in; a photo of each under `name`."""
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        return [f"answers {answer.status if answer else 'nothing'}"]
    wrong = [f"h1: {count}"] if (count := page.locator("h1").count()) != 1 else []
    wrong += [f"no data-testid: {one}" for one in nameless(page)]
    for look in looks(page):
        found = [f"{by} px sideways"] if (by := sideways(page)) > 0 else []
        found += [f"small: {one}" for one in small_targets(page)]
        found += findings(page, LOOKS[look][2])
        wrong += [f"{look}: {one}" for one in found]
        if name:
            photograph(page, f"{name}-{look}")
    return wrong


def looks(page: Page) -> Iterator[str]:
    """Turn the page into each of the looks, one after the other."""
    for look, (size, scheme, _) in LOOKS.items():
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        yield look


def sideways(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def small_targets(page: Page) -> list[str]:
    """Buttons, fields and buttons that look like links that a thumb would miss; a box to tick is hit by its label."""
    script = """(least) => [...document.querySelectorAll('button, a.btn, summary, select, input:not([type=hidden])')]
      .filter(one => one.checkVisibility() && !['radio', 'checkbox'].includes(one.type))
      .filter(one => { const box = one.getBoundingClientRect(); return box.height < least || box.width < least; })
      .map(one => one.dataset.testid || one.outerHTML.slice(0, 90))"""
    return [str(one) for one in page.evaluate(script, SMALLEST)]


def findings(page: Page, rules: list[str] = RULES) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page, options={"runOnly": rules}).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:140]} ({len(one['nodes'])})"
        for one in found
        if one["impact"] in SERIOUS
    ]


def nameless(page: Page) -> list[str]:
    script = """[...document.querySelectorAll('main button, main input:not([type=hidden]), main select, main textarea')]
      .filter(one => !one.dataset.testid && !one.closest('[data-testid]')).map(one => one.outerHTML.slice(0, 90))"""
    return [str(one) for one in page.evaluate(script)]
