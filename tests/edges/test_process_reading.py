"""The check and the difference of versions on page, API and command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.core.process_samples import COMMUNICATOR, ERROR, document_with
from tests.domains import worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import has, read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.process import actions
from tocsin.process.defaults import default_document
from tocsin.web.templatetags.shown import coded
from tocsin.wiring.main import cli

__all__ = ["shell"]

pytestmark = pytest.mark.django_db

SWAPPED = document_with(f"questions.process_questions.7.machine.{ERROR}", COMMUNICATOR)


def published(document: dict[str, Any]) -> int:
    worlds.process()
    return actions.publish_version(SYSTEM, document, note="As the table says", now=worlds.NOW).number


def renamed() -> dict[str, Any]:
    return document_with("priorities.priorities.0.name", "Drop everything")


def test_a_file_is_checked_without_a_server_and_each_finding_says_where_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "process.yaml"
    file.write_text(yaml.safe_dump(SWAPPED))
    done = CliRunner().invoke(cli, ["process", "check", str(file), "--json"], env={"TOCSIN_URL": "http://127.0.0.1:9"})
    assert done.exit_code == 1
    [one] = json.loads(done.stdout)["items"]
    assert (one["rule"], one["where"]) == (
        "answered_role_is_called",
        f"questions.process_questions.8.machine.{ERROR}",
    )
    assert one["remedy"]
    file.write_text(yaml.safe_dump(default_document()))
    assert CliRunner().invoke(cli, ["process", "check", str(file)]).exit_code == 0


@pytest.mark.parametrize("text", ["- a\n- list\n", "a: [", ""])
def test_a_file_that_is_no_process_is_one_line_and_exit_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "process.yaml"
    file.write_text(text)
    done = CliRunner().invoke(cli, ["process", "check", str(file)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


@pytest.mark.django_db(transaction=True)
def test_the_version_in_force_is_checked_with_the_people_there_are(shell: Shell) -> None:
    done = shell.run("process", "check", "--json")
    assert done.exit_code == 1
    assert {one["rule"] for one in json.loads(done.stdout)["items"]} == {"role_has_a_rotation"}
    for role in ("incident_coordinator", "incident_communicator", "technical_expert"):
        _rotation(role)
    done = shell.run("process", "check", "--version", "v1")
    assert (done.exit_code, done.stdout) == (0, "")
    assert shell.run("process", "check", "--version", "one").exit_code == 2
    assert shell.run("process", "check", "--version", "77").exit_code == 1


def _rotation(role: str) -> None:
    from tocsin.oncall.models import Rotation

    worlds.person(f"some-{role}")
    layers = [{"name": "one", "users": [[f"some-{role}"]]}]
    Rotation.objects.create(name=role.replace("_", "-"), role=role, layers=layers, created_at=worlds.NOW)


@pytest.mark.django_db(transaction=True)
def test_sections_are_laid_over_the_process_in_force(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "questions.yaml"
    file.write_text(yaml.safe_dump({"questions": SWAPPED["questions"]}))
    done = shell.run("process", "check", str(file), "--on-top")
    assert done.exit_code == 1
    assert "answered_role_is_called" in done.stdout
    file.write_text(yaml.safe_dump({"unheard_of": {}}))
    done = shell.run("process", "check", str(file), "--on-top")
    assert done.exit_code == 1
    assert "no such section" in done.stderr


@pytest.mark.req("R-9.3.10-7")
@pytest.mark.django_db(transaction=True)
def test_the_difference_of_two_versions_is_one_command_and_one_page(shell: Shell) -> None:
    assert published(renamed()) == 2
    done = shell.run("process", "diff", "v1", "v2", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["items"] == [
        {
            "path": "priorities.priorities[P1].name",
            "change": "changed",
            "before": "Act now",
            "after": "Drop everything",
        }
    ]
    assert shell.run("process", "diff", "v2", "v2").exit_code == 0
    assert shell.run("process", "diff", "v2", "v9").exit_code == 1
    shown = read(signed_in("root"), "/process/diff?from=1&to=2")
    assert "Drop everything" in words(shown, "diff-priorities")
    assert "1 place differs" in words(shown, "diff-count")
    # Each version says who wrote it, who is behind it, and since when.
    listed = shell.json("process", "versions")["items"]
    assert [(one["number"], one["author"], one["based_on"]) for one in listed] == [
        (2, "system", 1),
        (1, "system", None),
    ]
    assert all(one["effective_at"] for one in listed)


def test_the_page_shows_each_finding_with_what_to_do_and_where_to_change_it(clock: Any) -> None:
    number = published(SWAPPED)
    worlds.administrator()
    client = signed_in("ada")
    shown = read(client, "/process/check")
    assert "to mend" in words(shown, "check-verdict")
    assert "Gives communication at error to Incident communicator" in words(shown, "finding-answered_role_is_called")
    assert "/process/propose/questions" in shown
    assert has(read(client, f"/process/versions/{number}"), "to-check")
    assert "role" in words(read(client, "/process/check?version=1"), "check-errors")
    read(client, "/process/check?version=44", 404)
    read(client, "/process/check?version=..", 404)
    assert "say the same" in read(client, "/process/diff?from=1&to=1")


def test_strangers_and_unknown_versions_are_refused(clock: Any) -> None:
    worlds.process()
    assert Caller().ask("GET", "/api/v1/process/check")[0] == 401
    assert Caller("rita").ask("GET", "/api/v1/process/diff?from=1&to=5")[0] == 404
    assert Caller("rita").ask("GET", "/api/v1/process/diff?from=a&to=5")[0] == 422


@pytest.mark.django_db(transaction=True)
def test_a_missing_rotation_is_offered_as_a_file_that_mends_it_and_not_as_another_word(
    shell: Shell, tmp_path: Path
) -> None:
    for role in ("incident_coordinator", "technical_expert"):
        _rotation(role)
    worlds.administrator("ada")
    shown = read(signed_in("ada"), "/process/check")
    said = words(shown, "finding-role_has_a_rotation")
    assert "`" not in said
    assert "Propose" not in said
    assert "<code>tocsin oncall import FILE</code>" in shown
    assert '<a href="/oncall">' in shown
    file = tmp_path / "rotation.yaml"
    found = re.search(r'data-testid="rotation-incident_communicator">([^<]*)<', shown)
    assert found
    file.write_text(found[1])
    assert shell.run("oncall", "import", str(file)).exit_code == 0
    assert not has(read(signed_in("ada"), "/process/check"), "finding-role_has_a_rotation")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write `a: b` there", "write <code>a: b</code> there"),
        ("one ` alone <b>", "one ` alone &lt;b&gt;"),
        ("`<i>`", "<code>&lt;i&gt;</code>"),
        ("", ""),
    ],
)
def test_words_of_a_file_stand_as_code_and_nothing_else_does(text: str, shown: str) -> None:
    assert coded(text) == shown
