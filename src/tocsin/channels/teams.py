"""Cards for one channel of Microsoft Teams, by a workflow's address. It makes no rooms (see `core.chat_teams`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tocsin.channels.chat_line import Line
from tocsin.channels.protocol import Message, Room
from tocsin.core import chat_teams as wire
from tocsin.core.response_channel import ROOM_OPEN


@dataclass(slots=True)
class TeamsChannel:
    """One workflow. Its address holds its secret, so it is shown nowhere."""

    url: str = field(repr=False)

    def send(self, message: Message, *, deadline: timedelta) -> str:
        if message.kind == ROOM_OPEN:
            # Nothing is made there; the first words follow as a card, and the link of the channel is the page.
            return Room(reference=message.address, note=wire.CANNOT).receipt()
        line = Line.open(self.url, "", deadline=deadline, at=message.at)
        said = line.must(wire.post(str(message.payload["text"])), "error", "message")
        return f"answered {said.status}"
