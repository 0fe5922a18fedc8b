"""A trouble that people know of has eaten a further share of the budget: who is told, and how loudly."""

from __future__ import annotations

from datetime import datetime

from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import chain, paging
from tocsin.incidents.models import Incident


def tell(incident: Incident, how: str, *, now: datetime) -> None:
    """Whoever has it gets a mail and no page; while nobody has it, those who were paged are paged anew."""
    holder = incident.acknowledged_by
    if holder is None:
        chain.grown(incident, now=now)
        return
    if incident.snoozed_until is not None:
        return
    definition = snapshots.process_of(incident)
    facts = paging.facts_of(incident, definition, url=paging.incident_url(incident), time_zone=holder.time_zone)
    text = {holder.pk: page_text.grown(facts, how=how)}
    key = f"grown-{incident.number}-{incident.generation}-{incident.version}"
    paging.tell(incident, [holder], text, kind=paging.FOLLOW_UP, key=key, definition=definition, now=now)
