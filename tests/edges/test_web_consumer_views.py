"""Consumers' views as pages: the heat map and its numbers, a view that is said, a round that is closed, a session."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.domains import slo_worlds, worlds
from tests.domains.worlds import NOW
from tests.edges.web_client import has, read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.core.consumer_views import ORIENTATIONAL
from tocsin.platform.clock import WoundClock
from tocsin.slo import actions, queries
from tocsin.slo.actions import Said
from tocsin.slo.models import ConsumerView, FeedbackSession, ViewRound

pytestmark = pytest.mark.django_db

SLO = "notify-availability"
PAGE = f"/priorities/views/{SLO}"
PNG = b"\x89PNG\r\n\x1a\n"
VIEW = {"consumer": "service:checkout", "priority": "1", "reason": "Orders wait for it.", "strategy": ""}


@pytest.fixture(autouse=True)
def house(clock: WoundClock) -> None:
    """Notifications gives its SLO 2; the shop's checkout needs it."""
    worlds.process()
    worlds.person("mona", in_team="notifications", is_owner=True)
    worlds.person("sia", in_team="shop", is_owner=True)
    worlds.person("otto", in_team="other")
    worlds.service("notifications", of_team="notifications", display_name="Notifications")
    worlds.service("checkout", of_team="shop", display_name="Checkout", depends_on=["notifications"])
    slo_worlds.objective(SLO, service="notifications", display_name="People get notified")
    actions.assign_priority(SYSTEM, objective=SLO, decision="set", priority=2, now=NOW)


def said(consumer: str = "service:checkout", priority: int = 1, **more: Any) -> None:
    view = Said(decision="set", priority=priority, reason=more.pop("reason", "Orders wait for it."), **more)
    actions.state_view(worlds.administrator(), slo=SLO, consumer=consumer, said=view, now=NOW)


def test_an_empty_house_says_how_to_begin() -> None:
    page = read(signed_in("sia"), "/priorities/views")
    assert "No consumer has said how it sees an SLO" in words(page, "no-views")
    assert words(page, "orientational") == ORIENTATIONAL
    assert not has(page, "views-map")
    assert read(signed_in("sia"), "/priorities/views.svg", 404)


@pytest.mark.req("R-9.2.8-2")
def test_the_heat_map_names_the_largest_difference_and_has_its_own_numbers() -> None:
    said()
    said("team:other", 3)
    page = read(signed_in("otto"), "/priorities/views")
    assert words(page, "views-finding") == "Checkout sees People get notified as one level more urgent, and 1 more."
    assert words(page, "talk-first") == (
        "To talk about first: Checkout on People get notified. It needs a way to work without it, or a call of its own."
    )
    table = words(page, "views-map-table")
    assert "SLO Provider Checkout other People get notified 2 1 ▲ 3 ▼" in table
    rows = re.findall(r'data-testid="gap".*?</li>', page, re.DOTALL)
    assert ["More urgent" in rows[0], "More urgent" in rows[1]] == [True, False]
    assert ["No way to cope yet." in row for row in rows] == [True, False]
    assert words(page, "orientational") == ORIENTATIONAL


@pytest.mark.parametrize("size", ["", "&size=phone"])
def test_the_picture_stands_alone_as_svg_and_png(client: Client, size: str) -> None:
    said(reason="<script>alert(1)</script>")
    browser = signed_in("sia")
    drawn = browser.get(f"/priorities/views.svg?theme=dark{size}")
    assert drawn["Content-Type"].startswith("image/svg+xml")
    text = drawn.content.decode()
    assert "Checkout sees People get notified as one level more urgent" in text
    assert "<script>" not in text
    assert (
        browser.get("/priorities/views.svg?theme=dark" + size, headers={"If-None-Match": drawn["ETag"]}).status_code
        == 304
    )
    assert browser.get(f"/priorities/views.png?theme=light{size}").content[:8] == PNG
    assert client.get("/priorities/views.svg").status_code == 302


def test_a_wiki_finds_the_picture_by_a_secret_where_that_is_switched_on(client: Client, settings: Any) -> None:
    said()
    link = 'data-copy="{}/embed/views.svg{}"'
    page = read(signed_in("sia"), "/priorities/views?team=notifications")
    assert link.format(settings.PUBLIC_URL, "?team=notifications") in page
    assert client.get("/embed/views.svg").status_code == 302
    settings.EMBED_BY_KEY = True
    page = read(signed_in("sia"), "/priorities/views?team=notifications")
    [secret] = re.findall(r"/embed/views\.svg\?team=notifications&amp;key=([\w-]+)", page)
    assert client.get(f"/embed/views.svg?team=notifications&key={secret}")["Content-Type"].startswith("image/svg+xml")
    assert client.get(f"/embed/views.svg?key={secret}").status_code == 302
    assert client.get(f"/priorities/views.svg?team=notifications&key={secret}").status_code == 302


def test_many_consumers_and_slos_stay_a_small_picture_and_the_table_has_all() -> None:
    for number in range(16):
        name = f"slo-{number:02d}"
        slo_worlds.objective(name, service="notifications", display_name=f"A thing with quite a long name {number}")
        actions.assign_priority(SYSTEM, objective=name, decision="set", priority=2, now=NOW)
        worlds.team(f"team-{number:02d}")
        view = Said(decision="set", priority=1 + number % 4, reason="It is so.")
        actions.state_view(worlds.administrator(), slo=name, consumer=f"team:team-{number:02d}", said=view, now=NOW)
    browser = signed_in("sia")
    drawn = browser.get("/priorities/views.svg").content
    assert len(drawn) < 30_000
    assert b"2 more SLOs and 10 more consumers stand in the table below." in drawn
    table = words(read(browser, "/priorities/views"), "views-map-table")
    assert all(f"long name {number}" in table and f"team-{number:02d}" in table for number in range(16))


