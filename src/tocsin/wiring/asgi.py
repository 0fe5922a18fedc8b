"""The front: one ASGI callable for one port.

The intake's doors, the live streams and the health pages are answered here; every other path goes to Django as WSGI.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tocsin.intake.doors import Doors
from tocsin.intake.protocol import Receive, Scope, Send
from tocsin.wiring.bridge import Bridge
from tocsin.wiring.health import Health
from tocsin.wiring.live import Live

LIVE_PATH = "/live"

Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Front:
    doors: Doors
    health: Health
    live: Live
    django: Bridge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer_for(scope)(scope, receive, send)

    def _answer_for(self, scope: Scope) -> Answer:
        if scope["path"] == LIVE_PATH and scope["method"] == "GET":
            return self.live
        return self.doors.door_for(scope) or self.health.page_for(scope) or self.django
