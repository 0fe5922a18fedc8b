"""Outgoing webhooks: who is told, by which secret, and what was told so far."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.audit.models import Entry
from tocsin.comms.models import WebhookEndpoint
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.delivery_plan import Traffic, lane
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind, sentence
from tocsin.core.incident_lifecycle import State, status_of
from tocsin.incidents import queries as incidents
from tocsin.incidents import snapshots
from tocsin.incidents.models import Incident
from tocsin.incidents.runbooks import runbook_of
from tocsin.platform import db, outbox
from tocsin.platform.models import OutboxMessage, OutboxState, Setting
from tocsin.platform.outbox import Outgoing
from tocsin.platform.questions import Question
from tocsin.platform.text import one_line

CURSOR = "webhooks.cursor"
CHANNEL = "webhook"
SECRET_BYTES = range(24, 65)
_LAST_LANE = 9


def add_webhook(actor: Actor, *, url: str, secret: str, events: str = "incident.*", now: datetime) -> WebhookEndpoint:
    """Post signed events to `url` from now on. `events` are patterns such as incident.*, separated by commas."""
    _check_secret(secret)
    target, wanted = _checked_url(url), _checked_events(events)
    with transaction.atomic():
        require(actor, Right.SETTINGS_WRITE)
        _begin_cursor()
        row = WebhookEndpoint.objects.create(url=target, secret=secret, events=wanted, created_at=now)
        data = {"webhook": row.pk, "host": _host(target), "events": wanted, "change": "added"}
        audit.record(actor, [Fact(kind=Kind.WEBHOOK_SAVED, data=data)], now=now)
    return row


def rotate_webhook(
    actor: Actor, webhook_id: int, *, secret: str, overlap_seconds: int = 86400, now: datetime
) -> WebhookEndpoint:
    """A new secret; the former one signs too until the overlap ends. Raises NotFound, Invalid."""
    _check_secret(secret)
    if overlap_seconds < 0:
        raise Invalid({"overlap_seconds": "The overlap cannot end before it begins."})
    with transaction.atomic():
        require(actor, Right.SETTINGS_WRITE)
        row = db.lock(WebhookEndpoint.objects.filter(pk=webhook_id)).first()
        if row is None:
            raise NotFound(f"There is no webhook {webhook_id}.")
        row.former_secret, row.former_until = row.secret, now + timedelta(seconds=overlap_seconds)
        row.secret = secret
        row.save(update_fields=["secret", "former_secret", "former_until"])
        data = {"webhook": row.pk, "change": "secret", "overlap_seconds": overlap_seconds}
        audit.record(actor, [Fact(kind=Kind.WEBHOOK_SAVED, data=data)], now=now)
    return row


def disable_webhook(webhook_id: int, *, reason: str, now: datetime, actor: Actor = SYSTEM) -> bool:
    """The far side wants nothing more (410), or an administrator ended it; what is queued for it is taken back.

    False when it was off already.
    """
    require(actor, Right.SETTINGS_WRITE)
    with transaction.atomic():
        row = db.lock(WebhookEndpoint.objects.filter(pk=webhook_id, disabled_at=None)).first()
        if row is None:
            return False
        row.disabled_at, row.disabled_reason = now, one_line(reason, limit=200)
        row.save(update_fields=["disabled_at", "disabled_reason"])
        queued = OutboxMessage.objects.filter(subject_kind=CHANNEL, subject_id=str(row.pk), state=OutboxState.QUEUED)
        queued.update(state=OutboxState.CANCELLED)
        data = {"webhook": row.pk, "reason": row.disabled_reason}
        audit.record(actor, [Fact(kind=Kind.WEBHOOK_DISABLED, data=data)], now=now)
    return True


def enqueue_events(*, now: datetime, limit: int = 200) -> int:
    """Queue a post for each endpoint and each new entry of the log it asked for; returns how many entries were read.

    Entries become visible in the order of their numbers, so that the number reached is all there is to remember.
    """
    if not _anybody_listens(now=now):
        return 0
    with transaction.atomic():
        cursor = db.lock(Setting.objects.filter(name=CURSOR)).first()
        if cursor is None:
            return 0
        entries = list(Entry.objects.filter(seq__gt=cursor.value["seq"]).order_by("seq")[:limit])
        if not entries:
            return 0
        endpoints = list(WebhookEndpoint.objects.filter(disabled_at=None).order_by("pk"))
        outbox.enqueue([message for entry in entries for message in _posts(endpoints, entry)], now=now)
        cursor.value = {"seq": entries[-1].seq}
        cursor.save(update_fields=["value"])
    return len(entries)


_anybody_listens = Question(lambda _: WebhookEndpoint.objects.filter(disabled_at=None))


def _begin_cursor() -> None:
    """The first endpoint hears from now on; while there was none, nobody moved the number."""
    last = Entry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    if not WebhookEndpoint.objects.filter(disabled_at=None).exists():
        Setting.objects.update_or_create(name=CURSOR, defaults={"value": {"seq": last}})


def _posts(endpoints: Sequence[WebhookEndpoint], entry: Entry) -> list[Outgoing]:
    """The posts of one entry. What happened before an endpoint was added is not told to it."""
    wanting = [one for one in endpoints if _wants(one, entry.kind) and one.created_at <= entry.at]
    if not entry.incident or not wanting:
        return []
    incident = _incident(entry.incident)
    body = {"type": entry.kind, "timestamp": stamp(entry.at), "data": _data(entry, incident)}
    place = _lane(incident)
    return [
        Outgoing(
            key=f"evt-{endpoint.pk}-{entry.seq}",
            kind="event",
            channel=CHANNEL,
            address=endpoint.url,
            destination=f"{CHANNEL}:{_host(endpoint.url)}"[:200],
            payload=body,
            lane=place,
            incident=entry.incident,
            subject_kind=CHANNEL,
            subject_id=str(endpoint.pk),
        )
        for endpoint in wanting
    ]


def _wants(endpoint: WebhookEndpoint, kind: str) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in endpoint.events.split(","))


def _incident(ref: str) -> Incident | None:
    related = ("service", "team", "objective", "acknowledged_by", "process_version", "merged_into")
    rows = Incident.objects.select_related(*related).defer("process_version__document")
    return rows.filter(number=incidents.number_of(ref)).first()


def _lane(incident: Incident | None) -> int:
    if incident is None:
        return Traffic.WEBHOOK * 10 + _LAST_LANE
    unset = snapshots.process_of(incident).catalogue.unset_rank
    return lane(Traffic.WEBHOOK, priority=incident.priority, unset_as=unset)


def _data(entry: Entry, incident: Incident | None) -> dict[str, Any]:
    """The incident as it stands now, and the entry of its log that is told of."""
    event = {
        "seq": entry.seq,
        "at": stamp(entry.occurred_at),
        "actor": entry.actor,
        "text": sentence(entry.kind, entry.data),
        "data": entry.data,
    }
    return {"id": entry.incident, "incident": _shown(incident) if incident else None, "event": event}


def _shown(incident: Incident) -> dict[str, Any]:
    carried = runbook_of(incident, snapshots.process_of(incident))
    return {
        "id": incident.ref,
        "title": incident.title,
        "status": status_of(State(incident.state)),
        "state": incident.state,
        "priority": incident.priority,
        "priority_state": incident.priority_state,
        "priority_name": carried.priority,
        "priority_url": carried.priority_url,
        "runbook_url": carried.url or None,
        "severity": incident.severity,
        "signal_severity": incident.signal_severity or None,
        "service": incident.service.name if incident.service else None,
        "team": incident.team.name if incident.team else None,
        "source": incident.source or incident.origin,
        "slo": incident.objective.name if incident.objective else None,
        "dedup_key": incident.dedup_key or None,
        "labels": incident.labels,
        "alert_count": incident.alert_count,
        "kind": incident.kind,
        "created_at": stamp(incident.created_at),
        "acknowledged_at": stamp(incident.acknowledged_at) if incident.acknowledged_at else None,
        "acknowledged_by": incident.acknowledged_by.username if incident.acknowledged_by else None,
        "resolved_at": stamp(incident.resolved_at) if incident.resolved_at else None,
    }


def _host(url: str) -> str:
    """Where a post goes, without path or query, which may hold a secret."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _checked_url(url: str) -> str:
    target = url.strip()
    try:
        parts = urlsplit(target)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or one_line(target, limit=500) != target:
        raise Invalid({"url": "A webhook's address begins with https:// (or http:// inside your own network)."})
    return target


def _checked_events(events: str) -> str:
    patterns = [pattern.strip() for pattern in events.split(",") if pattern.strip()]
    known = [kind.value for kind in Kind]
    for pattern in patterns:
        if not any(fnmatchcase(kind, pattern) for kind in known):
            raise Invalid({"events": f"Nothing that happens is called {one_line(pattern, limit=60)}; try incident.*"})
    wanted = ",".join(patterns)
    if not wanted or len(wanted) > 200:
        raise Invalid({"events": "Name the events, for example incident.*"})
    return wanted


def _check_secret(secret: str) -> None:
    """`whsec_` and base64 of 24 to 64 bytes (Standard Webhooks). Raises Invalid."""
    prefix, _, encoded = secret.partition("_")
    try:
        size = len(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if prefix != "whsec" or size not in SECRET_BYTES:
        raise Invalid({"secret": "A secret is whsec_ followed by base64 of 24 to 64 random bytes."})
