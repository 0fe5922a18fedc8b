"""Wake the engine at once when there is work, instead of at its next look.

A pipe, because `select` on it keeps working when the clock is faked. A ring that nobody hears is no loss: the engine
looks at the rows at every turn anyway. Several loops may listen; each has a pipe of its own.
"""

from __future__ import annotations

import contextlib
import os
import select


class Bell:
    """One listener's pipe. `wait` returns True when it was rung, False when `seconds` passed."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe is a bell that rings already
            os.write(self._write, b"!")

    def wait(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._read], [], [], seconds)
        if ready:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._read, 4096):
                    pass
        return bool(ready)

    def close(self) -> None:
        _bells.discard(self)
        os.close(self._read)
        os.close(self._write)


_bells: set[Bell] = set()


def listen() -> Bell:
    """A bell that `ring` rings from now on."""
    bell = Bell()
    _bells.add(bell)
    return bell


def ring() -> None:
    """Tell every listening loop of this process that there may be work."""
    for bell in tuple(_bells):
        bell.ring()
