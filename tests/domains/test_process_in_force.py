"""The process in force steers what runs: who starts coordination, the channel, the reminders; and renames reach all."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.core.process_samples import COORDINATOR, ERROR, EXPERT, WARNING, document_with
from tests.domains import incident_worlds as world
from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell, shell
from tests.edges.web_client import read, signed_in, words
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Refused
from tocsin.core.process_definition import parse_process
from tocsin.engine import turns
from tocsin.incidents import actions
from tocsin.incidents.models import Incident, ResponseChannel
from tocsin.platform import clock as clocks
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as process
from tocsin.process import queries
from tocsin.process.defaults import default_document

__all__ = ["shell"]

pytestmark = pytest.mark.django_db

ANSWERS = "questions.process_questions"


@pytest.fixture
def house() -> House:
    return House()


def in_force(document: dict[str, Any], house: House) -> None:
    process.publish_version(SYSTEM, document, note="One cell", now=house.now)


def raise_it(house: House, incident: Incident, actor: Any) -> dict[str, Any]:
    actions.change_severity(actor, incident.ref, severity=ERROR, reason="two teams", now=house.now)
    return world.entries(incident, "severity.changed")[-1]


@pytest.mark.req("R-9.3.10-1")
class TestWhoStarts:
    def test_whoever_is_on_call_for_the_named_role_starts_as_written_others_beside_it(self, house: House) -> None:
        house.rotation("experts", EXPERT, "eve")
        first, second = house.declare(priority=2, severity=WARNING), house.declare(priority=2, severity=WARNING)
        assert raise_it(house, first, worlds.actor("eve"))["starts_coordination"] == "as_written"
        assert raise_it(house, second, house.ben)["starts_coordination"] == "beside_the_process"

    def test_another_answer_names_somebody_else(self, house: House) -> None:
        house.rotation("experts", EXPERT, "eve")
        house.rotation("coordinators", COORDINATOR, "cora")
        in_force(document_with(f"{ANSWERS}.1.machine.who", [COORDINATOR]), house)
        first, second = house.declare(priority=2, severity=WARNING), house.declare(priority=2, severity=WARNING)
        assert raise_it(house, first, worlds.actor("cora"))["starts_coordination"] == "as_written"
        assert raise_it(house, second, worlds.actor("eve"))["starts_coordination"] == "beside_the_process"

    def test_where_rank_is_protected_strictly_others_are_refused_and_told_whom_to_ask(self, house: House) -> None:
        house.rotation("experts", EXPERT, "eve")
        document = default_document()
        document["roles"]["authority_policy"] = "strict"
        in_force(document, house)
        incident = house.declare(priority=2, severity=WARNING)
        with pytest.raises(Refused) as refused:
            raise_it(house, incident, house.ada)
        assert world.fresh(incident).severity == WARNING
        assert (refused.value.reason, refused.value.remedy) == (
            "not_the_starter",
            "Tell whoever is on call as Technical expert.",
        )
        assert raise_it(house, incident, worlds.actor("eve"))["starts_coordination"] == "as_written"

    def test_a_step_between_two_coordinated_severities_starts_nothing(self, house: House) -> None:
        incident = house.declare(severity=ERROR)
        actions.change_severity(house.ben, incident.ref, severity="critical", reason="three teams", now=house.now)
        assert "starts_coordination" not in world.entries(incident, "severity.changed")[-1]


class TestTheChannel:
    @pytest.mark.req("R-9.3.10-1")
    @pytest.mark.parametrize(("key", "value"), [("create", "by_hand"), ("medium", "timeline")])
    def test_opens_by_itself_only_where_the_process_says_so(self, house: House, key: str, value: str) -> None:
        before = house.declare(severity=ERROR)
        assert ResponseChannel.objects.filter(incident=before).exists()
        in_force(document_with(f"{ANSWERS}.3.machine.{key}", value), house)
        after = house.declare(severity=ERROR)
        assert not ResponseChannel.objects.filter(incident=after).exists()


RENAMED = {"P1": "Red", "Act now": "Drop everything", "Incident coordinator": "Conductor"}


def renamed() -> dict[str, Any]:
    """The shipped process with another code and name for its first priority, and another name for a role."""
    document = copy.deepcopy(default_document())
    text = json.dumps(document)
    for old, new in RENAMED.items():
        text = text.replace(old, new)
    found: dict[str, Any] = json.loads(text)
    # Names in other tools are theirs.
    found["priorities"]["external_names"] = {tool: {"Red": "P1"} for tool in ("pagerduty", "opsgenie")}
    found["priorities"]["foreign_names"] = {"P1": "Red"}
    parse_process(found)
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("R-9.3.7-4")
def test_renaming_a_priority_and_a_role_changes_page_mail_command_line_and_api(shell: Shell) -> None:
    house = House(now=clocks.now())
    house.rotation("coordinators", COORDINATOR, "cora")
    in_force(renamed(), house)
    incident = house.declare(severity=ERROR)
    actions.assign_role(SYSTEM, incident.ref, role=COORDINATOR, username="cora", now=house.now)
    turns.escalate(now=house.now)

    client = signed_in("root")
    pages = {place: read(client, place) for place in (f"/i/{incident.number}", "/priorities", "/process/document")}
    whole = read(client, "/process")  # it also lists what the version changed, and so what was
    pages["/process"] = " ".join(words(whole, part) for part in ("answers", "roles")) + " Red"
    for place, page in pages.items():
        assert "Red" in page, place
        assert "P1 " not in page, place
        assert "Incident coordinator" not in page, place
    assert "Drop everything" in pages["/priorities"]
    assert "Conductor" in pages[f"/i/{incident.number}"]
    assert "Conductor" in pages["/process"]

    mails = {
        row.kind + row.address: row.payload["subject"] + row.payload["text"] for row in OutboxMessage.objects.all()
    }
    told = [text for text in mails.values() if "Red" in text]
    assert told, mails.keys()
    assert "please join INC-1 as conductor" in mails["rolecora@harbor.example"]
    assert not any("P1" in text or "incident coordinator" in text.lower() for text in mails.values())

    printed = shell.run("process", "print").stdout + shell.run("priority", "export").stdout
    assert "| Red | Drop everything |" in printed
    assert "### Conductor" in printed
    assert "Act now" not in printed
    assert "Incident coordinator" not in printed
    assert (
        "Red"
        in shell.run("now").stdout
        + shell.run("incident", "list").stdout
        + shell.run("incident", "show", incident.ref).stdout
    )

    caller = Caller("rita", now=house.now)
    first = caller.must("GET", "/api/v1/priorities")["items"][0]
    assert (first["code"], first["name"], first["rank"]) == ("Red", "Drop everything", 1)
    shown = json.dumps(caller.must("GET", f"/api/v1/incidents/{incident.ref}"))
    assert "Conductor" in shown
    assert "Incident coordinator" not in shown
    # Codes stay: what other programs hold on to is the same.
    assert caller.must("GET", f"/api/v1/incidents/{incident.ref}")["priority"] == 1
    assert queries.current().roles.by_code(COORDINATOR) is not None
