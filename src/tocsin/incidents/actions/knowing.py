"""What is known of an incident: cause and workaround apart, whether anybody feels it, when a customer reported it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.incident_findings import Finding, Findings, Knowledge, findings
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.actions.opening import IMPACT_STATES
from tocsin.incidents.course import events_of
from tocsin.incidents.models import Incident
from tocsin.platform.text import clean

_LONGEST = 2000
_WORK_ITEM = 300
_SAYABLE = (Knowledge.KNOWN.value, Knowledge.UNKNOWN.value)


@rank.protected
def state_known(
    actor: Actor,
    ref: str | int,
    *,
    cause_state: str = "",
    cause: str = "",
    workaround_state: str = "",
    workaround: str = "",
    work_item: str = "",
    now: datetime,
) -> Incident:
    """Say what is known: of the cause, of a workaround, or of both; what is left empty stays as it was said before.

    `work_item` is where somebody goes on looking for the cause. Also possible after the end: causes are found late.
    Raises Invalid when nothing is said, for an unknown word, or when something is known and not told.
    """
    told = _Told(cause_state, cause, workaround_state, workaround, work_item)
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        facts = told.facts(incident, findings(events_of(incident.ref)))
        if facts:
            save(incident, now=now)
            audit.record(actor, facts, now=now)
    return incident


class _Told:
    """What somebody says is known, cleaned and checked. A text without a word means that it is known."""

    def __init__(self, cause_state: str, cause: str, workaround_state: str, workaround: str, work_item: str) -> None:
        self.cause, self.workaround = clean(cause).strip()[:_LONGEST], clean(workaround).strip()[:_LONGEST]
        self.work_item = clean(work_item).strip()[:_WORK_ITEM]
        self.cause_state = cause_state.strip() or self._implied(self.cause, self.work_item)
        self.workaround_state = workaround_state.strip() or self._implied(self.workaround, "")

    @staticmethod
    def _implied(text: str, work_item: str) -> str:
        if text:
            return Knowledge.KNOWN.value
        return Knowledge.UNKNOWN.value if work_item else ""

    def facts(self, incident: Incident, before: Findings) -> list[Fact]:
        """What is new of it; saying once more what was said already is nothing new. Raises Invalid."""
        if not (self.cause_state or self.workaround_state):
            raise Invalid({"cause_state": "Say what is known of the cause or of a workaround."})
        faults = _faults("cause", self.cause_state, self.cause, before.cause)
        faults |= _faults("workaround", self.workaround_state, self.workaround, before.workaround)
        if faults:
            raise Invalid(faults)
        found = []
        if is_news(self.cause_state, self.cause, self.work_item, before.cause):
            found.append(cause_fact(incident, self.cause_state, self.cause, self.work_item))
        if is_news(self.workaround_state, self.workaround, "", before.workaround):
            state, text = self.workaround_state, self.workaround
            found.append(fact(incident, Kind.INCIDENT_WORKAROUND_STATED, state=state, text=text))
        return found


def _faults(name: str, state: str, text: str, before: Finding) -> dict[str, str]:
    if state and state not in _SAYABLE:
        return {f"{name}_state": f"It is one of {', '.join(_SAYABLE)}."}
    if state == Knowledge.KNOWN and not text and before.knowledge is not Knowledge.KNOWN:
        return {name: f"Say in a few words what the {name} is."}
    return {}


def is_news(state: str, text: str, work_item: str, before: Finding) -> bool:
    """Whether this says something that the last word did not."""
    if not state:
        return False
    said_again = state == before.knowledge and text in {"", before.text}
    return not said_again or work_item not in {"", before.work_item}


def cause_fact(incident: Incident, state: str, text: str, work_item: str) -> Fact:
    return fact(incident, Kind.INCIDENT_CAUSE_STATED, state=state, text=text, work_item=work_item)


@rank.protected
def change_impact(actor: Actor, ref: str | int, *, impact_state: str, reason: str, now: datetime) -> Incident:
    """What could happen has happened, or the other way round: nobody felt it after all.

    Raises Invalid without a reason or for another word than actual or potential.
    """
    why = clean(reason).strip()[:_LONGEST]
    faults = {}
    if impact_state not in IMPACT_STATES:
        faults["impact_state"] = f"It is one of {', '.join(IMPACT_STATES)}."
    if not why:
        faults["reason"] = "Say in a few words why. It is shown on the timeline."
    if faults:
        raise Invalid(faults)
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        if incident.impact_state == impact_state:
            return incident
        former, incident.impact_state = incident.impact_state, impact_state
        save(incident, "impact_state", now=now)
        told = fact(
            incident, Kind.INCIDENT_IMPACT_CHANGED, old=former, new=impact_state, impact_state=impact_state, reason=why
        )
        audit.record(actor, [told], now=now)
    return incident


@rank.protected
def report_by_customer(
    actor: Actor,
    ref: str | int,
    *,
    reported_at: datetime | None = None,
    text: str = "",
    source_id: str = "",
    now: datetime,
) -> Incident:
    """A customer told us of it, at `reported_at` (now when it is not given); the earliest report is what counts.

    `source_id` names the ticket; the same one twice is noted once. Raises Invalid for the future.
    """
    at = reported_at or now
    if at.tzinfo is None:
        raise Invalid({"reported_at": "Give it with a zone: 2026-07-01T09:30:00Z."})
    if at > now:
        raise Invalid({"reported_at": "That has not happened yet."})
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        said = clean(text).strip()[:_LONGEST]
        source = clean(source_id).strip()[:200]
        told = fact(
            incident, Kind.CUSTOMER_REPORTED, occurred_at=at, source_id=source, reported_at=stamp(at), text=said
        )
        if audit.record(actor, [told], now=now):
            save(incident, now=now)
    return incident
