"""The list of adapters: each has a dry run that does nothing, and an outcome that is kept; none of them is needed."""

from __future__ import annotations

import io
import json
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from tests.domains import worlds
from tests.domains.incident_worlds import House
from tests.edges.api_client import Caller
from tests.edges.chat_fakes import server
from tocsin.channels import registry
from tocsin.channels.console import ConsoleChannel
from tocsin.channels.protocol import Channel
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.core.adapters import ADAPTERS, CHAT_TOOLS
from tocsin.engine import deliver
from tocsin.incidents import actions, queries
from tocsin.incidents.models import ResponseChannel
from tocsin.platform import clock as clocks
from tocsin.platform.models import Delivery, OutboxMessage
from tocsin.postmortems import actions as postmortems
from tocsin.process import actions as processes
from tocsin.process import queries as process

__all__ = ["server"]
pytestmark = pytest.mark.django_db
FUNCTIONS = {"SRE infrastructure", "On-call tool", "Chat", "Video", "Work items", "Wiki", "Status page"}
TOOLS: dict[str, dict[str, Any]] = {
    "matrix": {"url": "https://hs.example", "token": "syt_secret", "invite": ("@mara:hs.example",)},
    "slack": {"url": "https://slack.com/api", "token": "xoxb-secret", "signing_secret": "s", "invite": ("U1",)},
    "mattermost": {"url": "https://mm.example", "token": "mm-secret", "team": "harbor", "invite": ("mara",)},
    "teams": {"url": "https://prod.example/workflows/1?sig=secret"},
    "file": {"folder": "rooms"},
}


@pytest.fixture
def house(clock: clocks.WoundClock) -> House:
    return House(now=clock.now())


@pytest.fixture
def admin(house: House) -> Caller:
    return Caller("root", role="admin", now=house.now)


def rows(admin: Caller) -> dict[str, Any]:
    return {one["code"]: one for one in admin.must("GET", "/api/v1/adapters")["items"]}


def counts() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


