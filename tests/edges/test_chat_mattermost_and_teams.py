"""Mattermost's REST API and hooks, the cards of Teams, rooms as files: at their own wire format, nothing unannounced."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from tests.domains.incident_worlds import House
from tests.edges.chat_fakes import DEADLINE, opening, posting, server
from tocsin.channels.files import FileChannel
from tocsin.channels.mattermost import MattermostChannel
from tocsin.channels.protocol import DeliveryFailed, Room
from tocsin.channels.teams import TeamsChannel
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.core.chat_teams import CANNOT
from tocsin.incidents import queries
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel
from tocsin.platform import clock as clocks
from tocsin.process import queries as process

__all__ = ["server"]
AT = datetime.fromisoformat("2026-11-23T02:12:00+00:00")
ROOM, BOT, MARA = "4xp9fdt77pncbef59f4k1qe83o", "botbotbotbotbotbotbotbotbo", "maramaramaramaramaramarama"
BEARER = {"Authorization": "Bearer mm-1"}
TEAM = {"id": "team1", "name": "harbor"}
CREATE = {
    "team_id": "team1",
    "name": "tocsin-1a2b3c4d-inc-7",
    "display_name": "INC-7 Log-on fails",
    "header": "https://t.example/i/7",
    "type": "P",
}
MADE = {"id": ROOM, "name": CREATE["name"]}


def mattermost(server: HTTPServer, *invited: str) -> MattermostChannel:
    return MattermostChannel(server.url_for("").rstrip("/"), "mm-1", "harbor", invited)


def answers(server: HTTPServer, method: str, path: str, body: Any, answer: Any, **more: Any) -> None:
    asked: dict[str, Any] = {"json": body} if body is not None else {}
    handler = server.expect_ordered_request(f"/api/v4{path}", method=method, headers=BEARER, **asked)
    handler.respond_with_json(answer, **more)


class TestMattermost:
    def test_a_private_channel_is_made_with_its_people(self, server: HTTPServer) -> None:
        answers(server, "GET", "/teams/name/harbor", None, TEAM)
        answers(server, "POST", "/channels", CREATE, MADE, status=201)
        answers(server, "POST", "/users/usernames", ["mara", "ghost"], [{"id": MARA, "username": "mara"}])
        answers(server, "POST", f"/channels/{ROOM}/members", {"user_id": MARA}, {}, status=201)
        room = Room.of(mattermost(server, "mara", "ghost").send(opening(AT), deadline=DEADLINE))
        assert (room.reference, room.note) == (ROOM, "ghost is not known")
        assert room.url.endswith("/harbor/channels/tocsin-1a2b3c4d-inc-7")

    def test_a_second_try_finds_the_channel_of_the_first(self, server: HTTPServer) -> None:
        exists = {"id": "store.sql_channel.save_channel.exists.app_error", "message": "exists", "status_code": 400}
        answers(server, "GET", "/teams/name/harbor", None, TEAM)
        answers(server, "POST", "/channels", CREATE, exists, status=400)
        answers(server, "GET", "/teams/team1/channels/name/tocsin-1a2b3c4d-inc-7", None, MADE)
        assert Room.of(mattermost(server).send(opening(AT), deadline=DEADLINE)).reference == ROOM

    def test_a_message_carries_its_key_by_which_a_second_try_is_known(self, server: HTTPServer) -> None:
        body = {"channel_id": ROOM, "message": "INC-7 @\u200bchannel", "pending_post_id": "room-7-first"}
        answers(server, "POST", "/posts", body, {"id": "p1"}, status=201)
        assert mattermost(server).send(posting(ROOM, "INC-7 @channel", AT), deadline=DEADLINE) == "p1"

    def test_a_limit_is_kept(self, server: HTTPServer) -> None:
        server.expect_oneshot_request("/api/v4/posts").respond_with_data(
            "limit", status=429, headers={"Retry-After": "7"}
        )
        with pytest.raises(DeliveryFailed) as failed:
            mattermost(server).send(posting(ROOM, "x", AT), deadline=DEADLINE)
        assert failed.value.retry_after == timedelta(seconds=7)

    def test_what_people_wrote_since_is_read_in_order_without_our_own_and_the_server_s(
        self, server: HTTPServer
    ) -> None:
        def post(ident: str, at: int, text: str, **more: Any) -> dict[str, Any]:
            return {"id": ident, "create_at": at, "update_at": at, "user_id": MARA, "message": text, "type": "", **more}

        posts = {
            "b": post("b", 2000, "second"),
            "a": post("a", 1000, "first"),
            "c": post("c", 3000, "ours", user_id=BOT),
            "d": post("d", 4000, "joined", type="system_join_channel"),
            "e": post("e", 5000, "gone", delete_at=5000),
            "f": post("f", 900, "mended", edit_at=6000, update_at=6000),
        }
        answers(server, "GET", "/users/me", None, {"id": BOT})
        answers(server, "GET", f"/channels/{ROOM}/posts", None, {"order": list(posts), "posts": posts})
        answers(server, "POST", "/users/ids", [MARA], [{"id": MARA, "username": "mara"}])
        news = mattermost(server).listen("500", [ROOM], deadline=DEADLINE, at=AT)
        assert [(one.text, one.name) for one in news.heard] == [
            ("Corrected: mended", "mara"),
            ("first", "mara"),
            ("second", "mara"),
        ]
        assert news.place == "6000"


@pytest.fixture
def house(settings: Any, clock: clocks.WoundClock) -> House:
    settings.CHAT_ADAPTER = "mattermost"
    settings.CHAT = {"mattermost": {"hook_tokens": ("tok-command", "tok-hook")}}
    return House(now=clock.now())


@pytest.fixture
def incident(house: House) -> Incident:
    row = house.declare(severity=process.current().severities.severities[0].code)
    ResponseChannel.objects.filter(incident=row).update(reference=ROOM, state=ChannelState.OPEN)
    return row


def command(text: str, *, sent: str = "tok-command", user: str = MARA) -> Any:
    form = {
        "channel_id": ROOM,
        "channel_name": "inc-7",
        "command": "/tocsin",
        "response_url": "http://mattermost.example/hooks/commands/1",
        "team_domain": "harbor",
        "team_id": "team1",
        "text": text,
        "token": sent,
        "trigger_id": "t",
        "user_id": user,
        "user_name": "mara",
    }
    return Client().post("/chat/mattermost/command", form)


@pytest.mark.django_db
class TestTheDoorsOfMattermost:
    def test_a_linked_person_commands(self, house: House, incident: Incident) -> None:
        comms.link_chat_account(SYSTEM, adapter="mattermost", account=MARA, username="ada", now=house.now)
        assert command("ack").json() == {"response_type": "ephemeral", "text": f"Ada is on {incident.ref}."}

    def test_a_wrong_token_is_refused_and_a_stranger_is_told_so(self, house: House, incident: Incident) -> None:
        assert command("ack", sent="guessed").status_code == 401
        assert f"mara ({MARA}) is, so nothing was changed" in command("ack").json()["text"]
        incident.refresh_from_db()
        assert incident.state == "triggered"

    @pytest.mark.parametrize("as_json", [True, False])
    def test_a_hook_and_the_asking_keep_one_message_once(self, house: House, incident: Incident, as_json: bool) -> None:
        told = {
            "token": "tok-hook",
            "team_id": "team1",
            "channel_id": ROOM,
            "timestamp": str(int(house.now.timestamp() * 1000)),
            "user_id": MARA,
            "user_name": "mara",
            "post_id": "p7",
            "text": "It is the disk",
            "trigger_word": "",
        }
        for _ in range(2):
            if as_json:
                answer = Client().post("/chat/mattermost/hook", json.dumps(told), content_type="application/json")
            else:
                answer = Client().post("/chat/mattermost/hook", told)
            assert answer.status_code == 200
        found = [one.text for one in queries.timeline(SYSTEM, incident.ref) if one.kind == "chat"]
        assert found == ["It is the disk"]


class TestTeams:
    def test_a_card_is_posted_and_a_room_is_none(self, server: HTTPServer) -> None:
        block = {"type": "TextBlock", "wrap": True}
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [
                {**block, "text": "INC-7 Log-on fails", "weight": "Bolder", "size": "Medium"},
                {**block, "text": "P1"},
            ],
            "actions": [{"type": "Action.OpenUrl", "title": "Open the incident", "url": "https://t.example/i/7"}],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        body = {"type": "message", "attachments": [attachment]}
        server.expect_oneshot_request("/workflows/1", method="POST", json=body).respond_with_data("", status=202)
        teams = TeamsChannel(server.url_for("/workflows/1?sig=secret"))
        text = "INC-7 Log-on fails\nP1\nhttps://t.example/i/7"
        assert teams.send(posting("x", text, AT), deadline=DEADLINE) == "answered 202"
        room = Room.of(teams.send(opening(AT), deadline=DEADLINE))
        assert (room.url, room.note) == ("", CANNOT)
        assert "secret" not in repr(teams)


class TestFiles:
    def test_a_room_is_a_file_and_a_message_stands_in_it_once(self, tmp_path: Path) -> None:
        channel = FileChannel(tmp_path / "rooms")
        room = Room.of(channel.send(opening(AT), deadline=DEADLINE)).reference
        for text in ("one", "one again"):
            channel.send(posting(room, text, AT), deadline=DEADLINE)
        [line] = (tmp_path / "rooms" / f"{room}.jsonl").read_text().splitlines()
        assert json.loads(line) == {"key": "room-7-first", "at": AT.isoformat(), "text": "one"}

    def test_a_folder_that_cannot_be_written_is_a_failure_that_is_tried_again(self, tmp_path: Path) -> None:
        (tmp_path / "rooms").write_text("a file where the folder should be")
        with pytest.raises(DeliveryFailed) as failed:
            FileChannel(tmp_path / "rooms").send(opening(AT), deadline=DEADLINE)
        assert not failed.value.permanent
