"""The command line against a served API: data on stdout, refusals in one line, exit codes that scripts can rely on."""

from __future__ import annotations

import copy
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_django.live_server_helper import LiveServer

from tests.domains import worlds
from tocsin.cli.output import read_document
from tocsin.core.access import SYSTEM
from tocsin.people import actions as people
from tocsin.platform import clock as clocks
from tocsin.process import actions
from tocsin.process import queries as process
from tocsin.wiring.main import cli

pytestmark = pytest.mark.django_db(transaction=True)

ESCAPES = "\x1b[31mred\x1b[0m \u202e backwards\nsecond line"


class Shell:
    """A terminal with TOCSIN_URL and TOCSIN_TOKEN set."""

    def __init__(self, url: str, token: str) -> None:
        self._environment = {"TOCSIN_URL": url, "TOCSIN_TOKEN": token}

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, list(words), env=self._environment)

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shell(live_server: LiveServer) -> Shell:
    now = clocks.now()
    worlds.process(now=now)
    worlds.administrator("root", now=now)
    _, token = people.create_token(SYSTEM, username="root", name="tests", now=now)
    return Shell(live_server.url, token)


def test_an_installation_is_set_up_and_an_incident_lived_through_by_words_alone(shell: Shell, tmp_path: Path) -> None:
    shell.json("user", "add", "mara", "--email", "mara@example.org")
    shell.json("service", "add", "checkout")
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"name": "chain", "steps": [{"wait_minutes": 5, "targets": ["user:mara"]}]}))
    shell.json("escalation", "import", str(policy))
    shell.json("service", "set", "checkout", "--escalation", "chain")
    assert len(shell.json("integration", "add", "--kind", "alertmanager", "--service", "checkout")["key"]) == 32

    made = shell.json("incident", "declare", "--title", "Nobody can pay", "--service", "checkout", "--priority", "2")
    assert (made["status"], made["priority"]) == ("triggered", 2)
    assert shell.json("incident", "ack", made["id"], "--user", "mara")["acknowledged_by"] == "mara"
    raised = shell.json("incident", "set-priority", made["id"], "1", "--reason", "all customers")
    assert raised["priority"] == 1
    assert shell.json("incident", "resolve", made["id"], "--category", "software")["status"] == "resolved"
    assert shell.json("incident", "list") == []
    assert [one["id"] for one in shell.json("incident", "list", "--all")] == [made["id"]]
    assert shell.json("incident", "show", made["id"])["timeline"]


def test_a_refusal_is_one_line_on_stderr_and_exit_one(shell: Shell) -> None:
    result = shell.run("incident", "show", "INC-404")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_wrong_use_is_exit_two(shell: Shell) -> None:
    assert shell.run("incident", "declare", "--title", "x").exit_code == 2
    assert shell.run("incident", "snooze", "1", "--for", "soon").exit_code == 2
    assert shell.run("no-such-verb").exit_code == 2


def test_a_server_that_is_away_is_named_with_what_to_do() -> None:
    result = CliRunner().invoke(
        cli, ["incident", "list"], env={"TOCSIN_URL": "http://127.0.0.1:9", "TOCSIN_TOKEN": "x"}
    )
    assert result.exit_code == 1
    assert "Is it running?" in result.stderr


@pytest.mark.req("R-X-8")
def test_hostile_text_cannot_steer_the_terminal(shell: Shell) -> None:
    shell.json("service", "add", "checkout")
    made = shell.json("incident", "declare", "--title", ESCAPES, "--service", "checkout")
    for words in (("incident", "list"), ("incident", "show", made["id"]), ("now",)):
        shown = shell.run(*words).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "red" in shown


def test_a_login_address_signs_in_once(shell: Shell, live_server: LiveServer) -> None:
    shell.json("user", "add", "mara", "--email", "mara@example.org")
    url = shell.json("user", "login-url", "mara")["url"]
    assert url.startswith(live_server.url)


def test_shifts_are_reckoned_from_a_file_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "schedule.json"
    layer = {
        "name": "a",
        "start": "2026-11-23T09:00:00Z",
        "rotation": {"unit": "day", "every": 1},
        "users": [["a"], ["b"]],
    }
    file.write_text(json.dumps({"name": "first", "time_zone": "UTC", "layers": [layer]}))
    words = [
        "oncall",
        "preview",
        "--json",
        "--schedule",
        str(file),
        "--from",
        "2026-11-23T09:00:00Z",
        "--to",
        "2026-11-25T09:00:00Z",
    ]
    result = CliRunner().invoke(cli, words)
    shifts = json.loads(result.stdout)["shifts"]
    assert [(one["users"], one["start"]) for one in shifts] == [
        (["a"], "2026-11-23T09:00:00Z"),
        (["b"], "2026-11-24T09:00:00Z"),
    ]


