"""`tocsin serve`: everything in one process, from an empty folder or after any kind of end."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.wiring import preparation
from tocsin.wiring.listening import Listener
from tocsin.wiring.lock import AlreadyRunning, ProcessLock

if TYPE_CHECKING:
    from tocsin.engine.run import Engine
    from tocsin.intake.journal import JournalWriter
    from tocsin.wiring.opening import Opening

_log = logging.getLogger(__name__)

Stop = Callable[[], None]
SWITCH_SECONDS = 0.001
"""How soon a thread that waits for the interpreter gets it: a page must not wait five milliseconds for each step."""


def serve(
    *,
    data: Path,
    port: int,
    host: str = "127.0.0.1",
    engine: bool = True,
    beside: Callable[[], Stop] | None = None,
    channels: Mapping[str, Any] | None = None,
    opening: Opening | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code.

    `beside` is started once the server is set up and returns what stops it (the demo's traffic); `channels` replaces
    the ways out of the house. With an `opening` the port answers at once, and the house behind it opens when that is
    done. A second process on the same folder is refused with one line and exit code 1.
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
    sys.setswitchinterval(SWITCH_SECONDS)
    house = House(with_engine=engine, beside=beside, channels=channels)
    try:
        if opening is None:
            prepare_database()
        code: int = _event_loop_runner()(Listener(house, opening).listen(host, port))
        return code
    finally:
        house.close()
        lock.release()


def _set_up_django(data: Path, host: str, port: int) -> None:
    os.environ["TOCSIN_DATA"] = str(data.absolute())
    os.environ.setdefault("TOCSIN_PUBLIC_URL", f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}")  # noqa: S104
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")
    import django

    django.setup()


def prepare_database() -> None:
    """Whatever has to be true of the database before anybody is served."""
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


@dataclass(slots=True)
class House:
    """What works behind the front: the journal's writer, the engine, and what is started beside them."""

    with_engine: bool
    beside: Callable[[], Stop] | None
    channels: Mapping[str, Any] | None
    engine: Engine | None = None
    _journal: JournalWriter | None = None
    _stop_beside: Stop | None = None

    def open(self) -> JournalWriter:
        from tocsin.intake.journal import JournalWriter

        journal = self._journal = JournalWriter()
        journal.start()
        if self.with_engine:
            self.engine = _engine(self.channels)
            _remember_counts()
            self.engine.start()
        if self.beside is not None:
            self._stop_beside = self.beside()
        return journal

    def close(self) -> None:
        """End everything that was opened, what makes work before what does it."""
        if self._stop_beside is not None:
            self._stop_beside()
        if self._journal is not None:
            self._journal.stop()
        if self.engine is not None and not self.engine.stop():
            _log.warning("the engine did not end in time; what it held is given back at the next start")
        elif self.engine is not None:
            _put_counts_away()


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
