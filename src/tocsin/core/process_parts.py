"""The parts of a process as frozen values: what `process_definition` reads out of a process document.

A priority is named by its rank (1 comes first) wherever the software decides; its code and name are for people.
Severities, roles and groups are named by their codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from tocsin.core.authority import AuthorityPolicy, TakeOverRule

NAMED_PERSON = "named"
"""Stands in an answer where a role would stand: the person named when the duty arises."""


class PageWhen(StrEnum):
    ALWAYS = "always"
    BUSINESS_HOURS = "business_hours"
    NEVER = "never"


class Urgency(StrEnum):
    HIGH = "high"
    LOW = "low"


class Verdict(StrEnum):
    """What the matrix says about a pair of priority and severity."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    NOT_ALLOWED = "not_allowed"


class PairExceptions(StrEnum):
    """Whether a person may enter a pair that the matrix does not allow, as a recorded exception."""

    NONE = "none"
    WITH_REASON = "with_reason"


class RoleNeed(StrEnum):
    """Whether a severity calls a role, and whether its holder may hold another one."""

    DEDICATED = "dedicated"
    SHARED = "shared"
    NONE = "none"


class Area(StrEnum):
    COORDINATION = "coordination"
    COMMUNICATION = "communication"
    DOCUMENTATION = "documentation"
    EXECUTION = "execution"


class QuestionCode(StrEnum):
    """The ten questions a published process has to answer, in their order."""

    COORDINATED_WHEN = "coordinated_when"
    WHO_STARTS = "who_starts"
    WHO_DECIDES = "who_decides"
    HOW_MADE_KNOWN = "how_made_known"
    WHO_TAKES_IN = "who_takes_in"
    WHO_ACTS = "who_acts"
    FREEDOM = "freedom"
    COMMUNICATION = "communication"
    DOCUMENTATION = "documentation"
    POSTMORTEM = "postmortem"


class PostmortemBasis(StrEnum):
    """Which priority of an incident decides on its postmortem."""

    FINAL_PRIORITY = "final_priority"
    HIGHEST_PRIORITY = "highest_priority"


@dataclass(frozen=True)
class PriorityCriteria:
    """What a priority asks for. `update_every` is the longest time between two updates; None is no updates."""

    hotfix_immediately: bool
    postmortem: bool
    notify_management: bool
    notify_stakeholder_groups: bool
    update_every: timedelta | None


@dataclass(frozen=True)
class PageRule:
    when: PageWhen
    urgency: Urgency


@dataclass(frozen=True)
class PriorityDefinition:
    """One priority. `alert_end_asks`: the end of its alert asks a person instead of resolving what was taken.

    `acknowledged_quiet`: how long whoever took it may write nothing before it is asked about anew; None is for ever.
    """

    rank: int
    code: str
    name: str
    meaning: str
    criteria: PriorityCriteria
    work_item: bool
    page: PageRule
    alert_end_asks: bool
    rings: tuple[int, ...]
    generic_example: str
    actions_none: bool = False
    informed_none: bool = False
    acknowledged_quiet: timedelta | None = None


@dataclass(frozen=True)
class NotificationSettings:
    """Limits of stakeholder updates. `overdue_grace` is what passes after a due time before it counts as late."""

    opening_within: timedelta
    overdue_grace: timedelta
    closing_required: bool
    next_update_required: bool


@dataclass(frozen=True)
class PriorityCatalogue:
    """All priorities, highest first. `unset_rank` is what an undecided incident is paged and sorted as."""

    priorities: tuple[PriorityDefinition, ...]
    notification: NotificationSettings
    unset_rank: int
    decide_within: timedelta
    foreign_names: Mapping[str, int]
    external_names: Mapping[str, Mapping[int, str]]

    def by_rank(self, rank: int) -> PriorityDefinition | None:
        """The priority of that rank, None when there is none."""
        return next((p for p in self.priorities if p.rank == rank), None)

    def by_code(self, code: str) -> PriorityDefinition | None:
        """The priority of that code, None when there is none."""
        return next((p for p in self.priorities if p.code == code), None)


@dataclass(frozen=True)
class SeverityDefinition:
    """One severity with its non-overlapping bands: at least this share of users, or at least so many teams."""

    rank: int
    code: str
    users_affected: str
    teams_required: str
    coordinator_required: bool
    users_share_min: Fraction
    teams_min: int
    example: str


@dataclass(frozen=True)
class ComplexitySign:
    """A sign that more than one team may be needed: asked of people, answered yes or no."""

    code: str
    ask: str


@dataclass(frozen=True)
class SeverityScheme:
    """All severities, gravest first; `start` is what an incident begins with.

    `switched_off`: nobody sets a severity; every incident is treated as the mildest, and a role is asked for by hand.
    """

    severities: tuple[SeverityDefinition, ...]
    start: str
    signs: tuple[ComplexitySign, ...] = ()
    switched_off: bool = False

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(severity.code for severity in self.severities)

    def by_code(self, code: str) -> SeverityDefinition | None:
        """The severity of that code, None when there is none."""
        return next((s for s in self.severities if s.code == code), None)


