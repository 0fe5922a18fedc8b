"""Which priority holds at a moment, what it asks for, and how incidents are put in order by it.

A priority is its rank in the catalogue. Its state keeps apart what a null would mix up: decided (`set`), decided that
nothing happens (`none`), and not yet decided (`unset`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from tocsin.core.errors import Invalid
from tocsin.core.process_parts import PageRule, PageWhen, PriorityCatalogue, PriorityDefinition, Urgency
from tocsin.core.reasons import Reason

_AFTER_ALL = 1_000
"""Sorts behind every rank; a catalogue holds a handful."""


class PriorityState(StrEnum):
    SET = "set"
    NONE = "none"
    UNSET = "unset"


class AssignMode(StrEnum):
    """Whether an incident takes its breach's priority by itself or waits for a person."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class PriorityRule(Reason):
    """What gave a priority of a moment."""

    ASSIGNMENT = "assignment", "The team assigned this priority."
    FREQUENCY = "frequency", "Breaches came more often than the assignment tolerates."
    FALLBACK = "fallback", "No priority is assigned; the table of budgets and priorities gave one."
    NOTHING = "nothing", "Nobody has decided on a priority."
    LEFT_TO_A_PERSON = "left_to_a_person", "The assignment leaves the priority of incidents to a person."


@dataclass(frozen=True)
class Assignment:
    """What a team decided for an SLO or a resource alert, valid in [valid_from_at, valid_until_at).

    `rank` is None exactly for the state `none`. `raised_rank` holds while the frequency rule of the assignment is met.
    """

    state: PriorityState
    rank: int | None
    valid_from_at: datetime
    valid_until_at: datetime | None = None
    raised_rank: int | None = None


@dataclass(frozen=True)
class MomentPriority:
    """The one priority of a moment; `rank` is None unless the state is `set`."""

    state: PriorityState
    rank: int | None
    rule: PriorityRule


def assignment_at(assignments: Iterable[Assignment], *, at: datetime) -> Assignment | None:
    """The assignment in force at an instant; its first instant belongs to it, its last does not."""
    return next((one for one in assignments if _in_force(one, at)), None)


def _in_force(one: Assignment, at: datetime) -> bool:
    return one.valid_from_at <= at and (one.valid_until_at is None or at < one.valid_until_at)


def overlapping(assignments: Sequence[Assignment]) -> tuple[Assignment, Assignment] | None:
    """Two assignments in force at once, None when there is exactly one or none at every instant."""
    ordered = sorted(assignments, key=lambda one: one.valid_from_at)
    for earlier, later in pairwise(ordered):
        if earlier.valid_until_at is None or later.valid_from_at < earlier.valid_until_at:
            return earlier, later
    return None


def moment_priority(
    assignment: Assignment | None, *, frequent: bool = False, fallback_rank: int | None = None
) -> MomentPriority:
    """The priority of a moment: an explicit assignment, `none` included, always wins over the fallback.

    `frequent` is the verdict of the assignment's frequency rule; it never lowers. `fallback_rank` is what the
    budget-to-priority table said, None while it is switched off or silent.
    """
    if assignment is not None and assignment.state is not PriorityState.UNSET:
        raised = assignment.raised_rank if frequent else None
        if assignment.rank is not None and raised is not None and raised < assignment.rank:
            return MomentPriority(PriorityState.SET, raised, PriorityRule.FREQUENCY)
        return MomentPriority(assignment.state, assignment.rank, PriorityRule.ASSIGNMENT)
    if fallback_rank is not None:
        return MomentPriority(PriorityState.SET, fallback_rank, PriorityRule.FALLBACK)
    return MomentPriority(PriorityState.UNSET, None, PriorityRule.NOTHING)


def incident_priority(breach: MomentPriority, mode: AssignMode) -> MomentPriority:
    """The priority an incident starts with: its breach's, or left to a person."""
    if mode is AssignMode.MANUAL and breach.state is PriorityState.SET:
        return MomentPriority(PriorityState.UNSET, None, PriorityRule.LEFT_TO_A_PERSON)
    return breach


def opens_incident(state: PriorityState) -> bool:
    """Whether an alert of that priority opens an incident: `none` only records the breach."""
    return state is not PriorityState.NONE


