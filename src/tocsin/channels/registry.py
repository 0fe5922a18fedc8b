"""Which channels this installation has, by the name contact methods and outbox rows use."""

from __future__ import annotations

from tocsin.channels.console import ConsoleChannel
from tocsin.channels.email import EmailChannel
from tocsin.channels.protocol import Channel
from tocsin.channels.webhook import WebhookChannel


def build(*, smtp_url: str, mail_from: str) -> dict[str, Channel]:
    """Mail by SMTP where a server is named, else to the console, so that nothing is lost silently; webhooks always."""
    mail: Channel = EmailChannel(smtp_url, mail_from) if smtp_url else ConsoleChannel()
    return {"email": mail, "webhook": WebhookChannel()}
