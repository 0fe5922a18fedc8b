"""Looking on, asking for a role, answering, asking people in, and the summary: whole pages on a desk and on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.browser.conftest import Visitor
from tests.browser.wholeness import assert_whole
from tests.browser.world import World
from tests.domains import worlds
from tocsin.comms import actions as comms
from tocsin.incidents import actions
from tocsin.incidents.models import Incident

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

COORDINATOR = "incident_coordinator"


@pytest.fixture
def asked(world: World) -> tuple[Incident, int]:
    """Bo coordinates and Gus does the work; Rea looks on, and Gus has asked Bo for the coordination."""
    then = world.now - timedelta(minutes=20)
    bo, gus, rea = worlds.actor("bo"), worlds.actor("gus"), worlds.actor("rea", role="reader")
    title = "Log-on answers slowly and then not at all for people who come from partners' pages"
    row = actions.declare(bo, title=title, service="log-on", priority=2, severity="error", now=then)
    actions.assign_role(bo, row.ref, role=COORDINATOR, username="bo", now=then)
    actions.assign_role(bo, row.ref, role="technical_expert", username="gus", now=then)
    actions.assign_role(rea, row.ref, role="observer", username="rea", now=then)
    comms.write_draft(gus, row.ref, subject="Log-on is slow", text="Half of the log-ons need a minute.", now=then)
    wish = actions.ask_take_over(gus, row.ref, role=COORDINATOR, reason="You have been up all night.", now=world.now)
    return row, wish.pk


def pages(row: Incident, wish: int) -> dict[str, tuple[str, str]]:
    """Name, then who looks and at which path."""
    own = f"/i/{row.number}"
    return {
        "rank-incident-bo": ("bo", own),
        "rank-incident-gus": ("gus", own),
        "rank-incident-observer": ("rea", own),
        "rank-roles": ("bo", f"{own}/roles"),
        "rank-ask": ("ana", f"{own}/roles/ask"),
        "rank-ask-one": ("ana", f"{own}/roles/ask?role={COORDINATOR}"),
        "rank-answer": ("bo", f"{own}/roles/asks/{wish}"),
        "rank-pull-in": ("bo", f"{own}/pull-in"),
        "rank-summary": ("rea", f"{own}/summary"),
        "rank-updates-observer": ("rea", f"{own}/updates"),
    }


def test_each_page_of_roles_is_whole(visitor: Visitor, asked: tuple[Incident, int]) -> None:
    assert_whole(visitor, pages(*asked))
