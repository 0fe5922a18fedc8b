"""A port that is open before the house behind it is ready: it says so, and how far things are, until they are done."""

from __future__ import annotations

from typing import Protocol

from tocsin.intake.protocol import Receive, Scope, Send


class Opening(Protocol):
    """What has to be done first, and what is answered meanwhile."""

    def work(self) -> None:
        """Make the house ready; called once, in a thread. Raises when it cannot be, or when `stop` was asked for."""

    def stop(self) -> None:
        """Ask the work to end soon."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer any request there is before the house is ready."""


class Answer(Protocol):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Doorway:
    """The one callable the server knows; what stands behind it may change while it listens."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.behind = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.behind is not None:
            await self.behind(scope, receive, send)
