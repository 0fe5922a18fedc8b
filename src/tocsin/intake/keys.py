"""Who is at the door: the sender behind a key, remembered for a second so that a storm asks the database once.

A revoked key is refused within that second.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from tocsin.core.access import Right
from tocsin.intake.protocol import Scope, header

REMEMBERED_SECONDS = 1.0
MOST_REMEMBERED = 10_000
LONGEST_KEY = 512
INGEST = "ingest"


@dataclass(frozen=True, slots=True)
class Sender:
    """What a key may do. `source` is what the journal keeps; `kind` the integration's, empty for a person.

    `service_id` bounds an integration to one service; None is all of them.
    """

    source: str
    kind: str
    rights: frozenset[Right]
    service_id: int | None = None


Lookup = Callable[[str], Sender | None]


def key_of(scope: Scope) -> str:
    """The key a request carries: bearer token, basic password, or `/ingest/KEY/` in its path; empty when none."""
    scheme, _, rest = header(scope, b"authorization").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            return _basic_password(rest.strip())
    parts = scope["path"].split("/", 3)
    return parts[2] if len(parts) > 3 and parts[1] == INGEST else ""


def _basic_password(text: str) -> str:
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


class KeyRing:
    """Looks keys up on `threads` and shares each answer among all who ask within a second."""

    def __init__(self, lookup: Lookup, threads: Executor, monotonic: Callable[[], float]) -> None:
        self._lookup = lookup
        self._threads = threads
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, asyncio.Future[Sender | None]]] = {}

    async def sender(self, key: str) -> Sender | None:
        """The sender behind `key`, None when there is none. Raises what the database raises."""
        if not key or len(key) > LONGEST_KEY or "\x00" in key:
            return None
        now = self._monotonic()
        asked_at, found = self._known.get(key, (0.0, None))
        if found is None or now - asked_at >= REMEMBERED_SECONDS or _failed(found):
            found = self._ask(key, now)
        # Shielded: the one who gives up waiting must not cancel the question of all the others.
        return found.result() if found.done() else await asyncio.shield(found)

    def _ask(self, key: str, now: float) -> asyncio.Future[Sender | None]:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        found = asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, key)
        self._known[key] = (now, found)
        return found


def _failed(found: asyncio.Future[Sender | None]) -> bool:
    return found.done() and (found.cancelled() or found.exception() is not None)
