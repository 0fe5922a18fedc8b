"""Mail by SMTP: one recipient a mail, one thread an incident, a plain text part always."""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.platform.text import one_line

DEFAULT_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over: smtp://, smtps:// or smtp+starttls://[user:password@]host[:port]."""

    scheme: str
    host: str
    port: int
    username: str
    password: str

    @classmethod
    def parse(cls, url: str) -> Server:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("TOCSIN_SMTP_URL must look like smtp://host:25, smtps://... or smtp+starttls://...")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class EmailChannel:
    """Keeps one connection a thread, because the handshake costs more than the mail."""

    def __init__(self, url: str, sender: str) -> None:
        self._server = Server.parse(url)
        self._sender = sender
        self._kept = threading.local()

    def send(self, message: Message, *, deadline: timedelta) -> str:
        mail = compose(message, sender=self._sender)
        try:
            return self._hand_over(mail, message.address, deadline)
        except smtplib.SMTPRecipientsRefused as refusal:
            code, text = next(iter(refusal.recipients.values()))
            raise _failure(code, text) from refusal
        except smtplib.SMTPResponseException as refusal:
            self._drop()
            raise _failure(refusal.smtp_code, refusal.smtp_error) from refusal
        except (smtplib.SMTPServerDisconnected, OSError) as lost:
            self._drop()
            # The line may have broken after the last dot: the mail may be on its way.
            raise DeliveryFailed(f"connection to the mail server lost: {lost}", unknown=self._handing) from lost

    @property
    def _handing(self) -> bool:
        return bool(getattr(self._kept, "handing", False))

    def _hand_over(self, mail: EmailMessage, address: str, deadline: timedelta) -> str:
        self._kept.handing = False
        connection = self._connection(deadline)
        sender = parseaddr(self._sender)[1]
        self._kept.handing = True
        refused = connection.send_message(mail, from_addr=sender, to_addrs=[address])
        self._kept.handing = False
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)
        return f"accepted by {self._server.host}"

    def _connection(self, deadline: timedelta) -> smtplib.SMTP:
        kept: smtplib.SMTP | None = getattr(self._kept, "connection", None)
        if kept is not None and self._alive(kept):
            return kept
        self._kept.connection = self._connect(deadline.total_seconds())
        return self._kept.connection  # type: ignore[no-any-return]

    @staticmethod
    def _alive(connection: smtplib.SMTP) -> bool:
        try:
            return connection.rset()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _connect(self, seconds: float) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=seconds)
        if server.scheme == "smtp+starttls":
            connection.starttls(context=context)
        if server.username:
            connection.login(server.username, server.password)
        return connection

    def _drop(self) -> None:
        kept: smtplib.SMTP | None = getattr(self._kept, "connection", None)
        self._kept.connection = None
        if kept is not None:
            kept.close()


def compose(message: Message, *, sender: str) -> EmailMessage:
    """The mail for `message`; raises DeliveryFailed(permanent) when the address cannot be one."""
    payload = message.payload
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    try:
        mail["To"] = Address(display_name=one_line(str(payload.get("to_name", ""))), addr_spec=message.address)
    except (MessageError, ValueError, IndexError) as wrong:
        raise DeliveryFailed(f"not a mail address: {one_line(message.address)}", permanent=True) from wrong
    mail["Subject"] = one_line(str(payload.get("subject", "")))
    mail["Date"] = format_datetime(message.due_at)
    mail["Message-ID"] = f"<{message_id(message.key)}@tocsin>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.repeat:
        mail["X-Tocsin-Repeat"] = "an earlier try may have arrived"
    for header, value in _headers(payload).items():
        if header not in mail:
            mail[header] = one_line(str(value), limit=900)
    mail.set_content(str(payload.get("text", "")))
    if payload.get("html"):
        mail.add_alternative(str(payload["html"]), subtype="html")
    return mail


def message_id(key: str) -> str:
    """`key` with only what a Message-ID may hold."""
    return "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in key)


def _headers(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = payload.get("headers", {})
    return headers if isinstance(headers, Mapping) else {}


def _failure(code: int, text: bytes | str) -> DeliveryFailed:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return DeliveryFailed(f"the mail server said {code} {one_line(words)}", permanent=500 <= code < 600)
