"""Raise and lower: the priority says what has to be done, the severity how the response is organised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import SYSTEM, Actor, ActorKind, Right
from tocsin.core.alert_latch import Urgency
from tocsin.core.classification import exception_data, judge, require_judged
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.matrix import machine_pair
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.priorities import PriorityState, automatic_raise, required_priority
from tocsin.core.severities import require_severities, required_severity
from tocsin.core.severity_weighing import weigh
from tocsin.incidents import known_facts, snapshots
from tocsin.incidents.actions import chain, channel, duties, rank, staffing, starting, suggesting
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.actions.opening import chosen_groups, response_starts_at
from tocsin.incidents.models import Incident
from tocsin.incidents.priority_words import priority_code
from tocsin.platform.text import clean

_PRIORITY = (
    "priority",
    "priority_state",
    "priority_set_at",
    "priority_by_person",
    "highest_priority",
    "urgency",
    "hurried_at",
)


@rank.protected
def change_priority(
    actor: Actor,
    ref: str | int,
    *,
    priority: int | None,
    reason: str,
    state: str = "set",
    learnt: str = "",
    exception: bool = False,
    now: datetime,
    version: int | None = None,
) -> Incident:
    """One person's decision, with a reason (R-9.2.2-1, -3). `state` is set (with a rank) or none (without).

    `learnt` is what one knows now and did not know before. What is asked follows at once; no page comes later for it.
    `exception` enters a pair that the process does not allow, where it grants exceptions. Raises Invalid without a
    reason or for an unknown priority, Refused for such a pair, Conflict when the incident is no longer at `version`.
    """
    why = clean(reason).strip()
    if not why:
        raise Invalid({"reason": "Say in a few words why. It is shown on the timeline."})
    wanted = _wanted(priority, state)
    with transaction.atomic():
        incident = held(ref, version=version)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        definition = snapshots.process_of(incident)
        if priority is not None:
            required_priority(definition.catalogue, priority)
        if (incident.priority, incident.priority_state) == (priority, wanted.value) and incident.priority_by_person:
            return incident
        found = judge(definition, priority=priority, severity=incident.severity, explanation=why)
        require_judged(definition, found, exception=exception, explanation=why)
        remarks = {**exception_data(found), **late_data(incident, priority, now=now)}
        suggesting.answered_by_priority(actor, incident, priority, reason=why, now=now)
        set_priority(
            actor,
            incident,
            priority,
            wanted,
            reason=why,
            learnt=clean(learnt),
            by_person=True,
            remarks=remarks,
            now=now,
        )
    return incident


def late_data(incident: Incident, priority: int | None, *, now: datetime) -> dict[str, Any]:
    """What the log keeps of a priority that is lowered late: a remark for the review, no more."""
    found = snapshots.lateness_of(incident, priority, now=now)
    return {"late": found.value} if found else {}


def _wanted(priority: int | None, state: str) -> PriorityState:
    if state not in {PriorityState.SET.value, PriorityState.NONE.value}:
        raise Invalid({"state": "It is set (with a priority) or none."})
    if (priority is None) is (state == PriorityState.SET.value):
        raise Invalid({"priority": "Give a priority, or say none."})
    return PriorityState(state)


def set_priority(
    actor: Actor,
    incident: Incident,
    priority: int | None,
    state: PriorityState,
    *,
    reason: str,
    learnt: str = "",
    by_person: bool,
    undo_of: int | None = None,
    remarks: Mapping[str, Any] = MappingProxyType({}),
    now: datetime,
) -> None:
    """Write another priority of an incident the caller holds, and all that follows from it."""
    definition = snapshots.process_of(incident)
    was, was_state, was_by_person = incident.priority, incident.priority_state, incident.priority_by_person
    assume(incident, priority, state, by_person=by_person, now=now)
    save(incident, *_PRIORITY, now=now)
    told = fact(
        incident,
        Kind.PRIORITY_CHANGED,
        old=priority_code(definition, was, was_state),
        new=priority_code(definition, priority, state.value),
        old_rank=was,
        old_state=was_state,
        old_by_person=was_by_person,
        rank=priority,
        priority_state=state.value,
        reason=reason,
        learnt=learnt,
        by_person=by_person,
        response_starts_at=response_starts_at(incident, definition),
        undo_of=undo_of,
        **remarks,
    )
    [entry] = audit.record(actor, [told], now=now)
    if state is not PriorityState.UNSET:
        duties.fulfil_if_open(incident, ObligationKind.SET_PRIORITY, evidence_seq=entry.seq, now=now)
    chain.reclassified(incident, now=now)
    duties.reconcile(incident, now=now)
    suggesting.reweigh(incident, now=now)


def assume(incident: Incident, priority: int | None, state: PriorityState, *, by_person: bool, now: datetime) -> None:
    """Let the row in memory have another priority; nothing is written. A preview supposes by the same lines."""
    was = incident.priority
    definition = snapshots.process_of(incident)
    awaited = snapshots.response_starts(incident, definition)
    incident.priority, incident.priority_state = priority, state.value
    incident.priority_set_at = now
    incident.priority_by_person = by_person
    if by_person and priority is not None and (was is None or priority < was):
        # Whoever raises it by hand has looked: it is no longer only a ticket that can wait.
        _hurry(incident, now=now)
    if awaited is not None and awaited > now and snapshots.hold_of(incident, definition)(now) == now:
        # It waited for business hours and waits no more: nothing was owed before this moment.
        incident.hurried_at = now
    incident.highest_priority = min((rank for rank in (incident.highest_priority, priority) if rank), default=None)


def _hurry(incident: Incident, *, now: datetime) -> None:
    if incident.urgency != Urgency.PAGE:
        incident.urgency, incident.hurried_at = Urgency.PAGE.value, now


def raise_for(incident: Incident, priority: int | None, *, reason: str, now: datetime) -> bool:
    """Raise an incident for a graver alert; automation never lowers, and a person's choice stands (R-9.2.11-10).

    The severity moves along where the new pair would not be allowed: a machine's pair never fails.
    """
    definition = snapshots.process_of(incident)
    rank = automatic_raise(
        incident.priority, incident.highest_priority, priority, by_person=incident.priority_by_person
    )
    if rank is None:
        return False
    pair = machine_pair(definition, rank, incident.severity)
    if pair is not None and pair.severity != incident.severity:
        set_severity(SYSTEM, incident, pair.severity, reason=reason, now=now)
    set_priority(SYSTEM, incident, rank, PriorityState.SET, reason=reason, by_person=False, now=now)
    return True


@rank.protected
def change_severity(
    actor: Actor,
    ref: str | int,
    *,
    severity: str,
    reason: str = "",
    exception: bool = False,
    now: datetime,
    version: int | None = None,
) -> Incident:
    """Organise the response in another way; who is on call for the roles it calls is asked at once (R-9.3.8-1).

    The severity it has already is confirmed by that, once. What goes against the known facts is kept as an exception;
    `exception` enters a pair that the process does not allow, where it grants exceptions.

    Raises Invalid for an unknown severity or an exception without a reason, Refused (naming the nearest allowed pairs)
    for a pair that is not allowed or that needs a reason, Conflict when the incident is no longer at `version`.
    """
    why = clean(reason).strip()
    with transaction.atomic():
        incident = held(ref, version=version)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        definition = snapshots.process_of(incident)
        required_severity(definition.severities, severity)
        require_severities(definition.severities)
        same = incident.severity == severity
        known = known_facts.known(incident)
        priority = None if same else incident.priority
        found = judge(definition, priority=priority, severity=severity, known=known, explanation=why)
        require_judged(definition, found, exception=exception, explanation=why)
        remarks = exception_data(found, rule_says=weigh(definition.severities, known).suggestion.severity)
        suggesting.answered_by_severity(actor, incident, severity, reason=why, now=now)
        if same:
            _confirm_severity(actor, incident, reason=why, remarks=remarks, now=now)
        else:
            begun = starting.starting(actor, incident, definition, severity, now=now)
            set_severity(actor, incident, severity, reason=why, remarks={**remarks, **begun}, now=now)
    return incident


def _confirm_severity(
    actor: Actor, incident: Incident, *, reason: str, remarks: Mapping[str, Any], now: datetime
) -> None:
    """A person looked and left the severity as it is. That is a decision; it is written down once, exceptions always."""
    if _is_person(actor) and (remarks or not snapshots.severity_set_by_person(incident)):
        save(incident, now=now)
        data = {"severity": incident.severity, "reason": reason, "by_person": True, **remarks}
        audit.record(actor, [fact(incident, Kind.SEVERITY_CONFIRMED, **data)], now=now)


def _is_person(actor: Actor) -> bool:
    return actor.kind in {ActorKind.PERSON, ActorKind.PAGE_LINK}


def set_severity(
    actor: Actor,
    incident: Incident,
    severity: str,
    *,
    reason: str,
    undo_of: int | None = None,
    remarks: Mapping[str, Any] = MappingProxyType({}),
    now: datetime,
) -> None:
    """Write another severity of an incident the caller holds: release, ask, and bring the obligations up to date."""
    definition = snapshots.process_of(incident)
    former = incident.severity
    incident.severity, incident.severity_set_at = severity, now
    save(incident, "severity", "severity_set_at", now=now)
    told = fact(
        incident,
        Kind.SEVERITY_CHANGED,
        old=former,
        new=severity,
        severity=severity,
        reason=reason,
        by_person=_is_person(actor),
        undo_of=undo_of,
        **remarks,
    )
    audit.record(actor, [told], now=now)
    staffing.release_uncalled(actor, incident, now=now)
    staffing.ask_called(incident, definition, actor=actor, former_severity=former, now=now)
    channel.ask(incident, now=now)
    duties.reconcile(incident, now=now)
    suggesting.reweigh(incident, now=now)


@rank.protected
def choose_groups(actor: Actor, ref: str | int, *, groups: Sequence[str], now: datetime) -> Incident:
    """Say which stakeholder groups (codes) hear of an incident; obligations to tell them follow."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_CLASSIFY, now=now)
        rows = chosen_groups(groups)
        incident.groups.set(rows)
        save(incident, now=now)
        codes = sorted(row.code for row in rows)
        management = sorted(row.code for row in rows if row.is_management)
        told = fact(incident, Kind.GROUPS_CHOSEN, groups=", ".join(codes), codes=codes, management=management)
        [entry] = audit.record(actor, [told], now=now)
        duties.fulfil_if_open(incident, ObligationKind.CHOOSE_GROUPS, evidence_seq=entry.seq, now=now)
        duties.reconcile(incident, now=now)
    return incident
