"""Incidents over JSON: contract EV-1, refusals as problem documents, hostile text kept as text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domains import worlds
from tests.edges.api_client import Caller
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "<script>alert(1)</script> =1+1 \u202eevil {{7*7}} ${x} '; DROP TABLE incidents;--"


@pytest.fixture
def mara(clock: WoundClock) -> Caller:
    worlds.process(now=clock.now())
    worlds.service("checkout", of_team="tickets", now=clock.now())
    return Caller("mara", in_team="tickets", now=clock.now())


def declared(mara: Caller, **facts: Any) -> dict[str, Any]:
    answer: dict[str, Any] = mara.must(
        "POST", "/api/v1/incidents", {"title": "Nobody can pay", "service": "checkout", **facts}
    )
    return answer


@pytest.mark.req("R-9.3.11-1")
def test_a_title_and_a_service_are_enough_to_declare(mara: Caller) -> None:
    shown = declared(mara)
    assert (shown["status"], shown["priority"], shown["priority_state"]) == ("triggered", None, "unset")
    assert shown["service"] == "checkout"
    assert shown["created_at"].endswith("Z")


def test_an_incident_shows_what_the_contract_names(mara: Caller) -> None:
    shown = mara.must("GET", f"/api/v1/incidents/{declared(mara, priority='P2')['id']}")
    named = {
        "id", "title", "status", "priority", "severity", "service", "source", "dedup_key", "labels", "alert_count",
        "created_at", "acknowledged_at", "resolved_at", "signal_severity", "priority_state", "timeline",
    }  # fmt: skip
    assert named <= set(shown)
    assert {"at", "kind", "actor", "text", "source_id"} <= set(shown["timeline"][0])


def test_taking_classifying_and_resolving_by_number_or_name(mara: Caller) -> None:
    ref = declared(mara)["id"]
    assert mara.must("POST", f"/api/v1/incidents/{ref}/acknowledge", {})["acknowledged_by"] == "mara"
    raised = mara.must("POST", f"/api/v1/incidents/{ref}/priority", {"priority": 1, "reason": "all customers"})
    assert raised["priority"] == 1
    ended = mara.must("POST", f"/api/v1/incidents/{raised['number']}/resolve", {"category": "software"})
    assert ended["status"] == "resolved"
    kinds = [line["kind"] for line in mara.must("GET", f"/api/v1/incidents/{ref}")["timeline"]]
    assert kinds.index("incident.acknowledged") < kinds.index("priority.changed") < kinds.index("incident.resolved")


def test_a_priority_change_without_a_reason_names_the_field(mara: Caller) -> None:
    ref = declared(mara)["id"]
    status, answer = mara.ask("POST", f"/api/v1/incidents/{ref}/priority", {"priority": 1, "reason": " "})
    assert status == 422
    assert "reason" in answer["fields"]


def test_a_priority_nobody_has_is_refused_with_those_there_are(mara: Caller) -> None:
    ref = declared(mara)["id"]
    status, answer = mara.ask("POST", f"/api/v1/incidents/{ref}/priority", {"priority": "P9", "reason": "x"})
    assert (status, "P1" in answer["fields"]["priority"]) == (422, True)


def test_what_does_not_exist_is_a_problem_document(mara: Caller) -> None:
    status, answer = mara.ask("GET", "/api/v1/incidents/INC-999")
    assert (status, answer["status"], answer["title"]) == (404, 404, "Not Found")


@pytest.mark.req("R-X-8")
def test_hostile_text_comes_back_as_the_text_it_was(mara: Caller) -> None:
    ref = declared(mara, title=HOSTILE)["id"]
    mara.must("POST", f"/api/v1/incidents/{ref}/notes", {"text": HOSTILE})
    shown = mara.must("GET", f"/api/v1/incidents/{ref}")
    assert "<script>alert(1)</script>" in shown["title"]
    assert any(HOSTILE[:25] in line["text"] for line in shown["timeline"])


def test_open_ones_are_listed_gravest_first_and_all_on_request(mara: Caller) -> None:
    low, high = declared(mara, priority=3)["id"], declared(mara, priority=1)["id"]
    mara.must("POST", f"/api/v1/incidents/{low}/resolve", {"category": "software"})
    middle = declared(mara, priority=2)["id"]
    assert [one["id"] for one in mara.must("GET", "/api/v1/incidents")["items"]] == [high, middle]
    assert {one["id"] for one in mara.must("GET", "/api/v1/incidents?all=true")["items"]} == {low, high, middle}


def test_a_long_list_comes_in_parts(mara: Caller) -> None:
    made = {declared(mara)["id"] for _ in range(5)}
    seen: list[str] = []
    following = ""
    while True:
        page = mara.must("GET", f"/api/v1/incidents?limit=2&cursor={following}")
        seen += [one["id"] for one in page["items"]]
        following = page["next"]
        if not following:
            break
    assert (len(seen), set(seen)) == (5, made)


def test_a_wrong_date_is_told_by_the_senders_own_name_of_the_field(mara: Caller) -> None:
    status, answer = mara.ask("POST", "/api/v1/actions", {"incident": "INC-1", "title": "x", "review": "soon"})
    assert (status, answer["fields"]) == (422, {"review": "write a date such as 2026-12-01"})
