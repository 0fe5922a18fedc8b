"""Messages in the outbox and far sides that do as they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.channels.protocol import DeliveryFailed, Message
from tocsin.platform import outbox
from tocsin.platform.models import OutboxMessage
from tocsin.platform.outbox import Outgoing

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)


@dataclass
class FarSide:
    """Takes what comes, or answers with the failures that were prepared, one a try."""

    failures: list[Exception] = field(default_factory=list)
    got: list[Message] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def send(self, message: Message, *, deadline: timedelta) -> str:
        self.got.append(message)
        self.during()
        if self.failures:
            raise self.failures.pop(0)
        return "taken"


def temporary(**fields: Any) -> DeliveryFailed:
    return DeliveryFailed("451 come back later", **fields)


def queue(key: str = "one", *, now: datetime = NOW, **fields: Any) -> OutboxMessage:
    """One message in the outbox."""
    values: dict[str, Any] = {
        "kind": "update",
        "channel": "email",
        "address": f"{key}@harbor.example",
        "payload": {"subject": key, "text": key},
    }
    outbox.enqueue([Outgoing(key=key, **values | fields)], now=now)
    return OutboxMessage.objects.get(key=key)
