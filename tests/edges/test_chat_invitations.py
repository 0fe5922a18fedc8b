"""Whoever responds to an incident is invited to its room: asked for once, at each tool's own wire format, never a stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_httpserver import HTTPServer

from tests.domains import worlds
from tests.domains.delivery_worlds import FarSide
from tests.domains.incident_worlds import House, entries, fresh
from tests.edges.chat_fakes import DEADLINE, inviting, server
from tocsin.channels.matrix import MatrixChannel
from tocsin.channels.mattermost import MattermostChannel
from tocsin.channels.protocol import Channel, DeliveryFailed, Room
from tocsin.channels.slack import SlackChannel
from tocsin.comms import actions as comms
from tocsin.comms.models import RoomGuest
from tocsin.core.access import SYSTEM
from tocsin.core.adapters import CHAT_TOOLS
from tocsin.core.chat_linking import TOOLS
from tocsin.engine import deliver, turns
from tocsin.incidents import actions
from tocsin.incidents.actions import channel as channels
from tocsin.incidents.models import Incident, ResponseChannel, RoleHeld
from tocsin.people import actions as people
from tocsin.platform.models import Delivery, OutboxMessage, OutboxState
from tocsin.process import queries as process

__all__ = ["server"]
AT = datetime.fromisoformat("2026-11-23T02:12:00+00:00")
ROOM = "!r:hs.example"
ADA, BEN = "@ada:hs.example", "@ben:hs.example"


def url(server: HTTPServer) -> str:
    return server.url_for("").rstrip("/")


class TestMatrix:
    PATH = "/_matrix/client/v3/rooms/!r:hs.example/invite"

    @pytest.fixture
    def channel(self, server: HTTPServer) -> MatrixChannel:
        server.expect_ordered_request("/_matrix/client/v3/account/whoami").respond_with_json(
            {"user_id": "@tocsin:hs.example"}
        )
        return MatrixChannel(url(server), "syt_1")

    def refuse(self, server: HTTPServer, membership: str | None) -> None:
        problem = {"errcode": "M_FORBIDDEN", "error": "no"}
        self.expect(server).respond_with_json(problem, status=403)
        path = "/_matrix/client/v3/rooms/!r:hs.example/state/m.room.member/@ada:hs.example"
        member = server.expect_ordered_request(path, method="GET")
        if membership is None:
            member.respond_with_json({"errcode": "M_NOT_FOUND", "error": "no"}, status=404)
        else:
            member.respond_with_json({"membership": membership})

    def expect(self, server: HTTPServer) -> Any:
        bearer = {"Authorization": "Bearer syt_1"}
        return server.expect_ordered_request(self.PATH, method="POST", headers=bearer, json={"user_id": ADA})

    def test_one_account_is_invited(self, server: HTTPServer, channel: MatrixChannel) -> None:
        self.expect(server).respond_with_json({})
        assert channel.send(inviting(ROOM, ADA, AT), deadline=DEADLINE) == "invited"

    @pytest.mark.parametrize("membership", ["join", "invite"])
    def test_whoever_is_there_already_is_fine(
        self, server: HTTPServer, channel: MatrixChannel, membership: str
    ) -> None:
        self.refuse(server, membership)
        assert "already" in channel.send(inviting(ROOM, ADA, AT), deadline=DEADLINE)

    @pytest.mark.parametrize("membership", ["leave", "ban", None])
    def test_a_refusal_is_a_failure_that_is_tried_again(
        self, server: HTTPServer, channel: MatrixChannel, membership: str | None
    ) -> None:
        self.refuse(server, membership)
        with pytest.raises(DeliveryFailed, match="M_FORBIDDEN") as failed:
            channel.send(inviting(ROOM, ADA, AT), deadline=DEADLINE)
        assert not failed.value.permanent

    def test_a_name_that_is_none_is_given_up(self, server: HTTPServer, channel: MatrixChannel) -> None:
        self.expect(server).respond_with_json({"errcode": "M_INVALID_PARAM", "error": "no name"}, status=400)
        with pytest.raises(DeliveryFailed) as failed:
            channel.send(inviting(ROOM, ADA, AT), deadline=DEADLINE)
        assert failed.value.permanent

    def test_we_are_in_our_own_room(self, server: HTTPServer, channel: MatrixChannel) -> None:
        assert "our own" in channel.send(inviting(ROOM, "@tocsin:hs.example", AT), deadline=DEADLINE)

    def test_what_the_server_asks_to_wait_is_kept(self, server: HTTPServer, channel: MatrixChannel) -> None:
        self.expect(server).respond_with_json({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2000}, status=429)
        with pytest.raises(DeliveryFailed) as failed:
            channel.send(inviting(ROOM, ADA, AT), deadline=DEADLINE)
        assert failed.value.retry_after == timedelta(seconds=2)


class TestSlack:
    def invite(self, server: HTTPServer, answer: dict[str, Any]) -> str:
        body = {"channel": "C1", "users": "U1"}
        server.expect_ordered_request("/conversations.invite", method="POST", json=body).respond_with_json(answer)
        return SlackChannel(url(server), "xoxb-1").send(inviting("C1", "U1", AT), deadline=DEADLINE)

    def test_one_member_is_invited_and_one_who_is_there_is_fine(self, server: HTTPServer) -> None:
        assert self.invite(server, {"ok": True, "channel": {"id": "C1"}}) == "invited"
        assert "already" in self.invite(server, {"ok": False, "error": "already_in_channel"})

    @pytest.mark.parametrize(
        ("error", "permanent"), [("user_not_found", True), ("is_archived", True), ("missing_scope", False)]
    )
    def test_a_refusal_is_a_failure(self, server: HTTPServer, error: str, permanent: bool) -> None:
        with pytest.raises(DeliveryFailed, match=error) as failed:
            self.invite(server, {"ok": False, "error": error})
        assert failed.value.permanent is permanent


class TestMattermost:
    MARA = "maramaramaramaramaramarama"

    def test_an_id_is_made_a_member_at_once(self, server: HTTPServer) -> None:
        self.add(server).respond_with_json({"user_id": self.MARA}, status=201)
        assert self.invite(server, self.MARA) == "a member"

    def test_a_name_is_looked_up_first(self, server: HTTPServer) -> None:
        found = [{"id": self.MARA, "username": "mara"}]
        self.look_up(server).respond_with_json(found)
        self.add(server).respond_with_json({"user_id": self.MARA}, status=201)
        assert self.invite(server, "mara") == "a member"

    def test_a_name_that_is_nobody_s_is_given_up(self, server: HTTPServer) -> None:
        self.look_up(server).respond_with_json([])
        with pytest.raises(DeliveryFailed, match="mara is not known") as failed:
            self.invite(server, "mara")
        assert failed.value.permanent

    def test_a_refusal_is_a_failure(self, server: HTTPServer) -> None:
        self.add(server).respond_with_json({"id": "api.no_permission", "message": "not yours"}, status=403)
        with pytest.raises(DeliveryFailed, match="not yours"):
            self.invite(server, self.MARA)

    def look_up(self, server: HTTPServer) -> Any:
        return server.expect_ordered_request("/api/v4/users/usernames", method="POST", json=["mara"])

    def add(self, server: HTTPServer) -> Any:
        path, body = "/api/v4/channels/4xp/members", {"user_id": self.MARA}
        return server.expect_ordered_request(path, method="POST", json=body)

    def invite(self, server: HTTPServer, account: str) -> str:
        return MattermostChannel(url(server), "mm-1", "harbor").send(inviting("4xp", account, AT), deadline=DEADLINE)


class Tool(FarSide):
    """A chat tool that opens rooms, and refuses invitations as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[DeliveryFailed] = []

    def send(self, message: Any, *, deadline: timedelta) -> str:
        super().send(message, deadline=deadline)
        if message.kind == "room.invite" and self.refusals:
            raise self.refusals.pop(0)
        return Room(reference=f"!{message.address}").receipt() if message.kind == "room.open" else "taken"

    def invited(self) -> list[tuple[str, str]]:
        return [(one.address, one.payload["account"]) for one in self.got if one.kind == "room.invite"]


