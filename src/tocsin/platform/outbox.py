"""Enqueue what must leave the house, in the transaction of its cause. Delivery is the engine's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.platform import doorbell
from tocsin.platform.models import OutboxMessage, OutboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to one address. `key` makes a second enqueue of the same thing harmless; `lane` 0 goes first."""

    key: str
    kind: str
    channel: str
    address: str
    payload: dict[str, Any] = field(default_factory=dict)
    lane: int = 5
    incident: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    not_before: datetime | None = None
    expires_at: datetime | None = None
    destination: str = ""


def enqueue(messages: list[Outgoing], *, now: datetime) -> int:
    """Write `messages` (those whose key is new) and ring the engine after commit. Returns how many were given."""
    rows = [
        OutboxMessage(
            key=message.key,
            lane=message.lane,
            kind=message.kind,
            channel=message.channel,
            address=message.address,
            destination=message.destination or f"{message.channel}:{message.address}",
            payload=_dated(message, now),
            incident=message.incident,
            subject_kind=message.subject_kind,
            subject_id=message.subject_id,
            created_at=now,
            not_before=message.not_before or now,
            expires_at=message.expires_at,
        )
        for message in messages
    ]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(doorbell.ring)
    return len(rows)


def _dated(message: Outgoing, now: datetime) -> dict[str, Any]:
    """What leaves later says from the beginning for which moment it is meant; `not_before` moves with every try."""
    if message.not_before is None or message.not_before <= now or "date" in message.payload:
        return message.payload
    return {**message.payload, "date": message.not_before.isoformat()}


def cancel_unsent(*, kind: str, incident: str) -> int:
    """Take back what is queued and not yet claimed, for example the pages of an incident somebody took."""
    waiting = OutboxMessage.objects.filter(kind=kind, incident=incident, state=OutboxState.QUEUED)
    return waiting.update(state=OutboxState.CANCELLED)
