"""Incident rows as core's frozen values, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from tocsin.audit.models import Entry
from tocsin.audit.queries import Excerpt, of_kinds
from tocsin.core import business_hours as hours
from tocsin.core import escalation as core
from tocsin.core.alert_latch import Urgency
from tocsin.core.cadence import is_late
from tocsin.core.classification import Lateness, PastChange, lateness
from tocsin.core.escalation_document import parse_policy
from tocsin.core.facts import Kind
from tocsin.core.incident_lifecycle import AttentionFacts
from tocsin.core.obligation_facts import (
    Audience,
    AudienceFacts,
    ObligationFacts,
    ObligationKind,
    PriorityChange,
    SeverityChange,
)
from tocsin.core.obligations import ObligationRow, RowState
from tocsin.core.postmortem_rules import BusinessDays
from tocsin.core.priorities import PriorityState, acknowledged_quiet, page_rule, urgency, waits_for_business_hours
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PageWhen
from tocsin.core.wall_time import zone
from tocsin.incidents.models import Escalation, Incident, Obligation, ObligationState, RoleHeld, State
from tocsin.people.models import Team
from tocsin.process import queries as process

UPDATE_KINDS = (ObligationKind.UPDATE_OPENING, ObligationKind.UPDATE_PROGRESS, ObligationKind.UPDATE_CLOSING)
_ENDS = (Kind.INCIDENT_RESOLVED, Kind.INCIDENT_MERGED, Kind.INCIDENT_CANCELLED)
CLASSIFIED = (Kind.INCIDENT_OPENED, Kind.INCIDENT_DECLARED, Kind.PRIORITY_CHANGED, Kind.SEVERITY_CHANGED)


def process_of(incident: Incident) -> ProcessDefinition:
    """The process that incident pinned when it began."""
    at_hand = Incident._meta.get_field("process_version").is_cached(incident)  # noqa: SLF001 - Django's public way
    return process.definition(incident.process_version if at_hand else incident.process_version_id)


def business_hours(team: Team | None) -> hours.BusinessHours:
    """When a team is at work; Monday to Friday, nine to five in its zone unless it says otherwise."""
    if team is None:
        return hours.BusinessHours("UTC")
    told: dict[str, Any] = team.business_hours or {}
    usual = hours.BusinessHours(team.time_zone)
    return hours.BusinessHours(
        team.time_zone,
        weekdays=frozenset(told.get("days") or usual.weekdays),
        opens=_clock_time(told.get("from")) or usual.opens,
        closes=_clock_time(told.get("to")) or usual.closes,
        holidays=_holidays(told),
    )


def business_days(team: Team | None) -> BusinessDays:
    """The days on which a team's deadlines count."""
    at_work = business_hours(team)
    return BusinessDays(weekdays=at_work.weekdays, holidays=at_work.holidays, zone=zone(at_work.time_zone))


def _clock_time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _holidays(told: dict[str, Any]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in told.get("holidays", []))


def priority_state(incident: Incident) -> PriorityState:
    return PriorityState(incident.priority_state)


def hold_of(incident: Incident, definition: ProcessDefinition) -> core.Hold:
    """From when on that incident may page, by its priority and its urgency, as core asks for it."""
    rule = page_rule(definition.catalogue, priority_state(incident), incident.priority)
    if not waits_for_business_hours(rule, ticket=incident.urgency == Urgency.TICKET):
        return core.at_once
    at_work = business_hours(incident.team)
    return lambda at: hours.next_open(at_work, now=at)


def acknowledged_quiet_of(incident: Incident) -> timedelta | None:
    """How long whoever took that incident may write nothing, None for ever."""
    catalogue = process_of(incident).catalogue
    return acknowledged_quiet(catalogue, priority_state(incident), incident.priority)


def may_page(incident: Incident, definition: ProcessDefinition) -> bool:
    """Whether the priority pages anybody at all."""
    rule = page_rule(definition.catalogue, priority_state(incident), incident.priority)
    return rule is not None and rule.when is not PageWhen.NEVER


def policy_of(row: Escalation) -> core.Policy:
    return parse_policy(row.policy)


def position_of(row: Escalation) -> core.Escalation:
    """Core's escalation state out of the stored document."""
    kept = row.position
    return core.Escalation(
        phase=core.Phase(kept["phase"]),
        next_at=_instant(kept.get("next_at")),
        cause=core.Cause(kept["cause"]),
        loop=kept["loop"],
        step=kept["step"],
        repeats_left=kept["repeats_left"],
        paged_at=_instant(kept.get("paged_at")),
        fallback_told=kept["fallback_told"],
    )


