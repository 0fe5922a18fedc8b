"""What is posted to a workflow of Microsoft Teams.

A workflow takes cards for one channel. It makes no rooms, invites nobody and tells nothing back, so that the
incident's own page stays the channel, and Teams hears of it.
"""

from __future__ import annotations

from typing import Any

from tocsin.core.chat_calls import Call

CANNOT = (
    "A workflow of Teams only takes messages for one channel: it makes no channel for an incident, invites nobody, "
    "and tells us nothing that is written there."
)


def post(text: str) -> Call:
    """One adaptive card: the first line stands out, the rest follows, a link becomes a button."""
    first, *rest = text.split("\n")
    block: dict[str, Any] = {"type": "TextBlock", "wrap": True}
    body = [{**block, "text": first, "weight": "Bolder", "size": "Medium"}]
    body += [{**block, "text": line} for line in rest if line and not _is_link(line)]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    links = [line for line in rest if _is_link(line)]
    if links:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the incident", "url": links[0]}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return Call("POST", "", {"type": "message", "attachments": [attachment]})


def _is_link(line: str) -> bool:
    return line.startswith(("https://", "http://")) and " " not in line
