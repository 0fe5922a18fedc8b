"""How teams come to SLOs over JSON and on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_django.live_server_helper import LiveServer

from tests.domains import adoption_worlds as world
from tests.domains import slo_worlds, worlds
from tests.edges.api_client import Caller
from tocsin.core.access import SYSTEM
from tocsin.oncall import actions as oncall
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


@pytest.mark.req("R-9.2.4-5")
def test_the_backlog_is_filled_ranked_finished_and_exported_by_words(shell: Shell, live_server: LiveServer) -> None:
    first = shell.json("wish", "add", "Freshness of seat maps", "--kind", "new_sli", "--team", "tickets")
    second = shell.json("wish", "add", "Rules, but on weekdays", "--kind", "new_rule", "--team", "tickets")
    assert (first["requester"], first["status"], second["rank"]) == ("bo", "open", 2)
    assert shell.run("wish", "rank", str(second["id"]), "1").exit_code == 1  # ranking is for operations
    worlds.person("olga", role="process_owner", now=clocks.now())
    ops = Shell(live_server.url, "olga")
    assert ops.json("wish", "rank", str(second["id"]), "1")["rank"] == 1
    assert ops.json("wish", "set", str(second["id"]), "--owner", "olga", "--reference", "OPS-7")["owner"] == "olga"
    assert [one["id"] for one in shell.json("wish", "list")["items"]] == [second["id"], first["id"]]
    table = shell.run("wish", "export").stdout.splitlines()
    assert table[0].startswith("id,rank,title,description,kind,status,team,slo")
    assert '"Rules, but on weekdays"' in "\n".join(table)
    [top, _] = json.loads(shell.run("wish", "export", "--format", "json").stdout)
    assert (top["title"], top["reference"]) == ("Rules, but on weekdays", "OPS-7")
    assert ops.json("wish", "done", str(second["id"]), "--note", "shipped")["status"] == "done"
    assert [one["id"] for one in shell.json("wish", "list")["items"]] == [first["id"]]
    assert shell.run("wish", "add", " ", "--kind", "magic").exit_code == 1


@pytest.mark.req("R-9.2.6-1", "R-9.2.6-2", "R-9.2.6-6")
def test_a_resource_alert_is_registered_prioritised_and_replaced_by_words(shell: Shell) -> None:
    world.complete(now=clocks.now())
    made = shell.json("resource-alert", "add", "CPU>90% on host ABC", "--service", "checkout", "--metric", "cpu")
    assert (made["state"], made["replaceable_by"], made["priority_state"]) == ("active", "latency", "unset")
    decided = shell.json("resource-alert", "priority", made["name"], "P3", "--group", "customer-support")
    assert (decided["target_kind"], decided["priority"]) == ("resource_alert", 3)
    assert shell.json("resource-alert", "move", made["name"], "planned")["state"] == "planned"
    assert shell.run("resource-alert", "move", made["name"], "replaced").exit_code == 1
    done = shell.json("resource-alert", "move", made["name"], "replaced", "--by", "checkout-availability")
    assert done["replaced_by"] == "checkout-availability"
    ratios = shell.json("resource-alert", "ratio", "tickets")["items"]
    assert (ratios[-1]["ratio"], ratios[0]["ratio"]) == (1.0, None)
    unmatched = shell.json("resource-alert", "add", "Fan of rack 7", "--service", "checkout")
    assert unmatched["replaceable_by"] is None
    assert [one["resource_alert"] for one in shell.json("wish", "list")["items"]] == [unmatched["name"]]
    known = {one["code"]: one for one in shell.json("resource-alert", "capabilities")["items"]}
    assert known["latency"]["ways"]
    assert shell.run("resource-alert", "list", "--team", "tickets").stdout.count("\n") == 2


@pytest.mark.req("R-9.2.7-1", "R-9.2.7-2", "R-9.2.7-3")
def test_a_discovery_walk_by_words(shell: Shell) -> None:
    world.complete(now=clocks.now())
    walk = shell.json("discover", "begin", "tickets", "P1")
    named = shell.json("discover", "name", str(walk["id"]), "Nobody can pay", "Tickets are lost", "Seats twice")
    paid, lost, twice = named["use_cases"]
    assert not shell.json("discover", "see", str(paid["id"]), "--slo", "checkout-availability")["find"]
    for one in (lost, twice):
        assert shell.json("discover", "see", str(one["id"]))["find"]
    drafted = shell.run(
        "discover", "answer", str(lost["id"]), "--existing-sli", "--service", "checkout", "--sli-kind", "correctness"
    )
    assert "kind: SLO" in drafted.stdout
    wished = shell.json(
        "discover", "answer", str(twice["id"]), "--new-sli", "--service", "checkout", "--alert-name", "SeatsTwice"
    )
    assert (wished["answer"], wished["interim"]) == ("new_sli", True)
    assert [one["id"] for one in shell.json("wish", "list")["items"]] == [wished["wish"]]
    covered = {one["priority"]: one for one in shell.json("discover", "coverage", "tickets")["priorities"]}
    assert (covered[1]["interim"], covered[1]["not_yet"]) == (1, 1)


@pytest.mark.req("R-9.2.4-7")
def test_a_coaching_session_by_words(shell: Shell) -> None:
    world.complete(now=clocks.now())
    assert [one["name"] for one in shell.json("coach", "session", "--team", "tickets")["items"]] == [
        "checkout-availability"
    ]
    kept = shell.json(
        "coach",
        "session",
        "--team",
        "tickets",
        "--participant",
        "Bo",
        "--participant",
        "Ines",
        "--decide",
        "checkout-availability=P2",
    )
    assert (kept["participants"], kept["decisions"][0]["priority"]) == (["Bo", "Ines"], 2)
    assert kept["held_on"] == clocks.now().date().isoformat()
    assert shell.json("coach", "session", "--team", "tickets")["items"] == []
    for wrong in (("--decide", "x=P2"), ("--participant", "Bo", "--decide", "nonsense")):
        assert shell.run("coach", "session", "--team", "tickets", *wrong).exit_code == 2
    assert shell.run("coach", "session", "--team", "nobody").exit_code == 1


@pytest.mark.req("R-9.2.6-3")
def test_the_comparison_of_slos_and_plain_alerts_needs_no_server() -> None:
    printed = CliRunner().invoke(cli, ["explain", "sli-vs-alert"], env={"TOCSIN_URL": "http://127.0.0.1:1"})
    assert printed.exit_code == 0
    text = printed.stdout
    for word in ("budget", "over time", "How soon", "How often is it right", "breach record"):
        assert word in text
    lines = json.loads(CliRunner().invoke(cli, ["explain", "sli-vs-alert", "--json"]).stdout)
    assert all(set(one) == {"asks", "resource_alert", "slo"} for one in lines)


@pytest.mark.req("R-9.2.3-16", "R-9.2.9-1")
def test_giving_a_priority_warns_while_the_team_is_not_ready_and_is_silent_once_it_is(
    shell: Shell, bo: Caller, clock: WoundClock
) -> None:
    world.complete(now=clocks.now())
    told = shell.run("priority", "set", "checkout-availability", "P2", "--manual")
    assert told.exit_code == 0
    assert "initial stage" in told.stderr
    shell.json("team", "stage", "tickets", "mature")
    answer = bo.must("PUT", "/api/v1/slos/checkout-availability/priority", {"priority": 3})
    assert "not ready to prioritise" in answer["warnings"][0]
    assert answer["assign_mode"] == "automatic"


@pytest.mark.req("R-9.2.3-10")
def test_the_terminal_says_how_incidents_start_and_what_is_wrong_with_it(shell: Shell, clock: WoundClock) -> None:
    world.complete(now=clocks.now())
    oncall.save_policy(
        SYSTEM, {"name": "night", "steps": [{"wait_minutes": 5, "targets": ["user:bo"]}]}, now=clocks.now()
    )
    given = ("priority", "set", "checkout-availability", "P2", "--severity", "error", "--escalation-policy")
    told = shell.json(*given, "night")
    assert (told["severity"], told["escalation_policy"]) == ("error", "night")
    wrong = shell.run(*given, "day")
    assert wrong.exit_code == 1
    assert "There is no escalation policy 'day'" in wrong.stderr


@pytest.mark.req("R-9.2.3-16")
def test_a_priority_that_comes_with_a_file_warns_once_a_team(shell: Shell, tmp_path: Path) -> None:
    world.complete(now=clocks.now())
    slo_worlds.objective("refunds", now=clocks.now())
    file = tmp_path / "map.yaml"
    file.write_text(
        "apiVersion: tocsin/v1alpha1\nkind: PriorityMap\nmetadata: {name: tickets, team: tickets}\n"
        "spec:\n  slos:\n    - {slo: checkout-availability, priority: 1}\n    - {slo: refunds, priority: 3}\n"
    )
    first = shell.run("apply", str(file))
    assert first.exit_code == 0, first.output
    assert first.stderr.count("initial stage") == 1
    assert f"{file}:6: warning:" in first.stderr
    assert "initial stage" not in shell.run("apply", str(file)).stderr  # nothing new was decided
