"""What would have left the house, as the demo's phone and mail box show it."""

from __future__ import annotations

import re
from typing import Any

from tocsin.audit.actions import stamp
from tocsin.platform.models import OutboxMessage

_LINK = re.compile(r"https?://\S+/p/[A-Za-z0-9_-]+")


def messages(*, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """The latest messages, newest last, with a line for a phone beside the mail's text."""
    rows = OutboxMessage.objects.filter(pk__gt=after).order_by("-id")[:limit]
    return [_shown(row) for row in reversed(rows)]


def _shown(row: OutboxMessage) -> dict[str, Any]:
    payload = row.payload
    return {
        "id": row.pk,
        "key": row.key,
        "kind": row.kind,
        "channel": row.channel,
        "to": row.address,
        "subject": payload.get("subject", ""),
        "text": payload.get("text", ""),
        "link": _link(str(payload.get("text", ""))),
        "incident": row.incident,
        "state": row.state,
        "at": stamp(row.created_at),
        "sent_at": stamp(row.sent_at) if row.sent_at else None,
    }


def _link(text: str) -> str:
    """The link of a page that takes the incident, if the message holds one."""
    found = _LINK.search(text)
    return found[0] if found else ""
