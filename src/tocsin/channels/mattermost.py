"""Private channels of Mattermost, by its REST API v4. Outgoing webhooks see public channels only, so we ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tocsin.channels.chat_line import Line, refused
from tocsin.channels.protocol import DeliveryFailed, Message, News, Room
from tocsin.core import chat_mattermost as wire
from tocsin.core.chat_calls import Heard
from tocsin.core.response_channel import ROOM_INVITE, ROOM_OPEN, ROOM_TRY

_SAYS = ("id", "message")


@dataclass(slots=True)
class MattermostChannel:
    """One bot in one team of one server."""

    url: str
    token: str = field(repr=False)
    team: str
    invited: Sequence[str] = ()
    _account: str = ""
    _team_id: str = ""

    def send(self, message: Message, *, deadline: timedelta) -> str:
        line = Line.open(self.url, self.token, deadline=deadline, at=message.at)
        if message.kind == ROOM_OPEN:
            return self._open(line, message).receipt()
        if message.kind == ROOM_INVITE:
            return _bring(line, message.address, str(message.payload["account"]))
        room = self._open(line, message).reference if message.kind == ROOM_TRY else message.address
        call = wire.post(room, str(message.payload["text"]), key=message.key)
        return str(line.must(call, *_SAYS).document["id"])

    def _open(self, line: Line, message: Message) -> Room:
        if not self._team_id:
            self._team_id = str(line.must(wire.team(self.team), *_SAYS).document["id"])
        said = line.ask(wire.create_room(message.payload, team_id=self._team_id))
        if not said.good:
            if said.told("id") != wire.EXISTS:
                raise refused(said, *_SAYS)
            said = line.must(wire.find_room(str(message.payload["room"]), team_id=self._team_id), *_SAYS)
        room = str(said.document["id"])
        note = self._invite(line, room)
        return Room(reference=room, url=wire.link(self.url, team=self.team, name=said.document["name"]), note=note)

    def _invite(self, line: Line, room: str) -> str:
        if not self.invited:
            return ""
        found = line.must(wire.people_named(self.invited), *_SAYS).document
        troubles = [f"{name} is not known" for name in self.invited if name not in {one["username"] for one in found}]
        for one in found:
            said = line.ask(wire.add_member(room, str(one["id"])))
            if not said.good:
                troubles.append(f"{one['username']} was not invited ({said.told(*_SAYS)})")
        return "; ".join(troubles)

    def listen(self, since: str, rooms: Sequence[str], *, deadline: timedelta, at: datetime) -> News:
        """What people wrote in these rooms since a moment of the server's clock."""
        line = Line.open(self.url, self.token, deadline=deadline, at=at)
        if not self._account:
            self._account = str(line.must(wire.me(), *_SAYS).document["id"])
        start = int(since) if since.isdigit() else 1
        heard: list[Heard] = []
        latest = start
        for room in rooms:
            said = line.ask(wire.posts_since(room, start))
            if said.status in {403, 404}:
                continue  # the bot was taken out of the room, or the room is gone; the others go on
            if not said.good:
                raise refused(said, *_SAYS)
            found, changed = wire.read_posts(said.document, room=room, me=self._account)
            heard += found
            latest = max(latest, changed)
        return News(self._named(line, heard), str(latest))

    def _named(self, line: Line, heard: list[Heard]) -> list[Heard]:
        if not heard:
            return heard
        idents = sorted({one.account for one in heard})
        people = line.must(wire.people_of(idents), *_SAYS).document
        names = {str(one["id"]): str(one["username"]) for one in people}
        return [replace(one, name=names.get(one.account, one.account)) for one in heard]


def _bring(line: Line, room: str, account: str) -> str:
    """Make an account, named by its id or its user name, a member; one that is a member already stays one.

    Raises DeliveryFailed when the server does not.
    """
    ident = account
    if not wire.is_ident(account):
        found = line.must(wire.people_named([account]), *_SAYS).document
        if not found:
            raise DeliveryFailed(f"{account} is not known", permanent=True)
        ident = str(found[0]["id"])
    line.must(wire.add_member(room, ident), *_SAYS)
    return "a member"
