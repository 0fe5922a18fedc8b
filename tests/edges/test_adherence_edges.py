"""Adherence over JSON and on the command line: shapes, formats, refusals."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pytest_django.live_server_helper import LiveServer

from tests.domains import worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tocsin.catalog import actions as catalog
from tocsin.core.access import SYSTEM
from tocsin.core.adherence import CHECKS
from tocsin.incidents import actions
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.wiring.main import cli

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def incident() -> str:
    now = clocks.now()
    worlds.process(now=now)
    catalog.add_service(SYSTEM, name="log-on", now=now)
    mara = worlds.actor("mara", now=now)
    row = actions.declare(mara, title="38% fail", service="log-on", priority=1, severity="error", now=now)
    actions.acknowledge(mara, row.ref, now=now)
    return row.ref


@pytest.fixture
def shell(live_server: LiveServer, incident: str) -> Shell:
    assert incident
    worlds.administrator("root", now=clocks.now())
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=clocks.now())
    return Shell(live_server.url, token)


def test_the_report_counts_each_check_and_names_the_entries_behind_it(incident: str) -> None:
    reader = Caller("rita", role="reader", now=clocks.now())
    found = reader.must("GET", "/api/v1/adherence?detail=true")
    assert [row["id"] for row in found["checks"]] == list(CHECKS)
    first = found["checks"][0]
    assert {name: first[name] for name in ("incidents", "passed", "failed", "waived", "not_applicable")} == {
        "incidents": 1,
        "passed": 1,
        "failed": 0,
        "waived": 0,
        "not_applicable": 0,
    }
    [verdict] = first["verdicts"]
    assert (verdict["incident"], verdict["verdict"]) == (incident, "pass")
    assert verdict["events"]
    assert "verdicts" not in reader.must("GET", "/api/v1/adherence")["checks"][0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=soon", "period"),
        ("format=pdf", "format"),
        ("period=2026&from=2026-01-01T00:00:00Z", "period"),
        ("from=2026-01-01T00:00:00Z", "from"),
        ("from=2026-01-01T00:00:00&to=2026-02-01T00:00:00", "from"),
        ("from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    ],
)
def test_a_question_that_means_nothing_is_refused_by_field(incident: str, query: str, field: str) -> None:
    assert incident
    status, body = Caller("rita", role="reader", now=clocks.now()).ask("GET", f"/api/v1/adherence?{query}")
    assert (status, list(body["fields"])) == (422, [field])


WAIVABLE = {"fail", "not_due", "not_checked"}


def still_open(checks: list[dict[str, Any]]) -> tuple[str, str]:
    """The id and the verdict of a check that a waiver can stand for: it neither passed nor is beside the point."""
    return next((row["id"], row["verdict"]) for row in checks if row["verdict"] in WAIVABLE)


def test_a_waiver_is_for_the_owner_of_the_process_and_says_why(incident: str) -> None:
    path = f"/api/v1/incidents/{incident}/adherence"
    responder, owner = Caller("ben", now=clocks.now()), Caller("olga", role="process_owner", now=clocks.now())
    missing, before = still_open(owner.must("GET", path)["checks"])
    assert responder.ask("POST", f"{path}/{missing}/waive", {"reason": "No channel needed"})[0] == 403
    assert owner.ask("POST", f"{path}/{missing}/waive", {})[1]["fields"] == {
        "reason": "Say in a few words why. It stays in the record."
    }
    assert owner.ask("POST", f"{path}/AC77/waive", {"reason": "Why"})[0] == 422
    found = owner.must("POST", f"{path}/{missing}/waive", {"reason": "One room"})
    [check] = [row for row in found["checks"] if row["id"] == missing]
    assert (check["verdict"], check["waived_by"], check["waiver_reason"]) == ("waived", "olga", "One room")
    again = owner.must("POST", f"{path}/{missing}/withdraw", {"reason": "There was none"})
    assert [row["verdict"] for row in again["checks"] if row["id"] == missing] == [before]
    assert owner.ask("POST", f"{path}/{missing}/withdraw", {"reason": "Again"})[0] == 409
    assert responder.ask("GET", "/api/v1/incidents/INC-99/adherence")[0] == 404


def test_the_report_is_printed_as_table_json_csv_and_markdown(shell: Shell, incident: str) -> None:
    table = shell.run("report", "adherence")
    assert (table.exit_code, table.stdout.count("\n")) == (0, len(CHECKS)), table.output
    assert "1 incidents from" in table.stderr
    year = f"{clocks.now():%Y}"
    found = shell.json("report", "adherence", "--from", f"{year}-01-01", "--to", f"{year}-12-31")
    assert found["checks"][0]["verdicts"][0]["incident"] == incident
    rows = list(csv.DictReader(io.StringIO(shell.run("report", "adherence", "--format", "csv").stdout)))
    assert {row["check"] for row in rows} == set(CHECKS)
    text = shell.run("report", "adherence", "--period", year, "--format", "md").stdout
    assert "| AC01 | Priority set or confirmed in time | 1 of 1 |" in text


def test_one_incident_is_shown_and_a_check_waived_by_words(shell: Shell, incident: str) -> None:
    found = shell.json("incident", "adherence", incident)
    assert (found["incident"], len(found["checks"])) == (incident, len(CHECKS))
    missing, before = still_open(found["checks"])
    assert f"{missing}\t{before}" in shell.run("incident", "adherence", incident).stdout
    waived = shell.json("incident", "waive-check", incident, missing.lower(), "--reason", "One room")
    assert [row["verdict"] for row in waived["checks"] if row["id"] == missing] == ["waived"]
    assert shell.run("incident", "waive-check", incident, missing, "--reason", "Again").exit_code == 1
    assert shell.run("incident", "waive-check", incident, missing, "--reason", "No", "--withdraw").exit_code == 0


@pytest.mark.parametrize(
    "words", [["--period", "2026", "--from", "2026-01-01"], ["--from", "2026-01-01"], ["--format", "pdf"]]
)
def test_wrong_use_is_exit_two(words: list[str]) -> None:
    assert CliRunner().invoke(cli, ["report", "adherence", *words]).exit_code == 2


@pytest.mark.req("R-9.1-12")
def test_the_bundle_of_the_command_line_is_verified_offline_with_its_verdicts(
    shell: Shell, incident: str, tmp_path: Path
) -> None:
    year = f"{clocks.now():%Y}"
    files = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for path in files:
        done = shell.run("audit", "export", "--from", f"{year}-01-01", "--to", f"{year}-12-31", "-o", str(path))
        assert done.exit_code == 0, done.output
    assert files[0].read_bytes() == files[1].read_bytes()
    verified = CliRunner().invoke(cli, ["audit", "verify", str(files[0])])
    assert verified.exit_code == 0, verified.output
    assert f"{len(CHECKS)} verdicts follow from them" in verified.stdout, incident
