"""The course of an incident over JSON, at the command line and on its pages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.domains import incident_worlds as incidents
from tests.domains import worlds
from tests.domains.incident_worlds import MINUTE, House, fresh
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tests.edges.web_client import has, marks, read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(clock: WoundClock) -> House:
    house = House(now=clock.now())
    worlds.person("nia", in_team="network", display_name="Nia", now=house.now)
    return house


@pytest.fixture
def ada(house: House) -> Client:
    return signed_in("ada")


@pytest.fixture
def api(house: House) -> Caller:
    return Caller("ada", now=house.now)


def phase(shown: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in shown["phases"] if one["phase"] == name)
    return found


# Over JSON


@pytest.mark.req("R-9.1-6")
def test_the_api_shows_each_step_with_its_times_and_reentries(house: House, api: Caller, clock: WoundClock) -> None:
    ref = house.declare().ref
    for state in ("investigating", "mitigated", "investigating"):
        clock.wind(5 * MINUTE)
        api.must("POST", f"/api/v1/incidents/{ref}/state/{state}", {})
    shown = api.must("GET", f"/api/v1/incidents/{ref}")
    one = phase(shown, "investigation_and_diagnosis")
    assert (one["reentries"], one["running"], one["left_at"], len(one["stays"])) == (1, True, None, 2)
    assert one["entered_at"].endswith("Z")
    assert phase(shown, "closure")["entered_at"] is None


@pytest.mark.req("R-9.1-7")
def test_the_api_escalates_to_a_team_and_to_management_and_takes_the_answer(house: House, api: Caller) -> None:
    ref = house.declare().ref
    status, refusal = api.ask("POST", f"/api/v1/incidents/{ref}/escalate/team", {"team": "network", "reason": ""})
    assert (status, "reason" in refusal["fields"]) == (422, True)
    asked = api.must("POST", f"/api/v1/incidents/{ref}/escalate/team", {"team": "network", "reason": "Routes flap"})
    api.must("POST", f"/api/v1/incidents/{ref}/escalate/management", {"to": "nia", "reason": "Decide"})
    one = asked["escalations"][0]
    assert (one["kind"], one["from"], one["to"], one["reason"]) == ("functional", "identity", "network", "Routes flap")
    assert one["acknowledged_at"] is None
    answered = api.must("POST", f"/api/v1/incidents/{ref}/escalations/{one['id']}/acknowledge", {})
    assert [row["kind"] for row in answered["escalations"]] == ["functional", "hierarchic"]
    assert answered["escalations"][0]["acknowledged_at"] is not None
    assert api.ask("POST", f"/api/v1/incidents/{ref}/escalations/999999/acknowledge", {})[0] == 404


@pytest.mark.req("R-9.1-8")
def test_the_api_closes_without_a_cause_and_names_what_is_missing(house: House, api: Caller) -> None:
    ref = house.declare(priority=3).ref
    api.must("POST", f"/api/v1/incidents/{ref}/known", {"workaround": "Use the other region"})
    api.must("POST", f"/api/v1/incidents/{ref}/resolve", {"category": "deploy"})
    status, refusal = api.ask("POST", f"/api/v1/incidents/{ref}/close", {"cause_state": "unknown"})
    assert (status, list(refusal["fields"])) == (422, ["work_item"])
    for one in api.must("GET", f"/api/v1/incidents/{ref}")["obligations"]:
        if one["state"] == "open":
            api.must("POST", f"/api/v1/obligations/{one['id']}/waive", {"reason": "A test"})
    closed = api.must("POST", f"/api/v1/incidents/{ref}/close", {"cause_state": "unknown", "work_item": "T-42"})
    assert (closed["state"], closed["cause"]["state"], closed["cause"]["work_item"]) == ("closed", "unknown", "T-42")
    assert (closed["workaround"]["state"], closed["workaround"]["text"]) == ("known", "Use the other region")
    checks = api.must("GET", f"/api/v1/incidents/{ref}/adherence")["checks"]
    assert "T-42" in next(one["why"] for one in checks if one["id"] == "AC23")


@pytest.mark.req("R-9.1-1")
def test_near_misses_are_declared_listed_and_counted_apart(house: House, api: Caller) -> None:
    for impact in ("actual", "potential"):
        body = {"title": "Disks fill", "service": "log-on", "impact_state": impact}
        assert api.must("POST", "/api/v1/incidents", body)["impact_state"] == impact
    listed = api.must("GET", "/api/v1/incidents?impact=potential")["items"]
    assert [row["impact_state"] for row in listed] == ["potential"]
    found = api.must("GET", "/api/v1/incident-figures?period=1d")
    assert (found["incidents"], found["near_misses"]) in {(1, 1), (0, 0)}  # the last instant is left out
    found = api.must("GET", f"/api/v1/incident-figures?period={house.now.year}")
    assert (found["incidents"], found["near_misses"]) == (1, 1)


@pytest.mark.req("R-9-2")
def test_the_api_says_who_heard_first(house: House, api: Caller, clock: WoundClock) -> None:
    ref = house.declare().ref
    assert api.must("GET", f"/api/v1/incidents/{ref}")["ahead"] is None
    clock.wind(10 * MINUTE)
    told = api.must("POST", f"/api/v1/incidents/{ref}/customer-reports", {"text": "No log-on", "source_id": "CS-1"})
    assert (told["ahead"], told["first_stakeholder_notice_at"]) == (False, None)
    assert told["first_customer_report_at"] is not None
    assert (
        api.ask("POST", f"/api/v1/incidents/{ref}/customer-reports", {"reported_at": "2999-01-01T00:00:00Z"})[0] == 422
    )
    found = api.must("GET", f"/api/v1/incident-figures?period={house.now.year}")
    assert (found["behind_customers"], found["ahead_of_customers"], found["unknown"]) == (1, 0, 0)
    assert [one["incident"] for one in found["reported"]] == [ref]


# At the command line


@pytest.mark.req("R-9.1-6")
@pytest.mark.req("R-9.1-7")
def test_the_same_by_words_alone(live_server: LiveServer) -> None:
    house = House(now=clocks.now() - timedelta(minutes=1))
    worlds.person("nia", in_team="network", display_name="Nia", now=house.now)
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=house.now)
    shell = Shell(live_server.url, token)
    ref = house.declare().ref
    assert shell.run("incident", "escalate", ref, "--team", "network", "--management").exit_code == 2
    asked = shell.json("incident", "escalate", ref, "--team", "network", "--reason", "Routes flap")
    seq = str(asked["escalations"][0]["id"])
    assert shell.json("incident", "ack-escalation", ref, seq)["escalations"][0]["acknowledged_at"]
    known = shell.json("incident", "known", ref, "--cause-unknown", "--work-item", "T-42", "--workaround", "Restart")
    assert (known["cause"]["state"], known["workaround"]["text"]) == ("unknown", "Restart")
    assert shell.json("incident", "customer-report", ref, "--ticket", "CS-1")["ahead"] is False
    felt = shell.json("incident", "impact", ref, "potential", "--reason", "Nobody felt it")
    assert felt["impact_state"] == "potential"
    shown = shell.run("incident", "show", ref, "--all")
    assert "escalation  20" in shown.stdout, shown.stdout
    assert "first customer report at: 20" in shown.stdout
    assert shell.json("report", "incidents", "--period", "1d")["near_misses"] == 1
    fix = str(incidents.obligation(fresh_by(ref), "hotfix").pk)
    refused = shell.run("incident", "fulfil", fix, "--reference", "change 7")
    assert refused.exit_code == 1
    assert "rolled out" in refused.stderr
    at = house.now.isoformat()
    done = shell.json("incident", "fulfil", fix, "--reference", "change 7", "--deployed-at", at)
    assert (done["state"], done["deployed_at"] is not None) == ("fulfilled", True)


def fresh_by(ref: str) -> Any:
    from tocsin.incidents.models import Incident

    return Incident.objects.get(number=int(ref.removeprefix("INC-")))


# On its pages


@pytest.mark.req("R-9.1-7")
def test_the_page_asks_another_team_and_shows_who_answered(house: House, ada: Client) -> None:
    row = house.declare()
    assert ada.post(f"/i/{row.number}/ask", {"team": "", "reason": "x"}).status_code == 422
    assert ada.post(f"/i/{row.number}/ask", {"team": "team:network", "reason": "Routes flap"}).status_code == 302
    page = read(ada, f"/i/{row.number}")
    [seq] = marks(page, "answer-")
    assert "Another team was asked: network Routes flap" in words(page, f"escalation-{seq}")
    assert "no answer yet" in words(page, f"escalation-{seq}")
    link = incidents.token_of(incidents.mails("functional")[0])
    assert "Ada asks network: Routes flap" in words(read(Client(), f"/p/{link}"), "page-asked")
    assert Client().post(f"/p/{link}/take").status_code == 302
    assert "looks after it" in words(read(Client(), f"/p/{link}"), "page-answer")
    assert "Nia answered" in words(read(ada, f"/i/{row.number}"), f"escalation-{seq}")


def test_what_is_known_is_said_on_one_sheet(house: House, ada: Client) -> None:
    row = house.declare()
    assert "nobody has said" in words(read(ada, f"/i/{row.number}"), "cause")
    filled = {"workaround_state": "known", "workaround": "Use the other region", "cause_state": "", "cause": ""}
    assert ada.post(f"/i/{row.number}/known", filled).status_code == 302
    page = read(ada, f"/i/{row.number}")
    assert "known: Use the other region" in words(page, "workaround")
    assert "nobody has said" in words(page, "cause")


@pytest.mark.req("R-9.1-8")
def test_closing_asks_for_the_cause_and_takes_a_work_item_instead(house: House, ada: Client) -> None:
    row = house.declare(priority=4)
    actions.resolve(house.ada, row.ref, category="deploy", now=house.now)
    for one in row.obligations.filter(state="open"):
        actions.waive_obligation(house.ada, one.pk, reason="A test", now=house.now)
    missing = ada.post(f"/i/{row.number}/close", {"cause_state": "unknown"})
    assert missing.status_code == 422
    assert has(missing.content.decode(), "close-work-item-errors")
    told = {"cause_state": "unknown", "work_item": "https://tracker.example/42"}
    assert ada.post(f"/i/{row.number}/close", told).status_code == 302
    assert fresh(row).state == "closed"
    assert 'href="https://tracker.example/42"' in read(ada, f"/i/{row.number}")
    assert 'href="https://tracker.example/42"' in read(ada, f"/i/{row.number}/adherence")


@pytest.mark.req("R-9.1-5")
def test_the_page_asks_for_the_priority_until_there_is_a_decision(house: House, ada: Client) -> None:
    row = house.declare(priority=None)
    ada.post(f"/i/{row.number}/take")
    assert has(read(ada, f"/i/{row.number}"), "decide-priority")
    ada.post(f"/i/{row.number}/resolve", {"service": "log-on", "category": "deploy"})
    page = read(ada, f"/i/{row.number}")
    assert "before this can be closed" in words(page, "priority-unset")
    assert has(read(ada, f"/i/{row.number}/close"), "close-decide")
    ada.post(f"/i/{row.number}/priority", {"priority": "none", "reason": "A drill"})
    assert not has(read(ada, f"/i/{row.number}"), "priority-unset")


@pytest.mark.req("R-9.1-1")
def test_a_near_miss_is_marked_until_somebody_feels_it(house: House, ada: Client) -> None:
    row = house.declare(impact_state="potential")
    assert has(read(ada, f"/i/{row.number}"), "near-miss")
    assert ada.post(f"/i/{row.number}/impact", {"reason": ""}).status_code == 422
    assert ada.post(f"/i/{row.number}/impact", {"reason": "Calls come in"}).status_code == 302
    assert not has(read(ada, f"/i/{row.number}"), "near-miss")


@pytest.mark.req("R-9-2")
def test_a_customers_report_is_noted_in_the_viewers_zone(house: House, ada: Client) -> None:
    row = house.declare()
    assert "unknown" in words(read(ada, f"/i/{row.number}"), "lead")
    at = house.now - 20 * MINUTE
    wall = at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")
    told = {"reported_at": wall, "text": "No log-on", "source_id": "CS-1"}
    assert ada.post(f"/i/{row.number}/customer-report", told).status_code == 302
    page = read(ada, f"/i/{row.number}")
    assert "a customer, before we told stakeholders" in words(page, "lead")
    assert at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M") in words(page, "first-report")


def test_a_reader_sees_the_course_and_presses_nothing(house: House) -> None:
    row = house.declare()
    worlds.person("rea", role="reader", now=house.now)
    rea = signed_in("rea")
    page = read(rea, f"/i/{row.number}")
    assert has(page, "phases")
    assert not any(has(page, name) for name in ("say-known", "customer-report", "ask-others"))
    for path, body in (
        ("ask", {"team": "team:network", "reason": "x"}),
        ("known", {"workaround": "x"}),
        ("impact", {"reason": "x"}),
        ("customer-report", {"reported_at": "2026-01-01T00:00"}),
    ):
        assert rea.post(f"/i/{row.number}/{path}", body).status_code == 403, path
    assert json.dumps([one.kind for one in row.pages.all()]).count("functional") == 0
