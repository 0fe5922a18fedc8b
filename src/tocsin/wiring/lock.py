"""One process at a time on a data folder: SQLite's promises (one writer, claims that never expire) rest on it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process serves this data folder."""


class ProcessLock:
    """Held from `take` until the process ends, however it ends: the kernel gives it back after a kill."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._handle: int | None = None

    def take(self) -> None:
        """Raises AlreadyRunning with the other's process id when the folder is in use."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise AlreadyRunning(
                f"{self._path.parent} is in use by another tocsin (process {other}). "
                "Stop that one, choose another --data, or use DATABASE_URL=postgresql://... for many nodes."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
