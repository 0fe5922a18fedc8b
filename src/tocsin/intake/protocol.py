"""The shapes of ASGI that the front and the doors share, and the plain answers they give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON = b"application/json"
PROBLEM = b"application/problem+json"


def header(scope: Scope, name: bytes) -> str:
    """The value of the last header called `name` (lower case); empty when the client sent none."""
    value = b""
    for key, text in scope["headers"]:
        if key == name:
            value = text
    return value.decode("latin-1")


async def answer(send: Send, status: int, body: bytes = b"", *, kind: bytes = JSON, headers: Headers = ()) -> None:
    """Send one whole response of content type `kind`."""
    fixed = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, document: Any, *, headers: Headers = ()) -> None:
    await answer(send, status, msgspec.json.encode(document), headers=headers)


async def answer_problem(
    send: Send, status: int, title: str, detail: str, *, headers: Headers = (), extra: Mapping[str, Any] | None = None
) -> None:
    """Send an RFC 9457 problem; `extra` adds members such as `errors`."""
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, **(extra or {})}
    await answer(send, status, msgspec.json.encode(document), kind=PROBLEM, headers=headers)
