"""Rooms on a real Matrix homeserver: made, spoken in, listened to, also over what was said while nobody listened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains.incident_worlds import House
from tests.edges.real_synapse import Homeserver, synapse
from tocsin.channels.console import OutboxChannel
from tocsin.channels.matrix import MatrixChannel
from tocsin.channels.protocol import Channel
from tocsin.comms import actions as comms
from tocsin.comms.models import ChatPlace
from tocsin.core.access import SYSTEM
from tocsin.core.chat_linking import shown
from tocsin.engine import deliver, turns
from tocsin.engine.listen import Ear
from tocsin.incidents import actions, queries
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel
from tocsin.platform import clock as clocks
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.process import queries as process

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    with synapse(tmp_path_factory.mktemp("synapse")) as running:
        for name in ("bot", "mara", "stranger"):
            running.user(name)
        yield running


class Room:
    """The room of a coordinated incident, with the engine's two turns at hand."""

    def __init__(self, homeserver: Homeserver, house: House, channel: Channel) -> None:
        self.homeserver, self.house = homeserver, house
        self.ways: Mapping[str, Channel] = {"matrix": channel, "email": OutboxChannel()}
        severity = process.current().severities.severities[0].code
        self.incident: Incident = house.declare(severity=severity)
        self.turn()
        self.reference = ResponseChannel.objects.get(incident=self.incident).reference

    def turn(self) -> None:
        self.house.now = max(clocks.wall_now(), self.house.now + timedelta(seconds=2))
        turns.channels(now=self.house.now)
        while deliver.turn(self.ways, now=self.house.now, limit=50):
            pass
        Ear(self.ways).turn(now=self.house.now)
        while deliver.turn(self.ways, now=self.house.now, limit=50):
            pass

    def lines(self, kind: str) -> list[tuple[str, str]]:
        found = queries.timeline(SYSTEM, self.incident.ref)
        return [(line.actor, line.text) for line in found if line.kind == kind]


def bot(homeserver: Homeserver, *invited: str) -> MatrixChannel:
    return MatrixChannel(
        homeserver.url, homeserver.user("bot").token, [homeserver.user(name).ident for name in invited]
    )


@pytest.fixture
def room(homeserver: Homeserver, settings: Any) -> Room:
    settings.CHAT_ADAPTER = "matrix"
    settings.PUBLIC_URL = "https://tocsin.example"
    return Room(homeserver, House(now=clocks.wall_now()), bot(homeserver, "mara"))


@pytest.mark.req("R-9.3.10-3")
def test_a_private_room_is_there_within_the_minute_with_its_people_and_first_words(room: Room) -> None:
    row = ResponseChannel.objects.get(incident=room.incident)
    assert row.state == ChannelState.OPEN
    assert row.opened_at is not None
    assert row.opened_at - row.asked_at < timedelta(seconds=60)
    assert row.note == ""
    mara = room.homeserver.user("mara")
    assert room.homeserver.user("bot").membership(room.reference, of=mara) == "invite"
    mara.join(room.reference)
    assert mara.state(room.reference, "m.room.join_rules")["join_rule"] == "invite"
    assert room.incident.title in mara.state(room.reference, "m.room.name")["name"]
    [first] = mara.heard(room.reference)
    for word in (room.incident.title, room.incident.severity, f"https://tocsin.example/i/{room.incident.number}"):
        assert word in first


