"""Who was asked by a change that is taken back: what waits does not leave, whoever has heard is told."""

from __future__ import annotations

from datetime import datetime

from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import paging
from tocsin.incidents.models import Incident, Page
from tocsin.platform.models import OutboxMessage, OutboxState

CALLED_OFF = "called_off"
_LEFT = (OutboxState.SENT, OutboxState.CLAIMED)


def call_off(incident: Incident, *, since: datetime, now: datetime) -> list[str]:
    """Call off the requests to join that a change made at `since`; names everybody whom a message had reached.

    Answers make a request final: who said yes has come. Part of the caller's change of an incident it holds.
    """
    definition = snapshots.process_of(incident)
    asked = Page.objects.filter(incident=incident, kind=paging.ROLE, answer="", created_at=since)
    pages = list(asked.select_related("person").prefetch_related("person__contact_methods"))
    messages = OutboxMessage.objects.filter(subject_kind="page", subject_id__in=[str(page.pk) for page in pages])
    messages.filter(state=OutboxState.QUEUED).update(state=OutboxState.CANCELLED)
    reached = set(messages.filter(state__in=_LEFT).values_list("subject_id", flat=True))
    Page.objects.filter(pk__in=[page.pk for page in pages]).update(answer=CALLED_OFF, answered_at=now)
    people = {page.person.pk: page.person for page in pages if page.person and str(page.pk) in reached}
    texts = {
        person.pk: page_text.called_off(
            paging.facts_of(incident, definition, url=paging.incident_url(incident), time_zone=person.time_zone)
        )
        for person in people.values()
    }
    key = f"called-off-{incident.number}-{incident.generation}-{incident.version}"
    paging.tell(incident, list(people.values()), texts, kind=paging.STAND_DOWN, key=key, definition=definition, now=now)
    others = OutboxMessage.objects.filter(incident=incident.ref, created_at__gte=since, created_at__lt=now)
    said = others.filter(state__in=_LEFT).exclude(subject_id__in=reached)
    names = {message.payload.get("to_name") or message.address for message in said}
    return sorted({person.label for person in people.values()} | {str(name) for name in names})