@pytest.mark.req("R-9.6-1")
def test_each_function_has_an_adapter_and_each_adapter_a_dry_run_that_does_nothing(
    admin: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT, settings.CHAT_ADAPTER = TOOLS, "matrix"
    settings.BRIDGE_URL = "https://meet.example/{ref}"
    assert {one["serves"] for one in rows(admin).values()} >= FUNCTIONS
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    before = counts()
    for one in ADAPTERS:
        shown = admin.must("GET", f"/api/v1/adapters/{one.code}/dry-run")["items"]
        assert shown, one.code
        assert "secret" not in json.dumps(shown), one.code
    assert counts() == before
    assert admin.ask("GET", "/api/v1/adapters/fax/dry-run")[0] == 404


def _no_network(*_args: object, **_more: object) -> Any:
    raise AssertionError("the network was asked")


def test_the_dry_run_shows_the_very_calls_of_the_test(admin: Caller, settings: Any) -> None:
    settings.CHAT = TOOLS
    shown = admin.must("GET", "/api/v1/adapters/matrix/dry-run")["items"]
    assert [one["what"].split("?")[0] for one in shown][:2] == [
        "POST https://hs.example/_matrix/client/v3/createRoom",
        "POST https://hs.example/_matrix/client/v3/rooms/%21ROOM/invite",
    ]
    assert json.loads(shown[0]["body"])["preset"] == "private_chat"


@pytest.mark.req("R-9.6-1")
def test_a_test_is_delivered_and_its_outcome_kept_good_or_bad(
    admin: Caller, settings: Any, tmp_path: Path, house: House, clock: clocks.WoundClock
) -> None:
    settings.CHAT = {"file": {"folder": str(tmp_path / "rooms")}}
    ways = registry.build(smtp_url="", mail_from="", chat=settings.CHAT)
    [key] = admin.must("POST", "/api/v1/adapters/file/test")["keys"]
    assert admin.must("GET", f"/api/v1/adapters/tests/{key}")["state"] == "queued"
    deliver.turn(ways, now=house.now, limit=50)
    assert admin.must("GET", f"/api/v1/adapters/tests/{key}")["state"] == "sent"
    assert rows(admin)["file"]["last_good"] is True
    [room] = (tmp_path / "rooms").iterdir()
    assert "nothing is wrong" in room.read_text()
    room.unlink()
    (tmp_path / "rooms").rmdir()
    (tmp_path / "rooms").write_text("in the way")
    clock.wind_to(house.now + timedelta(seconds=1))
    admin.must("POST", "/api/v1/adapters/file/test")
    deliver.turn(ways, now=clock.now(), limit=50)
    found = rows(admin)["file"]
    assert (found["last_good"], bool(found["last_detail"])) == (False, True)


def test_what_cannot_be_tried_says_what_is_missing(admin: Caller, settings: Any, house: House) -> None:
    settings.CHAT = {}
    status, body = admin.ask("POST", "/api/v1/adapters/slack/test")
    assert (status, "TOCSIN_SLACK_TOKEN" in body["remedy"]) == (409, True)
    assert admin.ask("POST", "/api/v1/adapters/tocsin/test")[0] == 409
    assert admin.ask("POST", "/api/v1/adapters/fax/test")[0] == 404
    assert Caller("rita", role="reader", now=house.now).ask("POST", "/api/v1/adapters/slack/test")[0] == 403


def test_the_page_lists_them_shows_a_dry_run_and_hides_the_button_from_others(house: House, settings: Any) -> None:
    settings.CHAT, settings.CHAT_ADAPTER = TOOLS, "matrix"
    for username, role in (("root", "admin"), ("rita", "reader")):
        client = Client()
        client.force_login(
            worlds.person(username, role=role, now=house.now), "django.contrib.auth.backends.ModelBackend"
        )
        page = client.get("/setup/adapters?show=slack").content.decode()
        for one in ADAPTERS:
            assert f'data-testid="adapter-{one.code}"' in page
        assert "conversations.create" in page
        assert ('data-testid="send-test"' in page) is (role == "admin")
        assert "xoxb-secret" not in page


def test_an_administrator_links_any_account_and_a_person_ends_an_own_link(admin: Caller, house: House) -> None:
    ada = Caller("ada", now=house.now)
    body = {"adapter": "matrix", "account": "@ada:hs.example", "user": "ada"}
    assert admin.ask("POST", "/api/v1/chat/accounts", body)[0] == 201
    assert ada.ask("POST", "/api/v1/chat/accounts", body | {"user": "ben", "account": "@ben:hs.example"})[0] == 403
    assert admin.ask("POST", "/api/v1/chat/accounts", body | {"user": "ben"})[0] == 409
    assert admin.ask("POST", "/api/v1/chat/accounts", body | {"adapter": "fax"})[0] == 422
    assert ada.ask("DELETE", "/api/v1/chat/accounts/matrix/@ada:hs.example")[0] == 204
    assert ada.ask("DELETE", "/api/v1/chat/accounts/matrix/@ada:hs.example")[0] == 404


@pytest.fixture
def alone(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Channel]:
    """Only what is built in: mail to the console, rooms as files; whoever asks the network fails."""
    settings.CHAT = {"file": {"folder": str(tmp_path / "rooms")}}
    settings.CHAT_ADAPTER, settings.SMTP_URL = "file", ""
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    return {**registry.build(smtp_url="", mail_from="", chat=settings.CHAT), "email": ConsoleChannel(io.StringIO())}


@pytest.mark.sqlite
@pytest.mark.req("R-9.6-2")
def test_an_incident_goes_from_declared_to_closed_with_what_is_built_in_alone(
    house: House, alone: dict[str, Channel], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """On SQLite alone: PostgreSQL is reached over a socket, and what is built in is the same."""
    for code in ("management", "product-owners"):
        processes.add_group_member(SYSTEM, group=code, email=f"{code}@harbor.example", now=house.now)
    severity = process.current().severities.severities[0].code
    incident = house.declare(severity=severity, groups=["product-owners"])
    _send(alone, house)
    assert ResponseChannel.objects.get(incident=incident).reference
    comms.link_chat_account(SYSTEM, adapter="slack", account="U1", username="ada", now=house.now)
    actions.acknowledge(house.ada, incident.ref, now=house.now)
    actions.annotate(house.ada, incident.ref, text="It is the disk", now=house.now)
    soon = house.now + timedelta(hours=1)
    comms.send_update(house.ada, incident.ref, text="Log-on fails for a third.", next_update_at=soon, now=house.now)
    house.pass_time(timedelta(minutes=20))
    actions.resolve(house.ada, incident.ref, category="software", note="Rolled back.", now=house.now)
    comms.send_update(house.ada, incident.ref, text="Log-on works again.", kind="closing", now=house.now)
    _send(alone, house)
    postmortems.draft_missing(now=house.now)
    for owed in queries.obligations(SYSTEM, incident.ref):
        if owed.state == "open":
            actions.waive_obligation(house.admin, owed.pk, reason="Not part of this test", now=house.now)
    actions.close(house.ada, incident.ref, now=house.now)
    _send(alone, house)
    incident.refresh_from_db()
    assert incident.state == "closed"
    for one in rows(Caller("root", role="admin", now=house.now)).values():
        if one["built_in"] and one["code"] not in {"actions", "tocsin"}:
            assert one["last_good"] is True, one
    assert not OutboxMessage.objects.exclude(state__in=["sent", "cancelled"]).filter(not_before__lte=house.now).exists()
    outcomes = set(Delivery.objects.values_list("message__channel", "outcome"))
    assert outcomes == {("email", "accepted"), ("file", "accepted")}
    [room] = (tmp_path / "rooms").iterdir()
    said = [json.loads(line)["text"] for line in room.read_text().splitlines()]
    assert incident.title in said[0]
    assert [word for word in ("is resolved", "is closed") if any(word in text for text in said)] == [
        "is resolved",
        "is closed",
    ]


def _send(ways: dict[str, Channel], house: House) -> None:
    actions.tell_channels(now=house.now)
    while deliver.turn(ways, now=house.now, limit=50):
        pass


def test_every_chat_tool_of_the_list_can_be_built() -> None:
    assert set(registry.build(smtp_url="", mail_from="", chat=TOOLS)) == {"email", "webhook", *CHAT_TOOLS}
