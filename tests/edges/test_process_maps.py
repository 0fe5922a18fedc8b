"""The process in the words of others: five steps of ITIL and three audit frameworks, gaps said."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.domains import worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import read, signed_in, words
from tocsin.core import process_maps
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import TRANSITIONS
from tocsin.process import actions
from tocsin.process.defaults import default_document, written
from tocsin.wiring.main import cli

__all__ = ["shell"]

pytestmark = pytest.mark.django_db

STEPS = [
    "incident identification",
    "incident logging",
    "incident categorization",
    "incident prioritization",
    "incident response",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.1-15")
def test_the_five_steps_are_printed_with_what_serves_them_and_an_empty_one_is_a_gap(shell: Shell) -> None:
    found = shell.json("explain", "process", "--map", "itil")
    assert [one["step"] for one in found["items"]] == STEPS
    assert found["gaps"] == []
    assert all(one["features"] or all(part["features"] for part in one["parts"]) for one in found["items"])
    printed = shell.run("explain", "process", "--map", "itil").stdout
    for step in STEPS:
        assert step in printed
    assert "the wake-up chain: /oncall" in printed
    assert "No gap." in printed
    document = copy.deepcopy(default_document())
    document["lifecycle"]["itil_map"]["incident categorization"] = []
    actions.publish_version(SYSTEM, document, note="Nobody categorises", now=worlds.NOW)
    printed = shell.run("explain", "process", "--map", "itil").stdout
    assert "GAP: The process names no state for incident categorization." in printed


def test_a_step_without_a_feature_is_a_gap() -> None:
    steps = process_maps.itil_steps([{"step": "logging", "features": []}], {"logging": ["triggered"]})
    assert steps[0].gaps == ("Nothing serves logging.",)


def test_the_maps_name_only_what_there_is() -> None:
    """Kinds of log entries, states, verbs and pages in the data exist; a renamed one would be found here."""
    kinds, states = {kind.value for kind in Kind}, {state.value for state in TRANSITIONS}
    steps = written("itil")["steps"]
    features = [it for one in steps for place in (one, *one.get("parts", ())) for it in place["features"]]
    assert {name for it in features for name in it.get("events", ())} <= kinds
    assert {name for it in features for name in it.get("states", ())} <= states
    evidences = written("frameworks")["evidences"]
    assert {name for one in evidences.values() for name in one["kinds"]} <= kinds
    for one in evidences.values():
        command: Any = cli
        for word in one["command"].split()[1:]:
            if not hasattr(command, "commands") or word.startswith("-") or word.isupper():
                break
            command = command.commands[word]


def test_every_page_of_the_maps_is_there(clock: Any) -> None:
    worlds.process()
    worlds.administrator()
    client = signed_in("ada")
    steps = written("itil")["steps"]
    pages = {it["where"] for one in steps for place in (one, *one.get("parts", ())) for it in place["features"]}
    pages |= {one["where"] for one in written("frameworks")["evidences"].values()}
    for page in sorted(pages):
        read(client, page)


@pytest.mark.req("R-9.1-13")
def test_evidence_is_mapped_to_the_controls_of_three_frameworks_and_counted(clock: Any) -> None:
    worlds.process()
    caller = Caller("rita")
    found = caller.must("GET", "/api/v1/process/maps/frameworks")["items"]
    controls = {
        name: [one["control"] for one in found if one["framework"] == name] for name in ("soc2", "iso27001", "dora")
    }
    assert controls["soc2"] == ["CC7.1", "CC7.2", "CC7.3", "CC7.4", "CC7.5"]
    assert controls["iso27001"] == ["A.5.24", "A.5.25", "A.5.26", "A.5.27", "A.5.28"]
    assert {ref.split("(")[0] for ref in controls["dora"]} == {"17", "18", "19"}
    assert all(one["evidence"] for one in found)
    [planned] = [one for one in found if one["control"] == "A.5.24"]
    assert next(it["entries"] for it in planned["evidence"] if it["code"] == "process") == 1
    # Nobody has postponed anything: the question has evidence in principle, and none of it yet.
    [learning] = [one for one in found if one["control"] == "A.5.27"]
    assert learning["gap"] == "Evidence is mapped to it, and there is none of it yet."
    later = caller.must("GET", "/api/v1/process/maps/frameworks?framework=soc2&from=2027-01-01T00:00:00Z")["items"]
    assert {one["framework"] for one in later} == {"soc2"}
    assert all(not it["entries"] for one in later for it in one["evidence"])
    assert caller.ask("GET", "/api/v1/process/maps/frameworks?framework=pci")[0] == 404


@pytest.mark.django_db(transaction=True)
def test_a_framework_by_words_and_both_as_pages(shell: Shell) -> None:
    done = shell.run("explain", "process", "--map", "iso27001")
    assert done.exit_code == 0
    assert "A.5.28: evidence is identified" in done.stdout
    assert json.loads(shell.run("explain", "process", "--map", "dora", "--json").stdout)["items"]
    assert shell.run("explain", "process", "--map", "pci").exit_code == 2
    assert shell.run("explain", "process").exit_code == 2
    client = signed_in("root")
    assert "Each of the five steps is served" in words(read(client, "/process/itil"), "itil-verdict")
    assert "CC7.4" in words(read(client, "/process/frameworks"), "framework-soc2")
