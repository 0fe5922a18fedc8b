"""How teams come to SLOs over JSON and on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_django.live_server_helper import LiveServer

from tests.domains import adoption_worlds as world
from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.platform.clock import WoundClock
from tocsin.wiring.main import cli

pytestmark = pytest.mark.django_db(transaction=True)


class Shell:
    """The command line of somebody with a token."""

    def __init__(self, url: str, username: str) -> None:
        _, token = people.create_token(SYSTEM, username=username, name="tests", now=clocks.now())
        self._environment = {"TOCSIN_URL": url, "TOCSIN_TOKEN": token}

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, list(words), env=self._environment)

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(live_server: LiveServer) -> Shell:
    world.team(now=clocks.now())
    return Shell(live_server.url, "bo")


@pytest.fixture
def bo(clock: WoundClock) -> Caller:
    world.team(now=clock.now())
    return Caller("bo", now=clock.now())


@pytest.mark.req("R-9-1")
def test_activation_is_a_problem_document_that_names_what_is_missing(bo: Caller, clock: WoundClock) -> None:
    world.service(now=clock.now())
    slo_worlds.objective(now=clock.now())
    status, problem = bo.ask("POST", "/api/v1/teams/tickets/policy/activate")
    assert (status, problem["reason"]) == (409, "prerequisites_missing")
    assert "a rotation" in problem["detail"]
    assert "a stakeholder group" in problem["detail"]
    assert "an SLO" not in problem["detail"]
    world.complete(now=clock.now())
    assert bo.must("POST", "/api/v1/teams/tickets/policy/activate")["active"] is True
    assert bo.must("GET", "/api/v1/teams/tickets/readiness")["policy_active"] is True
    assert bo.ask("POST", "/api/v1/teams/tickets/policy/end", {})[0] == 422
    assert bo.must("POST", "/api/v1/teams/tickets/policy/end", {"reason": "merged"})["active"] is False


@pytest.mark.req("R-9-1")
def test_the_command_says_in_one_line_what_is_missing_and_exits_with_one(shell: Shell) -> None:
    refused = shell.run("team", "activate", "tickets")
    assert refused.exit_code == 1
    [line] = refused.stderr.strip().splitlines()
    for name in ("an owning team", "an SLO", "a rotation", "a stakeholder group"):
        assert name in line
    world.complete(now=clocks.now())
    assert shell.json("team", "activate", "tickets")["active"] is True
    assert shell.json("team", "end-policy", "tickets", "--reason", "merged")["active"] is False


@pytest.mark.req("R-9.2.3-16")
def test_readiness_prints_four_verdicts(shell: Shell) -> None:
    printed = shell.run("team", "readiness", "tickets")
    assert printed.exit_code == 0, printed.output
    assert [line.split("\t")[0] for line in printed.stdout.splitlines() if "?" in line] == ["no"] * 4
    said = shell.json("team", "say", "tickets", "wants_priorities", "yes", "--reason", "every alert wakes us alike")
    assert [one["holds"] for one in said["verdicts"]] == [False, False, False, True]
    assert said["verdicts"][3]["said_by"] == "bo"
    assert [one["name"] for one in shell.json("team", "readiness")["items"]] == ["tickets"]
    assert shell.run("team", "readiness", "nobody").exit_code == 1


def test_a_stage_is_set_by_owners_and_only_one_that_exists(bo: Caller, clock: WoundClock) -> None:
    assert bo.must("PUT", "/api/v1/teams/tickets/stage", {"stage": "mature"})["stage"] == "mature"
    status, problem = bo.ask("PUT", "/api/v1/teams/tickets/stage", {"stage": "grown-up"})
    assert (status, "stage" in problem["fields"]) == (422, True)
    stranger = Caller("zoe", in_team="payments", now=clock.now())
    assert stranger.ask("PUT", "/api/v1/teams/tickets/stage", {"stage": "initial"})[0] == 403
    assert worlds.team("tickets").stage == "mature"
