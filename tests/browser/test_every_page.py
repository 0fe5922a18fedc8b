"""Each page on a desk and on a phone, in light and in dark: nothing complains, nothing scrolls sideways, axe is content."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitor, photograph
from tests.browser.wholeness import assert_whole, findings, looks, sideways
from tests.browser.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


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


@pytest.mark.parametrize("third", [0, 1, 2])
def test_every_page_is_whole(visitor: Visitor, world: World, third: int) -> None:
    every = list(pages(world).items())
    assert_whole(visitor, {name: ("ana", path) for name, path in every[third::3]})


def test_strangers_and_the_lost_see_whole_pages(visitor: Visitor, world: World) -> None:
    page = visitor.page()
    for name, path in (("sign-in", "/accounts/login/"), ("no-account", "/accounts/signup/"), ("lost", "/p/nowhere")):
        page.goto(path)
        for look in looks(page):
            photograph(page, f"{name}-{look}")
            assert page.locator("h1").count() == 1
            assert sideways(page) <= 0
            assert findings(page) == []
    assert visitor.troubles == []