def test_what_people_write_is_on_the_timeline_once_and_decisions_are_decisions(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    mara.say(room.reference, "The database has no room left")
    mara.say(room.reference, "!decision We fail over to the second site")
    room.turn()
    ChatPlace.objects.update(place="")  # as if the place had never been kept: everything is read anew
    room.turn()
    assert room.lines("chat") == [("matrix:@mara:tocsin.test", "The database has no room left")]
    assert room.lines("decision") == [("matrix:@mara:tocsin.test", "We fail over to the second site")]


def test_what_was_written_while_nobody_listened_comes_in_order_however_much(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    room.turn()
    said = [f"line {number}" for number in range(130)]
    for text in said:
        mara.say(room.reference, text)
    room.turn()
    assert [text for _, text in room.lines("chat")] == said


def test_the_end_is_told(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    actions.acknowledge(room.house.ada, room.incident.ref, now=room.house.now)
    actions.resolve(room.house.ada, room.incident.ref, category="software", note="Restarted.", now=room.house.now)
    room.turn()
    assert "is resolved" in mara.heard(room.reference)[-1]


def test_a_linked_person_commands_with_their_own_rights_and_is_answered_there(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    comms.link_chat_account(SYSTEM, adapter="matrix", account=mara.ident, username="ada", now=room.house.now)
    mara.say(room.reference, "!ack")
    mara.say(room.reference, "!decision We fail over")
    room.turn()
    room.incident.refresh_from_db()
    assert room.incident.state == "acknowledged"
    assert room.incident.acknowledged_by is not None
    assert room.incident.acknowledged_by.username == "ada"
    assert mara.heard(room.reference)[-2:] == [f"Ada is on {room.incident.ref}.", "Kept as decision 1."]
    [(actor, text)] = room.lines("decision")
    assert (actor, "We fail over" in text) == ("ada", True)
    room.turn()
    assert mara.heard(room.reference)[-1] == "Kept as decision 1."


def test_a_person_proves_an_account_by_its_code_and_the_code_stays_nowhere(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    now = room.house.now
    asked = comms.ask_for_chat_account(room.house.ada, adapter="matrix", account=mara.ident, username="ada", now=now)
    mara.say(room.reference, f"!link {shown(asked.code)}")
    mara.say(room.reference, "!ack")
    room.turn()
    [linked, taken] = mara.heard(room.reference)[-2:]
    assert linked.startswith(f"Linked: {mara.ident} is Ada.")
    assert taken == f"Ada is on {room.incident.ref}."
    assert [text for _, text in room.lines("chat")] == ["!link (the code is not kept)", "!ack"]


def test_whoever_takes_the_incident_is_invited_and_being_there_already_is_fine(room: Room) -> None:
    stranger = room.homeserver.user("stranger")
    bot_account = room.homeserver.user("bot")
    comms.link_chat_account(SYSTEM, adapter="matrix", account=stranger.ident, username="ada", now=room.house.now)
    actions.acknowledge(room.house.ada, room.incident.ref, now=room.house.now)
    room.turn()
    assert bot_account.membership(room.reference, of=stranger) == "invite"
    [told] = world.entries(room.incident, "channel.invited")
    assert (told["person"], told["account"]) == ("Ada", stranger.ident)
    for before in ("invite", "join"):
        OutboxMessage.objects.filter(kind="room.invite").update(state=OutboxState.QUEUED, repeat=True)
        room.turn()
        assert OutboxMessage.objects.get(kind="room.invite").state == OutboxState.SENT
        assert bot_account.membership(room.reference, of=stranger) == before
        stranger.join(room.reference)
    assert world.entries(room.incident, "channel.not_invited") == []


def test_an_account_that_cannot_be_invited_is_noted_and_stops_nothing(room: Room) -> None:
    house = room.house
    comms.link_chat_account(SYSTEM, adapter="matrix", account="no-account", username="ada", now=house.now)
    actions.acknowledge(house.ada, room.incident.ref, now=house.now)
    room.turn()
    [told] = world.entries(room.incident, "channel.not_invited")
    assert (told["account"], told["final"]) == ("no-account", True)
    room.incident.refresh_from_db()
    assert room.incident.state == "acknowledged"


def test_an_account_that_is_nobody_s_is_answered_and_changes_nothing(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    mara.say(room.reference, "!ack")
    room.turn()
    room.incident.refresh_from_db()
    assert room.incident.state == "triggered"
    assert "I do not know whose account @mara:tocsin.test is, so nothing was changed" in mara.heard(room.reference)[-1]


def test_a_second_try_finds_the_first_one_s_room(room: Room) -> None:
    """The answer to the first try was lost: the tool has the room, the row does not know it."""
    before = room.reference
    ResponseChannel.objects.update(reference="", state=ChannelState.ASKED)
    OutboxMessage.objects.filter(kind="room.open").update(state=OutboxState.QUEUED, repeat=True)
    room.turn()
    assert ResponseChannel.objects.get(incident=room.incident).reference == before


def test_a_guest_who_does_not_exist_keeps_nobody_else_out(homeserver: Homeserver, settings: Any) -> None:
    settings.CHAT_ADAPTER = "matrix"
    channel = bot(homeserver, "mara")
    channel.invited = ["@nobody:elsewhere.invalid", homeserver.user("mara").ident]
    room = Room(homeserver, House(now=clocks.wall_now()), channel)
    row = ResponseChannel.objects.get(incident=room.incident)
    assert row.state == ChannelState.OPEN
    assert "@nobody:elsewhere.invalid was not invited" in row.note
    assert homeserver.user("bot").membership(room.reference, of=homeserver.user("mara")) == "invite"


def test_a_withdrawn_token_is_a_failure_on_the_incident_that_is_tried_again(
    homeserver: Homeserver, settings: Any
) -> None:
    settings.CHAT_ADAPTER = "matrix"
    channel = MatrixChannel(homeserver.url, "syt_wrong", [])
    house = House(now=clocks.wall_now())
    room = Room(homeserver, house, channel)
    row = ResponseChannel.objects.get(incident=room.incident)
    assert (row.state, "M_UNKNOWN_TOKEN" in row.note) == (ChannelState.FAILING, True)
    [failed] = world.entries(room.incident, "channel.failed")
    assert failed["final"] is False
    room.ways = {"matrix": bot(homeserver), "email": OutboxChannel()}
    house.now = OutboxMessage.objects.get(kind="room.open").not_before
    room.turn()
    assert ResponseChannel.objects.get(incident=room.incident).state == ChannelState.OPEN


def test_an_old_place_that_the_server_forgot_is_read_anew(room: Room) -> None:
    mara = room.homeserver.user("mara")
    mara.join(room.reference)
    mara.say(room.reference, "before")
    room.turn()
    ChatPlace.objects.update(place="nonsense")
    mara.say(room.reference, "after")
    for _ in range(4):  # Synapse keeps its answers for two minutes; the places in them lead on to what came since
        room.turn()
    assert [text for _, text in room.lines("chat")] == ["before", "after"]
