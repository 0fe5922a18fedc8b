"""Django's SQLite backend, with all writers of the process queued in one fair line.

Transactions are IMMEDIATE, so beginning one is asking for the right to write. The line is left when the transaction
ends, however it ends. A write outside `atomic()` goes round the line and may fail with "database is locked".

The four hooks are Django's own, left out by its stubs; hence the ignores.
"""

from __future__ import annotations

from django.db.backends.sqlite3 import base

from tocsin.platform.fifo import WRITER


class DatabaseWrapper(base.DatabaseWrapper):
    _in_line = False

    def _start_transaction_under_autocommit(self) -> None:
        if not self._in_line:
            WRITER.acquire()
            self._in_line = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave_line()
            raise

    def _leave_line(self) -> None:
        if self._in_line:
            self._in_line = False
            WRITER.release()

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # when COMMIT fails, Django rolls back, and that leaves the line
        self._leave_line()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_line()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._leave_line()
