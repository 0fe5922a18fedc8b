"""What follows from a try to deliver: done, tried again later, or over, and who has to hear of that."""

from __future__ import annotations

import random
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.channels.protocol import DeliveryFailed, Room
from tocsin.comms import actions as comms
from tocsin.core import retries
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.core.response_channel import ROOM_KINDS
from tocsin.core.retries import Outcome, Retry, RetryPolicy, RetryReason
from tocsin.incidents import actions as incidents
from tocsin.incidents.actions.channel import GUEST
from tocsin.incidents.actions.channel import SUBJECT as CHANNEL
from tocsin.incidents.actions.incident_row import held
from tocsin.incidents.actions.paging import ESCALATIONS
from tocsin.incidents.models import Page
from tocsin.people import actions as people
from tocsin.people.models import ContactMethod
from tocsin.platform import db
from tocsin.platform.models import Delivery, OutboxMessage, OutboxState

PAGES = frozenset({"page", "fallback", "role"}) | ESCALATIONS
"""Kinds of messages that ask a person to act; what becomes of them stands in the incident's log."""
_CALLS = frozenset({"sms", "voice"})


def policy_of(message: OutboxMessage) -> RetryPolicy:
    """How often and how fast a message is tried again."""
    if message.channel in _CALLS:
        return retries.CALL_RETRIES
    if message.kind in ROOM_KINDS:
        return retries.CHAT_RETRIES
    if message.kind in PAGES:
        return retries.PAGE_RETRIES
    return retries.MAIL_RETRIES if message.channel == "email" else retries.WEBHOOK_RETRIES


def mark_sent(message: OutboxMessage, receipt: str, *, now: datetime) -> bool:
    """The provider accepted it. False when somebody else holds the message by now: then nothing is written."""
    with transaction.atomic():
        if _opens_a_room(message):
            held(message.incident)
        sent = {"state": OutboxState.SENT, "sent_at": now, "last_error": "", "claimed_by": "", "lease_until": None}
        if not db.still_held(message).update(**sent):
            return False
        _note(message, Outcome.ACCEPTED, receipt, final=True, now=now)
        _contact(message, failing=False, now=now)
        if _opens_a_room(message):
            room = Room.of(receipt)
            incidents.channel_opened(
                int(message.subject_id), reference=room.reference, url=room.url, note=room.note, now=now
            )
        if message.subject_kind == GUEST:
            comms.note_guest(int(message.subject_id), now=now)
    return True


def _opens_a_room(message: OutboxMessage) -> bool:
    return message.subject_kind == CHANNEL


def mark_withheld(message: OutboxMessage) -> bool:
    """Nobody is to be woken by it any more: it is put away unsent."""
    with transaction.atomic():
        kept = {"state": OutboxState.CANCELLED, "claimed_by": "", "lease_until": None}
        return bool(db.still_held(message).update(**kept))


def mark_failed(message: OutboxMessage, failure: DeliveryFailed, *, now: datetime) -> bool:
    """It was not accepted, or nobody knows. False when somebody else holds the message by now."""
    outcome = outcome_of(failure)
    retry = retries.next_try(
        policy_of(message),
        outcome,
        tries_made=message.attempt,
        now=now,
        jitter=random.random(),  # noqa: S311 - it spreads load, it keeps no secret
        asked_wait=failure.retry_after,
        expires_at=message.expires_at,
    )
    given_up = retry.at is None and message.subject_kind == "page"
    with transaction.atomic():
        if given_up or _opens_a_room(message):
            held(message.incident)  # everybody locks the incident first and its messages after it
        if not db.still_held(message).update(**_change(message, failure, retry)):
            return False
        _note(message, outcome, failure.detail, final=retry.at is None, now=now)
        if failure.gone and message.subject_kind == "webhook":
            comms.disable_webhook(int(message.subject_id), reason=failure.detail, now=now)
        if outcome is Outcome.PERMANENT:
            _contact(message, failing=True, now=now)
        if _opens_a_room(message):
            incidents.channel_failed(int(message.subject_id), detail=failure.detail, final=retry.at is None, now=now)
        if message.subject_kind == GUEST:
            comms.note_absent_guest(int(message.subject_id), detail=failure.detail, final=retry.at is None, now=now)
        if given_up:
            _give_up_page(message, failure.detail, now=now)
    return True


def outcome_of(failure: DeliveryFailed) -> Outcome:
    if failure.permanent or failure.gone:
        return Outcome.PERMANENT
    return Outcome.UNKNOWN if failure.unknown else Outcome.TEMPORARY


def _change(message: OutboxMessage, failure: DeliveryFailed, retry: Retry) -> dict[str, object]:
    change: dict[str, object] = {"last_error": failure.detail, "claimed_by": "", "lease_until": None}
    if retry.at is None:
        too_late = retry.reason is RetryReason.EXPIRED
        return change | {"state": OutboxState.EXPIRED if too_late else OutboxState.FAILED}
    repeat = failure.unknown or message.repeat
    return change | {"state": OutboxState.QUEUED, "not_before": retry.at, "repeat": repeat}


def _note(message: OutboxMessage, outcome: Outcome, detail: str, *, final: bool, now: datetime) -> None:
    """The delivery ladder, and for pages a line in the incident's log when the outcome stands or is uncertain."""
    Delivery.objects.create(
        message=message, attempt=message.attempt, at=now, outcome=outcome.value, detail=detail[:2000]
    )
    worth_telling = final or outcome is Outcome.UNKNOWN
    if not message.incident or message.kind not in PAGES or not worth_telling:
        return
    kind = Kind.PAGE_ACCEPTED if outcome is Outcome.ACCEPTED else Kind.PAGE_FAILED
    data = {
        "person": message.payload.get("to_name") or message.payload.get("data", {}).get("person", ""),
        "channel": message.channel,
        "page": message.subject_id,
        "detail": detail[:300],
        "repeat": message.repeat,
        "final": final,
    }
    audit.record(SYSTEM, [audit.Fact(kind=kind, incident=message.incident, data=data)], now=now)


def contact_of(message: OutboxMessage) -> ContactMethod | None:
    """The person's way by which a page goes; None for what goes to a bare address or is no page."""
    if message.subject_kind != "page":
        return None
    person = Page.objects.filter(pk=int(message.subject_id)).values_list("person_id", flat=True).first()
    if person is None:
        return None
    ways = ContactMethod.objects.filter(person_id=person, channel=message.channel, address=message.address)
    return ways.first()


def _contact(message: OutboxMessage, *, failing: bool, now: datetime) -> None:
    """A way to reach a person that was refused for good is passed over until it works again."""
    method = contact_of(message)
    if method is not None and (method.failing_since is not None) is not failing:
        people.mark_contact_failing(SYSTEM, contact_id=method.pk, failing=failing, now=now)


def _give_up_page(message: OutboxMessage, detail: str, *, now: datetime) -> None:
    """The person's next way is tried at once; when nothing is left to hope for, the chain goes on at once, too."""
    others = OutboxMessage.objects.filter(
        subject_kind="page", subject_id=message.subject_id, state=OutboxState.QUEUED, attempt=0
    )
    following = others.order_by("not_before", "id").first()
    if following is not None and following.not_before > now:
        OutboxMessage.objects.filter(pk=following.pk, state=OutboxState.QUEUED).update(not_before=now)
    incidents.page_failed(int(message.subject_id), detail=detail[:300], now=now)
