"""One vocabulary: whatever the catalogue calls a priority is what every page, answer, file and message calls it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.browser import world as lived_in
from tests.browser.test_every_page import pages
from tests.browser.world import World
from tests.edges.api_client import Caller
from tests.edges.web_client import signed_in
from tocsin.audit.models import Entry
from tocsin.core.access import SYSTEM, Role
from tocsin.platform.clock import WoundClock
from tocsin.platform.models import OutboxMessage
from tocsin.process import actions as process
from tocsin.process import queries
from tocsin.process.defaults import default_document

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

SHIPPED = ("Act now", "Keep everyone informed", "Warn those concerned", "Handle in the normal flow")
OURS = ("Drop everything", "Talk to all", "Tell a few", "Some day")
MEANING = "The house stands still and the harbour with it."
OTHERS = (
    "/priorities/slos",
    "/priorities/slos.csv",
    "/priorities/export.md",
    "/priorities/export.html",
    "/process/export.md",
    "/teams/identity/slos",
    "/setup/wiring",
    "/setup/wiring.txt",
    "/setup/wiring.mmd",
    "/slos/log-on/log-on-availability/runbook",
    "/process/propose/priorities",
)
ANSWERS = (
    "/api/v1/priorities",
    "/api/v1/priorities/slos",
    "/api/v1/process",
    "/api/v1/incidents",
    "/api/v1/wiring",
    "/api/v1/slos/log-on-availability",
)


def renamed() -> dict[str, Any]:
    """The shipped process with other codes, names and one other meaning, wherever it speaks of a priority."""
    text = re.sub(r"\bP([1-4])\b", r"S\1", json.dumps(default_document()))
    for shipped, ours in zip(SHIPPED, OURS, strict=True):
        text = text.replace(shipped, ours)
    document: dict[str, Any] = json.loads(text)
    document["priorities"]["priorities"][0]["meaning"] = MEANING
    return document


@pytest.fixture
def house(clock: WoundClock) -> World:
    """Harbor Tickets, under the renamed catalogue since before anything happened."""
    before = clock.now() - timedelta(days=10)
    process.publish_version(SYSTEM, renamed(), note="Our own words", now=before)
    return lived_in.build(clock)


def foreign_words(text: str) -> list[str]:
    """What of the shipped vocabulary stands in a text; SVG paths and hashes are no words."""
    plain = re.sub(r'\bd="[^"]*"|\b[0-9a-f]{16,}\b', "", text)
    return [*re.findall(r"(?<![\w-])P[1-4](?![\w-])", plain), *(name for name in SHIPPED if name in plain)]


@pytest.mark.req("R-9.2-4")
def test_every_output_takes_code_name_and_meaning_from_the_catalogue(house: World) -> None:
    client, caller = signed_in("ana"), Caller("root", now=house.now, role=Role.ADMIN.value)
    texts = {}
    for address in (*pages(house).values(), *OTHERS):
        answer = client.get(address)
        assert answer.status_code == 200, address
        texts[address] = answer.content.decode()
    for address in ANSWERS:
        texts[address] = json.dumps(caller.must("GET", address))
    for message in OutboxMessage.objects.all():
        texts[message.key] = json.dumps(message.payload)
    for entry in Entry.objects.filter(kind__startswith="incident."):
        texts[f"entry {entry.seq}"] = json.dumps(entry.data)
    wrong = {address: found for address, text in texts.items() if (found := foreign_words(text))}
    assert wrong == {}


@pytest.mark.req("R-9.2-4")
def test_the_catalogue_s_own_words_are_what_is_read_there(house: World) -> None:
    client, caller = signed_in("ana"), Caller("root", now=house.now, role=Role.ADMIN.value)
    first = queries.current().catalogue.priorities[0]
    assert (first.code, first.name, first.meaning) == ("S1", "Drop everything", MEANING)
    for address in ("/priorities", "/priorities/export.md", "/priorities/export.html"):
        text = client.get(address).content.decode()
        assert all(said in text for said in ("S1", "Drop everything", MEANING)), address
    for address in ("/priorities/slos", f"/i/{house.burning}", "/setup/wiring", "/", "/i", "/slos"):
        assert "S1" in client.get(address).content.decode(), address
    found = caller.must("GET", "/api/v1/priorities")["items"][0]
    assert (found["code"], found["name"], found["meaning"]) == ("S1", "Drop everything", MEANING)
    mail = OutboxMessage.objects.filter(kind="page", incident=f"INC-{house.burning}").earliest("pk").payload
    assert mail["subject"].startswith("S1 Log-on: ")
    assert "Priority: S1 Drop everything, " in mail["text"]


def test_a_word_of_the_shipped_catalogue_would_be_found() -> None:
    assert foreign_words("<b>P1</b> Act now") == ["P1", "Act now"]
    assert foreign_words('<path d="M1 P1"/> step-P1 INC-P1') == []
