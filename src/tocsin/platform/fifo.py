"""A lock that is handed over in the order it was asked for.

SQLite has one writer. Threads that poll for its file lock overtake each other at random, and under slow disks the
unlucky one waits for seconds; here the oldest waiter is always next. No timed waits: they stand still under a faked
clock.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FifoLock:
    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def acquire(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()  # stays held: ownership passes on
            else:
                self._held = False

    def __enter__(self) -> FifoLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


WRITER = FifoLock()
