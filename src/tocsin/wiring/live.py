"""The live stream at `/live`: tells open pages that something was written to the event log, never what.

Server-sent events whose id is the log's latest sequence number, so a browser that comes back says where it was. One
look at the database serves all streams.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from tocsin.intake.protocol import Receive, Scope, Send, answer_problem, header

_log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
KEEP_ALIVE = 15.0
MOST_STREAMS = 1000
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
]


class Live:
    """Answers `/live`. `latest` reads the last sequence number; `may_watch` says whether a cookie's owner may listen."""

    def __init__(
        self, *, threads: Executor, latest: Callable[[], int], may_watch: Callable[[str], bool], patience: float = 1.0
    ) -> None:
        self._threads = threads
        self._latest = latest
        self._may_watch = may_watch
        self._patience = patience
        self._seq = 0
        self._turned = asyncio.Event()
        self._streams = 0
        self._looking: asyncio.Task[None] | None = None
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._threads, self._may_watch, header(scope, b"cookie")):
            await answer_problem(send, 401, "Unauthorized", "Sign in to watch.")
            return
        if self._ended or self._streams >= MOST_STREAMS:
            await answer_problem(
                send,
                503,
                "Service unavailable",
                "Too many streams; come back later.",
                headers=[(b"retry-after", b"30")],
            )
            return
        self._seq = await loop.run_in_executor(self._threads, self._latest)
        self._look()
        self._streams += 1
        gone = loop.create_task(_disconnected(receive))
        try:
            await self._stream(send, gone, told=_last_seen(scope, self._seq))
        finally:
            gone.cancel()
            self._streams -= 1

    async def _stream(self, send: Send, gone: asyncio.Task[None], *, told: int) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _piece(send, b"retry: 2000\n\n")
        while not gone.done() and not self._ended:
            if self._seq > told:
                told = self._seq
                await _piece(send, f'id: {told}\nevent: changed\ndata: {{"seq": {told}}}\n\n'.encode())
                continue
            turned = asyncio.ensure_future(self._turned.wait())
            await asyncio.wait({turned, gone}, timeout=KEEP_ALIVE * self._patience, return_when=asyncio.FIRST_COMPLETED)
            if not turned.done():
                turned.cancel()
                await _piece(send, b": still here\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        while self._streams or not self._ended:
            try:
                seq = await loop.run_in_executor(self._threads, self._latest)
            except Exception:  # noqa: BLE001 - the streams outlive a fault of the database
                _log.warning("the live streams could not read the event log", exc_info=True)
            else:
                if seq > self._seq:
                    self._seq = seq
                    self._wake()
            await asyncio.sleep(LOOK_EVERY * self._patience)
            if not self._streams:
                return

    def _wake(self) -> None:
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._streams

    def end(self) -> None:
        """End every stream, so that the server can stop."""
        self._ended = True
        self._wake()
        if self._looking is not None:
            self._looking.cancel()


def _last_seen(scope: Scope, seq: int) -> int:
    """Where the client was; a new one, or one from the future of another database, starts here."""
    said = header(scope, b"last-event-id")
    return min(int(said), seq) if said.isdecimal() and len(said) < 19 else seq


async def _piece(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
