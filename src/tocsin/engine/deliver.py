"""Take what is due from the outbox and hand it to the providers: claim, call, mark; each its own step.

Claiming commits before the provider is called, so a crash in between loses nothing: on SQLite the claim is given back
at the next start, on PostgreSQL its lease runs out. What comes back that way may have arrived already; it goes out
under the same key and says that it is a repeat. Escalation never waits for sending.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from django.db import close_old_connections, transaction
from django.db.models import F, Q, QuerySet

from tocsin.channels.protocol import Channel, DeliveryFailed, Message
from tocsin.comms import queries as comms
from tocsin.engine import outcomes
from tocsin.engine.workers import Workers
from tocsin.incidents import queries as incidents
from tocsin.platform import clock, db, doorbell
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.platform.questions import Question

log = logging.getLogger(__name__)

DEADLINE = timedelta(seconds=10)
LEASE = timedelta(seconds=15)  # longer than the deadline, so that a live sender is never overtaken
IN_FLIGHT = 8
FRESH = timedelta(seconds=5)  # a page this young was decided on just now
PER_DESTINATION = 2
PER_CHANNEL = 6
"""However many far sides of one kind hang, the other ways out keep some room."""
LOOKED_AT = 64
AFTER_TROUBLE = timedelta(seconds=5)
PENDING = (OutboxState.QUEUED, OutboxState.CLAIMED)


@dataclass(frozen=True, slots=True)
class Busy:
    """How many messages are on their way now, by far side and by channel."""

    destinations: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Deliverer:
    """Sends up to IN_FLIGHT messages at once, at most PER_DESTINATION to one far side, lowest lane first."""

    channels: Mapping[str, Channel]
    now: Callable[[], datetime] = clock.now
    _workers: Workers = field(default_factory=lambda: Workers(IN_FLIGHT, "deliver"))
    _destinations: Counter[str] = field(default_factory=Counter)
    _channels: Counter[str] = field(default_factory=Counter)
    _guard: Lock = field(default_factory=Lock)

    def turn(self, *, now: datetime) -> int:
        """Start as many deliveries as there is room for; returns how many were started."""
        with self._guard:
            room = IN_FLIGHT - self._channels.total()
            busy = Busy(dict(self._destinations), dict(self._channels))
        if room <= 0:
            return 0
        taken = claim_due(now=now, limit=room, busy=busy)
        for message in taken:
            self._count(message, 1)
            self._workers.submit(partial(self._deliver, message))
        return len(taken)

    def _count(self, message: OutboxMessage, by: int) -> None:
        with self._guard:
            for counter, name in ((self._destinations, message.destination), (self._channels, message.channel)):
                counter[name] += by
                if counter[name] <= 0:
                    del counter[name]

    def _deliver(self, message: OutboxMessage) -> None:
        try:
            deliver(message, channels=self.channels, now=self.now)
        except Exception:  # the edge of a worker: the row is given back and tried again
            log.exception("delivery of %s broke", message.key)
            _give_back(message, now=self.now)
        finally:
            self._count(message, -1)
            close_old_connections()
            doorbell.ring()

    def close(self) -> None:
        """Let what is in flight finish; nothing new is started."""
        self._workers.close()


def _give_back(message: OutboxMessage, *, now: Callable[[], datetime]) -> None:
    """End a claim whose outcome could not be written down; on SQLite nobody else would before the next start."""
    try:
        with transaction.atomic():
            db.still_held(message).update(claimed_by="", lease_until=None, not_before=now() + AFTER_TROUBLE)
    except Exception:  # without a database there is nothing to give back to; the lease or the next start does it
        log.exception("the claim of %s could not be given back", message.key)


def turn(channels: Mapping[str, Channel], *, now: datetime, limit: int = IN_FLIGHT) -> int:
    """Deliver what is due, one after the other, in this thread (scenario tests, `--once`)."""
    taken = claim_due(now=now, limit=limit, per_destination=limit, per_channel=limit)
    for message in taken:
        deliver(message, channels=channels, now=lambda: now)
    return len(taken)


def claim_due(
    *,
    now: datetime,
    limit: int,
    busy: Busy | None = None,
    per_destination: int = PER_DESTINATION,
    per_channel: int = PER_CHANNEL,
) -> list[OutboxMessage]:
    """Claim up to `limit` messages whose time has come; expired ones are put away unsent.

    A far side, or a channel, that has as many on their way as it may have is passed over, so that one that hangs never
    holds up the others.
    """
    if not _anything_due(now=now):
        return []
    due = _due(now)
    crashpoint(CrashPoint.AFTER_DUE_READ)
    with transaction.atomic():
        due.filter(expires_at__lte=now, claimed_by="").update(state=OutboxState.EXPIRED)
        free = due.filter(db.unheld(now=now))
        chosen = _choose(free, busy or Busy(), limit=limit, per_destination=per_destination, per_channel=per_channel)
        ordered = due.filter(pk__in=chosen).order_by("lane", "not_before", "id")
        taken = db.claim(ordered, now=now, lease=LEASE, limit=limit)
        for message in taken:
            # A row that was claimed before and comes back may have been sent: nobody can know.
            message.repeat = message.repeat or message.state == OutboxState.CLAIMED
            message.state = OutboxState.CLAIMED
            message.save(update_fields=["state", "repeat"])
    if taken:
        crashpoint(CrashPoint.AFTER_CLAIM_COMMIT)
    return taken


def _due(now: datetime) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(state__in=PENDING, not_before__lte=now)


_anything_due = Question(_due)


def _choose(
    due: QuerySet[OutboxMessage], busy: Busy, *, limit: int, per_destination: int, per_channel: int
) -> list[int]:
    """The first of what is due, lowest lane first, that their far side and their channel have room for."""
    destinations, channels = Counter(busy.destinations), Counter(busy.channels)
    full = [name for name, count in destinations.items() if count >= per_destination]
    closed = [name for name, count in channels.items() if count >= per_channel]
    open_to = due.exclude(destination__in=full).exclude(channel__in=closed)
    chosen: list[int] = []
    rows = open_to.order_by("lane", "not_before", "id").values_list("pk", "destination", "channel")
    for pk, destination, channel in rows[:LOOKED_AT]:
        if destinations[destination] >= per_destination or channels[channel] >= per_channel:
            continue
        destinations[destination] += 1
        channels[channel] += 1
        chosen.append(pk)
        if len(chosen) == limit:
            break
    return chosen


def deliver(message: OutboxMessage, *, channels: Mapping[str, Channel], now: Callable[[], datetime]) -> None:
    """Call the provider once for a claimed `message` and write down what came of it.

    A page that had to wait is looked at once more: what was snoozed, silenced or ended meanwhile wakes nobody.
    """
    if _waited(message, at=now()) and not incidents.still_wakes(message.incident, now=now()):
        outcomes.mark_withheld(message)
        return
    crashpoint(CrashPoint.DURING_PROVIDER_CALL)
    try:
        receipt = _hand_over(message, channels, at=now())
    except DeliveryFailed as failure:
        outcomes.mark_failed(message, failure, now=now())
    else:
        crashpoint(CrashPoint.AFTER_PROVIDER_OK)
        outcomes.mark_sent(message, receipt, now=now())


def _waited(message: OutboxMessage, *, at: datetime) -> bool:
    return message.kind == "page" and message.incident != "" and at - message.created_at > FRESH


def _hand_over(message: OutboxMessage, channels: Mapping[str, Channel], *, at: datetime) -> str:
    channel = channels.get(message.channel)
    if channel is None:
        raise DeliveryFailed(f"no {message.channel} channel is set up", permanent=True)
    outgoing = _outgoing(message, at=at)
    try:
        return channel.send(outgoing, deadline=DEADLINE * db.patience())
    except DeliveryFailed:
        raise
    except Exception as error:  # a channel that stumbles over one message is put aside with it, not the whole queue
        log.exception("the channel broke over %s", message.key)
        raise DeliveryFailed(f"{type(error).__name__}: {error}", unknown=True) from error


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
    """What signs a post now: an endpoint's secrets, or the secret of the person's own webhook.

    Raises DeliveryFailed for an endpoint that was switched off meanwhile: nothing leaves unsigned in its stead.
    """
    if message.subject_kind != "webhook":
        method = outcomes.contact_of(message)
        return (method.secret,) if method is not None and method.secret else ()
    secrets = comms.signing_secrets(message.subject_id, now=at)
    if not secrets:
        raise DeliveryFailed("the endpoint was switched off", permanent=True)
    return secrets


def _meant_for(message: OutboxMessage) -> datetime:
    """The moment a message is for: what its writer says, else when it was written."""
    said = message.payload.get("date")
    return datetime.fromisoformat(said) if isinstance(said, str) else message.created_at


def oldest_unsent_seconds(*, now: datetime) -> float:
    """Age of the oldest message that should have left by now (0 when there is none)."""
    waiting = OutboxMessage.objects.filter(Q(state__in=PENDING), not_before__lte=now)
    oldest = waiting.order_by(F("not_before").asc()).values_list("not_before", flat=True).first()
    return (now - oldest).total_seconds() if oldest else 0.0
