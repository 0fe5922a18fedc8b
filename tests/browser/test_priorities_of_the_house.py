"""What only a browser shows of the priorities of an organisation: tables of teams, filters, agreements, the wiring."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Visitor
from tests.browser.world import World
from tests.domains import worlds
from tocsin import demo
from tocsin.config import apply
from tocsin.core.access import SYSTEM
from tocsin.slo.models import PolicyConsequence

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

FILES = Path(demo.__file__).parent / "files"
SAMPLE = (
    ("register-availability", "POST /register", "P2"),
    ("notify-availability", "POST /notify", "P2"),
    ("notify-latency", "POST /notify", "P3"),
    ("preferences-availability", "", "none"),
    ("language-correctness", "", "none"),
)


@pytest.mark.req("R-9.2.4-1")
@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["desk", "phone"])
def test_the_five_sample_rows_of_a_team_show_use_case_sli_endpoint_slo_and_priority(
    visitor: Visitor, world: World, options: dict[str, dict[str, int]]
) -> None:
    for name in ("identity", "tickets", "payments", "notifications", "platform"):
        worlds.team(name, now=world.now)
    files = [FILES / name for name in ("services.yaml", "sources.yaml", "priorities.yaml")]
    plan = apply.apply_files(SYSTEM, [*files, *FILES.glob("slos-*.yaml")], dry_run=False, now=world.now)
    assert plan.errors == []
    page = visitor.page(user="rea", **options)
    page.goto("/priorities/slos?team=notifications")
    page.get_by_test_id("listed-notify-latency").get_by_role("link").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("What the users of")
    for name, endpoint, priority in SAMPLE:
        row = page.get_by_test_id(f"use-case-{name}")
        expect(row).to_be_visible()
        expect(row).to_contain_text(endpoint)
        expect(row).to_contain_text("over 28 days")
        expect(row.locator(".mark").first).to_contain_text(priority)
    assert visitor.troubles == []


@pytest.mark.req("R-9.2-3")
def test_the_listing_is_narrowed_by_a_filter_and_widened_again(visitor: Visitor) -> None:
    page = visitor.page(user="rea")
    page.goto("/priorities")
    page.get_by_test_id("all-slos").click()
    expect(page.locator("[data-testid^='listed-']")).to_have_count(3)
    page.get_by_test_id("listing-priority").select_option("unset")
    page.get_by_test_id("listing-filter").click()
    expect(page.get_by_test_id("listed-refunds")).to_be_visible()
    expect(page.get_by_test_id("listed-log-on-availability")).not_to_be_visible()
    page.get_by_test_id("listing-all").click()
    expect(page.get_by_test_id("listed-log-on-availability")).to_contain_text("P1")
    assert visitor.troubles == []


@pytest.mark.req("R-10-1")
def test_what_followed_from_a_policy_is_answered_by_keyboard_alone(visitor: Visitor, world: World) -> None:
    row = PolicyConsequence.objects.filter(ended_at=None).earliest("pk")
    page = visitor.page(user="ana")
    page.goto("/teams/identity/slos")
    page.get_by_test_id("team-policy").click()
    expect(page.get_by_test_id("policy-finding")).to_contain_text("hold")
    page.get_by_test_id(f"answer-{row.pk}").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id(f"note-{row.pk}").focus()
    page.keyboard.type("Only urgent fixes until Monday")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id(f"consequence-{row.pk}")).to_contain_text("Only urgent fixes until Monday")
    assert visitor.troubles == []


@pytest.mark.req("R-9.2.10-1")
def test_the_wiring_names_what_leads_nowhere_and_how_to_mend_it(visitor: Visitor) -> None:
    page = visitor.page(user="rea", viewport=PHONE)
    page.goto("/setup")
    page.get_by_test_id("go-wiring").click()
    lost = page.get_by_test_id("orphan-refunds").filter(has_text="tocsin priority set refunds PRIORITY")
    expect(lost).to_be_visible()
    expect(page.get_by_test_id("wired-log-on-availability")).to_contain_text("identity-primary")
    with page.expect_download() as caught:
        page.get_by_test_id("wiring-mermaid").click()
    assert Path(caught.value.path()).read_text(encoding="utf-8").startswith("flowchart LR")
    assert visitor.troubles == []


@pytest.mark.req("R-9.2.3-20")
def test_a_proposal_is_agreed_to_and_published_for_a_later_day(visitor: Visitor) -> None:
    page = visitor.page(user="gus")
    page.goto("/process")
    page.get_by_test_id("versions").get_by_role("link", name="Version 2").click()
    expect(page.get_by_test_id("advice")).to_contain_text("serious")
    page.get_by_test_id("agree").click()
    expect(page.get_by_test_id("remarks")).to_contain_text("Agrees")
    owner = visitor.page(user="ana")
    owner.goto("/process/versions/2")
    owner.get_by_test_id("effective-at").fill("2027-01-04T09:00")
    owner.get_by_test_id("publish").click()
    expect(owner.get_by_test_id("proposal")).to_contain_text("In force from")
    expect(owner.get_by_test_id("versions")).to_contain_text("In force")
    assert visitor.troubles == []
