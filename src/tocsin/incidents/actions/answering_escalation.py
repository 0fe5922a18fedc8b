"""Write down who answered an escalation. Apart from asking, because a page's link answers as well."""

from __future__ import annotations

from datetime import datetime

from tocsin.audit import actions as audit
from tocsin.core.access import Actor
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import EscalationMade, escalations
from tocsin.incidents.actions.incident_row import fact, save
from tocsin.incidents.course import events_of
from tocsin.incidents.models import Incident


def record_answer(actor: Actor, incident: Incident, seq: int, *, name: str, now: datetime) -> EscalationMade | None:
    """Part of the caller's change of an incident it holds. A second answer changes nothing; None when there is no such."""
    made = next((one for one in escalations(events_of(incident.ref)) if one.seq == seq), None)
    if made is not None and made.is_open:
        save(incident, now=now)
        told = fact(incident, Kind.ESCALATION_ACKNOWLEDGED, escalation=seq, person=name, to=made.asked_to)
        audit.record(actor, [told], now=now)
    return made
