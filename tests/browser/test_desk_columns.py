"""What one presses at the desk is in sight while a person asks for a role and a sub-team works."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESK, Visitor
from tests.browser.test_desk import busy, within
from tests.browser.world import World
from tests.domains import worlds
from tocsin.incidents import actions as incidents

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_ending_a_sub_team_needs_no_scrolling(visitor: Visitor, world: World) -> None:
    number, gus = busy(world), worlds.actor("gus")
    incidents.ask_take_over(gus, number, role="incident_coordinator", reason="I know the session store", now=world.now)
    page = visitor.page(user="ana", viewport=DESK)
    page.goto(f"/i/{number}/desk")
    for name in ("role-incident_communicator", "end-sub-team-database"):
        assert within(page, page.get_by_test_id(name)), name
