"""The pictures of the wiring and of an error budget policy: whole on a desk and on a phone, in light and in dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor, photograph
from tests.browser.wholeness import LOOKS, faults, findings, looks, sideways, small_targets
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PICTURES = {
    "/setup/wiring": ["wiring-picture"],
    "/teams/identity/policy": ["policy-decisions", "policy-budgets"],
    "/teams/identity/policy/edit": [],
}


@pytest.mark.req("R-9.2.10-1")
def test_each_picture_is_seen_whole_with_its_table(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="ana")
    for path, names in PICTURES.items():
        assert faults(page, path) == []
        for name in names:
            picture = page.get_by_test_id(name)
            picture.get_by_text("Show as table").click()
            assert picture.locator("tbody tr").count() > 0
        page.eval_on_selector_all("details.more", "all => all.forEach(one => { one.open = true })")
        for look in looks(page):
            for name in names:
                _is_drawn_whole(page, name, width=LOOKS[look][0]["width"])
            photograph(page, f"pictures-{path.rsplit('/', 1)[1]}-{look}")
            assert small_targets(page) == []
            assert sideways(page) <= 0
            assert findings(page, LOOKS[look][2]) == []
    assert visitor.troubles == []


def _is_drawn_whole(page: Page, name: str, *, width: int) -> None:
    drawn = page.get_by_test_id(name).locator("svg.pic:visible")
    assert drawn.count() == 1
    box = drawn.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert drawn.get_attribute("aria-label") == page.get_by_test_id(f"{name}-finding").inner_text()
