"""Send a test through an adapter. The engine delivers it like anything else, and what becomes of it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.comms import chat_queries
from tocsin.comms.models import WebhookEndpoint
from tocsin.core.access import Actor, Right, require
from tocsin.core.adapters import CHAT_TOOLS, adapter
from tocsin.core.errors import NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.response_channel import ROOM_TRY
from tocsin.people.models import Person
from tocsin.platform import installation, outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.models import OutboxMessage
from tocsin.platform.outbox import Outgoing

SUBJECT = "adapter"
_TEXT = "A test by Tocsin: nothing is wrong. If you can read this, incidents will reach this place."


def trial(*, now: datetime, name: str = "") -> tuple[dict[str, Any], str]:
    """What a test says, and its key. The room of a test is the same each time."""
    payload = {
        "room": f"tocsin-{name or installation.known_name()}-test",
        "name": "Tocsin: a test",
        "topic": public_url(),
        "text": f"{_TEXT}\n{public_url()}",
        "subject": "Tocsin: a test",
        "type": "adapter.test",
        "timestamp": stamp(now),
        "date": now.isoformat(),
        "data": {"text": _TEXT},
    }
    return payload, f"test-{int(now.timestamp() * 1000)}"


def try_adapter(actor: Actor, code: str, *, now: datetime) -> list[str]:
    """Queue a test; returns the keys of what was queued. Raises NotFound, and Refused for one that is not set up."""
    with transaction.atomic():
        require(actor, Right.SETTINGS_WRITE)
        known = adapter(code)
        if known is None:
            raise NotFound(f"There is no adapter {code}; tocsin adapter list shows them.")
        if not known.can_try:
            raise Refused(
                f"{known.name} takes no test message.", reason="takes_no_test", remedy="Its dry run shows what it does."
            )
        payload, key = trial(now=now, name=installation.short_name())
        messages = _messages(actor, code, payload, key)
        if not messages:
            raise Refused(
                f"{known.name} is not set up.", reason="not_set_up", remedy=f"What sets it up: {known.set_up_by}."
            )
        outbox.enqueue(messages, now=now)
        data = {"adapter": code, "messages": len(messages)}
        audit.record(actor, [Fact(kind=Kind.ADAPTER_TRIED, data=data)], now=now)
    return [message.key for message in messages]


def _messages(actor: Actor, code: str, payload: dict[str, Any], key: str) -> list[Outgoing]:
    if code in CHAT_TOOLS:
        if code not in chat_queries.tools():
            return []
        return [_message(code, str(payload["room"]), payload, key, kind=ROOM_TRY, destination=code)]
    if code == "email":
        address = Person.objects.filter(pk=actor.person_id or 0).values_list("email", flat=True).first()
        if not address:
            raise Refused("You have no mail address here.", reason="no_address", remedy="Add one: tocsin user contact.")
        return [_message("email", address, payload, key)]
    rows = WebhookEndpoint.objects.filter(disabled_at=None)
    return [
        _message("webhook", row.url, payload, f"{key}-{row.pk}", subject_kind="webhook", subject_id=str(row.pk))
        for row in rows
    ]


def _message(channel: str, address: str, payload: dict[str, Any], key: str, **more: Any) -> Outgoing:
    subject = {"subject_kind": SUBJECT, "subject_id": channel, "kind": "test"} | more
    return Outgoing(key=f"{channel}-{key}", channel=channel, address=address, payload=payload, lane=9, **subject)


def outcome_of(key: str) -> OutboxMessage | None:
    """What became of a test, with its tries."""
    return OutboxMessage.objects.prefetch_related("deliveries").filter(key=key).first()
