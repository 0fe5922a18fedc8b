"""What is said to Slack's Web API and what Slack says to us, as values without any sending."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from tocsin.core.chat_calls import Call, Heard
from tocsin.core.json_values import items, mapping

REPLAY_WINDOW = timedelta(minutes=5)
_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_SPOKEN_SUBTYPES = frozenset({"", "thread_broadcast", "file_share", "me_message"})
_NAME = re.compile(r"[^a-z0-9_-]+")


def create_room(payload: Mapping[str, Any]) -> Call:
    name = _NAME.sub("-", str(payload["room"]).lower())[:80]
    return Call("POST", "/conversations.create", {"name": name, "is_private": True})


def list_rooms(cursor: str) -> Call:
    query = {"types": "private_channel", "exclude_archived": "true", "limit": "200"}
    return Call("GET", f"/conversations.list?{urlencode({**query, **({'cursor': cursor} if cursor else {})})}")


def set_topic(room: str, payload: Mapping[str, Any]) -> Call:
    topic = escape(f"{payload['name']} {payload['topic']}")[:250]
    return Call("POST", "/conversations.setTopic", {"channel": room, "topic": topic})


def invite(room: str, account: str) -> Call:
    return Call("POST", "/conversations.invite", {"channel": room, "users": account})


def post(room: str, text: str, *, key: str) -> Call:
    """A message that carries its key, so that a try whose answer was lost can be found again."""
    metadata = {"event_type": "tocsin_message", "event_payload": {"key": key}}
    body = {"channel": room, "text": escape(text), "unfurl_links": False, "metadata": metadata}
    return Call("POST", "/chat.postMessage", body)


def history(room: str) -> Call:
    query = {"channel": room, "limit": "50", "include_all_metadata": "true"}
    return Call("GET", f"/conversations.history?{urlencode(query)}")


def was_posted(document: object, *, key: str) -> bool:
    """Whether a message with that key is among the latest of the room."""
    messages = items(mapping(document).get("messages"))
    return any(
        mapping(mapping(mapping(one).get("metadata")).get("event_payload")).get("key") == key for one in messages
    )


def link(room: str) -> str:
    return f"https://slack.com/app_redirect?channel={quote(room, safe='')}"


def escape(text: str) -> str:
    """Text that calls nobody and links nowhere by itself."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> str:
    """What a person wrote, without Slack's marks."""
    shown = _LINK.sub(lambda found: _shown(found.group(1), found.group(2) or ""), text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _shown(target: str, label: str) -> str:
    if target.startswith(("@", "#", "!")):
        return f"{target[0]}{label or target[1:]}" if target[0] != "!" else f"@{label or target[1:]}"
    return f"{label} ({target})" if label and label != target else target


def signature(secret: str, *, timestamp: str, body: bytes) -> str:
    """What Slack sends as `X-Slack-Signature`."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secret: str, *, timestamp: str, given: str, body: bytes, now: datetime) -> bool:
    """Whether Slack sent it, within the last minutes: an old request that is sent again is refused."""
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > REPLAY_WINDOW.total_seconds():
        return False
    return hmac.compare_digest(signature(secret, timestamp=timestamp, body=body).encode(), given.encode())


def heard(event: Mapping[str, Any]) -> Heard | None:
    """What a person said, in an event of a message. None for what bots say, joins, and what is no text."""
    subtype = str(event.get("subtype") or "")
    if event.get("type") != "message" or event.get("bot_id"):
        return None
    edited = subtype == "message_changed"
    said = mapping(event.get("message")) if edited else event
    account, text, stamp = said.get("user"), said.get("text"), said.get("ts")
    room = event.get("channel")
    if (not edited and subtype not in _SPOKEN_SUBTYPES) or said.get("bot_id"):
        return None
    if not (isinstance(account, str) and isinstance(text, str) and isinstance(stamp, str) and isinstance(room, str)):
        return None
    words = plain(text) or _files(said.get("files"))
    if not words or (edited and text == mapping(event.get("previous_message")).get("text")):
        return None
    suffix = f":{mapping(said.get('edited')).get('ts', '')}" if edited else ""
    return Heard(
        ident=f"{room}:{stamp}{suffix}",
        room=room,
        account=account,
        name=account,
        text=f"Corrected: {words}" if edited else words,
        sent_seconds=_seconds(stamp),
        command=not edited,
    )


def _files(files: object) -> str:
    names = [str(mapping(one).get("name", "file")) for one in items(files)]
    return f"(file: {', '.join(names)})" if names else ""


def _seconds(stamp: str) -> float:
    try:
        return max(float(stamp), 0.0)
    except ValueError:
        return 0.0
