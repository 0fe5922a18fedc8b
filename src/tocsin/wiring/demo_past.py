"""Making the demo's past: the company, its ninety days through the real engine, and the note that they are there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.platform import clock as clocks
from tocsin.wiring import preparation

if TYPE_CHECKING:
    from tocsin.demo.faults import Fault
    from tocsin.demo.waiting import Progress
    from tocsin.engine.run import Turn

KEPT = "demo.json"  # what a demo folder that is used again must know of itself
BEGUN = "demo.begun"  # while this is there the past is half made
DATABASE = "tocsin.sqlite3"

SELDOM: Mapping[str, timedelta] = {
    "budget_policies": timedelta(hours=3),
    "budget_periods": timedelta(days=1),
    "forget_counts": timedelta(days=7),
}
"""Turns that find nothing new five minutes later; in the past they are taken so often."""
NEVER = frozenset({"evaluate"})
"""The fold judges each SLO that counts came in for; between two feedings the others have nothing new."""


class NotADemo(Exception):
    """The folder holds an installation that no demo made."""


def check_folder(folder: Path) -> None:
    """Raises NotADemo rather than let made-up incidents into a real installation."""
    if (folder / DATABASE).exists() and not (folder / KEPT).exists() and not (folder / BEGUN).exists():
        raise NotADemo(f"{folder} holds an installation of its own; choose another folder for the demo")


def remember(folder: Path, *, until: datetime, seed: int, token: str, progress: Progress) -> str:
    """Build the company and its past unless this folder has them; returns the counters' key.

    What a kill has left half made is made anew.
    """
    kept, begun = folder / KEPT, folder / BEGUN
    if kept.exists():
        preparation.migrate()
        key: str = json.loads(kept.read_text(encoding="utf-8"))["sli_key"]
        return key
    if begun.exists():
        _clear(folder)
    begun.touch()
    from tocsin.demo.faults import PAST, story

    progress.tell("Making an empty database", None)
    preparation.migrate()
    wound = clocks.WoundClock(until - PAST)
    clocks.install(wound)
    preparation.first_rows(token)
    with _hasty_disk():
        key = _live(wound, story(until=until, seed=seed), until=until, progress=progress)
    kept.write_text(json.dumps({"sli_key": key, "seed": seed}), encoding="utf-8")
    begun.unlink()
    return key


def _clear(folder: Path) -> None:
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (folder / name).unlink(missing_ok=True)


def _live(wound: clocks.WoundClock, faults: list[Fault], *, until: datetime, progress: Progress) -> str:
    from tocsin.alerts.models import Integration
    from tocsin.channels.console import OutboxChannel
    from tocsin.demo import adoption, company
    from tocsin.demo.past import Past
    from tocsin.engine import turns

    progress.tell("Setting up teams, services and SLOs", None)
    harbor = company.set_up(now=wound.now(), until=until)
    outbox = OutboxChannel()
    main, _deliver = turns.loops(deliver=_nothing)
    cycle = Cycle(main.turns, {"email": outbox, "webhook": outbox})
    source = Integration.objects.get(kind="sli")
    Past(clock=wound, source=f"integration:{source.pk}", turns=cycle).live(faults, until=until, tell=progress.tell)
    adoption.lately(now=wound.now())
    cycle.finish(wound.now())
    return harbor.sli_key


@dataclass(slots=True)
class Cycle:
    """One cycle of the engine and of delivery, with those turns left out that would find nothing."""

    turns: Sequence[Turn]
    channels: Mapping[str, Any]
    _taken_at: dict[str, datetime] = field(default_factory=dict)

    def __call__(self, now: datetime) -> None:
        from tocsin.engine import deliver

        for turn in self.turns:
            if self._is_due(turn.name, now):
                turn.act(now=now)
        while deliver.turn(self.channels, now=now):
            pass

    def finish(self, now: datetime) -> None:
        """Let the turns that were taken seldom catch up, until none of them finds anything."""
        for turn in self.turns:
            while turn.name in SELDOM and turn.act(now=now):
                pass

    def _is_due(self, name: str, now: datetime) -> bool:
        every, last = SELDOM.get(name), self._taken_at.get(name)
        if name in NEVER or (every is not None and last is not None and now < last + every):
            return False
        self._taken_at[name] = now
        return True


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
