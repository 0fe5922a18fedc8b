"""One channel for each coordinated incident: asked for with the severity, opened by the engine, never in the way."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from tests.domains import incident_worlds as world
from tests.domains.delivery_worlds import FarSide
from tests.domains.incident_worlds import House
from tocsin.channels.protocol import DeliveryFailed, Room
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Refused
from tocsin.engine import deliver
from tocsin.incidents import actions
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.process import actions as process_actions
from tocsin.process import queries as process

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


class Rooms(FarSide):
    """A chat tool that makes a room for each message that opens one."""

    def send(self, message: Any, *, deadline: timedelta) -> str:
        super().send(message, deadline=deadline)
        return Room(reference=f"!{message.address}", url="https://chat.example/room", note="").receipt()


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def chat(settings: Any) -> Rooms:
    settings.CHAT_ADAPTER = "matrix"
    settings.PUBLIC_URL = "https://tocsin.example"
    return Rooms()


def coordinated() -> list[str]:
    return [one.code for one in process.current().severities.severities if one.coordinator_required]


def calm() -> str:
    return next(one.code for one in process.current().severities.severities if not one.coordinator_required)


def channel(incident: Incident) -> ResponseChannel:
    return ResponseChannel.objects.get(incident=incident)


def raise_it(house: House, incident: Incident, severity: str) -> None:
    actions.change_severity(house.ben, incident.ref, severity=severity, reason="more than one team", now=house.now)


class TestWithoutChat:
    @pytest.mark.req("R-9.3.10-3")
    def test_the_page_is_the_channel_in_the_same_moment(self, house: House) -> None:
        for severity in coordinated():
            incident = house.declare(priority=2, severity=calm())
            assert not ResponseChannel.objects.filter(incident=incident).exists()
            raise_it(house, incident, severity)
            row = channel(incident)
            assert (row.state, row.adapter, row.opened_at) == (ChannelState.OPEN, "tocsin", house.now)
            [told] = world.entries(incident, "channel.opened")
            assert told["url"].endswith(f"/i/{incident.number}")
            assert not OutboxMessage.objects.filter(kind="room.open").exists()

    def test_one_that_begins_coordinated_has_its_channel_at_once(self, house: House) -> None:
        incident = house.declare(severity=coordinated()[0])
        assert channel(incident).state == ChannelState.OPEN

    @pytest.mark.req("R-9.3.2-4")
    def test_there_is_one_channel_however_often_the_severity_changes(self, house: House) -> None:
        incident = house.declare(priority=2, severity=calm())
        for severity in [*coordinated(), calm(), *coordinated()]:
            raise_it(house, incident, severity)
        assert ResponseChannel.objects.filter(incident=incident).count() == 1
        assert len(world.entries(incident, "channel.opened")) == 1

    def test_the_bridge_comes_from_the_template(self, house: House, settings: Any) -> None:
        settings.BRIDGE_URL = "https://meet.example/tocsin-{number}"
        incident = house.declare(severity=coordinated()[0])
        assert channel(incident).bridge_url == f"https://meet.example/tocsin-{incident.number}"
        [told] = world.entries(incident, "channel.opened")
        assert told["bridge"] == channel(incident).bridge_url

    def test_a_template_that_is_wrong_leaves_no_link_and_stops_nothing(self, house: House, settings: Any) -> None:
        settings.BRIDGE_URL = "https://meet.example/{secret.__class__}"
        assert channel(house.declare(severity=coordinated()[0])).bridge_url == ""


class TestWithChat:
    def test_the_request_only_writes_a_row_and_the_engine_opens_the_room(self, house: House, chat: Rooms) -> None:
        incident = house.declare(severity=coordinated()[0])
        assert channel(incident).state == ChannelState.ASKED
        assert chat.got == []
        assert deliver.turn({"matrix": chat}, now=house.now + SECOND, limit=50)
        row = channel(incident)
        assert (row.state, row.url) == (ChannelState.OPEN, "https://chat.example/room")
        [told] = world.entries(incident, "channel.opened")
        assert (told["adapter"], told["reference"]) == ("matrix", row.reference)

    def test_title_severity_and_link_are_the_first_words(self, house: House, chat: Rooms) -> None:
        incident = house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        said = chat.got[-1]
        assert (said.kind, said.address) == ("room.post", channel(incident).reference)
        for word in (incident.title, incident.severity, f"https://tocsin.example/i/{incident.number}"):
            assert word in said.payload["text"]

    @pytest.mark.req("R-9.3.10-3")
    def test_a_failure_is_recorded_the_page_stands_in_and_the_room_is_tried_again(
        self, house: House, chat: Rooms
    ) -> None:
        chat.failures = [DeliveryFailed("no connection"), DeliveryFailed("no connection")]
        incident = house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        row = channel(incident)
        assert (row.state, row.note) == (ChannelState.FAILING, "no connection")
        assert row.url == f"https://tocsin.example/i/{incident.number}"
        [stands_in] = world.entries(incident, "channel.opened")
        assert (stands_in["adapter"], stands_in["instead_of"]) == ("tocsin", "matrix")
        [failed] = world.entries(incident, "channel.failed")
        assert failed["detail"] == "no connection"
        waits = []
        while channel(incident).state != ChannelState.OPEN:
            [message] = OutboxMessage.objects.filter(kind="room.open")
            waits.append(message.not_before - house.now)
            house.now = message.not_before
            deliver.turn({"matrix": chat}, now=house.now, limit=50)
        assert waits == sorted(waits)
        assert len(waits) == 2
        assert len(world.entries(incident, "channel.failed")) == 1
        assert [told["adapter"] for told in world.entries(incident, "channel.opened")] == ["tocsin", "matrix"]

    def test_what_the_tool_asks_to_wait_is_kept(self, house: House, chat: Rooms) -> None:
        chat.failures = [DeliveryFailed("answered 429", retry_after=timedelta(seconds=60))]
        house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        [message] = OutboxMessage.objects.filter(kind="room.open")
        assert message.not_before >= house.now + timedelta(seconds=60)

    def test_a_chat_that_is_away_stops_neither_pages_nor_the_end(self, house: House, chat: Rooms) -> None:
        chat.failures = [DeliveryFailed("no connection")] * 99
        incident = house.declare(severity=coordinated()[0])
        mail = FarSide()
        deliver.turn({"matrix": chat, "email": mail}, now=house.now, limit=50)
        assert [message.kind for message in mail.got].count("page") == 1
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        actions.resolve(house.ada, incident.ref, category="software", note="Restarted.", now=house.now)
        incident.refresh_from_db()
        assert incident.state == "resolved"

    def test_one_that_is_refused_for_good_is_given_up_and_the_page_stays(self, house: House, chat: Rooms) -> None:
        chat.failures = [DeliveryFailed("the account was closed", permanent=True)]
        incident = house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        row = channel(incident)
        assert (row.state, row.followed) == (ChannelState.GIVEN_UP, False)
        assert [told["final"] for told in world.entries(incident, "channel.failed")] == [True]
        assert [told["adapter"] for told in world.entries(incident, "channel.opened")] == ["tocsin"]

    def test_a_room_made_twice_by_a_crash_is_logged_once(self, house: House, chat: Rooms) -> None:
        incident = house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        OutboxMessage.objects.filter(kind="room.open").update(state=OutboxState.QUEUED)
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        assert len(world.entries(incident, "channel.opened")) == 1

    def test_the_room_is_told_the_end_and_that_it_began_again_each_once(self, house: House, chat: Rooms) -> None:
        incident = house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        actions.acknowledge(house.ada, incident.ref, now=house.now)
        actions.resolve(house.ada, incident.ref, category="software", note="Restarted.", now=house.now)
        assert actions.tell_channels(now=house.now) == 1
        assert actions.tell_channels(now=house.now) == 0
        actions.reopen(house.ada, incident.ref, reason="It is back", now=house.now)
        assert actions.tell_channels(now=house.now) == 1
        said = [row.payload["text"] for row in OutboxMessage.objects.filter(kind="room.post").order_by("id")]
        assert len(said) == 3
        assert "is resolved" in said[1]
        assert "is open again" in said[2]

    def test_a_room_is_followed_for_a_day_after_the_end(self, house: House, chat: Rooms) -> None:
        incident = house.declare(severity=coordinated()[0])
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        actions.cancel(house.ada, incident.ref, reason="A drill", now=house.now)
        actions.tell_channels(now=house.now)
        assert channel(incident).followed
        actions.tell_channels(now=house.now + timedelta(days=1, seconds=1))
        assert not channel(incident).followed


class TestByHand:
    @pytest.fixture(autouse=True)
    def by_hand(self, house: House) -> None:
        document = copy.deepcopy(process.current().document)
        [answer] = [one for one in document["questions"]["process_questions"] if one["code"] == "how_made_known"]
        answer["machine"]["create"] = "by_hand"
        process_actions.publish_version(SYSTEM, document, note="Only when it is wanted", now=house.now)

    def test_nothing_opens_by_itself_and_a_person_opens_it_once(self, house: House, chat: Rooms) -> None:
        incident = house.declare(severity=coordinated()[0])
        assert not ResponseChannel.objects.filter(incident=incident).exists()
        actions.open_channel(house.ada, incident.ref, now=house.now)
        deliver.turn({"matrix": chat}, now=house.now, limit=50)
        assert channel(incident).reference
        house.assert_log(incident, "channel.asked", "channel.opened")
        with pytest.raises(Refused, match="has its channel"):
            actions.open_channel(house.ada, incident.ref, now=house.now)

    def test_the_page_is_the_channel_where_there_is_no_chat(self, house: House) -> None:
        incident = house.declare(severity=coordinated()[0])
        actions.open_channel(house.ada, incident.ref, now=house.now)
        assert channel(incident).state == ChannelState.OPEN
        assert world.fresh(incident).version > incident.version

    def test_what_needs_none_or_is_over_gets_none(self, house: House) -> None:
        quiet = house.declare(priority=2, severity=calm())
        with pytest.raises(Refused, match="at this severity"):
            actions.open_channel(house.ada, quiet.ref, now=house.now)
        over = house.declare("Something else", severity=coordinated()[0])
        actions.resolve(house.ada, over.ref, category="other", now=house.now)
        with pytest.raises(Refused, match="is over"):
            actions.open_channel(house.ada, over.ref, now=house.now)
        assert not ResponseChannel.objects.exists()


def test_where_channels_open_by_themselves_nobody_opens_one_by_hand(house: House) -> None:
    incident = house.declare(severity=coordinated()[0])
    with pytest.raises(Refused, match="by hand"):
        actions.open_channel(house.ada, incident.ref, now=house.now)
