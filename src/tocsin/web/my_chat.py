"""My accounts in the chat tools, on the page of my own settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tocsin.comms import actions as comms
from tocsin.comms import chat_queries
from tocsin.core import chat_linking
from tocsin.core.access import Actor
from tocsin.core.adapters import ADAPTERS
from tocsin.core.errors import Invalid, Refused

_NAMES: Mapping[str, str] = {one.code: one.name for one in ADAPTERS}
_EXAMPLES = (("matrix", "@mara:example.org"), ("slack", "your member id, U012AB3CD"), ("mattermost", "your user name"))


def card(actor: Actor, *, now: datetime) -> dict[str, Any]:
    """What is linked, what waits for its code, and for which tools a link can be asked for."""
    tools = chat_queries.tools_to_link()
    linked = [{"row": row, "tool": _NAMES[row.adapter]} for row in chat_queries.own_accounts(actor)]
    waiting = [
        {
            "row": row,
            "tool": _NAMES[row.adapter],
            "write": chat_linking.command(row.adapter),
            "where": chat_linking.where_to_write(row.adapter),
        }
        for row in chat_queries.own_links(actor, now=now)
    ]
    return {
        "linked": linked,
        "waiting": waiting,
        "tools": [(code, _NAMES[code]) for code in tools],
        "examples": "; ".join(f"{_NAMES[code]}: {text}" for code, text in _EXAMPLES if code in tools),
        "shown": bool(tools or linked or waiting),
        "given": {},
        "errors": {},
    }


def asked(actor: Actor, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    """What asking for a link came to: the code and what to write, what was wrong, or nothing when it is there."""
    given = {name: form.get(name, "") for name in ("adapter", "account")}
    try:
        found = comms.ask_for_chat_account(actor, **given, username=actor.ident, now=now)
    except Invalid as wrong:
        return {"given": given, "errors": wrong.fields}
    except Refused as refusal:
        return {"given": given, "errors": {"account": f"{refusal.message} {refusal.remedy}".strip()}}
    if not found.code:
        return {}
    return {
        "code": chat_linking.shown(found.code),
        "account": found.account,
        "write": chat_linking.what_to_write(found.adapter, found.code),
        "where": chat_linking.where_to_write(found.adapter),
        "expires_at": found.expires_at,
        "waiting": [one for one in card(actor, now=now)["waiting"] if not _is(one["row"], found)],
    }


def _is(row: Any, found: comms.Asked) -> bool:
    return (row.adapter, row.account) == (found.adapter, found.account)
