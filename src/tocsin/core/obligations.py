"""What the process asks of an incident now: each obligation with its owner, its due time and its reason.

Everything is computed from facts alone, so that asking again gives the same answer: what to do comes from the
priority, whom to call from the severity. `reconcile` compares the answer with the stored rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from tocsin.core.cadence import due_after_change
from tocsin.core.postmortem_rules import BusinessDays, NeedReason, meeting_due, postmortem_need
from tocsin.core.priorities import PriorityState
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PriorityDefinition
from tocsin.core.roles import Duty, duty_holder, required_roles, role_codes


class ObligationKind(StrEnum):
    SET_PRIORITY = "set_priority"
    HOTFIX = "hotfix"
    POSTMORTEM = "postmortem"
    WORK_ITEM = "work_item"
    CHOOSE_GROUPS = "choose_groups"
    UPDATE_OPENING = "update_opening"
    UPDATE_PROGRESS = "update_progress"
    UPDATE_CLOSING = "update_closing"
    FILL_ROLE = "fill_role"


class Audience(StrEnum):
    """Whom updates go to. Management is a target of its own, apart from the stakeholder groups."""

    MANAGEMENT = "management"
    GROUPS = "groups"


class ObligationReason(StrEnum):
    """Why something is asked; `text` says it to people."""

    PRIORITY_UNDECIDED = "priority_undecided"
    PRIORITY_ASKS = "priority_asks"
    TRIGGER_ASKS = "trigger_asks"
    NO_GROUPS_CHOSEN = "no_groups_chosen"
    CADENCE_OF_PRIORITY = "cadence_of_priority"
    PROMISE_GIVEN = "promise_given"
    INCIDENT_ENDED = "incident_ended"
    SEVERITY_CALLS = "severity_calls"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS = {
    ObligationReason.PRIORITY_UNDECIDED: "Nobody has decided on the priority yet.",
    ObligationReason.PRIORITY_ASKS: "The priority asks for it.",
    ObligationReason.TRIGGER_ASKS: "The process asks for it because of what happened.",
    ObligationReason.NO_GROUPS_CHOSEN: "The priority asks to tell stakeholder groups, and none is chosen.",
    ObligationReason.CADENCE_OF_PRIORITY: "The priority sets how often to tell.",
    ObligationReason.PROMISE_GIVEN: "The last update promised it.",
    ObligationReason.INCIDENT_ENDED: "The incident is over; those who were told hear of its end.",
    ObligationReason.SEVERITY_CALLS: "The severity calls this role.",
}


@dataclass(frozen=True)
class PriorityChange:
    """From `at` on the incident had this priority; `rank` is None unless the state is `set`."""

    at: datetime
    state: PriorityState
    rank: int | None


@dataclass(frozen=True)
class SeverityChange:
    at: datetime
    severity: str


@dataclass(frozen=True)
class AudienceFacts:
    """What an audience has heard so far. Times are of this incident; where several groups count, of the last served.

    `promised_at` is the next update the last message spoke of; `closing_sent_at` the last closing message.
    """

    audience: Audience
    sent_count: int = 0
    last_sent_at: datetime | None = None
    promised_at: datetime | None = None
    closing_sent_at: datetime | None = None

    @property
    def is_listening(self) -> bool:
        """Whether a bracket is open: something was said, and its end was not."""
        if self.last_sent_at is None:
            return False
        return self.closing_sent_at is None or self.closing_sent_at < self.last_sent_at


@dataclass(frozen=True)
class ObligationFacts:
    """Everything obligations depend on. Histories are in order of time, the current value last.

    `groups` are the chosen stakeholder groups without management; `management_added` when a person wants it told
    although the priority does not. `response_starts_at` is when somebody is expected to act at all (the next business
    hours for a priority that waits), None for at once. `void` marks a merged or cancelled incident; its end is
    `resolved_at` like any other. `fulfilled` and `waived` hold keys.
    """

    created_at: datetime
    priorities: tuple[PriorityChange, ...]
    severities: tuple[SeverityChange, ...]
    groups: tuple[str, ...] = ()
    management_added: bool = False
    audiences: tuple[AudienceFacts, ...] = ()
    roles_held: frozenset[str] = frozenset()
    resolved_at: datetime | None = None
    reopened_at: datetime | None = None
    response_starts_at: datetime | None = None
    postmortem_triggers: frozenset[str] = frozenset()
    fulfilled: frozenset[str] = frozenset()
    waived: frozenset[str] = frozenset()
    exercise: bool = False
    void: bool = False

    def heard(self, audience: Audience) -> AudienceFacts:
        """What an audience has heard; nothing when no facts are given."""
        return next((facts for facts in self.audiences if facts.audience is audience), AudienceFacts(audience))


@dataclass(frozen=True)
class Obligation:
    """One thing to do. `key` is stable within the incident; `audience` is empty where nobody is told.

    `due_at` None means as soon as possible, without a time of its own.
    """

    key: str
    kind: ObligationKind
    owner_role: str
    audience: str
    due_at: datetime | None
    reason: ObligationReason


def obligations(
    facts: ObligationFacts, process: ProcessDefinition, *, now: datetime, calendar: BusinessDays | None = None
) -> tuple[Obligation, ...]:
    """What the process asks of the incident and has not got yet, soonest first.

    Changes later than `now` are left out, so the same facts answer for any earlier moment. `calendar` counts business
    days (default: Monday to Friday, UTC). Raises `Invalid` for a severity the process does not have.
    """
    known = _as_of(facts, now)
    case = _Case(known, process, calendar or BusinessDays())
    asked = [
        *_decision(case),
        *_actions(case),
        *_postmortem(case),
        *_told(case),
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


_Change = TypeVar("_Change", PriorityChange, SeverityChange)


@dataclass(frozen=True)
class _Case:
    """An incident's facts with the process they are judged by."""

    facts: ObligationFacts
    process: ProcessDefinition
    calendar: BusinessDays

    @property
    def severity(self) -> str:
        return self.facts.severities[-1].severity if self.facts.severities else self.process.severities.start

    @property
    def current(self) -> PriorityChange | None:
        return self.facts.priorities[-1] if self.facts.priorities else None

    @property
    def priority(self) -> PriorityDefinition | None:
        return self.definition(self.current) if self.current is not None else None

    @property
    def ended(self) -> bool:
        return self.facts.resolved_at is not None

    def definition(self, change: PriorityChange) -> PriorityDefinition | None:
        decided = change.state is PriorityState.SET and change.rank is not None
        return self.process.catalogue.by_rank(change.rank) if decided and change.rank is not None else None

    def owner(self, duty: Duty) -> str:
        return duty_holder(self.process, duty, self.severity, held=self.facts.roles_held).role

    def earliest(self, at: datetime) -> datetime:
        """`at`, but not before the response starts and not before the last reopening."""
        floors = (self.facts.response_starts_at, self.facts.reopened_at)
        return max([at, *(floor for floor in floors if floor is not None)])

    def targets(self, audience: Audience, change: PriorityChange) -> bool:
        """Whether that priority asks to tell that audience."""
        definition = self.definition(change)
        if definition is None:
            return False
        if audience is Audience.MANAGEMENT:
            return definition.criteria.notify_management or self.facts.management_added
        return definition.criteria.notify_stakeholder_groups and bool(self.facts.groups)

    def interval(self, audience: Audience, change: PriorityChange) -> timedelta | None:
        definition = self.definition(change)
        if definition is None or not self.targets(audience, change):
            return None
        return definition.criteria.update_every


