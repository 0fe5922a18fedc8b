"""Tell the subscribers of a service about its incidents: declaration, a steady pace, a new priority, the end."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import BigIntegerField, F, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.comms import status_text
from tocsin.comms.actions.subscriptions import unsubscribe_secret
from tocsin.comms.models import StatusClock, Subscriber
from tocsin.comms.snapshots import clock_facts, incident_facts
from tocsin.comms.status_text import StatusText
from tocsin.core.access import SYSTEM
from tocsin.core.delivery_plan import Traffic
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.status_pace import StatusReason, StatusStep, status_step
from tocsin.incidents import snapshots
from tocsin.incidents.actions import paging
from tocsin.incidents.models import OPEN_STATES, Incident
from tocsin.platform import db, outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.guarding import guarded
from tocsin.platform.models import Setting
from tocsin.platform.outbox import Outgoing
from tocsin.platform.questions import Question

CURSOR = "status_mails.cursor"
STATUS, RESOLVED = "status", "resolved"
_MOST_STEPS = 4


def advance_status_mails(*, now: datetime, limit: int = 100) -> int:
    """Begin the clocks of new incidents and tell subscribers what is due. Returns how many incidents were told of."""
    if not _anything_due(now=now):
        return 0
    begin_clocks(limit=limit)
    return sum(
        guarded(partial(_advance, pk, now=now), trouble=f"could not tell subscribers by status clock {pk}")
        for pk in _due(now=now, limit=limit)
    )


def begin_clocks(*, limit: int = 100) -> int:
    """A clock for each new incident of a service that had subscribers when it began. Returns how many were looked at.

    Incidents become visible in the order of their numbers, so that none is passed over, however short it was.
    """
    if not _unseen().exists():
        return 0
    with transaction.atomic():
        Setting.objects.get_or_create(name=CURSOR, defaults={"value": {"number": 0}})
        cursor = db.lock(Setting.objects.filter(name=CURSOR)).get()
        fresh = list(Incident.objects.filter(number__gt=cursor.value["number"]).order_by("number")[:limit])
        for incident in fresh:
            _begin(incident)
        if fresh:
            cursor.value = {"number": fresh[-1].number}
            cursor.save(update_fields=["value"])
    return len(fresh)


def _begin(incident: Incident) -> None:
    hear = Subscriber.objects.filter(service=incident.service_id, ended_at=None, created_at__lte=incident.created_at)
    if incident.kind == "real" and incident.service_id is not None and hear.exists():
        begun = {"service_id": incident.service_id, "next_at": incident.created_at}
        StatusClock.objects.get_or_create(incident=incident, defaults=begun)


def _due(*, now: datetime, limit: int) -> list[int]:
    due = _running_due(now).order_by("next_at", "pk").values_list("pk", flat=True)[:limit]
    return [*due, *_reopened().values_list("pk", flat=True)]


def _running_due(now: datetime) -> QuerySet[StatusClock]:
    other_rank = ~Q(told_rank=Coalesce(F("incident__priority"), 0))
    running = StatusClock.objects.filter(ended=False)
    return running.filter(Q(next_at__lte=now) | ~Q(incident__state__in=OPEN_STATES) | other_rank)


def _reopened() -> QuerySet[StatusClock]:
    return StatusClock.objects.filter(ended=True, incident__state__in=OPEN_STATES)


def _unseen() -> QuerySet[Incident]:
    """Incidents younger than the newest that was looked at."""
    number = Cast(KeyTextTransform("number", "value"), BigIntegerField())
    reached = Setting.objects.filter(name=CURSOR).annotate(number=number).values("number")
    return Incident.objects.filter(number__gt=Coalesce(Subquery(reached), 0))


_anything_due = Question(_running_due, lambda _: _reopened(), lambda _: _unseen())


def _advance(clock_id: int, *, now: datetime) -> int:
    with transaction.atomic():
        held = db.lock_due(StatusClock.objects.filter(pk=clock_id), limit=1)
        if not held:
            return 0
        row = held[0]
        incident = Incident.objects.select_related("service", "acknowledged_by", "merged_into").get(pk=row.incident_id)
        definition = snapshots.process_of(incident)
        told = 0
        for _ in range(_MOST_STEPS):
            step = status_step(clock_facts(row), incident_facts(incident, definition), now=now)
            if step is None:
                break
            told += _take(row, incident, definition, step, now=now)
    return told


def _take(
    row: StatusClock, incident: Incident, definition: ProcessDefinition, step: StatusStep, *, now: datetime
) -> int:
    former = row.told_rank or None
    row.told_rank, row.next_at, row.last_at = incident.priority or 0, step.next_at, now
    row.ended = step.reason is StatusReason.ENDED
    row.told_count += 1
    row.save(update_fields=["told_rank", "next_at", "last_at", "ended", "told_count"])
    if not step.tells:
        return 0
    said = status_text.write(incident, definition, step, former=former)
    return _post(row, incident, definition, step, said, now=now)


def _post(
    row: StatusClock,
    incident: Incident,
    definition: ProcessDefinition,
    step: StatusStep,
    said: StatusText,
    *,
    now: datetime,
) -> int:
    kind = RESOLVED if step.reason is StatusReason.ENDED else STATUS
    lane = paging.message_lane(incident, definition, Traffic.STAKEHOLDERS)
    listening = Subscriber.objects.filter(service=row.service_id or incident.service_id, ended_at=None).order_by("pk")
    messages = [
        Outgoing(
            key=f"status-{incident.number}-{row.told_count}-{step.reason.value}-{subscriber.pk}",
            kind=kind,
            channel="email",
            address=subscriber.email,
            payload=_payload(incident, said, kind, subscriber) | {"date": step.said_for.isoformat()},
            lane=lane,
            incident=incident.ref,
            subject_kind="subscriber",
            subject_id=str(subscriber.pk),
            expires_at=step.next_at,  # by then there is newer news
        )
        for subscriber in listening
    ]
    if not messages:
        return 0
    outbox.enqueue(messages, now=now)
    data = {"reason": step.reason.value, "kind": kind, "recipients": len(messages), "text": said.subject}
    audit.record(SYSTEM, [Fact(kind=Kind.STATUS_MAIL_QUEUED, incident=incident.ref, data=data)], now=now)
    return 1


def _payload(incident: Incident, said: StatusText, kind: str, subscriber: Subscriber) -> dict[str, object]:
    link = f"{public_url()}/unsubscribe/{unsubscribe_secret(subscriber)}"
    headers = paging.headers(incident, kind=kind) | {
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    foot = f"You get this because this address is subscribed to {said.service}. To hear no more of it: {link}"
    return {"subject": said.subject, "text": f"{said.text}\n\n{foot}", "headers": headers}
