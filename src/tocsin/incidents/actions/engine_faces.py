"""What the engine calls: escalations that are due, pages that could not be delivered. Each row in its own transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.incidents.actions import chain, chain_step, paging
from tocsin.incidents.actions.incident_row import fact, held
from tocsin.incidents.models import Escalation, Incident, Page
from tocsin.platform import db
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import OutboxMessage, OutboxState
from tocsin.platform.questions import Question

log = logging.getLogger(__name__)

PUT_ASIDE = timedelta(minutes=1)
_STILL_HOPED_FOR = (OutboxState.QUEUED, OutboxState.CLAIMED, OutboxState.SENT)


def advance_escalations(*, now: datetime, limit: int = 100) -> int:
    """Do what is due of every wake-up chain, one step each, soonest due first. Returns how many rows were handled.

    A row that fails is put aside for a minute and logged, so that it never holds up the others (V7).
    """
    if not _anything_due(now=now):
        return 0
    due = Escalation.objects.filter(next_at__lte=now).order_by("next_at", "id")
    rows = list(due.values_list("pk", "incident_id")[:limit])
    if rows:
        crashpoint(CrashPoint.AFTER_DUE_READ)
    handled = 0
    for escalation_id, incident_id in rows:
        try:
            handled += _advance_one(incident_id, now=now)
        except Exception:  # the boundary of one row: it is put aside first, then the others go on
            log.exception("the escalation of incident row %s failed and is put aside", incident_id)
            _put_aside(escalation_id, now=now)
    return handled


_anything_due = Question(lambda now: Escalation.objects.filter(next_at__lte=now))


def _advance_one(incident_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        # The incident is what everybody locks first; one that somebody else is changing is looked at next time.
        free = db.lock_due(Incident.objects.filter(pk=incident_id), limit=1)
        if not free:
            return False
        incident = held(free[0].number)
        row = Escalation.objects.get(incident=incident)
        if row.next_at is None or row.next_at > now:
            return False
        return chain_step.advance(incident, row, now=now)


def _put_aside(escalation_id: int, *, now: datetime) -> None:
    with transaction.atomic():
        Escalation.objects.filter(pk=escalation_id).update(next_at=now + PUT_ASIDE)


def page_failed(page_id: int, *, detail: str = "", now: datetime) -> bool:
    """Tell the chain that a message of a page failed for good; True when its step has nothing left to hope for.

    Inside the caller's transaction. When every message of every page of the step failed, the next step is due now.
    """
    page = Page.objects.select_related("incident").filter(pk=page_id, kind=paging.PAGE).first()
    if page is None:
        return False
    incident = held(page.incident.number)
    step = Page.objects.filter(
        incident=incident, generation=page.generation, loop=page.loop, step=page.step, kind=paging.PAGE
    )
    pages = [str(pk) for pk in step.values_list("pk", flat=True)]
    messages = OutboxMessage.objects.filter(subject_kind="page", subject_id__in=pages)
    if messages.filter(state__in=_STILL_HOPED_FOR).exists() or page.generation != incident.generation:
        return False
    told = fact(
        incident, Kind.ESCALATION_STEP_SKIPPED, step=page.step + 1, loop=page.loop, reason=f"unreachable {detail}"
    )
    audit.record(SYSTEM, [told], now=now)
    chain.unreachable(incident, loop=page.loop, step=page.step, now=now)
    return True
