"""The page that is shown while the past is made: what happens, how far it is, and then the demo by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

from django.template import Context, Engine

from tocsin.intake.protocol import Receive, Scope, Send, answer, answer_json, answer_problem, header

PROGRESS_PATH = "/demo/progress.json"
READY_PATH, ALIVE_PATH = "/readyz", "/healthz"
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'"
)
_KINDS = {"css": b"text/css; charset=utf-8", "js": b"text/javascript; charset=utf-8", "svg": b"image/svg+xml"}
_FILES = {
    "/static/tocsin/tokens.css": ("tocsin.web", "static/tocsin/tokens.css"),
    "/static/tocsin/icon.svg": ("tocsin.web", "static/tocsin/icon.svg"),
    "/static/demo/waiting.css": ("tocsin.demo", "static/demo/waiting.css"),
    "/static/demo/waiting.js": ("tocsin.demo", "static/demo/waiting.js"),
}
_AGAIN = (b"retry-after", b"1")


class Stopped(Exception):
    """Somebody asked for the end before the past was there."""


@dataclass(slots=True)
class Progress:
    """How far the making of the past is. Written by the thread that makes it, read by whoever asks."""

    words: str = "Making an empty database"
    share: float | None = None
    """None while nobody can say."""
    day: datetime | None = None
    incidents: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    heard: Callable[[Progress], None] = lambda _: None

    def tell(self, words: str, share: float | None, day: datetime | None = None, *, incidents: int = 0) -> None:
        """Say how far it is. Raises Stopped when nobody waits for it any more."""
        if self.stopped.is_set():
            raise Stopped
        self.words, self.share, self.day, self.incidents = words, share, day, incidents
        self.heard(self)

    @property
    def percent(self) -> int | None:
        return None if self.share is None else int(100 * self.share)

    @property
    def sentence(self) -> str:
        """One line about where it is."""
        if self.day is None or self.percent is None:
            return f"{self.words} ..."
        many = "1 incident" if self.incidents == 1 else f"{self.incidents} incidents"
        return f"{self.words}: {self.day:%-d %B %Y}, {many} so far, {self.percent} % done"

    def document(self) -> dict[str, Any]:
        return {"ready": False, "percent": self.percent, "reason": self.sentence}


@dataclass(frozen=True, slots=True)
class WaitingRoom:
    """Answers every request there is until the demo opens. Nothing here needs the database."""

    progress: Progress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        path = scope["path"]
        if path == ALIVE_PATH:
            await answer(send, 200, b"ok\n", kind=b"text/plain; charset=utf-8")
        elif path == READY_PATH:
            await answer_json(send, 503, self.progress.document(), headers=[_AGAIN])
        elif path == PROGRESS_PATH:
            await answer_json(send, 200, self.progress.document())
        elif path in _FILES:
            package, name = _FILES[path]
            body = files(package).joinpath(name).read_bytes()
            await answer(send, 200, body, kind=_KINDS[name.rpartition(".")[2]])
        elif scope["method"] in {"GET", "HEAD"} and "text/html" in header(scope, b"accept"):
            await self._page(send)
        else:
            await answer_problem(send, 503, "Not ready yet", self.progress.sentence, headers=[_AGAIN])

    async def _page(self, send: Send) -> None:
        """503, because it is not what was asked for; it loads what was asked for as soon as that is there."""
        text = files("tocsin.demo").joinpath("templates/demo/waiting.html").read_text(encoding="utf-8")
        shown = Context({"progress": self.progress, "source": PROGRESS_PATH})
        body = Engine().from_string(text).render(shown).encode()
        headers = [(b"content-security-policy", _POLICY), (b"x-frame-options", b"DENY"), _AGAIN]
        await answer(send, 503, body, kind=b"text/html; charset=utf-8", headers=headers)
