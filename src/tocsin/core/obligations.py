"""What the process asks of an incident now: each obligation with its owner, its due time and its reason.

Everything is computed from facts alone, so that asking again gives the same answer: what to do comes from the
priority, whom to call from the severity. `reconcile` compares the answer with the stored rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tocsin.core.obligation_case import Case, since_when
from tocsin.core.obligation_facts import (
    Obligation,
    ObligationFacts,
    ObligationKind,
    ObligationReason,
    SeverityChange,
)
from tocsin.core.obligation_updates import updates
from tocsin.core.postmortem_rules import BusinessDays, NeedReason, meeting_due, postmortem_need
from tocsin.core.priorities import PriorityState
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.roles import Duty, required_roles, role_codes


def obligations(
    facts: ObligationFacts, process: ProcessDefinition, *, now: datetime, calendar: BusinessDays | None = None
) -> tuple[Obligation, ...]:
    """What the process asks of the incident and has not got yet, soonest first.

    Changes later than `now` are left out, so the same facts answer for any earlier moment. `calendar` counts business
    days (default: Monday to Friday, UTC). Raises `Invalid` for a severity the process does not have.
    """
    known = _as_of(facts, now)
    case = Case(known, process, calendar or BusinessDays())
    asked = [
        *_decision(case),
        *_actions(case),
        *_postmortem(case),
        *updates(case),
        *_roles(case),
    ]
    done = known.fulfilled | known.waived
    return tuple(sorted((one for one in asked if one.key not in done), key=_soonest))


def _soonest(one: Obligation) -> tuple[bool, datetime | None, str]:
    return one.due_at is None, one.due_at, one.key


def _as_of(facts: ObligationFacts, now: datetime) -> ObligationFacts:
    """The facts as they were known at `now`; the first values always count."""
    return replace(
        facts,
        priorities=facts.priorities[:1] + tuple(change for change in facts.priorities[1:] if change.at <= now),
        severities=facts.severities[:1] + tuple(change for change in facts.severities[1:] if change.at <= now),
    )


def _decision(case: Case) -> Iterable[Obligation]:
    since = since_when(case.facts.priorities, lambda change: change.state is PriorityState.UNSET)
    if not case.facts.priorities:
        since = case.facts.created_at
    if since is None or case.ended:
        return
    due_at = case.earliest(since) + case.process.catalogue.decide_within
    kind = ObligationKind.SET_PRIORITY
    yield Obligation(kind.value, kind, case.owner(Duty.DECISIONS), "", due_at, ObligationReason.PRIORITY_UNDECIDED)


def _actions(case: Case) -> Iterable[Obligation]:
    """What has to be done about the cause. It outlives the resolution and has no time of its own."""
    priority = case.priority
    if priority is None or case.facts.void:
        return
    owner, reason = case.owner(Duty.EXECUTION), ObligationReason.PRIORITY_ASKS
    if priority.criteria.hotfix_immediately:
        yield Obligation(ObligationKind.HOTFIX.value, ObligationKind.HOTFIX, owner, "", None, reason)
    if priority.work_item:
        yield Obligation(ObligationKind.WORK_ITEM.value, ObligationKind.WORK_ITEM, owner, "", None, reason)


def _postmortem(case: Case) -> Iterable[Obligation]:
    facts = case.facts
    ranks = [change.rank for change in facts.priorities if change.rank is not None]
    final = case.current.rank if case.current is not None else None
    need = postmortem_need(
        case.process,
        final_priority=final,
        highest_priority=min(ranks, default=None),
        triggers=facts.postmortem_triggers,
    )
    if not need.required or facts.void:
        return
    due_at = None
    if facts.resolved_at is not None:
        due_at = meeting_due(
            case.process, priority=final, severity=case.severity, resolved_at=facts.resolved_at, calendar=case.calendar
        )
    by_priority = need.reason is NeedReason.PRIORITY
    reason = ObligationReason.PRIORITY_ASKS if by_priority else ObligationReason.TRIGGER_ASKS
    kind = ObligationKind.POSTMORTEM
    yield Obligation(kind.value, kind, case.owner(Duty.POSTMORTEM), "", due_at, reason)


def _roles(case: Case) -> Iterable[Obligation]:
    facts, process = case.facts, case.process
    if case.ended or facts.void:
        return
    for required in required_roles(process, case.severity):
        if required.role in facts.roles_held:
            continue
        called_at = since_when(facts.severities, _calls(process, required.role)) or facts.created_at
        yield Obligation(
            key=f"{ObligationKind.FILL_ROLE.value}:{required.role}",
            kind=ObligationKind.FILL_ROLE,
            owner_role=required.role,
            audience="",
            due_at=case.earliest(called_at) + required.fill_within,
            reason=ObligationReason.SEVERITY_CALLS,
        )


def _calls(process: ProcessDefinition, role: str) -> Callable[[SeverityChange], bool]:
    return lambda change: role in role_codes(process, change.severity)


class RowState(StrEnum):
    OPEN = "open"
    FULFILLED = "fulfilled"
    WAIVED = "waived"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class ObligationRow:
    """A stored obligation, as far as it is compared."""

    key: str
    state: RowState
    due_at: datetime | None
    owner_role: str


@dataclass(frozen=True)
class Changes:
    """What to write. `update_due` holds open rows whose due time or owner changed, `lapse` and `keep` hold keys.

    `reopen` holds lapsed rows that are asked for again; a fulfilled or waived row is never touched.
    """

    create: tuple[Obligation, ...] = ()
    reopen: tuple[Obligation, ...] = ()
    update_due: tuple[Obligation, ...] = ()
    lapse: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.create or self.reopen or self.update_due or self.lapse)


def reconcile(current: Iterable[ObligationRow], required: Iterable[Obligation]) -> Changes:
    """The changes that make the stored rows of an incident say what is required now."""
    rows = {row.key: row for row in current}
    create: list[Obligation] = []
    reopen: list[Obligation] = []
    update: list[Obligation] = []
    keep: list[str] = []
    asked: set[str] = set()
    for one in required:
        asked.add(one.key)
        row = rows.get(one.key)
        if row is None:
            create.append(one)
        elif row.state is RowState.LAPSED:
            reopen.append(one)
        elif row.state is RowState.OPEN and (row.due_at, row.owner_role) != (one.due_at, one.owner_role):
            update.append(one)
        else:
            keep.append(one.key)
    lapse = [row.key for row in rows.values() if row.state is RowState.OPEN and row.key not in asked]
    return Changes(tuple(create), tuple(reopen), tuple(update), tuple(lapse), tuple(keep))
