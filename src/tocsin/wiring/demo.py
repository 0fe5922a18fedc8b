"""`tocsin demo`: a company with a past, a service that breaks on request, and the real product watching it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.platform import clock as clocks
from tocsin.wiring import preparation
from tocsin.wiring.serve import serve

if TYPE_CHECKING:
    from tocsin.demo.check import Check
    from tocsin.demo.faults import Fault

KEPT = "demo.json"  # what a demo folder that is used again must know of itself


def run(*, port: int, data: Path | None, check: bool, speed: float, at: str | None, seed: int) -> int:
    """Set the stage, live through the past if there is none yet, then serve. Returns the exit code."""
    folder = data or Path(tempfile.mkdtemp(prefix="tocsin-demo-"))
    token = os.environ.get("TOCSIN_TOKEN") or os.environ.get("TOKEN") or f"tocsin_{secrets.token_urlsafe(24)}"
    _settings(folder, port=port, token=token)
    if not _is_allowed():
        sys.stderr.write(
            "tocsin demo: a real mail server or database is configured; the demo keeps away from real channels.\n"
        )
        return 1
    import django

    preparation.make_folder(folder)
    django.setup()
    begin = datetime.fromisoformat(at).astimezone(UTC) if at else clocks.wall_now()
    key = _remember(folder, until=begin, seed=seed, token=token)
    clock = clocks.DemoClock(start=max(begin, _latest_entry()), anchor=clocks.wall_now(), speed=speed)
    clocks.install(clock)
    result: list[int] = []

    def beside() -> Callable[[], None]:
        return _open_doors(port=port, key=key, clock=clock, token=token, check=check, result=result)

    from tocsin.channels.console import OutboxChannel

    outbox = OutboxChannel()
    code = serve(data=folder, port=port, beside=beside, channels={"email": outbox, "webhook": outbox})
    return result[0] if check and result else code


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


def _remember(folder: Path, *, until: datetime, seed: int, token: str) -> str:
    """Build the company and its past unless this folder has them; returns the counters' key."""
    kept = folder / KEPT
    preparation.migrate()
    if kept.exists():
        key: str = json.loads(kept.read_text(encoding="utf-8"))["sli_key"]
        return key
    from tocsin.demo.faults import PAST, story

    wound = clocks.WoundClock(until - PAST)
    clocks.install(wound)
    preparation.first_rows(token)
    with _hasty_disk():
        key = _live(wound, story(until=until, seed=seed), until=until)
    kept.write_text(json.dumps({"sli_key": key, "seed": seed}), encoding="utf-8")
    return key


def _live(wound: clocks.WoundClock, faults: list[Fault], *, until: datetime) -> str:
    from tocsin.alerts.models import Integration
    from tocsin.channels.console import OutboxChannel
    from tocsin.demo import adoption, company
    from tocsin.demo.past import Past
    from tocsin.engine import deliver, turns

    harbor = company.set_up(now=wound.now(), until=until)
    outbox = OutboxChannel()
    channels = {"email": outbox, "webhook": outbox}
    main, _deliver = turns.loops(deliver=_nothing)

    def cycle(now: datetime) -> None:
        for turn in main.turns:
            # The fold judges each SLO that counts came in for; between two feedings the others have nothing new.
            if turn.name != "evaluate":
                turn.act(now=now)
        while deliver.turn(channels, now=now):
            pass

    source = Integration.objects.get(kind="sli")
    Past(clock=wound, source=f"integration:{source.pk}", turns=cycle).live(faults, until=until, tell=_progress)
    adoption.lately(now=wound.now())
    return harbor.sli_key


def _nothing(*, now: datetime) -> int:  # noqa: ARG001 - the past delivers by itself
    return 0


class _hasty_disk:  # noqa: N801 - reads as a phrase
    """While the past is made the disk need not be waited for: a crash begins it anew, and nobody was promised anything."""

    def __enter__(self) -> None:
        self._pragma("OFF")

    def __exit__(self, *_: object) -> None:
        self._pragma("FULL")

    @staticmethod
    def _pragma(value: str) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous={value}")


def _progress(share: float) -> None:
    """A bar on a terminal, nothing in a pipe."""
    if sys.stderr.isatty():
        width = int(30 * share)
        sys.stderr.write(
            f"\rHarbor Tickets lives through its last 90 days [{'#' * width}{'.' * (30 - width)}] {share:4.0%}"
        )
        if share >= 1.0:
            sys.stderr.write("\n")
        sys.stderr.flush()


def _latest_entry() -> datetime:
    """The clock never begins before the last thing that was written down."""
    from tocsin.audit.models import Entry

    last = Entry.objects.order_by("-seq").values_list("at", flat=True).first()
    return (last + timedelta(milliseconds=1)) if last else datetime.fromtimestamp(0, UTC)


def _open_doors(
    *, port: int, key: str, clock: clocks.DemoClock, token: str, check: bool, result: list[int]
) -> Callable[[], None]:
    from tocsin.demo.check import Check
    from tocsin.demo.faults import TRAFFIC
    from tocsin.demo.harbor import Harbor
    from tocsin.demo.stage import Stage, raise_curtain

    rates = {name: events / 60 for name, (events, _) in TRAFFIC.items()}
    harbor = Harbor(tocsin=("127.0.0.1", port), key=key, rates=rates, speed=lambda: clock.speed)
    raise_curtain(Stage(harbor=harbor, clock=clock))
    harbor.start()
    if check:
        # A page needs about two minutes of the demo's clock; twice that and a margin for a slow machine.
        checking = Check(address=("127.0.0.1", port), token=token, patience=60.0 + 240.0 / clock.speed)
        threading.Thread(target=_check, args=[checking, result], name="demo-check", daemon=True).start()
    else:
        sys.stderr.write(
            f"Harbor Tickets is open: http://127.0.0.1:{port}/  Break log-on at http://127.0.0.1:{port}/demo/outbox\n"
        )
    return harbor.stop


def _check(checking: Check, result: list[int]) -> None:
    result.append(checking.run())
    os.kill(os.getpid(), signal.SIGTERM)
