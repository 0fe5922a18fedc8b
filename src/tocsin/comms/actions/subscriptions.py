"""Addresses that hear of a service's incidents by themselves: declaration, a steady pace, a new priority, the end."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.catalog import queries as catalog
from tocsin.comms import status_text
from tocsin.comms.models import StatusClock, Subscriber
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.incidents import snapshots
from tocsin.incidents.models import OPEN_STATES, Incident
from tocsin.platform import db, ids, outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.outbox import Outgoing

STATUS_LANE = 3
ENDED = "resolved"
STATUS = "status"


def add_subscriber(actor: Actor, *, email: str, service: str, now: datetime) -> Subscriber:
    """Let an address hear of every incident of a service. Subscribing again brings an ended subscription back."""
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid({"email": f"{email!r} is no mail address."}) from None
    with transaction.atomic():
        target = catalog.service(actor, service)
        require(actor, Right.SUBSCRIBER_WRITE, team=target.team.name if target.team else None)
        row, _ = Subscriber.objects.update_or_create(
            email=email.lower(),
            service=target,
            defaults={"ended_at": None},
            create_defaults={"unsubscribe_digest": ids.digest(ids.new_secret()), "created_at": now},
        )
        data = {"subscriber": row.pk, "service": target.name}
        audit.record(actor, [Fact(kind=Kind.SUBSCRIBER_ADDED, data=data)], now=now)
        return row


def end_subscription(secret: str, *, now: datetime) -> Subscriber:
    """End the subscription whose link holds `secret`; doing it twice changes nothing. Raises NotFound."""
    with transaction.atomic():
        row = Subscriber.objects.select_related("service").filter(unsubscribe_digest=ids.digest(secret)).first()
        if row is None:
            raise NotFound("This link does not belong to a subscription.")
        if row.ended_at is None:
            row.ended_at = now
            row.save(update_fields=["ended_at"])
            data = {"subscriber": row.pk, "service": row.service.name}
            audit.record(SYSTEM, [Fact(kind=Kind.SUBSCRIBER_ENDED, data=data)], now=now)
        return row


def advance_status_mails(*, now: datetime, limit: int = 100) -> int:
    """Tell subscribers what is due; returns how many incidents were told of."""
    _start_clocks(now=now, limit=limit)
    due = StatusClock.objects.filter(ended=False).filter(
        Q(next_at__lte=now) | ~Q(incident__state__in=OPEN_STATES) | ~Q(told_rank=Coalesce(F("incident__priority"), 0))
    )
    told = 0
    for clock_id in due.values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            row = db.lock(StatusClock.objects.filter(pk=clock_id, ended=False)).first()
            told += _tell(row, now=now) if row else 0
    return told


def _start_clocks(*, now: datetime, limit: int) -> None:
    """A clock for each open incident of a service somebody subscribed to."""
    fresh = Incident.objects.filter(
        state__in=OPEN_STATES, status_clock__isnull=True, kind="real", service__subscribers__ended_at__isnull=True
    ).exclude(service__subscribers=None)
    for incident_id in fresh.values_list("pk", flat=True).distinct()[:limit]:
        StatusClock.objects.get_or_create(incident_id=incident_id, defaults={"next_at": now})


def _tell(row: StatusClock, *, now: datetime) -> int:
    incident = Incident.objects.select_related("service").get(pk=row.incident_id)
    ended = not incident.is_open
    said_for = (
        now if ended or row.next_at is None or row.told_rank != (incident.priority or 0) else min(row.next_at, now)
    )
    number = row.told_count
    every = status_text.pace(incident, snapshots.process_of(incident))
    row.told_priority, row.told_rank = incident.priority, incident.priority or 0
    row.last_at, row.told_count, row.ended = now, number + 1, ended
    row.next_at = None if ended or every is None else said_for + every
    row.save(update_fields=["told_priority", "told_rank", "last_at", "told_count", "ended", "next_at"])
    _post(incident, kind=ENDED if ended else STATUS, number=number, next_at=row.next_at, said_for=said_for, now=now)
    return 1


def _post(
    incident: Incident, *, kind: str, number: int, next_at: datetime | None, said_for: datetime, now: datetime
) -> None:
    subject, text = status_text.mail(incident, kind=kind, first=number == 0, next_at=next_at)
    thread = f"<{incident.ref}@tocsin>"
    rows = Subscriber.objects.filter(service=incident.service, ended_at__isnull=True).order_by("pk")
    messages = []
    for subscriber in rows:
        link = f"{public_url()}/unsubscribe/{_secret_of(subscriber)}"
        headers = {
            "X-Incident-Id": incident.ref,
            "X-Update-Kind": kind,
            "References": thread,
            "In-Reply-To": thread,
            "List-Unsubscribe": f"<{link}>",
        }
        payload = {"subject": subject, "text": f"{text}\n\nTo hear no more of this service: {link}", "headers": headers}
        messages.append(
            Outgoing(
                key=f"status-{incident.pk}-{number}-{subscriber.pk}",
                kind=kind,
                channel="email",
                address=subscriber.email,
                payload={**payload, "date": said_for.isoformat()},
                lane=STATUS_LANE,
                incident=incident.ref,
                subject_kind="subscriber",
                subject_id=str(subscriber.pk),
            )
        )
    outbox.enqueue(messages, now=now)
    told = {"kind": kind, "number": number, "recipients": len(messages)}
    audit.record(SYSTEM, [Fact(kind=Kind.STATUS_MAIL_QUEUED, incident=incident.ref, data=told)], now=now)


def _secret_of(subscriber: Subscriber) -> str:
    """The link's secret, made from the row and the installation's key, so that it need not be stored in clear."""
    from django.core.signing import Signer

    secret = Signer(salt="tocsin.subscription").sign(str(subscriber.pk)).replace(":", ".")
    wanted = ids.digest(secret)
    if subscriber.unsubscribe_digest != wanted:
        Subscriber.objects.filter(pk=subscriber.pk).update(unsubscribe_digest=wanted)
    return secret
