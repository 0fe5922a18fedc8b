"""A few threads that take work from a queue and leave nothing open behind them."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from queue import SimpleQueue

from django.db import connections

Task = Callable[[], None]


class Workers:
    """Up to `count` daemon threads, started when there is work; each closes its database connection when it ends.

    A pool of the standard library ends its threads without a word, and their connections stay open. A task handles its
    own errors.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Task) -> None:
        """Let a thread do `task` as soon as one is free."""
        if len(self._threads) < self._count:
            self._start()
        self._tasks.put(task)

    def _start(self) -> None:
        if not self._threads:
            atexit.register(self.close)
        name = f"{self._name}-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        try:
            while (task := self._tasks.get()) is not None:
                task()
        finally:
            connections.close_all()

    def close(self) -> None:
        """Let what was submitted finish, then end the threads. They may be started again by more work."""
        threads, self._threads = self._threads, []
        for _ in threads:
            self._tasks.put(None)
        for thread in threads:
            thread.join()
        atexit.unregister(self.close)
