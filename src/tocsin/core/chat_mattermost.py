"""What is said to Mattermost's REST API v4 and what it says, as values without any sending."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tocsin.core.chat_calls import Call, Heard
from tocsin.core.json_values import mapping

BASE = "/api/v4"
EXISTS = "store.sql_channel.save_channel.exists.app_error"
_LONGEST_NAME = 64
_IDENT = re.compile(r"[a-z0-9]{26}")


def me() -> Call:
    return Call("GET", f"{BASE}/users/me")


def team(name: str) -> Call:
    return Call("GET", f"{BASE}/teams/name/{quote(name, safe='')}")


def create_room(payload: Mapping[str, Any], *, team_id: str) -> Call:
    body = {
        "team_id": team_id,
        "name": str(payload["room"]).lower()[:_LONGEST_NAME],
        "display_name": str(payload["name"])[:_LONGEST_NAME],
        "header": str(payload["topic"]),
        "type": "P",
    }
    return Call("POST", f"{BASE}/channels", body)


def find_room(name: str, *, team_id: str) -> Call:
    return Call("GET", f"{BASE}/teams/{team_id}/channels/name/{quote(name.lower()[:_LONGEST_NAME], safe='')}")


def is_ident(account: str) -> bool:
    """Whether an account is named by the server's own id: 26 letters and figures."""
    return _IDENT.fullmatch(account) is not None


def people_named(names: Sequence[str]) -> Call:
    """Accounts by their user names. The body is a list, which is what this call takes."""
    return Call("POST", f"{BASE}/users/usernames", list(names))


def people_of(idents: Sequence[str]) -> Call:
    return Call("POST", f"{BASE}/users/ids", list(idents))


def add_member(room: str, account: str) -> Call:
    return Call("POST", f"{BASE}/channels/{quote(room, safe='')}/members", {"user_id": account})


def post(room: str, text: str, *, key: str) -> Call:
    """A message. The pending id is the message's own key, by which the server knows a second try.

    A title from outside may hold "@channel"; it calls nobody.
    """
    quiet = text.replace("@", "@\u200b")
    return Call("POST", f"{BASE}/posts", {"channel_id": room, "message": quiet, "pending_post_id": key})


def posts_since(room: str, milliseconds: int) -> Call:
    return Call("GET", f"{BASE}/channels/{quote(room, safe='')}/posts?since={milliseconds}")


def link(url: str, *, team: str, name: str) -> str:
    return f"{url}/{quote(team, safe='')}/channels/{quote(name, safe='')}"


def read_posts(document: object, *, room: str, me: str) -> tuple[list[Heard], int]:
    """What people wrote, oldest first, and the latest change among it in milliseconds. Our own posts are passed over."""
    posts = mapping(mapping(document).get("posts"))
    ordered = sorted((mapping(one) for one in posts.values()), key=lambda one: _number(one.get("create_at")))
    latest = max((_number(one.get("update_at")) for one in ordered), default=0)
    found = [_heard(one, room) for one in ordered if one.get("user_id") != me]
    return [one for one in found if one is not None], latest


def _heard(post: Mapping[str, Any], room: str) -> Heard | None:
    ident, account, text = post.get("id"), post.get("user_id"), post.get("message")
    # A type is what the server says by itself ("joined the channel"); what was deleted is not read anew.
    if post.get("type") or post.get("delete_at") or not (isinstance(ident, str) and isinstance(account, str)):
        return None
    words = str(text or "").strip() or ("(file)" if post.get("file_ids") else "")
    if not words:
        return None
    edited = _number(post.get("edit_at"))
    return Heard(
        ident=f"{ident}:{edited}" if edited else ident,
        room=room,
        account=account,
        name=account,
        text=f"Corrected: {words}" if edited else words,
        sent_seconds=(edited or _number(post.get("create_at"))) / 1000,
        command=not edited,
    )


def hooked(form: Mapping[str, Any]) -> Heard | None:
    """What an outgoing webhook tells. None for one that lacks what a message has."""
    ident, room, account, text = (str(form.get(name) or "") for name in ("post_id", "channel_id", "user_id", "text"))
    if not (ident and room and account and text.strip()):
        return None
    return Heard(
        ident=ident,
        room=room,
        account=account,
        name=str(form.get("user_name") or account),
        text=text.strip(),
        sent_seconds=_number(form.get("timestamp")) / 1000,
    )


def _number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
