"""Consumers' views in the browser: a consumer says it, the provider answers, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Visitor, photograph
from tests.browser.wholeness import assert_whole

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAGE = "/priorities/views/sales-latency"


@pytest.mark.req("R-9.2.8-1", "R-9.2.8-2", "R-9.2.8-3", "R-9.2.8-4")
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_flagged_consumer_copes_and_the_provider_closes_the_round(visitor: Visitor, size: dict[str, int]) -> None:
    consumer = visitor.page(user="gus", viewport=size)
    consumer.goto("/priorities/views")
    first = consumer.get_by_test_id("gap").first
    expect(first).to_contain_text(
        "Identity sees Sales are quick as 2 levels more urgent".replace("Identity", "identity")
    )
    expect(first.get_by_test_id("coping")).to_contain_text("No way to cope yet")
    first.get_by_role("link").click()
    consumer.wait_for_url(f"**{PAGE}")
    consumer.get_by_test_id("field-consumer-input").select_option("team:identity")
    consumer.get_by_test_id("field-priority-input").select_option("1")
    consumer.get_by_test_id("field-reason-input").fill("A slow sale looks like a failed log-on to people.")
    consumer.get_by_test_id("field-strategy-input").select_option("own_group")
    consumer.get_by_test_id("say-save").click()
    expect(consumer.get_by_test_id("view-teamidentity")).to_contain_text("Its own people are told at once")
    expect(consumer.get_by_test_id("close-form")).to_have_count(0)

    provider = visitor.page(user="bo", viewport=size)
    provider.goto(PAGE)
    provider.get_by_test_id("field-rationale-input").fill("Most people wait a second longer and buy.")
    provider.get_by_test_id("close-save").click()
    expect(provider.get_by_text("identity sees it otherwise: give an answer.")).to_be_visible()
    expect(provider.get_by_test_id("field-rationale-input")).to_have_value("Most people wait a second longer and buy.")
    provider.get_by_test_id("field-answers.team:identity-input").fill("We show a notice on the log-on page.")
    provider.get_by_test_id("close-save").click()
    expect(provider.get_by_test_id("rounds")).to_contain_text("Round 1")
    expect(provider.get_by_test_id("orientational")).to_contain_text("Feedback of consumers is orientational")
    photograph(provider, f"consumer-view-closed-{size['width']}")
    assert visitor.troubles == [
        "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
    ]


def test_the_pages_of_views_are_whole(visitor: Visitor) -> None:
    pages = {"consumer-views": "/priorities/views", "consumer-view": PAGE, "feedback": "/priorities/sessions/identity"}
    assert_whole(visitor, {name: ("ana", path) for name, path in pages.items()})


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_map_of_views_is_drawn_once_with_its_table_and_as_png(visitor: Visitor, size: dict[str, int]) -> None:
    page = visitor.page(user="ana", viewport=size)
    page.goto("/priorities/views")
    drawn = page.get_by_test_id("views-map").locator("svg:visible")
    expect(drawn).to_have_count(1)
    page.get_by_test_id("views-map-table").get_by_text("Show as table").click()
    expect(page.get_by_test_id("views-map-table").locator("tbody tr")).to_have_count(2)
    link = page.get_by_test_id("views-map-png").get_attribute("href") or ""
    assert page.request.get(link).headers["content-type"] == "image/png"
    assert visitor.troubles == []
