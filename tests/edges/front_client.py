"""Speak ASGI to the front's parts without a socket: one request, and what came back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tocsin.intake.protocol import Message, Scope

Application = Callable[..., Awaitable[None]]


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        return next((value.decode() for key, value in self.headers if key == name.encode()), "")

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.pieces.append(message["body"])
            self.ended = not message.get("more_body", False)


def scope(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    query: bytes = b"",
) -> Scope:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50000),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
    }


async def request(app: Application, given: Scope, *parts: bytes, hang_up: asyncio.Event | None = None) -> Answer:
    """Send `parts` as the body; afterwards the client stays until `hang_up` is set (for ever without one)."""
    answer = Answer()
    waiting = list(parts or (b"",))

    async def receive() -> Message:
        if waiting:
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting)}
        await (hang_up or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.take(message)

    await app(given, receive, send)
    return answer


def ask(app: Application, method: str = "GET", path: str = "/", *parts: bytes, **fields: Any) -> Answer:
    """One request in an event loop of its own."""
    return asyncio.run(request(app, scope(method, path, **fields), *parts))
