"""The desk over JSON and at the command line."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform.clock import WoundClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(clock: WoundClock) -> House:
    return House(now=clock.now())


def test_the_api_of_the_desk(house: House) -> None:
    api = Caller("ada", now=house.now)
    place = f"/api/v1/incidents/{house.declare().ref}"
    due = (house.now + timedelta(minutes=20)).isoformat()
    made = api.must("POST", f"{place}/decisions", {"text": "Roll back", "addressees": ["ada"], "execute_by": due})
    assert (made["number"], made["addressees"][0]["name"], made["execution"]) == (1, "Ada", "open")
    assert [one["duty"] for one in made["duties"]] == ["receive", "execute", "report"]
    api.must("POST", f"{place}/decisions/1/acknowledge", {})
    told = api.must("POST", f"{place}/decisions/1/report", {"state": "done", "report": "It works"})
    assert told["report"] == "It works"
    assert {one["state"] for one in told["duties"]} == {"kept"}
    api.must("POST", f"{place}/questions", {"text": "Why?", "owner": "ben", "due_at": due})
    assert api.must("POST", f"{place}/questions/1/answer", {"answer": "Because"})["answered_by"] == "ada"
    api.must("POST", f"{place}/tasks", {"text": "Look", "owner": "ada", "due_at": due})
    assert api.must("POST", f"{place}/tasks/1/end", {"state": "dropped"})["state"] == "dropped"
    api.must("POST", f"{place}/sub-teams", {"name": "Data base", "leader": "ada", "task": "Look", "members": ["ben"]})
    assert api.must("POST", f"{place}/sub-teams/Data%20base/end")["ended_at"] is not None
    api.must("POST", f"{place}/conditions", {"condition": "slow", "needs": "a DBA"})
    said = api.must("POST", f"{place}/desk", {"line": "/q And now? @ada"})
    assert said == {"kind": "question", "number": 2, "said": "Question 2 is open."}
    found = api.must("GET", f"{place}/desk")
    assert [one["number"] for one in found["questions"]] == [2, 1]
    assert found["direct_reports_limit"] == 7
    assert found["conditions"][0]["needs"] == "a DBA"


def test_what_is_wrong_is_said_as_a_problem(house: House) -> None:
    api = Caller("ada", now=house.now)
    place = f"/api/v1/incidents/{house.declare().ref}"
    for path, body, status, field in (
        ("decisions", {"text": ""}, 422, "text"),
        ("decisions", {"text": "x", "about": "weather"}, 422, ""),
        ("decisions", {"text": "x", "execute_by": "2020-01-01T00:00:00Z"}, 422, "execute_by"),
        ("decisions/4/report", {"report": "x"}, 404, ""),
        ("questions", {"text": " "}, 422, "text"),
        ("desk", {"line": "/z"}, 422, "line"),
        ("sub-teams", {"name": "A", "leader": "nobody", "task": "x"}, 404, ""),
    ):
        found, problem = api.ask("POST", f"{place}/{path}", body)
        assert found == status, (path, body, problem)
        assert not field or field in problem["fields"]


def test_the_openapi_document_describes_the_desk(house: House) -> None:
    paths = Caller("ada", now=house.now).must("GET", "/openapi.json")["paths"]
    for path in ("desk", "decisions", "questions", "tasks", "sub-teams", "conditions"):
        assert f"/api/v1/incidents/{{ref}}/{path}" in paths


class Terminal(Shell):
    def must(self, *words: str) -> str:
        found = self.run(*words)
        assert found.exit_code == 0, found.output
        return found.stdout


def test_the_command_line_of_the_desk(house: House, live_server: LiveServer) -> None:
    ref = house.declare().ref
    _, token = people.create_token(SYSTEM, username="ada", name="t", now=house.now)
    shell = Terminal(live_server.url, token)
    made = json.loads(shell.must("incident", "decide", ref, "Roll back", "--to", "ada", "--for", "20m", "--json"))
    assert (made["number"], made["addressees"][0]["name"]) == (1, "Ada")
    shell.must("incident", "received", ref, "1")
    shell.must("incident", "report", ref, "1", "It works")
    shell.must("incident", "ask", ref, "Why?", "--owner", "ben")
    shell.must("incident", "answer", ref, "1", "Because")
    shell.must("incident", "task", ref, "Look", "--owner", "ada", "--for", "1h")
    shell.must("incident", "task-done", ref, "1", "nothing")
    shell.must("incident", "can", ref, "slow", "--needs", "a DBA", "--about", "Database")
    shell.must("incident", "subteam", "form", ref, "DB", "--leader", "ada", "--task", "Look", "--member", "ben")
    shell.must("incident", "subteam", "end", ref, "DB")
    assert "Question 2 is open." in shell.must("incident", "say", ref, "/q More? @ada")
    found = json.loads(shell.must("incident", "desk", ref, "--json"))
    assert found["decisions"][0]["report"] == "It works"
    assert found["tasks"][0]["result"] == "nothing"
    shown = shell.must("incident", "desk", ref)
    assert "Ada (has it)" in shown