def _since(history: Sequence[_Change], holds: Callable[[_Change], bool]) -> datetime | None:
    """When the unbroken run up to now began in which `holds` is true; None when it is not true now."""
    began = None
    for change in reversed(history):
        if not holds(change):
            break
        began = change.at
    return began


def _decision(case: _Case) -> Iterable[Obligation]:
    since = _since(case.facts.priorities, lambda change: change.state is PriorityState.UNSET)
    if not case.facts.priorities:
        since = case.facts.created_at
    if since is None or case.ended:
        return
    due_at = case.earliest(since) + case.process.catalogue.decide_within
    kind = ObligationKind.SET_PRIORITY
    yield Obligation(kind.value, kind, case.owner(Duty.DECISIONS), "", due_at, ObligationReason.PRIORITY_UNDECIDED)


def _actions(case: _Case) -> Iterable[Obligation]:
    """What has to be done about the cause. It outlives the resolution and has no time of its own."""
    priority = case.priority
    if priority is None or case.facts.void:
        return
    owner, reason = case.owner(Duty.EXECUTION), ObligationReason.PRIORITY_ASKS
    if priority.criteria.hotfix_immediately:
        yield Obligation(ObligationKind.HOTFIX.value, ObligationKind.HOTFIX, owner, "", None, reason)
    if priority.work_item:
        yield Obligation(ObligationKind.WORK_ITEM.value, ObligationKind.WORK_ITEM, owner, "", None, reason)


