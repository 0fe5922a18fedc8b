"""Who may ask the API what: every route refuses strangers, readers change nothing, revoked tokens are worthless."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.domains import worlds
from tests.edges.api_client import Caller
from tocsin.api.urls import api
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)


def operations() -> list[tuple[str, str]]:
    """Every (verb, path) of the API with its parameters filled; a one is a number and a name."""
    found = []
    for path, verbs in api.get_openapi_schema()["paths"].items():
        found += [(verb.upper(), re.sub(r"\{[^}]+\}", "1", path)) for verb in verbs]
    return found


@pytest.mark.parametrize(("verb", "path"), operations())
def test_a_stranger_is_asked_who_they_are(verb: str, path: str, clock: WoundClock) -> None:
    assert "{" not in path
    status, answer = Caller().ask(verb, path, {})
    assert (status, answer["status"]) == (401, 401)


def test_a_reader_may_look_and_declare_but_change_nothing(clock: WoundClock) -> None:
    worlds.process(now=clock.now())
    worlds.service("checkout", of_team="tickets", now=clock.now())
    rita = Caller("rita", role="reader", now=clock.now())
    ref = rita.must("POST", "/api/v1/incidents", {"title": "Slow", "service": "checkout"})["id"]
    assert rita.must("GET", f"/api/v1/incidents/{ref}")["title"] == "Slow"
    for verb, body in (
        ("acknowledge", {}),
        ("resolve", {"category": "x"}),
        ("priority", {"priority": 1, "reason": "r"}),
    ):
        assert rita.ask("POST", f"/api/v1/incidents/{ref}/{verb}", body)[0] == 403


def test_an_owner_of_another_team_may_not_change_this_teams_service(clock: WoundClock) -> None:
    worlds.process(now=clock.now())
    worlds.service("checkout", of_team="tickets", now=clock.now())
    other = Caller("olga", in_team="payments", is_owner=True, now=clock.now())
    assert other.ask("PUT", "/api/v1/services/checkout/maintenance", {"on": True})[0] == 403
    own = Caller("otto", in_team="tickets", is_owner=True, now=clock.now())
    assert own.ask("PUT", "/api/v1/services/checkout/maintenance", {"on": True})[0] == 200


def test_a_disabled_person_is_a_stranger_at_once(clock: WoundClock) -> None:
    worlds.process(now=clock.now())
    worlds.administrator(now=clock.now())
    mara = Caller("mara", now=clock.now())
    assert mara.ask("GET", "/api/v1/me")[0] == 200
    people.disable_person(SYSTEM, username="mara", now=clock.now())
    assert mara.ask("GET", "/api/v1/me")[0] == 401


def test_a_browser_session_needs_its_csrf_token_to_write(clock: WoundClock) -> None:
    worlds.process(now=clock.now())
    worlds.service("checkout", now=clock.now())
    client = Client(enforce_csrf_checks=True)
    client.force_login(worlds.person("mara", now=clock.now()))
    assert client.get("/api/v1/me").status_code == 200
    answer = client.post("/api/v1/incidents", {"title": "x", "service": "checkout"}, content_type="application/json")
    assert answer.status_code == 403


def test_the_description_of_the_api_needs_no_sign_in() -> None:
    document = Client().get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert "/api/v1/incidents" in document["paths"]