def test_a_wrong_schedule_file_names_its_fields(tmp_path: Path) -> None:
    file = tmp_path / "schedule.json"
    file.write_text(json.dumps({"name": "x", "time_zone": "Mars/Olympus", "layers": []}))
    words = [
        "oncall",
        "preview",
        "--schedule",
        str(file),
        "--from",
        "2026-11-23T09:00:00Z",
        "--to",
        "2026-11-25T09:00:00Z",
    ]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 1
    assert "time_zone" in result.stderr


def test_files_are_validated_with_their_lines_and_exit_one_when_wrong(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec:\n  nonsense: 1\n")
    result = CliRunner().invoke(cli, ["slo", "validate", "--json", str(file)])
    assert result.exit_code == 1
    [told] = json.loads(result.stdout)["files"]
    assert told["valid"] is False
    assert any(error["line"] >= 5 for error in told["errors"])


def test_the_demos_own_files_are_applied_and_then_unchanged(shell: Shell) -> None:
    from importlib.resources import files

    folder = files("tocsin.demo").joinpath("files")
    for team in ("identity", "tickets", "payments", "notifications", "platform"):
        shell.json("team", "add", team)
    company = str(folder / "company.yaml")
    assert shell.run("apply", "-f", company).exit_code == 1
    first = shell.run("apply", str(folder))
    assert first.exit_code == 0, first.output
    assert f"{company}:" in first.stderr
    again = json.loads(shell.run("apply", "-f", str(folder), "--json").stdout)
    assert (again["created"], again["changed"], again["errors"]) == ([], [], [])


def test_the_log_is_verified_through_the_server(shell: Shell) -> None:
    shell.json("service", "add", "checkout")
    result = shell.run("audit", "verify")
    assert result.exit_code == 0
    assert result.stdout.startswith("complete:")


def test_evidence_is_exported_twice_to_the_same_bytes_and_verified_offline(shell: Shell, tmp_path: Path) -> None:
    shell.json("service", "add", "checkout")
    files = [tmp_path / name for name in ("one.zip", "two.zip")]
    moments = ("--from", "2026-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
    for file, span in zip(files, (moments, ("--from", "2026-01-01", "--to", "2098-12-31")), strict=True):
        assert shell.run("audit", "export", *span, "-o", str(file)).exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert CliRunner().invoke(cli, ["audit", "verify", str(files[0])]).exit_code == 0


def test_a_wrong_token_is_told_apart_from_none(shell: Shell, live_server: LiveServer) -> None:
    def told(token: str) -> str:
        environment = {"TOCSIN_URL": live_server.url, "TOCSIN_TOKEN": token}
        result = CliRunner().invoke(cli, ["incident", "list"], env=environment)
        assert result.exit_code == 1
        return result.stderr

    assert "This token is unknown, expired or revoked. TOCSIN_TOKEN holds it." in told("tocsin_wrong")
    assert "Say who asks" in told("")
    assert "unknown" not in told("")


def test_a_date_that_is_none_is_wrong_use() -> None:
    words = ["action", "add", "--incident", "INC-1", "--title", "Add an alarm"]
    for option in ("--review", "--due"):
        result = CliRunner().invoke(cli, [*words, option, "next week"])
        assert result.exit_code == 2
        assert "write a date such as 2026-12-01" in result.stderr
    assert CliRunner().invoke(cli, ["action", "set", "1", "--review", "soon"]).exit_code == 2
    result = CliRunner().invoke(cli, ["audit", "export", "--from", "monday", "--to", "friday", "-o", "x.zip"])
    assert (result.exit_code, "is no time" in result.stderr) == (2, True)


def test_a_period_that_ends_before_it_begins_is_wrong_use(tmp_path: Path) -> None:
    file = tmp_path / "schedule.json"
    file.write_text("{}")
    span = ["--from", "2026-11-25T09:00:00Z", "--to", "2026-11-23T09:00:00Z"]
    for words in (["preview", "--schedule", str(file)], ["gaps"], ["shifts", "first"]):
        result = CliRunner().invoke(cli, ["oncall", *words, *span])
        assert (result.exit_code, "--from must be before --to" in result.stderr) == (2, True)


def test_a_pause_is_shown_with_its_end(shell: Shell) -> None:
    shell.json("service", "add", "checkout")
    made = shell.json("incident", "declare", "--title", "Nobody can pay", "--service", "checkout", "--priority", "2")
    shell.json("incident", "ack", made["id"])
    result = shell.run("incident", "snooze", made["id"], "--for", "15m")
    assert result.exit_code == 0, result.output
    [line] = [one for one in result.stdout.splitlines() if one.startswith("snoozed until: ")]
    assert line.endswith("Z")
    assert "state: " in result.stdout


def _with_another(bundle: Path, name: str) -> Path:
    changed = bundle.with_name(f"changed-{name}.zip")
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, content.replace(b"root", b"r00t") + b" " if member == name else content)
    return changed


def test_a_changed_bundle_is_named_with_its_entry_once_or_with_its_file(shell: Shell, tmp_path: Path) -> None:
    shell.json("service", "add", "checkout")
    bundle = tmp_path / "one.zip"
    span = ("--from", "2026-01-01T00:00:00Z", "--to", "2099-01-01T00:00:00Z")
    assert shell.run("audit", "export", *span, "-o", str(bundle)).exit_code == 0

    for name in ("entries.jsonl", "chain_verification.txt"):
        result = CliRunner().invoke(cli, ["audit", "verify", str(_with_another(bundle, name))])
        assert result.exit_code == 1
        assert f"{name} is not the file that the manifest names." in result.stderr
        assert len(re.findall(r"[Ee]ntry \d", result.stderr)) == (1 if name == "entries.jsonl" else 0)
        assert "None" not in result.stderr


def test_what_is_to_be_applied_must_be_named() -> None:
    assert CliRunner().invoke(cli, ["apply"]).exit_code == 2


def test_findings_in_files_are_told_with_file_line_and_place(tmp_path: Path) -> None:
    file = tmp_path / "slo.yaml"
    file.write_text("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: x}\nspec:\n  nonsense: 1\n")
    result = CliRunner().invoke(cli, ["slo", "validate", str(file)])
    assert result.exit_code == 1
    assert f"{file}:5: spec.nonsense: " in result.stderr


def test_what_is_no_openslo_is_passed_over_in_a_folder_and_refused_by_name(tmp_path: Path) -> None:
    stranger = tmp_path / "company.yaml"
    stranger.write_text("name: Harbor\n")
    (tmp_path / "logon.yaml").write_text("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: logon}\nspec: {}\n")
    result = CliRunner().invoke(cli, ["slo", "validate", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert f"{stranger}:1: warning: apiVersion: " in result.stderr
    assert CliRunner().invoke(cli, ["slo", "validate", str(stranger)]).exit_code == 1
    assert CliRunner().invoke(cli, ["slo", "validate", str(tmp_path), str(stranger)]).exit_code == 1
    stranger.write_text("kind: Service\nmetadata: {name: other}\n")
    assert CliRunner().invoke(cli, ["slo", "validate", str(tmp_path)]).exit_code == 1


def test_escalating_says_whom_it_pages(shell: Shell, tmp_path: Path) -> None:
    now = clocks.now()
    for name in ("mara", "ben"):
        worlds.person(name, now=now)
    shell.json("service", "add", "checkout")
    policy = tmp_path / "policy.json"
    steps = [{"wait_minutes": 5, "targets": [f"user:{name}"]} for name in ("mara", "ben")]
    policy.write_text(json.dumps({"name": "chain", "steps": steps}))
    shell.json("escalation", "import", str(policy))
    shell.json("service", "set", "checkout", "--escalation", "chain")
    made = shell.json("incident", "declare", "--title", "Nobody can pay", "--service", "checkout", "--priority", "1")
    assert shell.json("incident", "escalate", made["id"])["paged"] == ["ben"]
    words = shell.run("incident", "escalate", made["id"]).stdout
    assert "paged" in words


def test_times_of_a_yaml_file_stay_the_text_they_are(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "start: 2026-11-30T09:00:00\nday: 2026-11-30\nto: 17:00\nevery: 12\nshare: 0.5\non: true\nhex: 0x1f\n"
    )
    assert read_document(str(file)) == {
        "start": "2026-11-30T09:00:00",
        "day": "2026-11-30",
        "to": "17:00",
        "every": 12,
        "share": 0.5,
        True: True,
        "hex": 31,
    }


@pytest.mark.django_db(transaction=True)
def test_an_incident_is_declared_as_an_exception_by_words_with_a_reason(shell: Shell) -> None:
    worlds.service("log-on")
    words = ["incident", "declare", "--title", "Slow", "--service", "log-on", "--priority", "4"]
    done = shell.run(*words, "--severity", "critical", "--reason", "They insist")
    assert done.exit_code == 1
    assert "Nearest allowed" in done.stderr
    found = shell.json(*words, "--severity", "critical", "--exception", "--reason", "They insist")
    assert (found["priority"], found["severity"]) == (4, "critical")


@pytest.mark.django_db(transaction=True)
def test_a_channel_is_opened_by_words_where_the_process_leaves_it_to_people(shell: Shell) -> None:
    worlds.service("log-on")
    found = shell.json("incident", "declare", "--title", "Slow", "--service", "log-on", "--severity", "critical")
    done = shell.run("incident", "channel", found["id"])
    assert done.exit_code == 1
    assert "by hand" in done.stderr
    document = copy.deepcopy(process.current().document)
    [answer] = [one for one in document["questions"]["process_questions"] if one["code"] == "how_made_known"]
    answer["machine"]["create"] = "by_hand"
    actions.publish_version(SYSTEM, document, note="When it is wanted", now=worlds.NOW)
    found = shell.json("incident", "declare", "--title", "Down", "--service", "log-on", "--severity", "critical")
    assert shell.json("incident", "channel", found["id"])["id"] == found["id"]
    kinds = [one["kind"] for one in shell.json("incident", "show", found["id"])["timeline"]]
    assert {"channel.asked", "channel.opened"} <= set(kinds)
