"""Drafts of updates over JSON, on the command line and on the page of an incident's updates."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.domains import worlds
from tests.edges.api_client import Caller
from tests.edges.test_cli import Shell
from tocsin.catalog import actions as catalog
from tocsin.comms.models import Update, UpdateDraft
from tocsin.core.access import SYSTEM
from tocsin.incidents import actions
from tocsin.people import actions as people
from tocsin.people.models import Person
from tocsin.platform import clock as clocks
from tocsin.process import actions as process

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def incident() -> str:
    """Cora coordinates; nobody else holds a role."""
    now = clocks.now()
    worlds.process(now=now)
    catalog.add_service(SYSTEM, name="log-on", now=now)
    process.add_group_member(SYSTEM, group="product-owners", email="owner@harbor.example", now=now)
    cora = worlds.actor("cora", now=now)
    row = actions.declare(cora, title="38% fail", service="log-on", priority=2, severity="error", now=now)
    actions.assign_role(cora, row.ref, role="incident_coordinator", username="cora", now=now)
    return row.ref


def test_a_draft_goes_from_its_author_over_the_approval_to_the_groups(incident: str) -> None:
    ben, cora = Caller("ben", now=clocks.now()), Caller("cora", now=clocks.now())
    path = f"/api/v1/incidents/{incident}/updates"
    assert ben.ask("POST", f"{path}/drafts", {"text": " "})[1]["fields"] == {"text": "Write what people should read."}
    draft = ben.must("POST", f"{path}/drafts", {"text": "Half of the log-ons work."})
    assert (draft["written_by"], draft["approved_by"]) == ("ben", None)
    assert ben.ask("POST", f"{path}/drafts/{draft['id']}/approve", {})[0] == 403
    sent = {"draft": draft["id"], "next_in_seconds": 3600, "groups": ["product-owners"]}
    assert ben.ask("POST", path, sent)[0] == 403
    assert cora.must("POST", f"{path}/drafts/{draft['id']}/approve", {"text": "Most work."})["approved_by"] == "cora"
    assert cora.must("POST", path, sent)["text"] == "Most work."
    assert ben.must("GET", f"{path}/drafts")["items"] == []
    assert cora.ask("POST", path, sent)[0] == 409
    assert cora.ask("POST", f"{path}/drafts/99/approve", {})[0] == 404


def test_a_draft_is_written_listed_approved_and_dropped_in_a_terminal(live_server: LiveServer, incident: str) -> None:
    _, token = people.create_token(SYSTEM, username="cora", name="tests", now=clocks.now())
    shell = Shell(live_server.url, token)
    number = str(shell.json("update", "draft", incident, "--text", "Half works.")["id"])
    assert shell.json("update", "approve", incident, number)["approved_by"] == "cora"
    assert "Half works." in shell.run("update", "drafts", incident).stdout
    assert shell.run("update", "drop", incident, number).exit_code == 0
    assert shell.run("update", "drop", incident, number).exit_code == 1
    other = str(shell.json("update", "draft", incident, "--text", "Most works.")["id"])
    words = ("--draft", other, "--next", "1h", "--group", "product-owners")
    assert shell.json("update", "send", incident, *words)["text"] == "Most works."


def page_of(username: str) -> Client:
    client = Client()
    client.force_login(Person.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_offers_each_what_is_theirs(incident: str) -> None:
    worlds.actor("ben", now=clocks.now())
    path = f"/i/{incident.partition('-')[2]}/updates"
    ben, cora = page_of("ben"), page_of("cora")
    assert "compose-send" not in ben.get(path).content.decode()
    ben.post(f"{path}/drafts", {"text": "Half of the log-ons work."})
    row = UpdateDraft.objects.get()
    own = ben.get(path).content.decode()
    assert f"draft-drop-{row.pk}" in own
    assert f"draft-approve-{row.pk}" not in own
    cora.post(f"{path}/drafts/{row.pk}", {"text": "Most of the log-ons work."})
    row.refresh_from_db()
    assert (row.approved_by, row.text) == ("cora", "Most of the log-ons work.")
    composer = cora.get(f"{path}?draft={row.pk}").content.decode()
    assert f'name="draft" value="{row.pk}"' in composer
    filled = {"kind": "opening", "next_in": "60", "subject": "Log-on", "text": row.text, "draft": row.pk}
    assert cora.post(path, {**filled, "groups": ["product-owners"]}).status_code == 302
    assert Update.objects.get().text == row.text
    assert f"draft-{row.pk}" not in cora.get(path).content.decode()
