"""Read a request's body within bounds of size and time, so that memory stays flat whatever a client sends."""

from __future__ import annotations

import asyncio

from tocsin.intake.protocol import Receive, Scope, header

MEBIBYTE = 1024 * 1024


class BodyRefused(Exception):
    """The body cannot be taken: `status` and `title` are what the client is told."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail


class ClientGone(Exception):
    """The client went away before its body was complete; nobody is left to answer."""


async def read_body(scope: Scope, receive: Receive, *, limit: int, seconds: float) -> bytes:
    """The whole body, at most `limit` bytes, complete within `seconds`.

    Raises BodyRefused (413 too large, 408 too slow) and ClientGone. A declared length above the limit is refused
    before a byte is read.
    """
    declared = header(scope, b"content-length")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _gather(receive, limit)
    except TimeoutError:
        raise BodyRefused(408, "Request timeout", f"The body was not complete after {seconds:g} seconds.") from None


async def _gather(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)


def _too_large(limit: int) -> BodyRefused:
    return BodyRefused(413, "Content too large", f"A request may carry {limit} bytes.")
