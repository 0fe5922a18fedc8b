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
from tocsin.core.retries import Outcome, outcome_of_smtp
from tocsin.platform import clock
from tocsin.platform.text import clean, one_line

OK, HANGS_UP = 250, 421
ACCEPTED = (250, 251)
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


class _Line:
    """One thread's connection; it ends with the thread, or with the channel."""

    def __init__(self, connection: smtplib.SMTP) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class EmailChannel:
    """Keeps one connection a thread, because the handshake costs more than the mail.

    Until the content was handed over a broken line means that nothing was taken; after it nobody can know.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._server = Server.parse(url)
        self._sender = sender
        self._kept = threading.local()

    def send(self, message: Message, *, deadline: timedelta) -> str:
        until = clock.monotonic() + deadline.total_seconds()
        mail = compose(message, sender=self._sender)
        connection = self._connection(until)
        try:
            self._address(connection, mail, until)
            self._hand_over(connection, mail, until)
        except smtplib.SMTPResponseException as refusal:
            raise self._refused(refusal.smtp_code, refusal.smtp_error) from refusal
        except (smtplib.SMTPException, OSError) as lost:
            self._drop()
            raise DeliveryFailed(f"the line to the mail server broke: {_words(lost)}") from lost
        return f"accepted by {self._server.host}"

    def _connection(self, until: float) -> smtplib.SMTP:
        """The kept connection or a new one. What fails here is the server's trouble, never the recipient's."""
        try:
            kept: _Line | None = getattr(self._kept, "line", None)
            if kept is not None and self._alive(kept.connection, until):
                return kept.connection
            self._drop()
            connection = self._connect(until)
            self._kept.line = _Line(connection)
            return connection
        except (smtplib.SMTPException, OSError) as trouble:
            self._drop()
            raise DeliveryFailed(f"no mail server at {self._server.host}: {_words(trouble)}") from trouble

    @staticmethod
    def _alive(connection: smtplib.SMTP, until: float) -> bool:
        try:
            _limit(connection, until)
            return connection.rset()[0] == OK
        except (smtplib.SMTPException, OSError):
            return False

    def _connect(self, until: float) -> smtplib.SMTP:
        server, seconds = self._server, _left(until)
        context = ssl.create_default_context()
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=seconds)
        try:
            _limit(connection, until)
            if server.scheme == "smtp+starttls":
                connection.starttls(context=context)
            if server.username:
                connection.login(server.username, server.password)
            connection.ehlo_or_helo_if_needed()
        except BaseException:
            connection.close()
            raise
        return connection

    def _address(self, connection: smtplib.SMTP, mail: EmailMessage, until: float) -> None:
        """Name sender and recipient; a refusal raises SMTPResponseException."""
        _limit(connection, until)
        self._must(connection.mail(mail["From"].addresses[0].addr_spec))
        _limit(connection, until)
        self._must(connection.rcpt(mail["To"].addresses[0].addr_spec))

    def _hand_over(self, connection: smtplib.SMTP, mail: EmailMessage, until: float) -> None:
        # Seven bits pass through every server, whatever it offers.
        content = mail.as_bytes(policy=SMTP.clone(cte_type="7bit"))
        _limit(connection, until)
        try:
            self._must(connection.data(content))
        except smtplib.SMTPResponseException:
            raise
        except (smtplib.SMTPException, OSError) as lost:
            self._drop()
            # The line may have broken after the last dot: the mail may be on its way.
            raise DeliveryFailed(f"the mail server fell silent after the mail: {_words(lost)}", unknown=True) from lost

    @staticmethod
    def _must(reply: tuple[int, bytes]) -> None:
        if reply[0] not in ACCEPTED:
            raise smtplib.SMTPResponseException(*reply)

    def _refused(self, code: int, text: bytes | str) -> DeliveryFailed:
        """4xx is tried again, 5xx is not; after 421 the server hangs up, so the line is given up."""
        if code == HANGS_UP or not 400 <= code < 600:
            self._drop()
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        outcome = outcome_of_smtp(code)
        return DeliveryFailed(
            f"the mail server said {code} {one_line(words)}",
            permanent=outcome is Outcome.PERMANENT,
            unknown=outcome is Outcome.UNKNOWN,
        )

    def close(self) -> None:
        """End the line of the thread that calls; other threads' lines end with them."""
        self._drop()

    def _drop(self) -> None:
        kept: _Line | None = getattr(self._kept, "line", None)
        self._kept.line = None
        if kept is not None:
            kept.connection.close()


def _left(until: float) -> float:
    """Seconds until the deadline; never 0, which would mean to wait for ever. Raises TimeoutError when it has passed."""
    seconds = until - clock.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


def _limit(connection: smtplib.SMTP, until: float) -> None:
    if connection.sock is not None:
        connection.sock.settimeout(_left(until))


def _words(trouble: BaseException) -> str:
    return one_line(str(trouble) or type(trouble).__name__)


def compose(message: Message, *, sender: str) -> EmailMessage:
    """The mail for `message`; raises DeliveryFailed(permanent) when the address cannot be one."""
    payload = message.payload
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    try:
        mail["To"] = Address(display_name=one_line(str(payload.get("to_name", ""))), addr_spec=_spec(message.address))
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
    mail.set_content(clean(str(payload.get("text", ""))))
    if payload.get("html"):
        mail.add_alternative(clean(str(payload["html"])), subtype="html")
    return mail


def _spec(address: str) -> str:
    """`address` with its domain as the mail system knows it; raises UnicodeError (a ValueError) when that is none."""
    local, _, domain = address.rpartition("@")
    return address if address.isascii() else f"{local}@{domain.encode('idna').decode('ascii')}"


def message_id(key: str) -> str:
    """`key` with only what a Message-ID may hold."""
    return "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in key)


def _headers(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = payload.get("headers", {})
    return headers if isinstance(headers, Mapping) else {}
