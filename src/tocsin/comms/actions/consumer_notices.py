"""Tell a consumer's own people at once when an SLO it uses breaches, and when that is over (R-9.2.8-4).

The provider promises nothing here: whether to degrade, wait, or open an incident of its own is for the consumer to
decide. Told by alerts and not by incidents, because a provider that wants nothing done opens none.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from tocsin.alerts.models import Alert, AlertState
from tocsin.alerts.queries import QUIET_BY_PRIORITY
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.comms import consumer_text
from tocsin.comms.consumer_text import NoticeText
from tocsin.comms.models import ConsumerNotice
from tocsin.core.access import SYSTEM
from tocsin.core.delivery_plan import Traffic, lane
from tocsin.core.facts import Kind
from tocsin.incidents.models import OPEN_STATES, Incident
from tocsin.oncall import queries as oncall
from tocsin.people import queries as people
from tocsin.platform import db, outbox
from tocsin.platform.outbox import Outgoing
from tocsin.platform.questions import Question
from tocsin.process import queries as process
from tocsin.slo.models import BreachSubscription

log = logging.getLogger(__name__)

NOTICE = "consumer"


def tell_consumers(*, now: datetime, limit: int = 100) -> int:
    """Begin and end what is due. Returns how many consumers were told."""
    if not _anybody_due(now=now):
        return 0
    told = 0
    for pk in list(_burning().values_list("pk", flat=True)[:limit]):
        told += _safely(pk, begins=True, now=now)
    for pk in list(_over().values_list("pk", flat=True)[:limit]):
        told += _safely(pk, begins=False, now=now)
    return told


def _alerts() -> QuerySet[Alert]:
    """What fires for the SLO and is not silenced; that its owners gave it no priority keeps no consumer quiet."""
    heard = Q(suppressed_by="") | Q(suppressed_by=QUIET_BY_PRIORITY)
    return Alert.objects.filter(heard, objective=OuterRef("objective"), state=AlertState.FIRING)


def _burning() -> QuerySet[BreachSubscription]:
    at_work = Q(objective__service__maintenance_since=None, objective__retired_at=None)
    told = ConsumerNotice.objects.filter(subscription=OuterRef("pk"), ended_at=None)
    return BreachSubscription.objects.filter(at_work, Exists(_alerts()), ~Exists(told), ended_at=None)


def _over() -> QuerySet[BreachSubscription]:
    """Told of, and either well again or no longer subscribed."""
    firing = Alert.objects.filter(objective=OuterRef("objective"), state=AlertState.FIRING)
    told = ConsumerNotice.objects.filter(subscription=OuterRef("pk"), ended_at=None)
    return BreachSubscription.objects.filter(Exists(told)).filter(~Exists(firing) | Q(ended_at__isnull=False))


_anybody_due = Question(lambda _: _burning(), lambda _: _over())


def _safely(pk: int, *, begins: bool, now: datetime) -> int:
    try:
        with transaction.atomic():
            rows = _burning() if begins else _over()
            related = ("objective__service__team", "view__notify", "view__service__team", "view__team", "view__group")
            held = db.lock_due(rows.filter(pk=pk).select_related(*related), limit=1)
            if not held:
                return 0
            return _begin(held[0], now=now) if begins else _end(held[0], now=now)
    except IntegrityError:
        return 0  # another node told it at the same moment
    except Exception:  # the boundary of one consumer: the others are told all the same
        log.exception("could not tell the consumer of subscription %s", pk)
        return 0


def _begin(row: BreachSubscription, *, now: datetime) -> int:
    rows = Incident.objects.filter(objective=row.objective, state__in=OPEN_STATES).select_related("service")
    incident = rows.order_by("-number").first()
    to = recipients_of(row, now=now)
    notice = ConsumerNotice.objects.create(subscription=row, incident=incident, told_at=now, recipients=len(to))
    alert = Alert.objects.filter(objective=row.objective, state=AlertState.FIRING).order_by("starts_at").first()
    said = consumer_text.begins(row, incident, alert, definition=process.current())
    _post(notice, to, said, what="began", now=now)
    return 1


def _end(row: BreachSubscription, *, now: datetime) -> int:
    notice = ConsumerNotice.objects.select_related("incident").get(subscription=row, ended_at=None)
    notice.ended_at = now
    notice.save(update_fields=["ended_at"])
    if row.ended_at is not None:
        return 0  # nobody asked to hear any more
    to = recipients_of(row, now=now)
    _post(notice, to, consumer_text.ends(row, notice.told_at, now=now), what="ended", now=now)
    return 1


def recipients_of(row: BreachSubscription, *, now: datetime) -> dict[str, str]:
    """Mail address -> name: the members of the consumer's own group and its people on call now.

    While nobody is on call and the group is empty, the whole team hears: better all than none.
    """
    group, team = row.view.notify, row.view.consumer_team
    found = {one.email.lower(): one.name for one in group.members.all()} if group else {}
    on_call = oncall.on_call_of_team(team, now=now) if team else []
    found |= {person.email.lower(): person.label for person in on_call if person.email}
    if not found and team is not None:
        found = {person.email.lower(): person.label for person in people.members(team.name) if person.email}
    return found


def _post(notice: ConsumerNotice, to: dict[str, str], said: NoticeText, *, what: str, now: datetime) -> None:
    view, incident = notice.subscription.view, notice.incident
    unset = process.current().catalogue.unset_rank
    thread = f"<consumer-notice-{notice.pk}@tocsin>"
    headers = {"X-Update-Kind": NOTICE, "References": thread, "In-Reply-To": thread}
    if incident is not None:
        headers["X-Incident-Id"] = incident.ref
    messages = [
        Outgoing(
            key=f"consumer-{notice.pk}-{what}-{number}",
            kind=NOTICE,
            channel="email",
            address=address,
            payload={"subject": said.subject, "text": said.text, "headers": headers, "to_name": name},
            lane=lane(Traffic.STAKEHOLDERS, priority=view.priority, unset_as=unset),
            incident=incident.ref if incident else "",
            subject_kind="consumer_notice",
            subject_id=str(notice.pk),
        )
        for number, (address, name) in enumerate(sorted(to.items()))
    ]
    if messages:
        outbox.enqueue(messages, now=now)
    data = {
        "slo": view.objective.name,
        "consumer": view.consumer_label,
        "group": view.notify.code if view.notify else None,
        "recipients": len(messages),
        "what": what,
    }
    ref = incident.ref if incident else ""
    audit.record(SYSTEM, [Fact(kind=Kind.CONSUMER_TOLD, incident=ref, data=data)], now=now)
