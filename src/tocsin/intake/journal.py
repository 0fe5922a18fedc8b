"""Accept: write what arrived to the journal and say so only after the commit.

One thread writes. Requests that arrive while a commit is under way share the next one (group commit), so the cost of
an fsync is paid once for all of them. On SQLite the thread stands in the process's line of writers like every other; on
PostgreSQL its connection is its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.db import connection, transaction

from tocsin.platform import clock, doorbell
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import Journal, JournalState

_log = logging.getLogger(__name__)

GROUP = 512
"""Bodies that may share one commit."""
MOST_WAITING = 4096
MOST_WAITING_BYTES = 64 * 1024 * 1024

_TABLE = Journal._meta.db_table  # noqa: SLF001 - the table's name, from Django's own meta
_INSERT = (
    f"INSERT INTO {_TABLE} (kind, source, body, sha256, received_at, state, error, attempt, taken) "  # noqa: S608 - our table
    "VALUES (%s, %s, %s, %s, %s, %s, '', 0, 0)"
)


class NotAccepted(Exception):
    """Nothing was stored: the database refuses, or too much is waiting. The sender should try again."""


@dataclass(slots=True)
class _Waiting:
    kind: str
    source: str
    body: bytes
    done: asyncio.Future[None]


class JournalWriter:
    """The only writer of new journal rows in this process."""

    def __init__(self, *, most_waiting: int = MOST_WAITING, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._most_waiting = most_waiting
        self._most_bytes = most_bytes
        self._waiting = 0
        self._waiting_bytes = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    async def append(self, kind: str, source: str, body: bytes) -> None:
        """Returns when `body` is durable. Raises NotAccepted when it is not, or when the line is too long."""
        if self._waiting >= self._most_waiting or self._waiting_bytes + len(body) > self._most_bytes:
            raise NotAccepted("too much is waiting to be stored")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._waiting_bytes += len(body)
        try:
            self._queue.put(_Waiting(kind, source, body, done))
            await done
        finally:
            self._waiting -= 1
            self._waiting_bytes -= len(body)

    def _run(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                group, last = self._gather(first)
                self._settle(group, self._write(group))
                if last:
                    return
        finally:
            connection.close()

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """Everything that waits already, without waiting for more; True when the end was among it."""
        group = [first]
        while len(group) < GROUP:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _write(self, group: list[_Waiting]) -> Exception | None:
        try:
            append_now([(item.kind, item.source, item.body) for item in group])
        except Exception as error:  # noqa: BLE001 - the writer must outlive every fault of the database; the senders hear of it
            _log.error("the journal could not be written: %s", error)
            _reconnect()
            return error
        return None

    def _settle(self, group: list[_Waiting], error: Exception | None) -> None:
        loop = group[0].done.get_loop()
        try:
            loop.call_soon_threadsafe(_answer, group, error)
        except RuntimeError:
            _log.warning("the event loop had ended before %d senders were answered", len(group))


def append_now(bodies: list[tuple[str, str, bytes]]) -> None:
    """Commit `bodies` (kind, source, body) as journal rows, in order, then ring the engine."""
    with transaction.atomic():
        received_at = connection.ops.adapt_datetimefield_value(clock.now())
        rows = [
            (kind, source, body, hashlib.sha256(body).hexdigest(), received_at, JournalState.NEW.value)
            for kind, source, body in bodies
        ]
        with connection.cursor() as cursor:
            cursor.executemany(_INSERT, rows)
        crashpoint(CrashPoint.BEFORE_ACCEPT_COMMIT)
    crashpoint(CrashPoint.AFTER_ACCEPT_COMMIT)
    doorbell.ring()


def _answer(group: list[_Waiting], error: Exception | None) -> None:
    for item in group:
        if item.done.done():
            continue
        if error is None:
            item.done.set_result(None)
        else:
            item.done.set_exception(NotAccepted(str(error)))


def _reconnect() -> None:
    try:
        connection.close()
    except Exception:  # noqa: BLE001 - a connection that cannot even be closed is dropped; the next group opens a new one
        connection.connection = None
