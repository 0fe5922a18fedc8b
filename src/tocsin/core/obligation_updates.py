"""Which updates an incident owes to management and to the stakeholder groups, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tocsin.core.cadence import due_after_change
from tocsin.core.obligation_case import Case, since_when
from tocsin.core.obligation_facts import (
    Audience,
    AudienceFacts,
    Obligation,
    ObligationKind,
    ObligationReason,
    PriorityChange,
)
from tocsin.core.roles import Duty


def updates(case: Case) -> Iterable[Obligation]:
    """Updates to management and groups. An exercise tells nobody outside the response."""
    if case.facts.exercise:
        return
    yield from _groups_to_choose(case)
    for audience in Audience:
        found = _closing(case, audience) if case.ended else _next_update(case, audience)
        if found is not None:
            yield found


def _groups_to_choose(case: Case) -> Iterable[Obligation]:
    def asks(change: PriorityChange) -> bool:
        definition = case.definition(change)
        return definition is not None and definition.criteria.notify_stakeholder_groups

    since = since_when(case.facts.priorities, asks)
    if since is None or case.facts.groups or case.ended:
        return
    due_at = case.earliest(since) + case.process.catalogue.notification.opening_within
    kind = ObligationKind.CHOOSE_GROUPS
    yield Obligation(kind.value, kind, case.owner(Duty.COMMUNICATION), "", due_at, ObligationReason.NO_GROUPS_CHOSEN)


def _closing(case: Case, audience: Audience) -> Obligation | None:
    """The closing update, due at once when the incident ends: to whoever is listening or should have been told."""
    heard, current = case.facts.heard(audience), case.current
    owed = current is not None and heard.sent_count == 0 and case.targets(audience, current) and not case.facts.void
    if not case.process.catalogue.notification.closing_required or not (heard.is_listening or owed):
        return None
    return _update(
        case,
        ObligationKind.UPDATE_CLOSING,
        audience,
        heard.sent_count,
        case.facts.resolved_at,
        ObligationReason.INCIDENT_ENDED,
    )


def _next_update(case: Case, audience: Audience) -> Obligation | None:
    heard = case.facts.heard(audience)
    if heard.last_sent_at is not None and heard.is_listening:
        return _progress(case, heard, heard.last_sent_at)
    since = since_when(case.facts.priorities, lambda change: case.targets(audience, change))
    if since is None:
        return None
    due_at = case.earliest(since) + case.process.catalogue.notification.opening_within
    kind = ObligationKind.UPDATE_OPENING
    return _update(case, kind, audience, heard.sent_count, due_at, ObligationReason.PRIORITY_ASKS)


def _progress(case: Case, heard: AudienceFacts, last_sent_at: datetime) -> Obligation | None:
    """The next progress update; one that was waived gives way to the one after it."""
    due_at, interval = _progress_due(case, heard, last_sent_at)
    count = heard.sent_count
    while due_at is not None:
        reason = ObligationReason.PROMISE_GIVEN if due_at == heard.promised_at else ObligationReason.CADENCE_OF_PRIORITY
        found = _update(case, ObligationKind.UPDATE_PROGRESS, heard.audience, count, due_at, reason)
        if found.key not in case.facts.waived:
            return found
        count += 1
        due_at = due_at + interval if interval is not None else None
    return None


def _progress_due(case: Case, heard: AudienceFacts, last_sent_at: datetime) -> tuple[datetime | None, timedelta | None]:
    """When the next progress update is due: the promise (or the cadence), carried through later changes of priority."""
    interval: timedelta | None = None
    due_at = heard.promised_at
    for change in case.facts.priorities:
        new_interval = case.interval(heard.audience, change)
        if change.at > last_sent_at:
            due_at = due_after_change(
                current_due_at=due_at,
                last_sent_at=last_sent_at,
                old_interval=interval,
                new_interval=new_interval,
                now=change.at,
            )
        interval = new_interval
        if change.at <= last_sent_at and heard.promised_at is None:
            due_at = last_sent_at + interval if interval is not None else None
    return due_at, interval


def _update(
    case: Case,
    kind: ObligationKind,
    audience: Audience,
    count: int,
    due_at: datetime | None,
    reason: ObligationReason,
) -> Obligation:
    key = f"{kind.value}:{audience.value}:{count}"
    return Obligation(key, kind, case.owner(Duty.COMMUNICATION), audience.value, due_at, reason)
