"""The event loop's side of `serve`: one port, the front behind it, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.wiring.opening import Doorway, Opening

if TYPE_CHECKING:
    from tocsin.engine.run import Engine
    from tocsin.intake.journal import JournalWriter
    from tocsin.wiring.asgi import Front
    from tocsin.wiring.live import Live

_log = logging.getLogger(__name__)

BACKLOG = 1024
STOP_SECONDS = 20.0
HEADER_MILLISECONDS = 30_000


class House(Protocol):
    """What works behind the front."""

    engine: Engine | None

    def open(self) -> JournalWriter:
        """Start the journal's writer and the engine. Called once, before the front is built."""


@dataclass(slots=True)
class Listener:
    """Serves `house`; with an `opening` it answers at once and opens the house when that is done."""

    house: House
    opening: Opening | None = None
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, thread_name_prefix="door"))
    _doorway: Doorway = field(default_factory=Doorway)
    _front: Front | None = None
    _live: Live | None = None
    _stopping: asyncio.Task[None] | None = None
    _code: int = 0

    async def listen(self, host: str, port: int) -> int:
        """Serve until told to stop: streams end first, then requests in flight, then the listener.

        Returns the exit code: 1 when the house could not be made ready.
        """
        if self.opening is None:
            self._open()
        server = _server(self._doorway, host, port)
        loop = asyncio.get_running_loop()
        ended = loop.create_task(server.serve())

        def stop() -> None:
            if self.opening is not None:
                self.opening.stop()
            self._stopping = loop.create_task(self._stop(server))
            loop.call_later(STOP_SECONDS, ended.cancel)

        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop)
        sys.stderr.write(f"tocsin: serving on http://{host}:{port}\n")
        opened = loop.create_task(self._open_after(self.opening, stop)) if self.opening is not None else None
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await ended
        finally:
            if self.opening is not None:
                self.opening.stop()
        if opened is not None:
            await opened
        if self._front is not None:
            self._front.django.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        return self._code

    def _open(self) -> None:
        journal = self.house.open()
        self._front, self._live = build_front(journal, self.house.engine, self._threads)
        self._doorway.behind = self._front
        # What is there now stays; looking through it again for garbage would hold everybody up for a tenth of a second.
        gc.collect()
        gc.freeze()

    async def _open_after(self, opening: Opening, stop: Callable[[], None]) -> None:
        """Open the house when the opening has done its work, or end with exit code 1."""
        self._doorway.behind = opening.answer
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, opening.work)
            if self._stopping is None:
                self._open()
        except Exception:  # noqa: BLE001 - whatever it was, the process ends in good order and says so
            if self._stopping is not None:
                return  # the work was asked to end, and did
            _log.exception("the house could not be made ready")
            self._code = 1
            stop()

    async def _stop(self, server: Any) -> None:
        """The server waits for its connections, so the streams, which never end by themselves, have to end before."""
        if self._live is not None:
            self._live.end()
            for _ in range(100):
                if not self._live.streams:
                    break
                await asyncio.sleep(0.01)
        server.stop()


def _server(doorway: Doorway, host: str, port: int) -> Any:
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    from tocsin.platform import db

    return Server(
        doorway,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=int(HEADER_MILLISECONDS * db.patience())),
        log_enabled=False,
    )


def build_front(journal: JournalWriter, engine: Engine | None, threads: ThreadPoolExecutor) -> tuple[Front, Live]:
    """The front of this process with its doors, streams and health pages. Called inside the event loop."""
    from tocsin.intake.doors import Doors
    from tocsin.intake.keys import KeyRing
    from tocsin.intake.lookups import ObjectiveNames, Selections, present, sender_of
    from tocsin.platform import clock, db
    from tocsin.wiring import watching
    from tocsin.wiring.asgi import Front
    from tocsin.wiring.bridge import Bridge
    from tocsin.wiring.health import Checks, Health
    from tocsin.wiring.live import Live
    from tocsin.wiring.wsgi import application

    patience = db.patience()
    doors = Doors(
        keys=KeyRing(sender_of, threads, clock.monotonic),
        journal=journal,
        names=ObjectiveNames(threads, clock.monotonic),
        selection=Selections(threads, clock.monotonic),
        clock=present,
        body_seconds=15 * patience,
    )
    live = Live(threads=threads, latest=watching.latest_entry, may_watch=watching.may_watch, patience=patience)
    checks = Checks(
        ready=watching.ready,
        engine=watching.engine_report(engine),
        version=watching.version(),
        may_scrape=watching.may_scrape,
    )
    front = Front(
        doors=doors,
        health=Health(checks, threads),
        live=live,
        django=Bridge(application, body_seconds=15 * patience),
    )
    return front, live
