"""On a phone the crumb that leads back is read in full, however long the name of the page is."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PHONE, Visitor
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_the_way_back_gives_way_to_no_long_name(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana", viewport=PHONE)
    page.goto(f"/i/{world.burning}/customer-report")
    back = page.get_by_test_id("crumb-incident")
    cut = "(one) => one.getBoundingClientRect().right - one.closest('li').getBoundingClientRect().right"
    assert back.evaluate(cut) < 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    back.click()
    assert page.url.endswith(f"/i/{world.burning}")
