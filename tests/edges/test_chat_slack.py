"""Slack: its Web API out, its events and commands in, at its own wire format; nothing unannounced passes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.domains.incident_worlds import House, entries
from tests.edges.chat_fakes import DEADLINE, SIGNING_SECRET, opening, posting, server, slack_command, slack_event
from tocsin.channels.protocol import DeliveryFailed, Room
from tocsin.channels.slack import SlackChannel
from tocsin.comms import actions as comms
from tocsin.core.access import SYSTEM
from tocsin.incidents import queries
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel
from tocsin.people.models import Person
from tocsin.platform import clock as clocks
from tocsin.process import queries as process

__all__ = ["server"]
AT = datetime.fromisoformat("2026-11-23T02:12:00+00:00")
ROOM = "C0EAQDV4Z"
BEARER = {"Authorization": "Bearer xoxb-1"}


def slack(server: HTTPServer, *invited: str) -> SlackChannel:
    return SlackChannel(server.url_for("").rstrip("/"), "xoxb-1", invited)


def answers(server: HTTPServer, method: str, body: dict[str, Any] | None, answer: dict[str, Any], **more: Any) -> None:
    """Announce one call of the Web API and what Slack answers."""
    verb = "POST" if body is not None else "GET"
    handler = server.expect_ordered_request(
        f"/{method}", method=verb, headers=BEARER, **({"json": body} if body else {})
    )
    handler.respond_with_json(answer, **more)


CREATE = {"name": "tocsin-1a2b3c4d-inc-7", "is_private": True}
TOPIC = {"channel": ROOM, "topic": "INC-7 Log-on fails https://t.example/i/7"}


class TestTheWebApi:
    def test_a_private_channel_is_made_with_topic_and_people(self, server: HTTPServer) -> None:
        answers(server, "conversations.create", CREATE, {"ok": True, "channel": {"id": ROOM, "name": "x"}})
        answers(server, "conversations.setTopic", TOPIC, {"ok": True})
        answers(server, "conversations.invite", {"channel": ROOM, "users": "U1"}, {"ok": True})
        answers(server, "conversations.invite", {"channel": ROOM, "users": "U2"}, {"ok": False, "error": "cant_invite"})
        room = Room.of(slack(server, "U1", "U2").send(opening(AT), deadline=DEADLINE))
        assert (room.reference, room.note) == (ROOM, "U2 was not invited (cant_invite)")
        assert ROOM in room.url

    def test_a_second_try_finds_the_channel_of_the_first_also_on_the_second_page(self, server: HTTPServer) -> None:
        answers(server, "conversations.create", CREATE, {"ok": False, "error": "name_taken"})
        first = {"ok": True, "channels": [{"id": "C1", "name": "other"}], "response_metadata": {"next_cursor": "dGVhb"}}
        second = {
            "ok": True,
            "channels": [{"id": ROOM, "name": CREATE["name"]}],
            "response_metadata": {"next_cursor": ""},
        }
        answers(server, "conversations.list", None, first)
        answers(server, "conversations.list", None, second)
        answers(server, "conversations.setTopic", TOPIC, {"ok": True})
        assert Room.of(slack(server).send(opening(AT), deadline=DEADLINE)).reference == ROOM

    def test_what_is_said_calls_nobody_and_carries_its_key(self, server: HTTPServer) -> None:
        body = {
            "channel": ROOM,
            "text": "&lt;!channel&gt; 5 &amp; 6",
            "unfurl_links": False,
            "metadata": {"event_type": "tocsin_message", "event_payload": {"key": "room-7-first"}},
        }
        answers(server, "chat.postMessage", body, {"ok": True, "ts": "1503435956.000247"})
        found = slack(server).send(posting(ROOM, "<!channel> 5 & 6", AT), deadline=DEADLINE)
        assert found == "1503435956.000247"

    def test_a_try_whose_answer_was_lost_is_looked_for_before_it_is_said_again(self, server: HTTPServer) -> None:
        said = {"metadata": {"event_type": "tocsin_message", "event_payload": {"key": "room-7-first"}}}
        answers(server, "conversations.history", None, {"ok": True, "messages": [{"text": "x"}, said]})
        assert "earlier" in slack(server).send(posting(ROOM, "x", AT, repeat=True), deadline=DEADLINE)

    def test_a_limit_is_kept_for_as_long_as_slack_says(self, server: HTTPServer) -> None:
        answers(
            server,
            "conversations.create",
            CREATE,
            {"ok": False, "error": "ratelimited"},
            status=429,
            headers={"Retry-After": "30"},
        )
        with pytest.raises(DeliveryFailed) as failed:
            slack(server).send(opening(AT), deadline=DEADLINE)
        assert failed.value.retry_after == timedelta(seconds=30)
        assert not failed.value.permanent

    @pytest.mark.parametrize(
        ("error", "permanent"), [("invalid_auth", False), ("missing_scope", False), ("is_archived", True)]
    )
    def test_what_an_administrator_can_mend_is_tried_again(
        self, server: HTTPServer, error: str, permanent: bool
    ) -> None:
        server.expect_oneshot_request("/chat.postMessage").respond_with_json({"ok": False, "error": error})
        with pytest.raises(DeliveryFailed, match=error) as failed:
            slack(server).send(posting(ROOM, "x", AT), deadline=DEADLINE)
        assert failed.value.permanent is permanent


@pytest.fixture
def house(settings: Any, clock: clocks.WoundClock) -> House:
    settings.CHAT_ADAPTER = "slack"
    settings.CHAT = {"slack": {"signing_secret": SIGNING_SECRET}}
    return House(now=clock.now())


@pytest.fixture
def incident(house: House) -> Incident:
    row = house.declare(severity=process.current().severities.severities[0].code)
    ResponseChannel.objects.filter(incident=row).update(reference=ROOM, state=ChannelState.OPEN)
    return row


def chat(incident: Incident) -> list[tuple[str, str]]:
    return [(one.actor, one.text) for one in queries.timeline(SYSTEM, incident.ref) if one.kind == "chat"]


def message(text: str, *, at: datetime, user: str = "U061F7AUR", **more: Any) -> dict[str, Any]:
    stamp = f"{at.timestamp():.6f}"
    return {
        "type": "message",
        "channel": ROOM,
        "user": user,
        "text": text,
        "ts": stamp,
        "channel_type": "group",
        **more,
    }


@pytest.mark.django_db
class TestEvents:
    def test_what_people_write_is_kept_once_however_often_slack_sends_it(
        self, house: House, incident: Incident
    ) -> None:
        event = message("The &lt;database&gt; of <@U2> fails, see <https://e.example/1|graph>", at=house.now)
        assert slack_event(event, at=house.now).json() == {"kept": True}
        assert slack_event(event, at=house.now, retry=1).json() == {"kept": False}
        assert slack_event(event, at=house.now, retry=2).status_code == 200
        assert chat(incident) == [("slack:U061F7AUR", "The <database> of @U2 fails, see graph (https://e.example/1)")]

    def test_a_correction_is_one_more_line_and_commands_nothing(self, house: House, incident: Incident) -> None:
        changed = {
            "type": "message",
            "subtype": "message_changed",
            "channel": ROOM,
            "message": {"user": "U061F7AUR", "text": "!ack", "ts": "1.0", "edited": {"user": "U061F7AUR", "ts": "2.0"}},
            "previous_message": {"text": "ack"},
        }
        slack_event(changed, at=house.now)
        assert chat(incident) == [("slack:U061F7AUR", "Corrected: !ack")]
        incident.refresh_from_db()
        assert incident.state == "triggered"

    @pytest.mark.parametrize(
        "more", [{"bot_id": "B1"}, {"subtype": "channel_join"}, {"text": None}, {"channel": "C-other"}, {"user": None}]
    )
    def test_what_no_person_said_in_our_room_is_passed_over(
        self, house: House, incident: Incident, more: dict[str, Any]
    ) -> None:
        assert slack_event({**message("x", at=house.now), **more}, at=house.now).json() == {"kept": False}
        assert chat(incident) == []

    def test_slack_asks_whether_the_address_is_ours(self, house: House) -> None:
        import json

        from django.test import Client

        from tests.edges.chat_fakes import signed_by_slack

        body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
        found = Client().post(
            "/chat/slack/events",
            body,
            content_type="application/json",
            **signed_by_slack(body, at=house.now),  # type: ignore[arg-type]
        )
        assert found.json() == {"challenge": "3eZbrw1aB"}

    def test_a_wrong_or_old_signature_is_refused(self, house: House, incident: Incident) -> None:
        assert slack_event(message("x", at=house.now), at=house.now, secret="guessed").status_code == 401
        old = house.now - timedelta(minutes=5, seconds=1)
        assert slack_event(message("x", at=old), at=old).status_code == 401
        assert chat(incident) == []

    def test_without_slack_there_is_no_door(self, house: House, settings: Any) -> None:
        settings.CHAT = {}
        assert slack_event(message("x", at=house.now), at=house.now).status_code == 404


@pytest.mark.django_db
class TestCommands:
    def test_a_linked_person_acknowledges_in_the_channel(self, house: House, incident: Incident) -> None:
        comms.link_chat_account(SYSTEM, adapter="slack", account="U061F7AUR", username="ada", now=house.now)
        found = slack_command("ack", user="U061F7AUR", channel=ROOM, at=house.now).json()
        assert found == {"response_type": "ephemeral", "text": f"Ada is on {incident.ref}."}
        again = slack_command("ack", user="U061F7AUR", channel=ROOM, at=house.now).json()
        assert again == found
        assert len(entries(incident, "incident.acknowledged")) == 1

    def test_elsewhere_the_incident_is_named(self, house: House, incident: Incident) -> None:
        comms.link_chat_account(SYSTEM, adapter="slack", account="U061F7AUR", username="ada", now=house.now)
        where = {"user": "U061F7AUR", "channel": "C-general", "at": house.now}
        assert "Which incident?" in slack_command("ack", **where).json()["text"]
        assert incident.title in slack_command(f"status {incident.ref}", **where).json()["text"]
        assert "INC-99" in slack_command("status INC-99", **where).json()["text"]

    def test_an_account_that_is_nobody_s_is_told_so(self, house: House, incident: Incident) -> None:
        found = slack_command("ack", user="U9", channel=ROOM, at=house.now).json()["text"]
        assert "I do not know whose account somebody (U9) is, so nothing was changed" in found
        assert entries(incident, "incident.acknowledged") == []

    def test_rights_are_those_of_the_person(self, house: House, incident: Incident) -> None:
        Person.objects.filter(username="ada").update(role="reader")
        comms.link_chat_account(SYSTEM, adapter="slack", account="U1", username="ada", now=house.now)
        found = slack_command("ack", user="U1", channel=ROOM, at=house.now).json()["text"]
        assert "may not do this" in found
        assert "Nothing was changed" in found

    def test_words_that_are_no_command_bring_help(self, house: House, incident: Incident) -> None:
        for text in ("", "help", "make tea"):
            assert "status: how it stands" in slack_command(text, user="U9", channel=ROOM, at=house.now).json()["text"]

    def test_a_forged_command_is_refused(self, house: House, incident: Incident) -> None:
        assert slack_command("ack", user="U1", channel=ROOM, at=house.now, secret="guessed").status_code == 401
