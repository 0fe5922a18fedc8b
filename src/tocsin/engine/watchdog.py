"""End a process whose loops no longer turn, so that whoever supervises it starts a fresh one.

A look counts, not a clock: a process that was frozen (stopped, a paused machine) froze its watchdog too and is given
the whole span again when it wakes.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable, Mapping

from tocsin.platform import clock, db

LOOKS = 30
"""Looks, a second apart (times the patience), at which a loop may show no progress."""
EXIT_CODE = 70


class Watchdog:
    """Compares the `beats` of each loop from look to look."""

    def __init__(self, beats: Callable[[], Mapping[str, int]], *, looks: int = LOOKS) -> None:
        self._beats = beats
        self._looks = looks
        self._last: dict[str, int] = {}
        self._still: dict[str, int] = {}
        self._stopping = False

    def look(self) -> str | None:
        """One look; the name of a loop that has stood still for too long, None when all is well."""
        stuck = None
        for name, beat in self._beats().items():
            same = self._last.get(name) == beat
            self._still[name] = self._still.get(name, 0) + 1 if same else 0
            self._last[name] = beat
            if self._still[name] >= self._looks:
                stuck = name
        return stuck

    def start(self) -> None:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopping = True

    def _watch(self) -> None:
        while not self._stopping:
            clock.pause(db.patience())
            stuck = self.look()
            if stuck is not None and not self._stopping:
                _end_process(stuck)


def _end_process(name: str) -> None:
    sys.stderr.write(f"the loop {name!r} has stood still for {LOOKS} s; ending the process\n")
    sys.stderr.flush()
    faulthandler.dump_traceback(all_threads=True)
    os._exit(EXIT_CODE)
