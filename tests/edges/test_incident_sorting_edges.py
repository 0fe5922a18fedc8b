"""Sorting, merging and links of incidents over JSON, at the command line and on their pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.domains.incident_worlds import House
from tests.domains.test_incident_sorting import slo_incident
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tests.edges.web_client import read, signed_in
from tocsin.core.access import SYSTEM
from tocsin.incidents.models import IncidentBreach
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(clock: WoundClock) -> House:
    return House(now=clock.now())


@pytest.mark.req("R-9.1-4")
def test_over_json_a_list_is_cut_by_each_category(house: House) -> None:
    ref, api = slo_incident(house).ref, Caller("ada", now=house.now)
    house.declare("Another", actor=house.ben)
    told = {"category": "deploy", "environment": "production", "scope": "region eu"}
    sorted_one = api.must("POST", f"/api/v1/incidents/{ref}/categories", told)
    assert {name: sorted_one[name] for name in told} == told
    wanted = ("category=deploy", "environment=production", "scope=eu", "sli=availability", "origin=slo")
    for asked in wanted:
        found = api.must("GET", f"/api/v1/incidents?{asked}")["items"]
        assert [row["id"] for row in found] == [ref], asked
    assert len(api.must("GET", "/api/v1/incidents?service=log-on")["items"]) == 2
    status, refusal = api.ask("POST", f"/api/v1/incidents/{ref}/categories", {"outside_our_control": True})
    assert (status, list(refusal["fields"])) == (422, ["reason"])


def test_over_json_incidents_are_merged_taken_apart_cancelled_and_linked(house: House) -> None:
    child, api = slo_incident(house).ref, Caller("ada", now=house.now)
    parent = house.declare("Another", actor=house.ben).ref
    assert api.must("POST", f"/api/v1/incidents/{child}/merge", {"into": parent})["id"] == parent
    assert api.must("GET", f"/api/v1/incidents/{child}")["merged_into"] == parent
    assert api.must("POST", f"/api/v1/incidents/{child}/unmerge", {"reason": "Two"})["state"] == "triggered"
    assert api.ask("POST", f"/api/v1/incidents/{child}/unmerge")[0] == 409
    assert api.ask("POST", f"/api/v1/incidents/{parent}/cancel", {"reason": ""})[0] == 422
    assert api.must("POST", f"/api/v1/incidents/{parent}/cancel", {"reason": "A test"})["state"] == "cancelled"
    links = api.must("GET", f"/api/v1/incidents/{child}")["links"]
    breach = IncidentBreach.objects.get().breach_id
    assert links["breaches"][0]["path"] == f"/breaches/{breach}"
    assert (links["breach_count"], links["changes"], links["fixes"]) == (1, [], [])


def test_the_same_at_the_command_line(live_server: LiveServer) -> None:
    house = House(now=clocks.now() - timedelta(minutes=1))
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=house.now)
    shell = Shell(live_server.url, token)
    child, parent = slo_incident(house).ref, house.declare("Another").ref
    told = shell.json("incident", "categorize", child, "--environment", "production", "--scope", "region eu")
    assert (told["environment"], told["scope"]) == ("production", "region eu")
    listed = shell.json("incident", "list", "--environment", "production", "--scope", "eu", "--sli", "availability")
    assert [row["id"] for row in listed] == [child]
    assert shell.run("incident", "categorize", child, "--outside").exit_code == 1
    outside = shell.json("incident", "categorize", child, "--outside", "--reason", "The power company")
    assert outside["outside_our_control"] is True
    assert shell.json("incident", "merge", child, parent)["id"] == parent
    assert shell.json("incident", "unmerge", child)["state"] == "triggered"
    assert "/breaches/" in shell.run("incident", "show", child, "--all").stdout
    assert shell.json("incident", "cancel", parent, "--reason", "A test")["state"] == "cancelled"


@pytest.mark.req("R-9.1-4")
def test_the_list_on_the_page_is_cut_by_each_category(house: House) -> None:
    incident, ada = slo_incident(house, environment="production", region="eu"), signed_in("ada")
    house.declare("A person says so", impact_state="potential", actor=house.ben)
    number = incident.number
    told = {"service": "log-on", "category": "deploy", "environment": "production", "scope": "region eu"}
    assert ada.post(f"/i/{number}/sort", told).status_code == 302
    for asked in ("category=deploy", "environment=production", "scope=eu", "sli=availability", "origin=slo"):
        page = read(ada, f"/i?{asked}")
        assert "38% of log-ons fail" in page, asked
        assert "A person says so" not in page, asked
    assert "38% of log-ons fail" not in read(ada, "/i?impact=potential")
    assert "A person says so" in read(ada, "/i?impact=potential")
    assert "A person says so" in read(ada, "/i?service=log-on")


def test_the_page_links_breaches_and_takes_apart_what_was_merged(house: House) -> None:
    child, ada = slo_incident(house), signed_in("ada")
    parent = house.declare("Another", actor=house.ben)
    breach = IncidentBreach.objects.get().breach_id
    assert f'href="/breaches/{breach}"' in read(ada, f"/i/{child.number}")
    assert ada.post(f"/i/{child.number}/sort", {"outside_our_control": "on"}).status_code == 422
    assert ada.post(f"/i/{child.number}/merge", {"into": str(parent.number)}).status_code == 302
    assert 'data-testid="unmerge"' in read(ada, f"/i/{child.number}")
    assert ada.post(f"/i/{child.number}/unmerge").status_code == 302
    child.refresh_from_db()
    assert (child.state, child.merged_into) == ("triggered", None)
