"""`tocsin serve`: everything in one process, from an empty folder or after any kind of end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.wiring import preparation
from tocsin.wiring.lock import AlreadyRunning, ProcessLock

if TYPE_CHECKING:
    from tocsin.engine.run import Engine
    from tocsin.intake.journal import JournalWriter
    from tocsin.wiring.asgi import Front
    from tocsin.wiring.live import Live

_log = logging.getLogger(__name__)

Stop = Callable[[], None]
BACKLOG = 1024
SWITCH_SECONDS = 0.001
"""How soon a thread that waits for the interpreter gets it: a page must not wait five milliseconds for each step."""
STOP_SECONDS = 20.0
HEADER_MILLISECONDS = 30_000


def serve(
    *,
    data: Path,
    port: int,
    host: str = "127.0.0.1",
    engine: bool = True,
    beside: Callable[[], Stop] | None = None,
    channels: Mapping[str, Any] | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code.

    `beside` is started once the server is set up and returns what stops it (the demo's traffic); `channels` replaces
    the ways out of the house. A second process on the same folder is refused with one line and exit code 1.
    """
    preparation.make_folder(data)
    lock = ProcessLock(data)
    if not os.environ.get("DATABASE_URL") and not os.environ.get("DATABASE_URL_FILE"):
        try:
            lock.take()
        except AlreadyRunning as error:
            sys.stderr.write(f"tocsin: {error}\n")
            return 1
    _set_up_django(data, host, port)
    _prepare_database()
    try:
        return _run(host=host, port=port, with_engine=engine, beside=beside, channels=channels)
    finally:
        lock.release()


def _set_up_django(data: Path, host: str, port: int) -> None:
    os.environ["TOCSIN_DATA"] = str(data.absolute())
    os.environ.setdefault("TOCSIN_PUBLIC_URL", f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}")  # noqa: S104
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")
    import django

    django.setup()


def _prepare_database() -> None:
    from django.db import connection

    preparation.migrate()
    preparation.share_secret()
    if connection.vendor == "sqlite" and (warning := preparation.sqlite_warning()):
        sys.stderr.write(f"tocsin: {warning}\n")
    preparation.release_stale_claims()
    token = preparation.first_rows(os.environ.get("TOCSIN_TOKEN") or os.environ.get("TOKEN") or "")
    if token:
        sys.stderr.write(f"tocsin: the administrator's token, shown this once: {token}\n")
    connection.close()


def _run(
    *, host: str, port: int, with_engine: bool, beside: Callable[[], Stop] | None, channels: Mapping[str, Any] | None
) -> int:
    from tocsin.intake.journal import JournalWriter

    sys.setswitchinterval(SWITCH_SECONDS)
    journal = JournalWriter()
    journal.start()
    running = _engine(channels) if with_engine else None
    if running is not None:
        _remember_counts()
        running.start()
    stop_beside: Stop = beside() if beside is not None else lambda: None
    try:
        _event_loop_runner()(_listen(host, port, journal, running))
    finally:
        stop_beside()
        journal.stop()
        if running is not None and not running.stop():
            _log.warning("the engine did not end in time; what it held is given back at the next start")
        elif running is not None:
            _put_counts_away()
    return 0


def _remember_counts() -> None:
    """Let the counts that SLOs are judged by lie in files, so that they are there at once after a restart."""
    from django.conf import settings

    from tocsin.slo.fleet import fleet

    found = fleet.keep_in(settings.DATA / "counts")
    if found:
        _log.info("the counts of %s SLOs are at hand from the last run", found)


def _put_counts_away() -> None:
    from tocsin.slo.fleet import fleet

    fleet.close()


def _event_loop_runner() -> Callable[..., Any]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    runner: Callable[..., Any] = uvloop.run
    return runner


def _engine(channels: Mapping[str, Any] | None) -> Engine:
    from tocsin.engine import turns
    from tocsin.engine.deliver import Deliverer
    from tocsin.engine.listen import Ear
    from tocsin.engine.run import Engine

    ways = channels if channels is not None else default_channels()
    deliverer, ear = Deliverer(channels=ways), Ear(ways)
    return Engine(turns.loops(deliver=deliverer.turn, pull=turns.pull, listen=ear.turn), overdue=turns.overdue)


def default_channels() -> dict[str, Any]:
    """The ways out that the environment has set up; mail without a server goes to standard error."""
    from django.conf import settings

    from tocsin.channels import registry

    return dict(registry.build(smtp_url=settings.SMTP_URL, mail_from=settings.MAIL_FROM, chat=settings.CHAT))


async def _listen(host: str, port: int, journal: JournalWriter, engine: Engine | None) -> None:
    """Serve until told to stop: streams end first, then requests in flight, then the listener."""
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    from tocsin.platform import db

    threads = ThreadPoolExecutor(4, thread_name_prefix="door")
    front, live = build_front(journal, engine, threads)
    server = Server(
        front,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=int(HEADER_MILLISECONDS * db.patience())),
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    ended = loop.create_task(server.serve())

    def stop() -> None:
        stopping.append(loop.create_task(_stop(server, live)))
        loop.call_later(STOP_SECONDS, ended.cancel)

    stopping: list[asyncio.Task[None]] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    sys.stderr.write(f"tocsin: serving on http://{host}:{port}\n")
    with contextlib.suppress(asyncio.CancelledError):
        await ended
    front.django.close()
    threads.shutdown(wait=False, cancel_futures=True)


async def _stop(server: Any, live: Live) -> None:
    """The server waits for its connections, so the streams, which never end by themselves, have to end before."""
    live.end()
    for _ in range(100):
        if not live.streams:
            break
        await asyncio.sleep(0.01)
    server.stop()


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
