"""`tocsin demo`: a company with a past, a service that breaks on request, and the real product watching it."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.platform import clock as clocks
from tocsin.wiring import demo_past, preparation
from tocsin.wiring.serve import serve

if TYPE_CHECKING:
    from tocsin.demo.check import Check
    from tocsin.demo.waiting import Progress
    from tocsin.intake.protocol import Receive, Scope, Send


def run(*, port: int, data: Path | None, check: bool, speed: float, at: str | None, seed: int) -> int:
    """Open the port, live through the past if there is none yet, then serve. Returns the exit code."""
    folder = data or Path(tempfile.mkdtemp(prefix="tocsin-demo-"))
    token = os.environ.get("TOCSIN_TOKEN") or os.environ.get("TOKEN") or f"tocsin_{secrets.token_urlsafe(24)}"
    _settings(folder, port=port, token=token)
    if not _is_allowed():
        sys.stderr.write(
            "tocsin demo: a real mail server or database is configured; the demo keeps away from real channels.\n"
        )
        return 1
    try:
        demo_past.check_folder(folder)
    except demo_past.NotADemo as error:
        sys.stderr.write(f"tocsin demo: {error}\n")
        return 1
    begin = datetime.fromisoformat(at).astimezone(UTC) if at else clocks.wall_now()
    import django

    preparation.make_folder(folder)
    django.setup()
    from tocsin.channels.console import OutboxChannel

    outbox = OutboxChannel()
    stage = Curtain(folder, port=port, token=token, begin=begin, speed=speed, seed=seed, checked=check)
    channels = {"email": outbox, "webhook": outbox}
    code = serve(data=folder, port=port, beside=stage.rise, channels=channels, opening=stage)
    return stage.found[0] if check and stage.found else code


def _settings(folder: Path, *, port: int, token: str) -> None:
    os.environ["TOCSIN_DATA"] = str(folder.absolute())
    os.environ["TOCSIN_DEMO"] = "1"
    os.environ["TOCSIN_CHAT"] = "none"  # made-up incidents open no rooms where real people talk
    os.environ["TOCSIN_TOKEN"] = token
    os.environ.setdefault("TOCSIN_PUBLIC_URL", f"http://127.0.0.1:{port}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tocsin.wiring.settings")


def _is_allowed() -> bool:
    """The demo is refused where a real way out is set up: made-up incidents must not reach real people."""
    return not (os.environ.get("TOCSIN_SMTP_URL") or os.environ.get("DATABASE_URL"))


def _progress() -> Progress:
    from tocsin.demo.waiting import Progress

    return Progress(heard=_line())


def _line() -> Callable[[Progress], None]:
    """Where the past is, on the terminal: one line that is written over; into a pipe, a line at each tenth."""
    on_terminal, said = sys.stderr.isatty(), [""]

    def show(progress: Progress) -> None:
        percent = -1 if progress.percent is None else progress.percent
        if on_terminal:
            width = 24 * max(percent, 0) // 100
            sys.stderr.write(f"\r\x1b[K[{'#' * width}{'.' * (24 - width)}] {progress.sentence}")
            sys.stderr.write("\n" if percent >= 100 else "")
        elif (step := f"{progress.words} {percent // 10}") != said[0]:
            said[0] = step
            sys.stderr.write(f"tocsin demo: {progress.sentence}\n")
        sys.stderr.flush()

    return show


@dataclass(slots=True)
class Curtain:
    """Down while the past is made; then it rises on Harbor Tickets."""

    folder: Path
    port: int
    token: str
    begin: datetime
    speed: float
    seed: int
    checked: bool
    found: list[int] = field(default_factory=list)
    progress: Progress = field(default_factory=_progress)
    _key: str = ""
    _clock: clocks.DemoClock | None = None

    def work(self) -> None:
        """Make the past, and let the demo's clock begin where it ends."""
        from django.db import connection

        from tocsin.demo.waiting import Stopped

        try:
            self._key = demo_past.remember(
                self.folder, until=self.begin, seed=self.seed, token=self.token, progress=self.progress
            )
            start = max(self.begin, _latest_entry())
            self._clock = clocks.DemoClock(start=start, anchor=clocks.wall_now(), speed=self.speed)
            clocks.install(self._clock)
            preparation.release_stale_claims()
            preparation.first_rows(self.token)
        except Stopped:
            return
        finally:
            connection.close()

    def stop(self) -> None:
        self.progress.stopped.set()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        from tocsin.demo.waiting import WaitingRoom

        await WaitingRoom(self.progress)(scope, receive, send)

    def rise(self) -> Callable[[], None]:
        """Open Harbor Tickets with its customers and its counters; returns what closes it."""
        from tocsin.demo.check import Check
        from tocsin.demo.faults import TRAFFIC
        from tocsin.demo.harbor import Harbor
        from tocsin.demo.stage import Stage, raise_curtain

        clock = self._clock
        assert clock is not None, "the work is done before the curtain rises"  # noqa: S101 - for the type checker
        rates = {name: events / 60 for name, (events, _) in TRAFFIC.items()}
        harbor = Harbor(tocsin=("127.0.0.1", self.port), key=self._key, rates=rates, speed=lambda: clock.speed)
        raise_curtain(Stage(harbor=harbor, clock=clock))
        harbor.start()
        if self.checked:
            # A page needs about two minutes of the demo's clock; twice that and a margin for a slow machine.
            checking = Check(("127.0.0.1", self.port), self.token, patience=60.0 + 240.0 / clock.speed)
            threading.Thread(target=_check, args=[checking, self.found], name="demo-check", daemon=True).start()
        else:
            here = f"http://127.0.0.1:{self.port}"
            sys.stderr.write(f"Harbor Tickets is open: {here}/  Break log-on at {here}/demo/outbox\n")
        return harbor.stop


def _latest_entry() -> datetime:
    """The clock never begins before the last thing that was written down."""
    from tocsin.audit.models import Entry

    last = Entry.objects.order_by("-seq").values_list("at", flat=True).first()
    return (last + timedelta(milliseconds=1)) if last else datetime.fromtimestamp(0, UTC)


def _check(checking: Check, found: list[int]) -> None:
    found.append(checking.run())
    os.kill(os.getpid(), signal.SIGTERM)
