"""What is said to a Matrix homeserver and what it says: client-server API v3, as values without any sending."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tocsin.core.chat_calls import Call, Heard
from tocsin.core.errors import Invalid
from tocsin.core.json_values import items, mapping

BASE = "/_matrix/client/v3"
_MOST_ROOMS_NAMED = 40
_PAGE = 100
_SPOKEN = frozenset({"m.text", "m.notice", "m.emote"})


def whoami() -> Call:
    return Call("GET", f"{BASE}/account/whoami")


def create_room(payload: Mapping[str, Any], *, alias: bool = True) -> Call:
    """A private room that the server does not encrypt, because what is said in it belongs to the record.

    The alias is what makes a second try find the first one's room.
    """
    body: dict[str, Any] = {
        "name": payload["name"],
        "topic": payload["topic"],
        "preset": "private_chat",
        "visibility": "private",
    }
    if alias:
        body["room_alias_name"] = payload["room"]
    return Call("POST", f"{BASE}/createRoom", body)


def find_room(alias: str, *, server: str) -> Call:
    return Call("GET", f"{BASE}/directory/room/{_part(f'#{alias}:{server}')}")


def room_state(room: str) -> Call:
    return Call("GET", f"{BASE}/rooms/{_part(room)}/state")


def made_by(state: object) -> str:
    """Who created the room whose state this is; "" when it does not say."""
    events = [mapping(one) for one in items(state)]
    return next((str(one.get("sender", "")) for one in events if one.get("type") == "m.room.create"), "")


def invite(room: str, account: str) -> Call:
    return Call("POST", f"{BASE}/rooms/{_part(room)}/invite", {"user_id": account})


def member(room: str, account: str) -> Call:
    return Call("GET", f"{BASE}/rooms/{_part(room)}/state/m.room.member/{_part(account)}")


def send(room: str, text: str, *, key: str, quiet: bool = False) -> Call:
    """A message. The transaction id is the message's own key, so that the server takes a second try for the first.

    It mentions nobody: a title from outside may hold "@room".
    """
    body: dict[str, Any] = {"msgtype": "m.notice" if quiet else "m.text", "body": text, "m.mentions": {}}
    return Call("PUT", f"{BASE}/rooms/{_part(room)}/send/m.room.message/{_part(key)}", body)


def link(room: str, *, server: str) -> str:
    return f"https://matrix.to/#/{quote(room, safe='!:')}?{urlencode({'via': server})}"


def server_of(account: str) -> str:
    """The homeserver of an account."""
    return account.partition(":")[2]


def sync(since: str, rooms: Sequence[str]) -> Call:
    """What is new in the rooms. Answered at once: a call that waits for news would hold up the end of the program."""
    timeline: dict[str, Any] = {"types": ["m.room.message"], "limit": _PAGE}
    nothing: dict[str, list[str]] = {"types": []}
    inside: dict[str, Any] = {"timeline": timeline, "state": nothing, "ephemeral": nothing, "account_data": nothing}
    if len(rooms) <= _MOST_ROOMS_NAMED:
        inside["rooms"] = list(rooms)
    wanted = {"room": inside, "presence": nothing, "account_data": nothing}
    query = {"timeout": "0", "filter": json.dumps(wanted, separators=(",", ":"))}
    return Call("GET", f"{BASE}/sync?{urlencode({**query, **({'since': since} if since else {})})}")


def messages(room: str, *, start: str, end: str) -> Call:
    """What was said before `start`, newest first, down to `end`."""
    wanted = json.dumps({"types": ["m.room.message"]}, separators=(",", ":"))
    query = {"dir": "b", "from": start, "limit": str(_PAGE), "filter": wanted}
    return Call("GET", f"{BASE}/rooms/{_part(room)}/messages?{urlencode({**query, **({'to': end} if end else {})})}")


@dataclass(frozen=True, slots=True)
class Gap:
    """A room in which more was said than a sync carries; the rest is read from `start` backwards."""

    room: str
    start: str


@dataclass(frozen=True, slots=True)
class Synced:
    next_batch: str
    heard: tuple[Heard, ...]
    gaps: tuple[Gap, ...]


def read_sync(document: object, *, me: str, rooms: Iterable[str]) -> Synced:
    """What a sync tells of our rooms. Raises Invalid for what is no sync."""
    told = mapping(document)
    if not isinstance(told.get("next_batch"), str):
        raise Invalid({"sync": "The homeserver's answer is no sync."})
    known = set(rooms)
    joined = mapping(mapping(told.get("rooms")).get("join"))
    heard: list[Heard] = []
    gaps: list[Gap] = []
    for room in sorted(known & joined.keys()):
        timeline = mapping(mapping(joined[room]).get("timeline"))
        heard += read_events(timeline.get("events"), room=room, me=me)
        if timeline.get("limited") is True and isinstance(timeline.get("prev_batch"), str):
            gaps.append(Gap(room, timeline["prev_batch"]))
    return Synced(told["next_batch"], tuple(heard), tuple(gaps))


def read_events(events: object, *, room: str, me: str) -> list[Heard]:
    """What people said, in the order of the events. What we said ourselves is passed over, and so is what is no text."""
    found = [_heard(mapping(event), room) for event in items(events)]
    return [one for one in found if one is not None and one.account != me]


def _heard(event: Mapping[str, Any], room: str) -> Heard | None:
    content = mapping(event.get("content"))
    ident, sender, sent = event.get("event_id"), event.get("sender"), event.get("origin_server_ts")
    if event.get("type") != "m.room.message" or not isinstance(ident, str) or not isinstance(sender, str):
        return None
    relation = mapping(content.get("m.relates_to"))
    edited = relation.get("rel_type") == "m.replace"
    said = mapping(content.get("m.new_content")) if edited else content
    text = _text(said, answers="m.in_reply_to" in relation)
    if not text:
        return None
    milliseconds = sent if isinstance(sent, int) and not isinstance(sent, bool) and sent > 0 else 0
    return Heard(
        ident=ident,
        room=room,
        account=sender,
        name=sender.partition(":")[0].removeprefix("@"),
        text=f"Corrected: {text}" if edited else text,
        sent_seconds=milliseconds / 1000,
        command=not edited,
    )


def _text(content: Mapping[str, Any], *, answers: bool) -> str:
    body, kind = content.get("body"), content.get("msgtype")
    if not isinstance(body, str):
        return ""
    if kind not in _SPOKEN:
        return f"({str(kind).removeprefix('m.')}: {body})"
    return _without_quote(body) if answers else body.strip()


def _without_quote(body: str) -> str:
    """An answer without the quoted lines that some clients put in front of it."""
    lines = body.split("\n")
    while lines and lines[0].startswith("> "):
        lines.pop(0)
    return "\n".join(lines).strip() or body.strip()


def _part(text: str) -> str:
    return quote(text, safe="")