def position_document(state: core.Escalation) -> dict[str, Any]:
    """Core's escalation state as it is stored."""
    return {
        "phase": state.phase.value,
        "next_at": state.next_at.isoformat() if state.next_at else None,
        "cause": state.cause.value,
        "loop": state.loop,
        "step": state.step,
        "repeats_left": state.repeats_left,
        "paged_at": state.paged_at.isoformat() if state.paged_at else None,
        "fallback_told": state.fallback_told,
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def obligation_rows(rows: Iterable[Obligation]) -> list[ObligationRow]:
    return [ObligationRow(row.key, RowState(row.state), row.due_at, row.owner_role) for row in rows]


def obligation_facts(incident: Incident, rows: Sequence[Obligation], definition: ProcessDefinition) -> ObligationFacts:
    """Everything the obligations of an incident depend on. `rows` are all it ever had, the latest of each key."""
    priorities, severities = history(incident)
    groups = list(incident.groups.all())
    held = frozenset(RoleHeld.objects.filter(incident=incident, until_at=None).values_list("role", flat=True))
    void = incident.state in {State.MERGED, State.CANCELLED}
    return ObligationFacts(
        created_at=incident.created_at,
        priorities=priorities,
        severities=severities,
        groups=tuple(group.code for group in groups if not group.is_management),
        management_added=any(group.is_management for group in groups),
        audiences=tuple(heard(rows, audience) for audience in Audience),
        roles_held=held,
        resolved_at=incident.resolved_at,
        reopened_at=reopened_at(incident),
        response_starts_at=response_starts(incident, definition),
        fulfilled=frozenset(row.key for row in rows if row.state == ObligationState.FULFILLED),
        waived=frozenset(row.key for row in rows if row.state == ObligationState.WAIVED),
        exercise=incident.kind == "exercise",
        void=void,
    )


def history(
    incident: Incident, log: Excerpt | None = None
) -> tuple[tuple[PriorityChange, ...], tuple[SeverityChange, ...]]:
    """What the incident was classified as, in order of time, out of its log; `log` if `CLASSIFIED` is at hand.

    An entry whose content was redacted is passed over; the present values always come last.
    """
    priorities: list[PriorityChange] = []
    severities: list[SeverityChange] = []
    entries = of_kinds([incident.ref], CLASSIFIED) if log is None else log.of(*CLASSIFIED)
    for at, data in ((entry.at, entry.data) for entry in entries):
        if data and "priority_state" in data:
            priorities.append(PriorityChange(at, PriorityState(data["priority_state"]), data["rank"]))
        if data and "severity" in data:
            severities.append(SeverityChange(at, data["severity"]))
    now_is = PriorityChange(
        incident.priority_set_at or incident.created_at, priority_state(incident), incident.priority
    )
    if not priorities or (priorities[-1].state, priorities[-1].rank) != (now_is.state, now_is.rank):
        priorities.append(now_is)
    if not severities or severities[-1].severity != incident.severity:
        severities.append(SeverityChange(incident.severity_set_at or incident.created_at, incident.severity))
    return tuple(priorities), tuple(severities)


def severity_set_by_person(incident: Incident) -> bool:
    """Whether a person has set or confirmed the severity, as the log tells it."""
    kinds = (Kind.INCIDENT_DECLARED, Kind.SEVERITY_CHANGED, Kind.SEVERITY_CONFIRMED)
    told = of_kinds([incident.ref], kinds).values_list("data", flat=True)
    return any(data and (data.get("by_person") or data.get("severity_by_person")) for data in told)


def lateness_of(incident: Incident, priority: int | None, *, now: datetime) -> Lateness | None:
    """Whether setting that priority now would be a late re-classification, as the log tells what was before."""
    new = PastChange(now, incident.priority, priority)
    if not new.lowers:
        return None
    read = (Kind.PRIORITY_CHANGED, *_ENDS)
    entries = list(of_kinds([incident.ref], read))
    back = {entry.data["undo_of"] for entry in entries if entry.data and entry.data.get("undo_of")}
    undone = Entry.objects.filter(incident=incident.ref, kind=Kind.INCIDENT_UNDONE).values_list("data", flat=True)
    back |= {data["undo_of"] for data in undone if data}
    stand = [entry for entry in entries if entry.data and entry.seq not in back and not entry.data.get("undo_of")]
    changes = [
        PastChange(entry.at, (entry.data or {}).get("old_rank"), (entry.data or {}).get("rank"))
        for entry in stand
        if entry.kind == Kind.PRIORITY_CHANGED
    ]
    ended_at = next((entry.at for entry in stand if entry.kind in _ENDS), None)
    return lateness([*changes, new], ended_at=ended_at)


def heard(rows: Iterable[Obligation], audience: Audience) -> AudienceFacts:
    """What an audience was told: the fulfilled updates are the record of it."""
    told = [
        row
        for row in rows
        if row.audience == audience and row.kind in UPDATE_KINDS and row.state == ObligationState.FULFILLED
    ]
    told.sort(key=lambda row: (row.fulfilled_at or row.created_at, row.pk))
    closings = [row.fulfilled_at for row in told if row.kind == ObligationKind.UPDATE_CLOSING]
    return AudienceFacts(
        audience,
        # Counted by number and not by rows: one that was waived has used up its number.
        sent_count=max((update_number(row.key) + 1 for row in told), default=0),
        last_sent_at=told[-1].fulfilled_at if told else None,
        promised_at=told[-1].promised_at if told else None,
        closing_sent_at=closings[-1] if closings else None,
    )


def update_number(key: str) -> int:
    """The number at the end of an update's key ("update_progress:groups:3")."""
    return int(key.rpartition(":")[2])


def reopened_at(incident: Incident) -> datetime | None:
    """When the present generation began, None for the first."""
    if incident.generation == 1:
        return None
    entries = Entry.objects.filter(incident=incident.ref, kind=Kind.INCIDENT_REOPENED).order_by("-seq")
    return entries.values_list("at", flat=True).first()


def response_starts(incident: Incident, definition: ProcessDefinition) -> datetime | None:
    """From when on somebody is expected to act at all (the next business hours, for example); None for at once."""
    began_at = incident.hurried_at or incident.priority_set_at or incident.created_at
    starts_at = hold_of(incident, definition)(began_at)
    return None if starts_at == began_at and incident.hurried_at is None else starts_at


def attention_facts(incident: Incident, definition: ProcessDefinition, *, late: bool) -> AttentionFacts:
    """What decides whether an open incident may wait."""
    return AttentionFacts(
        urgency=urgency(definition.catalogue, priority_state(incident), incident.priority),
        snoozed_until_at=incident.snoozed_until,
        something_late=late,
    )


def obligation_is_late(row: Obligation, definition: ProcessDefinition, *, now: datetime) -> bool:
    return is_late(row.due_at, definition.catalogue.notification.overdue_grace, now=now)