def test_a_consumer_says_how_it_sees_it_and_is_shown_what_it_said() -> None:
    browser = signed_in("sia")
    page = read(browser, PAGE)
    assert has(page, "say-form")
    assert not has(page, "close-form")
    assert "only a member of that team closes the round" in words(page, "provider-decides")
    answer = browser.post(f"{PAGE}/say", VIEW | {"strategy": "own_group"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    view = ConsumerView.objects.get(valid_until=None)
    assert (view.priority, view.strategy, view.notify.code if view.notify else "") == (1, "own_group", "shop-on-call")
    page = read(browser, PAGE)
    assert "Checkout More urgent Orders wait for it. Its own people are told at once (shop, on call)" in words(
        page, "views"
    )
    answer = browser.post(f"{PAGE}/withdraw", {"consumer": "service:checkout"})
    assert answer.status_code == 302
    assert "P1 Checkout" in words(read(browser, PAGE), "view-history") or not queries.feedback(SYSTEM, at=NOW)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"reason": " "}, "This field is required."),
        ({"priority": ""}, "This field is required."),
        ({"strategy": "adaptive_capacity"}, "Say how your users work on while it is down."),
    ],
)
def test_a_view_that_lacks_something_is_shown_again_with_what_was_typed(wrong: dict[str, str], told: str) -> None:
    answer = signed_in("sia").post(f"{PAGE}/say", {**VIEW, "degrades_to": "", **wrong})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert told in text
    assert wrong.get("reason") == " " or "Orders wait for it." in text


def test_nobody_says_how_others_see_it() -> None:
    answer = signed_in("sia").post(f"{PAGE}/say", {**VIEW, "consumer": "team:other", "reason": ""})
    assert answer.status_code == 403
    assert not ConsumerView.objects.filter(team__name="other").exists()
    assert not ConsumerView.objects.exists()


@pytest.mark.req("R-9.2.8-3")
def test_the_provider_closes_the_round_with_its_reason_and_an_answer_to_each() -> None:
    said()
    browser = signed_in("mona")
    assert signed_in("sia").post(f"{PAGE}/close", {"rationale": "Ours."}).status_code == 403
    missing = browser.post(f"{PAGE}/close", {"decision": "", "rationale": "Most can wait."})
    assert missing.status_code == 422
    assert "Checkout sees it otherwise: give an answer." in missing.content.decode()
    assert not ViewRound.objects.exists()
    filled = {"decision": "", "rationale": "Most can wait.", "answers.service:checkout": "A second way out by spring."}
    assert browser.post(f"{PAGE}/close", filled).status_code == 302
    page = read(browser, PAGE)
    assert words(page, "rounds").startswith("Round 1: 2 P2 Most can wait. To Checkout: A second way out by spring.")
    assert "Round 2 is open" in words(page, "orientational")
    assert ORIENTATIONAL in words(page, "orientational")


def test_a_provider_that_follows_its_consumer_changes_the_priority_in_the_same_step() -> None:
    said()
    filled = {"decision": "1", "rationale": "Orders wait for it."}
    assert signed_in("mona").post(f"{PAGE}/close", filled).status_code == 302
    held = queries.assignment_at(queries.objective(SYSTEM, SLO), NOW)
    assert held is not None
    assert held.priority == 1


def test_a_consumer_is_asked_in_two_clicks_and_shows_as_asked() -> None:
    browser = signed_in("mona")
    assert has(read(browser, PAGE), "ask-checkout")
    assert browser.post(f"{PAGE}/ask", {"consumer": "service:checkout"}).status_code == 302
    assert "Asked, no answer yet" in words(read(browser, PAGE), "views")
    assert "asked" in words(read(browser, "/priorities/views"), "views-map-table")
    assert not has(read(signed_in("otto"), PAGE), "ask-form")
    assert signed_in("otto").post(f"{PAGE}/ask", {"consumer": "team:other"}).status_code == 403


@pytest.mark.req("R-9.2.8-6")
def test_a_session_is_recorded_with_date_invited_attended_and_outcomes() -> None:
    worlds.person("mona").time_zone = "Europe/Berlin"
    browser = signed_in("mona")
    address = "/priorities/sessions/notifications"
    assert has(read(browser, address), "session-form")
    filled = {
        "held_at": "2026-11-20T10:00",
        "invited": "Mona\nSia\nDesk",
        "attended": "Mona\nSia",
        f"outcome.{SLO}": "Stays; the shop shows the number on screen.",
    }
    assert browser.post(address, filled).status_code == 302
    told = words(read(browser, "/priorities/views"), "sessions")
    assert "notifications , Fri 20 Nov 10:00 UTC Invited: Mona, Sia, Desk. Came: Mona, Sia." in told
    assert "People get notified : Stays; the shop shows the number on screen." in told
    late = browser.post(address, filled | {"held_at": "2027-01-01T10:00"})
    assert late.status_code == 422
    assert "this is in the future" in late.content.decode()
    assert signed_in("otto").post(address, filled).status_code == 403
    assert FeedbackSession.objects.count() == 1


def test_an_unknown_slo_is_not_found() -> None:
    assert read(signed_in("sia"), "/priorities/views/nothing", 404)
    assert read(signed_in("sia"), "/priorities/views/choose?slo=nothing", 404)
    assert read(signed_in("sia"), "/priorities/sessions/nobody", 404)
