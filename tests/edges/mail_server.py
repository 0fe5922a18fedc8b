"""A real SMTP server that keeps what it gets and refuses or hangs up on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HANG_UP = "hang up"


@dataclass
class MailBox:
    """`envelopes` holds sender, recipients and content of each mail; the lists script the next answers, one a command."""

    envelopes: list[Envelope] = field(default_factory=list)
    on_rcpt: list[str] = field(default_factory=list)
    on_data: list[str] = field(default_factory=list)
    sessions: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        parser = BytesParser(policy=default)
        return [parser.parsebytes(envelope.content) for envelope in self.envelopes]  # type: ignore[misc,arg-type]

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.on_rcpt:
            answer = self.on_rcpt.pop(0)
            if answer == HANG_UP:
                _hang_up(server)
                return "421 bye"
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.on_data.pop(0) if self.on_data else "250 OK"
        if answer == HANG_UP:
            # The mail was taken, and nobody will ever hear of it.
            self.envelopes.append(envelope)
            _hang_up(server)
            return "250 OK"
        if answer.startswith("250"):
            self.envelopes.append(envelope)
        return answer


def _hang_up(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.abort()


class _AnyPort(Controller):
    """Asks the system for a free port and learns which one it got."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[MailBox]:
    """A server on a free port of this machine."""
    box = MailBox()
    controller = _AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()