def automatic_raise(
    current: int | None, highest_seen: int | None, breach: int | None, *, by_person: bool
) -> int | None:
    """The rank a newly attached breach raises an open incident to, None when it changes nothing.

    Automation never lowers. After a person has chosen, only a priority higher than any seen so far raises again.
    """
    if breach is None or (current is not None and breach >= current):
        return None
    if by_person and highest_seen is not None and breach >= highest_seen:
        return None
    return breach


def effective_rank(catalogue: PriorityCatalogue, state: PriorityState, rank: int | None) -> int | None:
    """The rank an incident is paged and sorted as: the catalogue's stand-in while unset, None for `none`."""
    if state is PriorityState.UNSET:
        return catalogue.unset_rank
    return rank if state is PriorityState.SET else None


def page_rule(catalogue: PriorityCatalogue, state: PriorityState, rank: int | None) -> PageRule | None:
    """When and how urgently an incident of that priority pages, None when it does not page."""
    effective = effective_rank(catalogue, state, rank)
    return None if effective is None else required_priority(catalogue, effective).page


def acknowledged_quiet(catalogue: PriorityCatalogue, state: PriorityState, rank: int | None) -> timedelta | None:
    """How long an acknowledgement may stay without a word, None for ever."""
    effective = effective_rank(catalogue, state, rank)
    return None if effective is None else required_priority(catalogue, effective).acknowledged_quiet


def urgency(catalogue: PriorityCatalogue, state: PriorityState, rank: int | None) -> Urgency | None:
    """How urgent an incident of that priority is, None for `none`."""
    rule = page_rule(catalogue, state, rank)
    return None if rule is None else rule.urgency


def waits_for_business_hours(rule: PageRule | None, *, ticket: bool) -> bool:
    """Whether its people are paged in business hours only: by its priority, or because nothing but a ticket tells of it.

    A ticket says that it burns too slowly to wake anybody for, whatever the priority of what burns.
    """
    return rule is not None and (ticket or rule.when is PageWhen.BUSINESS_HOURS)


def required_priority(catalogue: PriorityCatalogue, rank: int) -> PriorityDefinition:
    """The priority of that rank; raises `Invalid` naming what there is when the catalogue lacks it."""
    found = catalogue.by_rank(rank)
    if found is None:
        known = ", ".join(str(priority.rank) for priority in catalogue.priorities)
        raise Invalid({"priority": f"there is no priority {rank}; the catalogue has {known}"})
    return found


def from_foreign(catalogue: PriorityCatalogue, name: str) -> int | None:
    """The rank a foreign tool's priority name stands for, None for a name the catalogue does not map."""
    return catalogue.foreign_names.get(name.strip().upper())


def to_foreign(catalogue: PriorityCatalogue, tool: str, rank: int) -> str | None:
    """The name under which a tool knows a priority, None when it is not mapped."""
    return catalogue.external_names.get(tool, {}).get(rank)


class PriorityDuty(StrEnum):
    """What a priority asks for, in words for people; the obligations of an incident follow from the same data."""

    HOTFIX = "hotfix"
    POSTMORTEM = "postmortem"
    NOTIFY_MANAGEMENT = "notify_management"
    NOTIFY_STAKEHOLDER_GROUPS = "notify_stakeholder_groups"
    UPDATE_BY_CADENCE = "update_by_cadence"
    WORK_ITEM = "work_item"


def duties(priority: PriorityDefinition) -> frozenset[PriorityDuty]:
    """The duties of a priority; the length of its cadence is `priority.criteria.update_every`."""
    criteria = priority.criteria
    asked = {
        PriorityDuty.HOTFIX: criteria.hotfix_immediately,
        PriorityDuty.POSTMORTEM: criteria.postmortem,
        PriorityDuty.NOTIFY_MANAGEMENT: criteria.notify_management,
        PriorityDuty.NOTIFY_STAKEHOLDER_GROUPS: criteria.notify_stakeholder_groups,
        PriorityDuty.UPDATE_BY_CADENCE: criteria.update_every is not None,
        PriorityDuty.WORK_ITEM: priority.work_item,
    }
    return frozenset(duty for duty, is_asked in asked.items() if is_asked)


def incident_order(
    *, priority_rank: int | None, severity_rank: int, created_at: datetime, number: int
) -> tuple[int, int, datetime, int]:
    """The place of an incident among those competing for a person: priority, severity, age (oldest first), number.

    `priority_rank` is the effective rank; None (decided as `none`) comes after every priority.
    """
    return _AFTER_ALL if priority_rank is None else priority_rank, severity_rank, created_at, number
