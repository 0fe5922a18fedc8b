"""A table of many columns fits a desk: nobody scrolls sideways to read to whom an alert leads."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESK, Visitor
from tests.browser.world import World
from tests.domains import slo_worlds, worlds
from tocsin.adoption import actions as adoption
from tocsin.core.access import SYSTEM
from tocsin.oncall import actions as oncall
from tocsin.slo import actions as slo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WIDER = "[...document.querySelectorAll('.table-wrap')].filter((one) => one.scrollWidth > one.clientWidth + 1).length"


def test_the_wiring_fits_a_desk(visitor: Visitor, world: World) -> None:
    now = world.now
    worlds.person("cal", in_team="notifications", display_name="Catherine Featherstone", now=now)
    worlds.service("notifications", of_team="notifications", display_name="Notifications", now=now)
    layer = {"name": "week", "start": "2026-11-02T08:00:00Z", "rotation": {"unit": "week"}, "users": [["cal"], ["bo"]]}
    document = {"name": "notifications-primary", "time_zone": "UTC", "layers": [layer]}
    oncall.save_rotation(SYSTEM, document, team="notifications", role="", now=now)
    steps = [{"wait_minutes": 5, "targets": ["rotation:notifications-primary"]}]
    oncall.save_policy(SYSTEM, {"name": "notifications", "steps": steps}, team="notifications", now=now)
    oncall.set_service_escalation(SYSTEM, service="notifications", policy="notifications", now=now)
    adoption.register_alert(SYSTEM, alert_name="UserStoreReplicationLag", service="notifications", now=now)
    row = slo_worlds.objective("sent", service="notifications", display_name="Messages are sent", now=now)
    groups = ["customer-support", "management"]
    slo.assign_priority(SYSTEM, objective=row, decision="set", priority=2, groups=groups, now=now)
    page = visitor.page(user="ana", viewport=DESK)
    page.goto("/setup/wiring")
    assert page.evaluate(WIDER) == 0
