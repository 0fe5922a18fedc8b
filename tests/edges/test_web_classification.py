"""The pages of classifying: what is known, what is suggested, what a choice brings, what was decided against the rule."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.core.process_samples import document_with
from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.web_client import has, read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions
from tocsin.incidents.models import Page, Suggestion
from tocsin.platform import clock
from tocsin.postmortems import actions as postmortems
from tocsin.process import actions as processes

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    house = House()
    monkeypatch.setattr(clock, "now", lambda: house.now)
    return house


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


class TestSize:
    def test_what_is_said_in_per_cent_suggests_a_severity_and_leads_to_it_preset(
        self, house: House, ada: Client
    ) -> None:
        row = house.declare(priority=2)
        assert "How many users" in words(read(ada, f"/i/{row.number}"), "asks-for-size")
        told = {"users": "45", "teams_needed": "", "team": "", "sign_crowded_call": "no"}
        assert ada.post(f"/i/{row.number}/size", told).status_code == 302
        page = read(ada, f"/i/{row.number}")
        assert "45 % is 40 % or more and less than 60 %, so error" in words(page, "suggested-severity")
        assert f'href="/i/{row.number}/severity?to=error"' in page
        sheet = read(ada, f"/i/{row.number}/severity?to=error")
        assert re.search(r'value="error" checked', sheet)
        assert "Users are logged out" in sheet
        assert "the facts say so" in words(sheet, "suggested-error")
        assert 'value="45"' in read(ada, f"/i/{row.number}/size")

    @pytest.mark.parametrize(("field", "value"), [("users", "120"), ("users", "x"), ("teams_needed", "0")])
    def test_what_makes_no_sense_is_said_beside_the_field(
        self, house: House, ada: Client, field: str, value: str
    ) -> None:
        row = house.declare(priority=2)
        answer = ada.post(f"/i/{row.number}/size", {field: value})
        assert answer.status_code == 422
        assert not Suggestion.objects.exists()

    def test_a_second_team_by_name_asks_for_severity_and_priority(self, house: House, ada: Client) -> None:
        worlds.person("dana", in_team="payments", now=house.now)
        row = house.declare(priority=2)
        assert ada.post(f"/i/{row.number}/size", {"team": "payments"}).status_code == 302
        page = read(ada, f"/i/{row.number}")
        assert has(page, "complex")
        assert "priority P1" in words(page, "suggested-priority")
        assert ada.post(f"/i/{row.number}/suggestions/priority", {"answer": "decline"}).status_code == 302
        assert not has(read(ada, f"/i/{row.number}"), "suggested-priority")
        assert world.fresh(row).priority == 2

    def test_a_reader_sees_what_is_suggested_and_no_button(self, house: House) -> None:
        row = house.declare(priority=2)
        actions.state_scope(house.ada, row.ref, {"users_share": "0.45"}, now=house.now)
        worlds.person("rita", role="reader", now=house.now)
        page = read(signed_in("rita"), f"/i/{row.number}")
        assert has(page, "suggested-severity")
        assert not has(page, "follow-severity")
        assert signed_in("rita").post(f"/i/{row.number}/size", {"users": "5"}).status_code == 403


class TestBeforeAndAfter:
    def test_a_choice_says_who_is_woken_and_what_falls_due_by_the_viewers_clock(
        self, house: House, ada: Client
    ) -> None:
        row = house.declare(priority=4)
        page = read(ada, f"/i/{row.number}/priority")
        assert "Ada is paged now" in words(page, "effects-1")
        assert "First word to management by 03:27 CET" in words(page, "effects-1")
        assert not Page.objects.exists()

    @pytest.mark.req("R-9.3.5-1")
    def test_an_exception_is_seen_on_the_page_and_in_the_review_of_the_timeline(
        self, house: House, ada: Client
    ) -> None:
        row = house.declare(priority=1)
        actions.state_scope(house.ada, row.ref, {"users_share": "0.01"}, now=house.now)
        told = {"severity": "critical", "reason": ""}
        assert ada.post(f"/i/{row.number}/severity", told).status_code == 422
        told["reason"] = "our first customer"
        assert ada.post(f"/i/{row.number}/severity", told).status_code == 302
        page = read(ada, f"/i/{row.number}")
        assert "our first customer" in page
        assert re.search(r'data-testid="exception-\d+"', page)
        actions.acknowledge(house.ada, row.ref, now=house.now)
        actions.resolve(house.ada, row.ref, category="deploy", now=house.now + timedelta(minutes=1))
        postmortems.draft_missing(now=house.now + timedelta(minutes=2))
        review = read(ada, f"/i/{row.number}/review")
        assert "our first customer" in words(review, "review-exceptions")
        assert "the facts said warning" in words(review, "review-exceptions")
        assert "an exception to the rule" in words(review, "review-timeline")

    def test_a_pair_that_is_not_allowed_needs_the_tick_and_names_the_way_out(self, house: House, ada: Client) -> None:
        row = house.declare(priority=3)
        sheet = read(ada, f"/i/{row.number}/severity")
        assert "Nearest allowed: P2 and critical, P3 and error" in words(sheet, "why-critical")
        told = {"severity": "critical", "reason": "a drill"}
        answer = ada.post(f"/i/{row.number}/severity", told)
        assert answer.status_code == 422
        assert "Nearest allowed" in words(answer.content.decode(), "form-errors")
        assert ada.post(f"/i/{row.number}/severity", {**told, "exception": "1"}).status_code == 302
        assert world.fresh(row).severity == "critical"

    def test_without_severities_nothing_of_it_is_offered(self, house: House, ada: Client) -> None:
        processes.publish_version(SYSTEM, document_with("severities.switched_off", True), note="off", now=house.now)
        row = house.declare(priority=1)
        assert ada.get(f"/i/{row.number}/severity").status_code == 422
        assert not has(read(ada, f"/i/{row.number}"), "change-severity")
        assert has(read(ada, "/process/matrix"), "severities-off")


@pytest.mark.req("R-9.3.4-2")
def test_each_severity_is_shown_with_its_example(house: House, ada: Client) -> None:
    row = house.declare(priority=1)
    sheet = read(ada, f"/i/{row.number}/severity")
    for example in ("log on to any application", "logged out of applications", "Demo data is missing"):
        assert example in sheet


class TestMatrix:
    def test_each_pair_says_its_verdict_why_and_what_follows_and_counts_what_is_open(
        self, house: House, ada: Client
    ) -> None:
        row = house.declare(priority=3)
        house.declare(priority=3)
        actions.change_severity(
            house.ada, row.ref, severity="critical", reason="a drill", exception=True, now=house.now
        )
        page = read(ada, "/process/matrix")
        never = words(page, "cell-P3-critical")
        assert "Never" in never
        assert "Nearest allowed: P2 and critical, P3 and error" in never
        assert row.ref in never
        assert "1 open" in never
        usual = words(page, "cell-P3-warning")
        assert "Allowed" in usual
        assert "1 open" in usual
        assert "An update at least every 8 h" in usual
        assert "Called: technical expert" in usual
        assert "8 of 12 pairs are allowed, 2 need a reason, 2 never; 1 open as an exception" in words(
            page, "matrix-finding"
        )

    def test_the_picture_leaves_the_page_as_a_file(self, house: House, ada: Client) -> None:
        house.declare(priority=1)
        answer = ada.get("/process/matrix.svg")
        assert answer["Content-Type"].startswith("image/svg+xml")
        assert b"Priority and severity: 8 of 12" in answer.content
        assert ada.get("/process/matrix.gif").status_code == 404

    def test_it_is_reached_from_the_process_and_from_an_incident(self, house: House, ada: Client) -> None:
        row = house.declare(priority=1)
        for address in ("/process", "/priorities", f"/i/{row.number}"):
            assert 'href="/process/matrix"' in read(ada, address)
