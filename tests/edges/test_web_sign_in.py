"""Signing in: the link that works once, the sign-in page in our words, and what strangers see."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from tests.domains import worlds
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(now: datetime) -> str:
    worlds.process(now=now)
    worlds.person("mara", now=now)
    return people.create_login_link(SYSTEM, username="mara", now=now)


def test_a_login_link_signs_a_browser_in_once(client: Client, secret: str) -> None:
    answer = client.get(f"/login-link/{secret}")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    second = Client().get(f"/login-link/{secret}")
    assert second.status_code == 404
    assert "has been used or is too old" in second.content.decode()


def test_a_preview_of_a_login_link_does_not_use_it_up(client: Client, secret: str) -> None:
    assert client.head(f"/login-link/{secret}").status_code == 405
    assert client.get(f"/login-link/{secret}").status_code == 302


def test_an_old_login_link_signs_nobody_in(client: Client, secret: str, clock: WoundClock) -> None:
    clock.wind(timedelta(hours=25))
    assert client.get(f"/login-link/{secret}").status_code == 404
    assert client.get("/").status_code == 302


def test_a_stranger_is_led_to_the_sign_in_page_and_back(client: Client, secret: str) -> None:
    people.set_password(SYSTEM, username="mara", password="harbor lights 41", now=worlds.NOW)
    answer = client.get("/oncall")
    assert answer["Location"] == "/accounts/login/?next=/oncall"
    page = client.get(answer["Location"]).content.decode()
    assert "<h1>Sign in</h1>" in page
    assert "sign up" not in page.lower()
    told = {"login": "mara", "password": "harbor lights 41", "next": "/oncall"}
    assert client.post("/accounts/login/", told)["Location"] == "/oncall"


def test_a_wrong_password_keeps_the_name_and_says_what_is_wrong(client: Client, secret: str) -> None:
    answer = client.post("/accounts/login/", {"login": "mara", "password": "wrong"})
    page = answer.content.decode()
    assert 'value="mara"' in page
    assert 'data-testid="sign-in-error"' in page


def test_nobody_signs_up_by_themselves(client: Client, secret: str) -> None:
    page = client.get("/accounts/signup/").content.decode()
    assert "Accounts are made by an administrator" in page
