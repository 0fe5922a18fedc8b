"""Built-in channels that need no provider: the ones that make Tocsin whole on a machine with no way out."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TextIO

from tocsin.channels.protocol import Message
from tocsin.platform.text import for_terminal, one_line


class ConsoleChannel:
    """Writes each message to standard error: nothing is lost silently when no mail server is configured."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message, *, deadline: timedelta) -> str:  # noqa: ARG002 - writing takes no time
        stream = self._stream or sys.stderr
        subject = one_line(str(message.payload.get("subject", message.kind)))
        stream.write(for_terminal(f"[{message.kind} to {one_line(message.address)}] {subject}\n"))
        stream.flush()
        return "written to the console"


class OutboxChannel:
    """Keeps the message in the outbox and sends nothing: the demo's phone and mail box read it there."""

    def send(self, message: Message, *, deadline: timedelta) -> str:  # noqa: ARG002
        return f"kept in the outbox as {message.key}"
