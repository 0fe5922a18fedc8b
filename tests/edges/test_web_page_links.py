"""The link in a page: one press without a sign-in, and nothing else opens by it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.domains import incident_worlds as incidents
from tests.domains.incident_worlds import House, fresh, mails, token_of
from tests.edges.web_client import has, read, signed_in, words
from tocsin.incidents import actions
from tocsin.incidents.models import Incident
from tocsin.platform import clock as clocks

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    return House(now=clock.now())


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


@pytest.fixture
def token(house: House) -> str:
    house.declare("38% of log-ons fail")
    house.run()
    return token_of(mails()[0])


def test_a_page_link_shows_the_fact_without_sign_in_and_changes_nothing(house: House, token: str) -> None:
    stranger = Client(enforce_csrf_checks=True)
    page = read(stranger, f"/p/{token}")
    assert words(page, "page-fact") == "38% of log-ons fail"
    assert "03:12 CET" in page  # Ada's zone
    assert has(page, "page-take")
    assert Incident.objects.get().state == "triggered"
    assert stranger.get(f"/p/{token}/take").status_code == 405


def test_one_press_takes_it_without_cookie_script_or_sign_in(house: House, token: str) -> None:
    stranger = Client(enforce_csrf_checks=True)
    answer = stranger.post(f"/p/{token}/take")
    assert answer["Location"] == f"/p/{token}"
    assert fresh(Incident.objects.get()).acknowledged_by_id == house.ada.person_id
    page = read(stranger, f"/p/{token}")
    assert "Others will not be paged." in words(page, "page-answer")
    assert not has(page, "page-take")


def test_passing_on_by_the_link_names_who_comes_next(house: House, token: str) -> None:
    stranger = Client()
    stranger.post(f"/p/{token}/pass")
    house.run()
    assert incidents.paged() == ["ada", "ben"]
    assert "Thank you for saying so" in words(read(stranger, f"/p/{token}"), "page-answer")


def test_who_comes_too_late_reads_who_has_it(house: House, token: str) -> None:
    row = Incident.objects.get()
    actions.acknowledge(house.ben, row.number, now=house.now)
    stranger = Client()
    assert "Ben has it" in words(read(stranger, f"/p/{token}"), "page-late")
    stranger.post(f"/p/{token}/take")
    assert "Ben has it" in words(read(stranger, f"/p/{token}"), "page-answer")


def test_a_link_nobody_was_given_leads_nowhere(house: House) -> None:
    stranger = Client()
    assert stranger.get("/p/not-a-token").status_code == 404
    assert stranger.post("/p/not-a-token/take").status_code == 404


def test_a_page_link_opens_nothing_else(house: House, token: str) -> None:
    stranger = Client()
    stranger.post(f"/p/{token}/take")
    number = Incident.objects.get().number
    assert stranger.get(f"/i/{number}")["Location"].startswith("/accounts/login/")
    assert stranger.post(f"/i/{number}/resolve").status_code == 302
    assert Incident.objects.get().state == "acknowledged"


def test_the_page_link_is_not_given_away_by_its_page(house: House, token: str) -> None:
    answer = Client().get(f"/p/{token}")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