@dataclass(frozen=True)
class PairRule:
    priority: int
    severity: str
    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Matrix:
    """A verdict for each pair of priority and severity.

    `exceptions`: a person may enter a pair that is not allowed as an exception, with a reason that stays in the record.
    """

    rules: tuple[PairRule, ...]
    exceptions: bool = False

    def rule(self, priority: int, severity: str) -> PairRule | None:
        """The rule of that pair, None when the matrix leaves it out."""
        return next((r for r in self.rules if r.priority == priority and r.severity == severity), None)


@dataclass(frozen=True)
class RoleDefinition:
    """One role. `per_team` roles may be held by one person for each team; `optional` ones are never called."""

    code: str
    display_name: str
    aka: tuple[str, ...]
    areas: tuple[Area, ...]
    responsibilities: tuple[str, ...]
    skills: tuple[str, ...]
    must_not: tuple[str, ...]
    rights: tuple[str, ...]
    per_team: bool
    optional: bool

    @property
    def shared(self) -> bool:
        """Whether several people hold it at once: one for each team, or guests, who have nothing in hand to pass on."""
        return self.per_team or (self.optional and not self.areas)


@dataclass(frozen=True)
class EscalationStep:
    target: str
    acknowledge_within: timedelta


@dataclass(frozen=True)
class RoleScheme:
    """Roles, which severity calls them, how soon they have to be filled, and who stands in for a duty."""

    roles: tuple[RoleDefinition, ...]
    by_severity: Mapping[str, Mapping[str, RoleNeed]]
    duties_when_absent: Mapping[str, Mapping[str, str]]
    fill_within: Mapping[str, timedelta]
    six_role_mapping: Mapping[str, str]
    escalation_steps: tuple[EscalationStep, ...]
    escalation_repeats: int
    after_exhaustion: EscalationStep
    authority: AuthorityPolicy = AuthorityPolicy.STANDARD
    take_over: TakeOverRule = field(default_factory=TakeOverRule)

    def by_code(self, code: str) -> RoleDefinition | None:
        """The role of that code, None when there is none."""
        return next((role for role in self.roles if role.code == code), None)


@dataclass(frozen=True)
class Question:
    """One of the ten questions with the answer for people and the answer the software acts on."""

    number: int
    code: QuestionCode
    question: str
    answer: str
    machine: Mapping[str, Any]


@dataclass(frozen=True)
class Lifecycle:
    """States and transitions as the process document shows them; `core.incident_lifecycle` holds the table."""

    states: tuple[str, ...]
    transitions: Mapping[str, tuple[str, ...]]
    status: Mapping[str, tuple[str, ...]]
    reopen_within: timedelta
    statuspage_state: Mapping[str, str]
    steps: tuple[str, ...]


@dataclass(frozen=True)
class DayCount:
    """A deadline counted in calendar days or in business days."""

    days: int
    business: bool


@dataclass(frozen=True)
class MeetingDeadline:
    """A deadline for incidents of these priorities and severities; empty means any."""

    priorities: frozenset[int]
    severities: frozenset[str]
    within: DayCount


@dataclass(frozen=True)
class PostmortemTrigger:
    code: str
    text: str
    on: bool


@dataclass(frozen=True)
class PostmortemSection:
    code: str
    fields: tuple[str, ...]
    help: str
    required: bool
    auto: bool


@dataclass(frozen=True)
class LifecycleItem:
    """One item of the checklists before, during and after the postmortem meeting.

    `directive` marks the one with which the prime directive is said.
    """

    code: str
    phase: str
    do: str
    who: str
    gate: bool
    directive: bool = False


@dataclass(frozen=True)
class ReviewQuestion:
    code: str
    ask: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class PostmortemSettings:
    required_by: PostmortemBasis
    triggers: tuple[PostmortemTrigger, ...]
    meeting: tuple[MeetingDeadline, ...]
    draft_before_meeting: timedelta
    action_items_complete: DayCount
    writeup_finished: DayCount
    first_review_after_days: int
    outcome_feedback_days: tuple[int, ...]
    statuses: tuple[str, ...]
    prime_directive: str
    sections: tuple[PostmortemSection, ...]
    lifecycle: tuple[LifecycleItem, ...]
    timeline_review: tuple[ReviewQuestion, ...]


@dataclass(frozen=True)
class Ring:
    number: int
    name: str
    external: bool
    needs_approval: bool


@dataclass(frozen=True)
class StakeholderGroup:
    code: str
    name: str
    ring: int
    purpose: str
    management: bool


@dataclass(frozen=True)
class BlameForm:
    """A form of words that looks for a guilty person, and what to write instead."""

    form: str
    instead: str


@dataclass(frozen=True)
class MessageSettings:
    """Templates by kind and priority rank, single templates by name, and what a message is checked for."""

    variables: tuple[str, ...]
    templates: Mapping[str, Mapping[int, str]]
    single_templates: Mapping[str, str]
    max_characters: int
    max_characters_short: int
    min_between_updates: timedelta
    whole_service_words: tuple[str, ...]
    end_time_promises: tuple[str, ...]
    blame: tuple[BlameForm, ...]
