"""From what is known to the pages that leave: suggested, shown with its effects, set in two presses, taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.wholeness import assert_whole
from tests.browser.world import World
from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, Page
from tocsin.platform.models import OutboxMessage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.req("R-9.3.4-3")
def test_the_gravest_severity_takes_two_presses_and_its_pages_stand_ready_at_once(
    visitor: Visitor, world: World
) -> None:
    number = world.burning
    for name, team in (("dana", "payments"), ("eli", "billing")):
        worlds.person(name, in_team=team, display_name=name.capitalize(), now=world.now)
    for team in ("payments", "billing"):
        actions.name_team(SYSTEM, number, team, now=world.now)
    page = visitor.page(user="ana", viewport=DESK)
    page.goto(f"/i/{number}")
    photograph(page, "classify-suggested-1280-light")
    page.get_by_test_id("follow-severity").click()  # the first press
    sheet = page.get_by_test_id("sheet")
    expect(sheet.get_by_test_id("severity-critical")).to_be_checked()
    expect(sheet.get_by_test_id("effects-critical")).to_contain_text("Dana will be asked now")
    expect(sheet.get_by_test_id("effects-critical")).to_contain_text("Eli will be asked now")
    photograph(page, "classify-sheet-1280-light")
    asked_before = Page.objects.filter(kind="role").count()
    sheet.get_by_test_id("severity-save").click()  # the second
    expect(page.get_by_test_id("undo-offer")).to_be_visible()
    row = Incident.objects.get(number=number)
    assert row.severity == "critical"
    assert row.severity_set_at is not None
    pages = Page.objects.filter(kind="role").order_by("pk")[asked_before:]
    assert {"dana", "eli"} <= {one.person.username for one in pages if one.person}
    waiting = OutboxMessage.objects.filter(subject_kind="page", subject_id__in=[str(one.pk) for one in pages])
    # Nothing holds them back: the next look of the engine, twice a second, hands them over.
    assert waiting.exists()
    assert all((one.not_before - row.severity_set_at).total_seconds() < 1 for one in waiting.filter(channel="email"))
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("timeline")).to_contain_text("Taken back")
    assert Incident.objects.get(number=number).severity != "critical"


def test_what_is_known_is_said_on_a_phone_without_script(visitor: Visitor, world: World) -> None:
    page = visitor.page(user="bo", viewport=PHONE, java_script_enabled=False)
    page.goto(f"/i/{world.declared}")
    page.get_by_test_id("change-size").click()
    page.get_by_label("How many users are affected?").fill("45")
    page.get_by_test_id("size-save").click()
    expect(page.get_by_test_id("suggested-severity")).to_contain_text("45 % is 40 % or more and less than 60 %")
    page.get_by_test_id("keep-severity").click()
    page.get_by_test_id("severity-save").click()
    expect(page.get_by_test_id("reason-errors")).to_contain_text("against the rule")
    page.get_by_test_id("reason").fill("one team has it in hand")
    page.get_by_test_id("severity-save").click()
    expect(page.get_by_test_id("timeline")).to_contain_text("an exception to the rule: one team has it in hand")


def test_the_pages_of_classifying_are_sound(visitor: Visitor, world: World) -> None:
    number, now = world.declared, world.now
    actions.state_scope(SYSTEM, number, {"users_share": "0.72", "signs": {"crowded_call": True}}, now=now)
    actions.change_severity(SYSTEM, world.burning, severity="error", reason="two teams", now=now)
    paths = {
        "matrix": "/process/matrix",
        "incident": f"/i/{number}",
        "size": f"/i/{number}/size",
        "severity": f"/i/{number}/severity?to=critical",
        "priority": f"/i/{number}/priority?to=1",
    }
    assert_whole(visitor, {f"classify-{name}": ("bo", path) for name, path in paths.items()})
