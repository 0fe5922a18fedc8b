"""What the front says about itself: alive, ready, how old the engine's last cycle is, which version runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from tocsin.intake.protocol import Receive, Scope, Send, answer, answer_json

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checks:
    """How to learn it; each may ask the database and raise. `engine` gives (healthy, report)."""

    ready: Callable[[], None]
    engine: Callable[[], tuple[bool, Mapping[str, Any]]]
    version: Mapping[str, str]


class Health:
    """Answers `/healthz`, `/readyz`, `/health/engine` and `/version`, to anybody; nothing secret is in them."""

    def __init__(self, checks: Checks, threads: Executor) -> None:
        self._checks = checks
        self._threads = threads
        self._paths: Mapping[str, Callable[[Send], Awaitable[None]]] = {
            "/healthz": self._alive,
            "/readyz": self._ready,
            "/health/engine": self._engine,
            "/version": self._version,
        }

    def page_for(self, scope: Scope) -> Callable[[Scope, Receive, Send], Awaitable[None]] | None:
        """What answers this request, None when it is none of these paths."""
        page = self._paths.get(scope["path"]) if scope["method"] in {"GET", "HEAD"} else None
        if page is None:
            return None

        async def answer_it(_scope: Scope, _receive: Receive, send: Send) -> None:
            await page(send)

        return answer_it

    async def _alive(self, send: Send) -> None:
        await answer(send, 200, b"ok\n", kind=b"text/plain; charset=utf-8")

    async def _ready(self, send: Send) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._checks.ready)
        except Exception as error:  # noqa: BLE001 - the answer is the point: whatever is wrong, it is not ready
            _log.warning("not ready: %s", error)
            await answer_json(send, 503, {"ready": False, "reason": "the database does not answer as it should"})
            return
        await answer_json(send, 200, {"ready": True})

    async def _engine(self, send: Send) -> None:
        try:
            healthy, report = await asyncio.get_running_loop().run_in_executor(self._threads, self._checks.engine)
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("the engine cannot be judged: %s", error)
            await answer_json(send, 503, {"healthy": False, "reason": "the database does not answer"})
            return
        await answer_json(send, 200 if healthy else 503, {"healthy": healthy, **report})

    async def _version(self, send: Send) -> None:
        await answer_json(send, 200, self._checks.version)
