"""Rooms on a Matrix homeserver, by the client-server API: made once, spoken in once, listened to from where we were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.channels.chat_line import Line, Said, refused
from tocsin.channels.protocol import DeliveryFailed, Message, News, Room
from tocsin.core import chat_matrix as wire
from tocsin.core.chat_calls import Heard
from tocsin.core.errors import Invalid
from tocsin.core.response_channel import ROOM_INVITE, ROOM_OPEN, ROOM_TRY

_SAYS = ("errcode", "error")
_MOST_PAGES = 50
_THERE = frozenset({"join", "invite"})


@dataclass(slots=True)
class MatrixChannel:
    """One account on one homeserver, whose rooms are ours to make and to read."""

    url: str
    token: str = field(repr=False)
    invited: Sequence[str] = ()
    _account: str = ""

    def send(self, message: Message, *, deadline: timedelta) -> str:
        line = Line.open(self.url, self.token, deadline=deadline, at=message.at)
        if message.kind == ROOM_OPEN:
            return self._open(line, message).receipt()
        if message.kind == ROOM_INVITE:
            return self._bring(line, message.address, str(message.payload["account"]))
        room = self._open(line, message).reference if message.kind == ROOM_TRY else message.address
        call = wire.send(room, str(message.payload["text"]), key=message.key, quiet=bool(message.payload.get("quiet")))
        return str(line.must(call, *_SAYS).document.get("event_id", "taken"))

    def _me(self, line: Line) -> str:
        if not self._account:
            self._account = str(line.must(wire.whoami(), *_SAYS).document["user_id"])
        return self._account

    def _open(self, line: Line, message: Message) -> Room:
        """Make the room, or find the one that an earlier try has made, and invite whoever is to be invited."""
        server = wire.server_of(self._me(line))
        room = self._made(line, message, server)
        note = "; ".join(trouble for account in self.invited if (trouble := self._invite(line, room, account)))
        return Room(reference=room, url=wire.link(room, server=server), note=note)

    def _made(self, line: Line, message: Message, server: str) -> str:
        said = line.ask(wire.create_room(message.payload))
        if said.good:
            return str(said.document["room_id"])
        if said.told("errcode") != "M_ROOM_IN_USE":
            raise refused(said, *_SAYS)
        found = str(line.must(wire.find_room(message.payload["room"], server=server), *_SAYS).document["room_id"])
        state = line.ask(wire.room_state(found))
        if state.good and wire.made_by(state.document) == self._me(line):
            return found
        # Somebody else took the name: then the room has none.
        return str(line.must(wire.create_room(message.payload, alias=False), *_SAYS).document["room_id"])

    def _invite(self, line: Line, room: str, account: str) -> str:
        """Invite; what goes wrong with one account keeps nobody else from the room and is told."""
        if account == self._account:
            return ""
        said = line.ask(wire.invite(room, account))
        good = said.good or _is_there(line, room, account, said)
        return "" if good else f"{account} was not invited ({said.told(*_SAYS)})"

    def _bring(self, line: Line, room: str, account: str) -> str:
        """Invite one account. Raises DeliveryFailed when the server does not."""
        if account == self._me(line):
            return "this is our own account"
        said = line.ask(wire.invite(room, account))
        if said.good:
            return "invited"
        if _is_there(line, room, account, said):
            return "was in the room already"
        raise refused(said, *_SAYS)

    def listen(self, since: str, rooms: Sequence[str], *, deadline: timedelta, at: datetime) -> News:
        """What people said in these rooms after `since`, oldest first, also more than one answer carries."""
        line = Line.open(self.url, self.token, deadline=deadline, at=at)
        me = self._me(line)
        said = line.ask(wire.sync(since, rooms))
        if said.status in {400, 404} and since:
            # The server no longer knows the place; everything is read anew, and what is known is passed over.
            said, since = line.must(wire.sync("", rooms), *_SAYS), ""
        if not said.good:
            raise refused(said, *_SAYS)
        try:
            found = wire.read_sync(said.document, me=me, rooms=rooms)
        except Invalid as wrong:
            raise DeliveryFailed(str(wrong)) from wrong
        earlier = [one for gap in found.gaps for one in self._fill(line, gap, until=since, me=me)]
        return News([*earlier, *found.heard], found.next_batch)

    def _fill(self, line: Line, gap: wire.Gap, *, until: str, me: str) -> list[Heard]:
        """What was said before the sync's own part, oldest first."""
        pieces: list[list[Heard]] = []
        start = gap.start
        for _ in range(_MOST_PAGES):
            said = line.must(wire.messages(gap.room, start=start, end=until), *_SAYS).document
            chunk = said.get("chunk", [])
            pieces.append(wire.read_events(list(reversed(chunk)), room=gap.room, me=me))
            following = said.get("end")
            if not chunk or not isinstance(following, str):
                break
            start = following
        return [one for piece in reversed(pieces) for one in piece]


def _is_there(line: Line, room: str, account: str, said: Said) -> bool:
    """Whether an invitation was refused because the account is in the room; servers use different words for that."""
    if said.status != 403:
        return False
    member = line.ask(wire.member(room, account))
    return member.good and isinstance(member.document, dict) and member.document.get("membership") in _THERE