@pytest.fixture
def tool(settings: Any) -> Tool:
    settings.CHAT_ADAPTER = "matrix"
    return Tool()


@pytest.fixture
def house(tool: Tool) -> House:
    found = House()
    for username, account in (("ada", ADA), ("ben", BEN)):
        comms.link_chat_account(SYSTEM, adapter="matrix", account=account, username=username, now=found.now)
    return found


@pytest.fixture
def turn(house: House, tool: Tool) -> Callable[[], None]:
    """The engine looks until nothing is left to do."""
    ways: dict[str, Channel] = {"matrix": tool, "email": FarSide()}

    def look() -> None:
        house.now += timedelta(seconds=1)
        while turns.channels(now=house.now) + deliver.turn(ways, now=house.now, limit=50):
            pass

    return look


def severe() -> str:
    return process.current().severities.severities[0].code


def role(which: int = 0) -> str:
    return process.current().roles.roles[which].code


def give_up_roles(house: House, incident: Incident) -> None:
    for code in list(RoleHeld.objects.filter(incident=incident, until_at=None).values_list("role", flat=True)):
        actions.release_role(house.admin, incident.ref, role=code, now=house.now)


def room_of(incident: Incident) -> str:
    return ResponseChannel.objects.get(incident=incident).reference


@pytest.mark.django_db
class TestWhoIsInvited:
    def test_whoever_acknowledges_is_invited_once(self, house: House, tool: Tool, turn: Callable[[], None]) -> None:
        incident = house.declare(severity=severe())
        turn()
        assert tool.invited() == []
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        for _ in range(3):
            turn()
        assert tool.invited() == [(room_of(incident), ADA)]
        [told] = entries(incident, "channel.invited")
        assert (told["person"], told["account"], told["adapter"]) == ("Ada", ADA, "matrix")

    def test_whoever_has_taken_it_and_holds_no_role_is_invited_too(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        give_up_roles(house, incident)
        turn()
        assert tool.invited() == [(room_of(incident), ADA)]

    def test_whoever_holds_a_role_when_the_room_opens_is_invited(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        incident = house.declare(severity=severe())
        actions.assign_role(house.admin, incident.ref, role=role(), username="ben", now=house.now)
        turn()
        assert tool.invited() == [(room_of(incident), BEN)]

    def test_whoever_is_given_a_role_later_is_invited_then(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        incident = house.declare(severity=severe())
        turn()
        actions.assign_role(house.admin, incident.ref, role=role(), username="ben", now=house.now)
        turn()
        assert tool.invited() == [(room_of(incident), BEN)]

    def test_whoever_takes_on_something_anew_is_invited_anew_and_the_log_says_it_once(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        turn()
        give_up_roles(house, incident)
        turn()
        assert tool.invited() == [(room_of(incident), ADA)]
        actions.assign_role(house.admin, incident.ref, role=role(), username="ada", now=house.now)
        turn()
        turn()
        assert tool.invited() == [(room_of(incident), ADA)] * 2
        assert len(entries(incident, "channel.invited")) == 1

    def test_an_account_that_is_linked_late_is_invited_then(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        worlds.person("cleo", in_team="identity", now=house.now)
        incident = house.declare(severity=severe())
        actions.assign_role(house.admin, incident.ref, role=role(), username="cleo", now=house.now)
        turn()
        assert tool.invited() == []
        comms.link_chat_account(SYSTEM, adapter="matrix", account="@cleo:x", username="cleo", now=house.now)
        turn()
        assert tool.invited() == [(room_of(incident), "@cleo:x")]

    def test_an_account_of_another_tool_and_a_disabled_person_are_not(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        for username, adapter in (("cleo", "slack"), ("dan", "matrix")):
            worlds.person(username, in_team="identity", now=house.now)
            comms.link_chat_account(SYSTEM, adapter=adapter, account=username, username=username, now=house.now)
        incident = house.declare(severity=severe())
        actions.assign_role(house.admin, incident.ref, role=role(0), username="cleo", now=house.now)
        actions.assign_role(house.admin, incident.ref, role=role(1), username="dan", now=house.now)
        people.disable_person(SYSTEM, username="dan", now=house.now)
        turn()
        assert tool.invited() == []

    def test_where_the_page_is_the_channel_nobody_is(
        self, house: House, tool: Tool, turn: Callable[[], None], settings: Any
    ) -> None:
        settings.CHAT_ADAPTER = "tocsin"
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        turn()
        assert not RoomGuest.objects.exists()

    def test_a_room_that_stumbles_keeps_nobody_from_another(
        self, house: House, tool: Tool, turn: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rooms = [house.declare(severity=severe()) for _ in range(2)]
        turn()
        for incident in rooms:
            actions.acknowledge(house.ada, incident.ref, now=house.now)
        invite = channels.invite

        def stumble(row: ResponseChannel, incident: Incident, **more: Any) -> None:
            if incident.pk == rooms[0].pk:
                raise ArithmeticError
            invite(row, incident, **more)

        monkeypatch.setattr(channels, "invite", stumble)
        assert comms.invite_responders(now=house.now) == 1
        monkeypatch.undo()
        turn()
        assert sorted(tool.invited()) == sorted((room_of(incident), ADA) for incident in rooms)

    def test_rest_costs_one_small_statement(self, house: House, turn: Callable[[], None]) -> None:
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        turn()
        with CaptureQueriesContext(connection) as asked:
            assert comms.invite_responders(now=house.now) == 0
        assert len(asked) == 1


@pytest.mark.django_db
class TestWhatBecomesOfIt:
    def test_a_failure_is_on_the_incident_is_tried_again_and_stops_nothing(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        tool.refusals = [DeliveryFailed("answered 403 M_FORBIDDEN"), DeliveryFailed("answered 403 M_FORBIDDEN")]
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        turn()
        [told] = entries(incident, "channel.not_invited")
        assert (told["person"], told["detail"], told["final"]) == ("Ada", "answered 403 M_FORBIDDEN", False)
        assert fresh(incident).state == "acknowledged"
        for _ in range(2):
            house.now = OutboxMessage.objects.get(kind="room.invite").not_before
            turn()
        assert len(entries(incident, "channel.not_invited")) == 1
        assert len(entries(incident, "channel.invited")) == 1
        tries = Delivery.objects.filter(message__kind="room.invite").order_by("id")
        assert [one.outcome for one in tries] == ["temporary", "temporary", "accepted"]

    def test_one_that_is_refused_for_good_is_given_up_and_keeps_nobody_else_out(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        tool.refusals = [DeliveryFailed("Slack said user_not_found", permanent=True)]
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        actions.assign_role(house.admin, incident.ref, role=role(), username="ben", now=house.now)
        turn()
        turn()
        [told] = entries(incident, "channel.not_invited")
        assert told["final"] is True
        assert len(entries(incident, "channel.invited")) == 1
        states = sorted(OutboxMessage.objects.filter(kind="room.invite").values_list("state", flat=True))
        assert states == [OutboxState.FAILED, OutboxState.SENT]

    def test_a_crash_between_invites_again_and_logs_once(
        self, house: House, tool: Tool, turn: Callable[[], None]
    ) -> None:
        incident = house.declare(severity=severe())
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        turn()
        OutboxMessage.objects.filter(kind="room.invite").update(state=OutboxState.QUEUED)
        turn()
        assert tool.invited() == [(room_of(incident), ADA)] * 2
        assert len(entries(incident, "channel.invited")) == 1


def test_tools_without_accounts_are_never_asked_to_invite() -> None:
    assert set(TOOLS) <= set(CHAT_TOOLS) - {"teams", "file"}
