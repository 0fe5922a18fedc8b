"""Channels of Slack, by its Web API. What people write comes through a door of ours (Events API)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tocsin.channels.chat_line import Line, refused
from tocsin.channels.protocol import DeliveryFailed, Message, Room
from tocsin.core import chat_slack as wire
from tocsin.core.chat_calls import Call
from tocsin.core.response_channel import ROOM_INVITE, ROOM_OPEN, ROOM_TRY

_PERMANENT = frozenset(
    {"channel_not_found", "is_archived", "msg_too_long", "no_text", "invalid_name", "not_in_channel"}
)
_NOBODY = frozenset({"user_not_found", "cant_invite", "invitee_cant_see_channel"})
_THERE = frozenset({"already_in_channel", "cant_invite_self"})
_MOST_PAGES = 20


@dataclass(slots=True)
class SlackChannel:
    """One app in one workspace."""

    url: str
    token: str = field(repr=False)
    invited: Sequence[str] = ()

    def send(self, message: Message, *, deadline: timedelta) -> str:
        line = Line.open(self.url, self.token, deadline=deadline, at=message.at)
        if message.kind == ROOM_OPEN:
            return self._open(line, message).receipt()
        if message.kind == ROOM_INVITE:
            return _bring(line, message.address, str(message.payload["account"]))
        room = self._open(line, message).reference if message.kind == ROOM_TRY else message.address
        if message.repeat and wire.was_posted(_must(line, wire.history(room)), key=message.key):
            return "posted by an earlier try"
        return str(_must(line, wire.post(room, str(message.payload["text"]), key=message.key)).get("ts", ""))

    def _open(self, line: Line, message: Message) -> Room:
        room = self._made(line, message)
        # A topic is a help; the first message says the same.
        _ask(line, wire.set_topic(room, message.payload))
        note = "; ".join(trouble for account in self.invited if (trouble := _invite(line, room, account)))
        return Room(reference=room, url=wire.link(room), note=note)

    def _made(self, line: Line, message: Message) -> str:
        call = wire.create_room(message.payload)
        document, error = _ask(line, call)
        if not error:
            return str(document["channel"]["id"])
        if error != "name_taken":
            raise _failure(error)
        name = call.body["name"] if isinstance(call.body, dict) else ""
        found = self._find(line, str(name))
        if not found:
            raise DeliveryFailed(f"a channel {name} is there that the app does not see", permanent=True)
        return found

    def _find(self, line: Line, name: str) -> str:
        cursor = ""
        for _ in range(_MOST_PAGES):
            document = _must(line, wire.list_rooms(cursor))
            for one in document.get("channels", []):
                if one.get("name") == name:
                    return str(one["id"])
            cursor = str((document.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return ""


def _invite(line: Line, room: str, account: str) -> str:
    _, error = _ask(line, wire.invite(room, account))
    return "" if not error or error in _THERE else f"{account} was not invited ({error})"


def _bring(line: Line, room: str, account: str) -> str:
    """Invite one account. Raises DeliveryFailed when Slack does not."""
    _, error = _ask(line, wire.invite(room, account))
    if error and error not in _THERE:
        raise _failure(error)
    return "was in the channel already" if error else "invited"


def _ask(line: Line, call: Call) -> tuple[dict[str, Any], str]:
    """What Slack answers, and what it calls the fault; it answers 200 to both."""
    said = line.ask(call)
    if not said.good or not isinstance(said.document, dict):
        raise refused(said, "error")
    return said.document, "" if said.document.get("ok") is True else str(
        said.document.get("error") or "no reason given"
    )


def _must(line: Line, call: Call) -> dict[str, Any]:
    document, error = _ask(line, call)
    if error:
        raise _failure(error)
    return document


def _failure(error: str) -> DeliveryFailed:
    """A token or a right that is missing is put right while we go on trying; a channel that is gone is not."""
    return DeliveryFailed(f"Slack said {error}", permanent=error in _PERMANENT | _NOBODY)
