"""A phone that fails the test on any message nobody announced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tocsin.channels.protocol import DeliveryFailed, Message


@dataclass(slots=True)
class FakePhone:
    """Announce with `expect`, deliver through it, and ask `missing` at the end. `fail_next` scripts refusals."""

    received: list[Message] = field(default_factory=list)
    unexpected: list[Message] = field(default_factory=list)
    _expected: list[Callable[[Message], bool]] = field(default_factory=list)
    _failures: list[DeliveryFailed] = field(default_factory=list)

    def expect(self, *, to: str, containing: str = "", kind: str = "") -> None:
        def matches(message: Message) -> bool:
            text = f"{message.payload.get('subject', '')}\n{message.payload.get('text', '')}"
            return message.address == to and containing in text and kind in {"", message.kind}

        self._expected.append(matches)

    def fail_next(self, failure: DeliveryFailed) -> None:
        self._failures.append(failure)

    def send(self, message: Message, *, deadline: timedelta) -> str:  # noqa: ARG002
        if self._failures:
            raise self._failures.pop(0)
        for index, matches in enumerate(self._expected):
            if matches(message):
                del self._expected[index]
                self.received.append(message)
                return "received"
        self.unexpected.append(message)
        return "received, though nobody announced it"

    def settle(self) -> None:
        """Raise AssertionError when something unannounced came, or something announced did not."""
        surprises = [f"{m.kind} to {m.address}: {m.payload.get('subject', '')}" for m in self.unexpected]
        if surprises:
            raise AssertionError(f"nobody announced: {surprises}")
        if self._expected:
            raise AssertionError(f"{len(self._expected)} announced messages did not come; came: {len(self.received)}")
