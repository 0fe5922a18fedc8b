"""Classifying over the API and in a terminal: what would follow first, then the change, then taking it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tocsin.cli import classification as cli
from tocsin.cli.incidents import incident as group
from tocsin.incidents.models import Incident, Page
from tocsin.platform import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    house = House()
    monkeypatch.setattr(clock, "now", lambda: house.now)
    house.rotation("coordinators", "incident_coordinator", "cora")
    house.rotation("communicators", "incident_communicator", "mia")
    worlds.person("dana", in_team="payments", now=house.now)
    return house


@pytest.fixture
def ada(house: House) -> Caller:
    return Caller("ada", now=house.now)


def address(row: Incident, rest: str) -> str:
    return f"/api/v1/incidents/{row.ref}/{rest}"


class TestDryRun:
    def test_a_severity_says_who_would_be_asked_and_changes_nothing(self, house: House, ada: Caller) -> None:
        row = house.declare(priority=2)
        ada.must("POST", address(row, "teams"), {"team": "payments"})
        before = (world.fresh(row).version, Page.objects.count())
        found = ada.must("POST", address(row, "severity?dry_run=true"), {"severity": "critical"})
        assert (found["dry_run"], found["accepted"], found["needs_reason"]) == (True, True, False)
        assert [(one["role"], one["team"], one["people"]) for one in found["asks"]] == [
            ("incident_coordinator", None, ["cora"]),
            ("incident_communicator", None, ["mia"]),
            ("technical_expert", "payments", ["dana"]),
        ]
        assert "Incident communicator: mia will be asked now" in found["effects"]
        assert (world.fresh(row).version, Page.objects.count()) == before
        ada.must("POST", address(row, "severity"), {"severity": "critical"})
        asked = Page.objects.filter(kind="role").values_list("person__username", flat=True)
        assert set(asked) == {"cora", "mia", "dana"}

    def test_a_priority_says_what_begins_and_when_it_is_due(self, house: House, ada: Caller) -> None:
        row = house.declare(priority=3)
        found = ada.must("POST", address(row, "priority?dry_run=true"), {"priority": 1})
        assert {one["kind"] for one in found["begins"]} == {"hotfix", "postmortem", "update_opening"}
        assert "A fix is rolled out at once".lower() in found["effects"]
        assert "first word to management by 02:27 UTC" in found["effects"]
        assert world.fresh(row).priority == 3

    def test_a_pair_that_is_not_allowed_is_named_with_the_way_out(self, house: House, ada: Caller) -> None:
        row = house.declare(priority=3)
        found = ada.must("POST", address(row, "severity?dry_run=true"), {"severity": "critical"})
        assert (found["accepted"], found["nearest"]) == (False, ["P2 and critical", "P3 and error"])
        assert found["exception"] == ["matrix"]
        status, refusal = ada.ask("POST", address(row, "severity"), {"severity": "critical", "reason": "x"})
        assert (status, "Nearest allowed" in refusal["detail"]) == (409, True)
        given = {"severity": "critical", "reason": "a drill", "exception": True}
        assert ada.must("POST", address(row, "severity"), given)["severity"] == "critical"

    def test_a_reader_sees_no_preview(self, house: House) -> None:
        row = house.declare(priority=3)
        rita = Caller("rita", now=house.now, role="reader")
        assert rita.ask("POST", address(row, "severity?dry_run=true"), {"severity": "error"})[0] == 403


class TestSize:
    def test_what_is_known_is_weighed_and_answered(self, house: House, ada: Caller) -> None:
        row = house.declare(priority=2)
        found = ada.must("POST", address(row, "scope"), {"users_share": 0.45})
        assert [one["arithmetic"] for one in found["criteria"]] == [
            "Users affected: 45 % is 40 % or more and less than 60 %, so error",
            "Teams needed: 1 is 1 or more and less than 2, so warning",
        ]
        assert [(one["subject"], one["value"], one["state"]) for one in found["suggestions"]] == [
            ("severity", "error", "open")
        ]
        done = ada.must("POST", address(row, "suggestions/severity"), {"accept": True})
        assert (done["severity"], done["suggestions"][0]["state"]) == ("error", "accepted")

    @pytest.mark.parametrize(
        "body", [{"users_share": 3}, {"users_share": "many"}, {"teams_needed": 0}, {"signs": {"vip": True}}]
    )
    def test_what_makes_no_sense_is_named_by_its_place(self, house: House, ada: Caller, body: dict[str, Any]) -> None:
        row = house.declare(priority=2)
        status, answer = ada.ask("POST", address(row, "scope"), body)
        assert (status, answer["title"] != "") == (422, True)

    def test_taking_back_and_too_late(self, house: House, ada: Caller) -> None:
        row = house.declare(priority=2)
        ada.must("POST", address(row, "severity"), {"severity": "critical"})
        assert ada.must("POST", address(row, "undo"), {})["severity"] == "warning"
        ada.must("POST", address(row, "priority"), {"priority": 1, "reason": "all regions"})
        house.pass_time(timedelta(seconds=31))
        assert ada.ask("POST", address(row, "undo"), {})[0] == 409
        assert world.fresh(row).priority == 1


class TestTerminal:
    @pytest.fixture
    def run(self, house: House, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
        class Direct:
            """Asks the API in this process, as the command line asks a server."""

            def get(self, path: str, **_params: object) -> Any:
                return ada.must("GET", f"/api/v1{path}")

            def post(self, path: str, body: Any = None) -> Any:
                return ada.must("POST", f"/api/v1{path}", body)

        monkeypatch.setattr(cli, "Client", Direct)
        return lambda *words: CliRunner().invoke(group, list(words))

    def test_a_dry_run_prints_the_effects(self, house: House, run: Any) -> None:
        row = house.declare(priority=2)
        answer = run("set-severity", row.ref, "critical", "--dry-run")
        assert answer.exit_code == 0, answer.output
        assert "Incident communicator: mia will be asked now" in answer.output
        assert world.fresh(row).severity == "warning"

    def test_size_undo_and_suggestion(self, house: House, run: Any) -> None:
        row = house.declare(priority=2)
        assert "error" in run("size", row.ref, "--users", "45%", "--sign", "crowded_call=no").output
        assert run("suggestion", row.ref, "severity", "accept").exit_code == 0
        assert world.fresh(row).severity == "error"
        assert run("undo", row.ref).exit_code == 0
        assert world.fresh(row).severity == "warning"

    def test_wrong_use_is_said_in_a_line(self, house: House, run: Any) -> None:
        row = house.declare(priority=2)
        assert run("set-priority", row.ref, "1").exit_code == 2
        assert run("size", row.ref, "--teams", "two").exit_code == 2
        assert run("size", row.ref, "--users", "x%").exit_code == 2
        assert run("size", row.ref, "--sign", "crowded_call=maybe").exit_code == 2
