"""Take what is due from the outbox and hand it to the providers: claim, call, mark; each its own step.

Claiming commits before the provider is called, so a crash in between loses nothing: on SQLite the claim is given back
at the next start, on PostgreSQL its lease runs out. What comes back that way may have arrived already; it goes out
under the same key and says that it is a repeat. Escalation never waits for sending.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import structlog
from django.db import close_old_connections, transaction
from django.db.models import F, Q

from tocsin.audit import actions as audit
from tocsin.channels.protocol import Channel, DeliveryFailed, Message
from tocsin.comms import actions as webhooks
from tocsin.comms import queries as comms
from tocsin.core import retries
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.core.retries import Outcome
from tocsin.people.models import ContactMethod
from tocsin.platform import clock, db, doorbell
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import Delivery, OutboxMessage, OutboxState

log = structlog.get_logger("tocsin.deliver")

DEADLINE = timedelta(seconds=10)
LEASE = timedelta(seconds=15)  # longer than the deadline, so that a live sender is never overtaken
IN_FLIGHT = 8
PER_DESTINATION = 2
RETRIES = {"email": retries.MAIL_RETRIES, "webhook": retries.WEBHOOK_RETRIES}
PAGES = {"page", "fallback", "role"}
PENDING = (OutboxState.QUEUED, OutboxState.CLAIMED)


@dataclass(slots=True)
class Deliverer:
    """Sends up to IN_FLIGHT messages at once, at most PER_DESTINATION to one far side, lowest lane first."""

    channels: Mapping[str, Channel]
    now: Callable[[], datetime] = clock.now
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="deliver")
    )
    _busy: Counter[str] = field(default_factory=Counter)
    _guard: Lock = field(default_factory=Lock)

    def turn(self, *, now: datetime) -> int:
        """Start as many deliveries as there is room for; returns how many were started."""
        with self._guard:
            room = IN_FLIGHT - self._busy.total()
            full = [place for place, count in self._busy.items() if count >= PER_DESTINATION]
        if room <= 0:
            return 0
        taken = claim_due(now=now, limit=room, avoiding=full)
        for message in taken:
            with self._guard:
                self._busy[message.destination] += 1
            self._pool.submit(self._deliver, message)
        return len(taken)

    def _deliver(self, message: OutboxMessage) -> None:
        try:
            deliver(message, channels=self.channels, now=self.now)
        except Exception:  # the edge of a worker: the row keeps its claim and is tried again
            log.exception("delivery broke", key=message.key)
        finally:
            with self._guard:
                self._busy[message.destination] -= 1
            close_old_connections()
            doorbell.ring()

    def close(self) -> None:
        """Let what is in flight finish; nothing new is started."""
        self._pool.shutdown(wait=True)


def turn(channels: Mapping[str, Channel], *, now: datetime, limit: int = IN_FLIGHT) -> int:
    """Deliver what is due, one after the other, in this thread (scenario tests, `--once`)."""
    taken = claim_due(now=now, limit=limit)
    for message in taken:
        deliver(message, channels=channels, now=lambda: now)
    return len(taken)


def claim_due(*, now: datetime, limit: int, avoiding: list[str] | None = None) -> list[OutboxMessage]:
    """Claim up to `limit` messages whose time has come; expired ones are put away unsent."""
    due = OutboxMessage.objects.filter(state__in=PENDING, not_before__lte=now)
    if not due.exists():
        return []
    crashpoint(CrashPoint.AFTER_DUE_READ)
    with transaction.atomic():
        due.filter(expires_at__lte=now, claimed_by="").update(state=OutboxState.EXPIRED)
        ordered = due.exclude(destination__in=avoiding or []).order_by("lane", "not_before", "id")
        taken = db.claim(ordered, now=now, lease=LEASE, limit=limit)
        for message in taken:
            # A row that was claimed before and comes back may have been sent: nobody can know.
            message.repeat = message.repeat or message.state == OutboxState.CLAIMED
            message.state = OutboxState.CLAIMED
            message.save(update_fields=["state", "repeat"])
    if taken:
        crashpoint(CrashPoint.AFTER_CLAIM_COMMIT)
    return taken


def deliver(message: OutboxMessage, *, channels: Mapping[str, Channel], now: Callable[[], datetime]) -> None:
    """Call the provider once for a claimed `message` and write down what came of it."""
    channel = channels.get(message.channel)
    crashpoint(CrashPoint.DURING_PROVIDER_CALL)
    try:
        if channel is None:
            raise DeliveryFailed(f"no {message.channel} channel is set up", permanent=True)
        receipt = channel.send(_outgoing(message, at=now()), deadline=DEADLINE * db.patience())
    except DeliveryFailed as failure:
        _mark_failed(message, failure, now=now())
    else:
        crashpoint(CrashPoint.AFTER_PROVIDER_OK)
        _mark_sent(message, receipt, now=now())


def _outgoing(message: OutboxMessage, *, at: datetime) -> Message:
    secrets = _secrets(message, at=at) if message.channel == "webhook" else ()
    return Message(
        key=message.key,
        kind=message.kind,
        address=message.address,
        payload=message.payload,
        due_at=_meant_for(message),
        at=at,
        repeat=message.repeat,
        secrets=secrets,
    )


def _secrets(message: OutboxMessage, *, at: datetime) -> tuple[str, ...]:
    """What signs a post: an endpoint's secrets, or the secret of the person's own webhook."""
    if message.subject_kind == "webhook":
        return comms.signing_secrets(message.subject_id, now=at)
    own = ContactMethod.objects.filter(channel=message.channel, address=message.address).exclude(secret="")
    return tuple(own.values_list("secret", flat=True)[:1])


def _meant_for(message: OutboxMessage) -> datetime:
    """The moment a message is for: what its writer says, else when it was written."""
    said = message.payload.get("date")
    return datetime.fromisoformat(said) if isinstance(said, str) else message.created_at


def _mark_sent(message: OutboxMessage, receipt: str, *, now: datetime) -> None:
    with transaction.atomic():
        ours = db.still_held(message).update(
            state=OutboxState.SENT, sent_at=now, last_error="", claimed_by="", lease_until=None
        )
        if ours:
            _note(message, "accepted", receipt, now=now)


def _mark_failed(message: OutboxMessage, failure: DeliveryFailed, *, now: datetime) -> None:
    outcome = Outcome.UNKNOWN if failure.unknown else Outcome.PERMANENT if failure.permanent else Outcome.TEMPORARY
    retry = retries.next_try(
        RETRIES.get(message.channel, retries.WEBHOOK_RETRIES) if message.kind not in PAGES else retries.PAGE_RETRIES,
        outcome,
        tries_made=message.attempt,
        now=now,
        jitter=random.random(),  # noqa: S311 - it spreads load, it keeps no secret
        asked_wait=failure.retry_after,
        expires_at=message.expires_at,
    )
    with transaction.atomic():
        change: dict[str, object] = {"last_error": failure.detail, "claimed_by": "", "lease_until": None}
        if retry.at is None:
            change["state"] = OutboxState.FAILED
        else:
            change |= {
                "state": OutboxState.QUEUED,
                "not_before": retry.at,
                "repeat": failure.unknown or message.repeat,
            }
        if failure.gone and message.subject_kind == "webhook":
            webhooks.disable_webhook(int(message.subject_id), reason=failure.detail, now=now)
        if db.still_held(message).update(**change):
            said = outcome.value if retry.at or outcome is not Outcome.TEMPORARY else Outcome.PERMANENT.value
            _note(message, said, failure.detail, now=now)


def _note(message: OutboxMessage, outcome: str, detail: str, *, now: datetime) -> None:
    """The delivery ladder, and for pages and updates a line in the incident's log."""
    Delivery.objects.create(message=message, attempt=message.attempt, at=now, outcome=outcome, detail=detail[:2000])
    if not message.incident or message.kind not in PAGES or outcome == "temporary":
        return
    kind = Kind.PAGE_ACCEPTED if outcome == "accepted" else Kind.PAGE_FAILED
    data = {
        "person": message.payload.get("to_name", ""),
        "channel": message.channel,
        "page": message.subject_id,
        "detail": detail[:300],
        "repeat": message.repeat,
    }
    audit.record(SYSTEM, [audit.Fact(kind=kind, incident=message.incident, data=data)], now=now)


def oldest_unsent_seconds(*, now: datetime) -> float:
    """Age of the oldest message that should have left by now (0 when there is none)."""
    waiting = OutboxMessage.objects.filter(Q(state__in=PENDING), not_before__lte=now)
    oldest = waiting.order_by(F("not_before").asc()).values_list("not_before", flat=True).first()
    return (now - oldest).total_seconds() if oldest else 0.0
