"""Outgoing webhooks: who is told, by which secret, and what was told so far."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.audit.models import Entry
from tocsin.comms.models import WebhookEndpoint
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import State, status_of
from tocsin.incidents.models import Incident
from tocsin.platform import db, outbox
from tocsin.platform.models import Setting
from tocsin.platform.outbox import Outgoing

WEBHOOK_LANE = 4
CURSOR = "webhooks.cursor"
SECRET_BYTES = range(24, 65)


def add_webhook(actor: Actor, *, url: str, secret: str, events: str = "incident.*", now: datetime) -> WebhookEndpoint:
    """Post signed events to `url` from now on. `events` are patterns such as incident.*, separated by commas."""
    _check_secret(secret)
    if not url.startswith(("http://", "https://")):
        raise Invalid({"url": "A webhook's address begins with https:// (or http:// inside your own network)."})
    with transaction.atomic():
        require(actor, Right.SETTINGS_WRITE)
        _begin_cursor()
        row = WebhookEndpoint.objects.create(url=url, secret=secret, events=events, created_at=now)
        audit.record(actor, [Fact(kind=Kind.WEBHOOK_SAVED, data={"webhook": row.pk, "events": events})], now=now)
        return row


def rotate_webhook(
    actor: Actor, webhook_id: int, *, secret: str, overlap_seconds: int, now: datetime
) -> WebhookEndpoint:
    """A new secret; the former one signs too until the overlap ends."""
    _check_secret(secret)
    with transaction.atomic():
        require(actor, Right.SETTINGS_WRITE)
        row = WebhookEndpoint.objects.filter(pk=webhook_id).first()
        if row is None:
            raise NotFound(f"There is no webhook {webhook_id}.")
        row.former_secret, row.former_until = row.secret, now + timedelta(seconds=overlap_seconds)
        row.secret = secret
        row.save(update_fields=["secret", "former_secret", "former_until"])
        audit.record(actor, [Fact(kind=Kind.WEBHOOK_SAVED, data={"webhook": row.pk, "change": "secret"})], now=now)
        return row


def disable_webhook(webhook_id: int, *, reason: str, now: datetime) -> None:
    """The far side wants nothing more (410), or an administrator ended it."""
    with transaction.atomic():
        row = WebhookEndpoint.objects.filter(pk=webhook_id, disabled_at__isnull=True).first()
        if row is None:
            return
        row.disabled_at, row.disabled_reason = now, reason[:200]
        row.save(update_fields=["disabled_at", "disabled_reason"])
        audit.record(
            SYSTEM, [Fact(kind=Kind.WEBHOOK_DISABLED, data={"webhook": row.pk, "reason": reason[:200]})], now=now
        )


def enqueue_events(*, now: datetime, limit: int = 200) -> int:
    """Queue one post for each endpoint and each new entry of the log it asked for; returns how many entries were read."""
    if not WebhookEndpoint.objects.filter(disabled_at__isnull=True).exists():
        return 0
    with transaction.atomic():
        cursor = db.lock(Setting.objects.filter(name=CURSOR)).first()
        if cursor is None:
            return 0
        entries = list(Entry.objects.filter(seq__gt=cursor.value["seq"]).order_by("seq")[:limit])
        if not entries:
            return 0
        endpoints = list(WebhookEndpoint.objects.filter(disabled_at__isnull=True))
        messages = [
            _message(one, entry) for entry in entries for one in endpoints if entry.incident and _wants(one, entry.kind)
        ]
        outbox.enqueue(messages, now=now)
        cursor.value = {"seq": entries[-1].seq}
        cursor.save(update_fields=["value"])
        return len(entries)


def _begin_cursor() -> None:
    last = Entry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    Setting.objects.get_or_create(name=CURSOR, defaults={"value": {"seq": last}})


def _wants(endpoint: WebhookEndpoint, kind: str) -> bool:
    return any(fnmatchcase(kind, pattern.strip()) for pattern in endpoint.events.split(","))


def _message(endpoint: WebhookEndpoint, entry: Entry) -> Outgoing:
    return Outgoing(
        key=f"evt-{endpoint.pk}-{entry.seq}",
        kind="event",
        channel="webhook",
        address=endpoint.url,
        payload={"type": entry.kind, "timestamp": stamp(entry.at), "data": _data(entry)},
        lane=WEBHOOK_LANE,
        incident=entry.incident,
        subject_kind="webhook",
        subject_id=str(endpoint.pk),
    )


def _data(entry: Entry) -> dict[str, Any]:
    """The incident as it stands, with the entry's own facts."""
    number = entry.incident.rpartition("-")[2]
    row = Incident.objects.select_related("service").filter(number=int(number)).first() if number.isdigit() else None
    if row is None:
        return {"id": entry.incident, "event": entry.data}
    return {
        "id": row.ref,
        "title": row.title,
        "status": status_of(State(row.state)),
        "priority": row.priority,
        "severity": row.severity,
        "service": row.service.name if row.service else None,
        "created_at": stamp(row.created_at),
        "event": entry.data,
    }


def _check_secret(secret: str) -> None:
    """`whsec_` and base64 of 24 to 64 bytes (Standard Webhooks). Raises Invalid."""
    prefix, _, encoded = secret.partition("_")
    try:
        size = len(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if prefix != "whsec" or size not in SECRET_BYTES:
        raise Invalid({"secret": "A secret is whsec_ followed by base64 of 24 to 64 random bytes."})
