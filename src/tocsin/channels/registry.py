"""Which channels this installation has, by the name contact methods and outbox rows use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tocsin.channels.console import ConsoleChannel
from tocsin.channels.email import EmailChannel
from tocsin.channels.files import FileChannel
from tocsin.channels.matrix import MatrixChannel
from tocsin.channels.mattermost import MattermostChannel
from tocsin.channels.protocol import Channel
from tocsin.channels.slack import SlackChannel
from tocsin.channels.teams import TeamsChannel
from tocsin.channels.webhook import WebhookChannel

_CHAT: Mapping[str, Callable[[Mapping[str, Any]], Channel]] = {
    "matrix": lambda tool: MatrixChannel(tool["url"], tool["token"], tool["invite"]),
    "slack": lambda tool: SlackChannel(tool["url"], tool["token"], tool["invite"]),
    "mattermost": lambda tool: MattermostChannel(tool["url"], tool["token"], tool["team"], tool["invite"]),
    "teams": lambda tool: TeamsChannel(tool["url"]),
    "file": lambda tool: FileChannel(Path(tool["folder"])),
}


def build(*, smtp_url: str, mail_from: str, chat: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Channel]:
    """Mail by SMTP where a server is named, else to the console, so that nothing is lost silently; webhooks always.

    `chat` holds what is known of each chat tool that is set up.
    """
    mail: Channel = EmailChannel(smtp_url, mail_from) if smtp_url else ConsoleChannel()
    tools = {name: _CHAT[name](tool) for name, tool in (chat or {}).items()}
    return {"email": mail, "webhook": WebhookChannel(), **tools}
