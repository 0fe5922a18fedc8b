"""The end for good: nothing is owed, and what the record still lacks is asked for."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.incident_findings import Finding, Knowledge, findings
from tocsin.core.incident_lifecycle import Event
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.categorizing import sorted_fact
from tocsin.incidents.actions.incident_row import enter, fact, held, save
from tocsin.incidents.actions.knowing import cause_fact
from tocsin.incidents.actions.moving import fill, require_facts
from tocsin.incidents.course import events_of
from tocsin.incidents.models import Incident, ObligationState
from tocsin.incidents.obligation_words import words
from tocsin.platform.text import clean

_LONGEST = 2000
_WORK_ITEM = 300
_WHERE = "Name the work item in which somebody goes on looking for the cause."


@rank.protected
def close(
    actor: Actor,
    ref: str | int,
    *,
    cause_state: str = "",
    cause: str = "",
    work_item: str = "",
    service: str | None = None,
    category: str | None = None,
    now: datetime,
) -> Incident:
    """Nothing is left to do. A cause that was not found is no obstacle: `work_item` says where looking for it goes on.

    Raises Invalid for missing facts (service, category, a decided priority, the work item of an unknown cause) and
    Refused while obligations are open.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_RESOLVE, now=now)
        known = (incident.service_id, incident.category)
        fill(incident, service, category)
        require_facts(Event.CLOSE, incident)
        if not enter(incident, Event.CLOSE):
            return incident
        before = findings(events_of(incident.ref)).cause
        said = _cause(before, cause_state.strip(), clean(cause).strip()[:_LONGEST], clean(work_item).strip())
        _require_nothing_owed(incident)
        incident.closed_at = now
        save(incident, "state", "closed_at", "service", "team", "category", now=now)
        facts = []
        if (incident.service_id, incident.category) != known:
            facts.append(sorted_fact(incident))
        if said.knowledge is not Knowledge.UNSAID and said != _words(before):
            facts.append(cause_fact(incident, said.knowledge.value, said.text, said.work_item))
        facts.append(fact(incident, Kind.INCIDENT_CLOSED, cause=said.knowledge.value, work_item=said.work_item))
        audit.record(actor, facts, now=now)
    return incident


def _words(said: Finding) -> Finding:
    """A finding without who said it when."""
    return Finding(said.knowledge, said.text, said.work_item)


def _cause(before: Finding, state: str, text: str, work_item: str) -> Finding:
    """What is said of the cause at the end: what is given now, else what was said before."""
    linked = work_item[:_WORK_ITEM] or before.work_item
    if state and state not in {Knowledge.KNOWN.value, Knowledge.UNKNOWN.value}:
        raise Invalid({"cause_state": f"It is {Knowledge.KNOWN.value} or {Knowledge.UNKNOWN.value}."})
    given = Knowledge(state) if state else Knowledge.KNOWN if text else before.knowledge
    if given is Knowledge.UNSAID and linked:
        given = Knowledge.UNKNOWN
    if given is Knowledge.UNKNOWN and not linked:
        raise Invalid({"work_item": _WHERE})
    if state == Knowledge.KNOWN and before.knowledge is not Knowledge.KNOWN and not text:
        raise Invalid({"cause": "Say in a few words what the cause was."})
    return Finding(given, text or (before.text if given is before.knowledge else ""), linked)


def _require_nothing_owed(incident: Incident) -> None:
    left = incident.obligations.filter(state=ObligationState.OPEN).order_by("due_at", "pk")
    if left:
        names = ", ".join(words(one) for one in left)
        remedy = "Do each of them, or say why it is not needed."
        raise Refused(f"Still owed: {names}.", reason="obligations_open", remedy=remedy)
