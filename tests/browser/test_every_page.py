"""Each page on a desk and on a phone, in light and in dark: nothing complains, nothing scrolls sideways, axe is content."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SERIOUS = {"serious", "critical"}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SMALLEST = 24  # CSS pixels of a target (WCAG 2.5.8)


def pages(world: World) -> dict[str, str]:
    """Name and path of every page a person can be on."""
    burning, learned = world.burning, world.learned
    return {
        "now": "/",
        "incidents": "/i",
        "declare": "/i/new",
        "incident": f"/i/{burning}",
        "incident-taken": f"/i/{world.declared}",
        "incident-ended": f"/i/{learned}",
        "incident-priority": f"/i/{burning}/priority",
        "incident-severity": f"/i/{burning}/severity",
        "incident-size": f"/i/{world.declared}/size",
        "incident-roles": f"/i/{burning}/roles",
        "incident-resolve": f"/i/{burning}/resolve",
        "incident-timeline": f"/i/{burning}/timeline",
        "updates": "/updates",
        "incident-updates": f"/i/{world.declared}/updates",
        "review": f"/i/{learned}/review",
        "review-section": f"/i/{learned}/review/sections/summary",
        "review-action": f"/i/{learned}/review/actions",
        "postmortems": "/postmortems",
        "actions": "/actions",
        "slos": "/slos",
        "slo": "/slos/log-on/log-on-availability",
        "slo-silent": "/slos/ticket-sales/sales-latency",
        "oncall": "/oncall",
        "rotation": "/oncall/identity-primary",
        "priorities": "/priorities",
        "priority-map": "/priorities/map",
        "priority-slos": "/priorities/slos",
        "team-slos": "/teams/identity/slos",
        "team-policy": "/teams/identity/policy",
        "team-policy-edit": "/teams/identity/policy/edit",
        "team-policy-none": "/teams/tickets/policy",
        "slo-runbook": "/slos/log-on/log-on-availability/runbook",
        "consumer-views": "/priorities/views",
        "consumer-view": "/priorities/views/sales-latency",
        "consumer-view-own": "/priorities/views/log-on-availability",
        "feedback-session": "/priorities/sessions/identity",
        "process": "/process",
        "process-matrix": "/process/matrix",
        "process-propose": "/process/propose/priorities",
        "process-proposal": "/process/versions/2",
        "teams": "/teams",
        "team": "/teams/tickets",
        "team-session": "/teams/tickets/session",
        "walk": f"/walks/{world.walk}",
        "resource-alert": "/resource-alerts/cpu-90-on-host-abc",
        "backlog": "/backlog?all=yes",
        "adherence": "/process/adherence",
        "adherence-rule": "/process/adherence/AC09",
        "incident-checks": f"/i/{learned}/adherence",
        "incident-exception": f"/i/{learned}/adherence/AC03/waive",
        "setup": "/setup",
        "sources": "/setup/sources",
        "setup-adapters": "/setup/adapters?show=matrix",
        "wiring": "/setup/wiring",
        "me": "/me",
        "help": "/help",
        "keys": "/help/keys",
    }


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


def findings(page: Page) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:140]} ({len(one['nodes'])})"
        for one in found
        if one["impact"] in SERIOUS
    ]


def faults(page: Page, path: str) -> list[str]:
    """Everything that is wrong with the page at `path`."""
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        return [f"answers {answer.status if answer else 'nothing'}"]
    wrong = [f"h1: {count}"] if (count := page.locator("h1").count()) != 1 else []
    wrong += [f"{by} px sideways"] if (by := sideways(page)) > 0 else []
    wrong += [f"small: {one}" for one in small_targets(page)]
    wrong += [f"no data-testid: {one}" for one in nameless(page)]
    return wrong + findings(page)


def nameless(page: Page) -> list[str]:
    script = """[...document.querySelectorAll('main button, main input:not([type=hidden]), main select, main textarea')]
      .filter(one => !one.dataset.testid && !one.closest('[data-testid]')).map(one => one.outerHTML.slice(0, 90))"""
    return [str(one) for one in page.evaluate(script)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_is_whole(visitor: Visitor, world: World, size: dict[str, int], scheme: str) -> None:
    page = visitor.page(user="ana", viewport=size, scheme=scheme)
    wrong: dict[str, list[str]] = {}
    for name, path in pages(world).items():
        found = faults(page, path) + visitor.troubles
        visitor.troubles.clear()
        photograph(page, f"{name}-{size['width']}-{scheme}")
        if found:
            wrong[name] = found
    assert not wrong, "\n".join(f"{name}: {one}" for name, found in wrong.items() for one in found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_strangers_and_the_lost_see_whole_pages(
    visitor: Visitor, world: World, size: dict[str, int], scheme: str
) -> None:
    page = visitor.page(viewport=size, scheme=scheme)
    for name, path in (("sign-in", "/accounts/login/"), ("no-account", "/accounts/signup/"), ("lost", "/p/nowhere")):
        page.goto(path)
        photograph(page, f"{name}-{size['width']}-{scheme}")
        assert page.locator("h1").count() == 1
        assert sideways(page) <= 0
        assert findings(page) == []
    assert visitor.troubles == []