def _postmortem(case: _Case) -> Iterable[Obligation]:
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


def _told(case: _Case) -> Iterable[Obligation]:
    """Updates to management and groups. An exercise tells nobody outside the response."""
    if case.facts.exercise:
        return
    yield from _groups_to_choose(case)
    for audience in Audience:
        found = _closing(case, audience) if case.ended else _next_update(case, audience)
        if found is not None:
            yield found


def _groups_to_choose(case: _Case) -> Iterable[Obligation]:
    def asks(change: PriorityChange) -> bool:
        definition = case.definition(change)
        return definition is not None and definition.criteria.notify_stakeholder_groups

    since = _since(case.facts.priorities, asks)
    if since is None or case.facts.groups or case.ended:
        return
    due_at = case.earliest(since) + case.process.catalogue.notification.opening_within
    kind = ObligationKind.CHOOSE_GROUPS
    yield Obligation(kind.value, kind, case.owner(Duty.COMMUNICATION), "", due_at, ObligationReason.NO_GROUPS_CHOSEN)


def _closing(case: _Case, audience: Audience) -> Obligation | None:
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


def _next_update(case: _Case, audience: Audience) -> Obligation | None:
    heard = case.facts.heard(audience)
    if heard.last_sent_at is not None and heard.is_listening:
        return _progress(case, heard, heard.last_sent_at)
    since = _since(case.facts.priorities, lambda change: case.targets(audience, change))
    if since is None:
        return None
    due_at = case.earliest(since) + case.process.catalogue.notification.opening_within
    kind = ObligationKind.UPDATE_OPENING
    return _update(case, kind, audience, heard.sent_count, due_at, ObligationReason.PRIORITY_ASKS)


def _progress(case: _Case, heard: AudienceFacts, last_sent_at: datetime) -> Obligation | None:
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


def _progress_due(
    case: _Case, heard: AudienceFacts, last_sent_at: datetime
) -> tuple[datetime | None, timedelta | None]:
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
    case: _Case,
    kind: ObligationKind,
    audience: Audience,
    count: int,
    due_at: datetime | None,
    reason: ObligationReason,
) -> Obligation:
    key = f"{kind.value}:{audience.value}:{count}"
    return Obligation(key, kind, case.owner(Duty.COMMUNICATION), audience.value, due_at, reason)


def _roles(case: _Case) -> Iterable[Obligation]:
    facts, process = case.facts, case.process
    if case.ended or facts.void:
        return
    for required in required_roles(process, case.severity):
        if required.role in facts.roles_held:
            continue
        called_at = _since(facts.severities, _calls(process, required.role)) or facts.created_at
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
    create, reopen, update, keep = [], [], [], []
    asked = set()
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
