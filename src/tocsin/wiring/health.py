"""What the front says about itself: alive, ready, how old the engine's last cycle is, its figures, its version."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from tocsin.intake.keys import key_of
from tocsin.intake.protocol import Receive, Scope, Send, answer, answer_json, answer_problem, header
from tocsin.wiring import metrics

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checks:
    """How to learn it; each may ask the database and raise.

    `engine` gives (healthy, report); `may_scrape` says whether a key opens the figures to somebody from afar.
    """

    ready: Callable[[], None]
    engine: Callable[[], tuple[bool, Mapping[str, Any]]]
    version: Mapping[str, str]
    may_scrape: Callable[[str], bool] = field(default=lambda _: False)


class Health:
    """Answers `/healthz`, `/readyz`, `/health/engine` and `/version` to anybody, for nothing secret is in them.

    `/metrics` is for this machine, and for whoever shows a token.
    """

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
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        if scope["path"] == "/metrics":
            return self._metrics
        page = self._paths.get(scope["path"])
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

    async def _metrics(self, scope: Scope, _receive: Receive, send: Send) -> None:
        run = asyncio.get_running_loop().run_in_executor
        try:
            if not _from_here(scope) and not await run(self._threads, self._checks.may_scrape, key_of(scope)):
                await answer_problem(send, 401, "Unauthorized", "From another machine, send a person's token.")
                return
            healthy, report = await run(self._threads, self._checks.engine)
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("no figures: %s", error)
            await answer_problem(send, 503, "Service unavailable", "The database does not answer.")
            return
        figures = metrics.exposition(report, healthy=healthy, version=self._checks.version["version"])
        await answer(send, 200, figures, kind=metrics.CONTENT_TYPE)


def _from_here(scope: Scope) -> bool:
    """True for a client on this machine itself, not for one that a proxy here speaks for."""
    host = (scope.get("client") or ("", 0))[0]
    return host in {"127.0.0.1", "::1"} and not header(scope, b"x-forwarded-for") and not header(scope, b"forwarded")
