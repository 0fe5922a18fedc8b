"""Real processes to kill: a node of Tocsin, a mail server that keeps what it got, and a sender that tries until it hears 2xx."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.controller import Controller

TOKEN = "tocsin_crash-tests-administrator"
Result = TypeVar("Result")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(happened: Callable[[], Result], *, what: str, seconds: float = 30.0) -> Result:
    """Ask until the answer is true; real processes have no clock to wind. Fails loudly, never hangs."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if result := happened():
                return result
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {seconds:.0f} s: {what}")
        select.select([], [], [], 0.03)


class Mailbox:
    """An SMTP server on loopback that keeps every mail it accepted."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.original_content or envelope.content))
        return "250 kept"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def of(self, kind: str) -> list[Message]:
        return [mail for mail in self.mails if mail["X-Update-Kind"] == kind]


@dataclass(slots=True)
class Node:
    """One `tocsin serve`. `crash` names the point that kills it, as `name:visit`."""

    data: Path
    mailbox: Mailbox
    database: str = ""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0

    def start(self, *, crash: str = "") -> None:
        self.deaths += self.killed_itself()
        environment = {**os.environ, "TOCSIN_TOKEN": TOKEN, "TOCSIN_SMTP_URL": self.mailbox.url, "TOCSIN_CRASH": crash}
        environment.pop("DATABASE_URL", None)
        if self.database:
            environment["DATABASE_URL"] = self.database
        command = [
            sys.executable,
            "-m",
            "tocsin.wiring.main",
            "serve",
            "--data",
            str(self.data),
            "--port",
            str(self.port),
        ]
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        if not crash:
            self.ready()

    def ready(self) -> None:
        eventually(lambda: self.ask("GET", "/readyz")[0] == 200, what=f"node on {self.port} ready", seconds=60)

    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def killed_itself(self) -> bool:
        return self.process is not None and self.process.poll() == -signal.SIGKILL

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else int(self.process.returncode)
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def ask(self, method: str, path: str, body: Any = None, *, key: str = TOKEN) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def must(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.ask(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    box.start()
    try:
        yield box
    finally:
        box.stop()
