"""The engine: loops that look for work in the rows, woken by the doorbell, at rest for half a second at most.

Each loop is a thread; each turn in it is guarded, so that one that fails takes nothing else with it. What a loop does
is decided by its turns; what is due is decided by the rows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db import connection

from tocsin.engine.watchdog import Watchdog
from tocsin.platform import clock, db, doorbell

_log = logging.getLogger(__name__)

LONGEST_REST = 0.5
"""Seconds of real time between two looks at the rows when nobody rings."""
HEALTHY_AGE = 30.0
SAY_AGAIN_EVERY = 120
"""A turn that fails in the same way is logged at the first failure and then at each of this many."""


class Act(Protocol):
    """A turn's work: handles what is due at `now` and returns how much that was."""

    def __call__(self, *, now: datetime) -> int: ...


@dataclass(slots=True)
class Turn:
    """A named piece of a loop's cycle, with what became of it lately."""

    name: str
    act: Act
    handled: int = 0
    failures: int = 0
    failing: int = 0
    last_error: str = ""

    def take(self) -> int:
        """Do the work; a failure is noted and counts as nothing done."""
        try:
            done = self.act(now=clock.now())
        except Exception as error:  # noqa: BLE001 - the boundary of the loop: the other turns go on
            self._note(error)
            _drop_connection()
            return 0
        self.failing = 0
        self.handled += done
        return done

    def _note(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if self.failing % SAY_AGAIN_EVERY == 0 or text != self.last_error:
            _log.exception("the turn %r failed", self.name)
        self.failures += 1
        self.failing += 1
        self.last_error = text


@dataclass(slots=True)
class Loop:
    """Turns taken one after the other by one thread."""

    name: str
    turns: Sequence[Turn]
    rest: float = LONGEST_REST
    beats: int = 0
    completed_at: float = field(default_factory=clock.monotonic)
    stopping: bool = False
    thread: threading.Thread | None = None
    bell: doorbell.Bell | None = None

    def cycle(self) -> int:
        """Take each turn once; returns how much was done. Complete is a cycle in which nothing failed."""
        done = 0
        for turn in self.turns:
            done += turn.take()
            self.beats += 1
        if not any(turn.failing for turn in self.turns):
            self.completed_at = clock.monotonic()
        return done

    def start(self) -> None:
        self.bell = doorbell.listen()
        self.thread = threading.Thread(target=self._run, args=[self.bell], name=f"engine-{self.name}", daemon=True)
        self.thread.start()

    def _run(self, bell: doorbell.Bell) -> None:
        try:
            while not self.stopping:
                done = self.cycle()
                if not done and not self.stopping:
                    bell.wait(self.rest)
        finally:
            connection.close()

    def ask_to_stop(self) -> None:
        self.stopping = True
        if self.bell is not None:
            self.bell.ring()

    @property
    def age(self) -> float:
        """Seconds since the last complete cycle."""
        return clock.monotonic() - self.completed_at


class Engine:
    """All loops of this process and their watchdog."""

    def __init__(self, loops: Sequence[Loop], *, overdue: Callable[..., Mapping[str, Any]] | None = None) -> None:
        self._loops = loops
        self._overdue = overdue
        self._watchdog = Watchdog(lambda: {loop.name: loop.beats for loop in loops})

    def start(self) -> None:
        for loop in self._loops:
            loop.start()
        self._watchdog.start()

    def stop(self, *, seconds: float = 15.0) -> bool:
        """Ask every loop to end and wait up to `seconds` for it; True when all have."""
        self._watchdog.stop()
        for loop in self._loops:
            loop.ask_to_stop()
        until = clock.monotonic() + seconds * db.patience()
        # Looking again and again instead of a timed join, which stands still under a faked clock.
        while self._alive() and clock.monotonic() < until:
            clock.pause(0.01)
        return not self._alive()

    def _alive(self) -> bool:
        return any(loop.thread is not None and loop.thread.is_alive() for loop in self._loops)

    def report(self, *, now: datetime) -> tuple[bool, Mapping[str, Any]]:
        """Whether every loop has completed a cycle lately, and the figures behind it (ages in seconds)."""
        ages = {loop.name: round(loop.age, 3) for loop in self._loops}
        healthy = all(age <= HEALTHY_AGE * db.patience() for age in ages.values())
        turns = {
            turn.name: {"handled": turn.handled, "failures": turn.failures, "failing": bool(turn.failing)}
            for loop in self._loops
            for turn in loop.turns
        }
        overdue = self._overdue(now=now) if self._overdue is not None else {}
        return healthy, {
            "last_cycle_age_seconds": max(ages.values(), default=0.0),
            **overdue,
            "loops": ages,
            "turns": turns,
        }


def _drop_connection() -> None:
    """A turn may have failed because its connection died; the next one opens a new one."""
    try:
        connection.close()
    except Exception:  # noqa: BLE001 - a connection that cannot even be closed is forgotten
        connection.connection = None
