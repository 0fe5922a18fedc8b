"""The facts that obligations are computed from, and the obligation itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.core.priorities import PriorityState
from tocsin.core.reasons import Reason


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


class ObligationReason(Reason):
    """Why something is asked."""

    PRIORITY_UNDECIDED = "priority_undecided", "Nobody has decided on the priority yet."
    PRIORITY_ASKS = "priority_asks", "The priority asks for it."
    TRIGGER_ASKS = "trigger_asks", "The process asks for it because of what happened."
    NO_GROUPS_CHOSEN = "no_groups_chosen", "The priority asks to tell stakeholder groups, and none is chosen."
    CADENCE_OF_PRIORITY = "cadence_of_priority", "The priority sets how often to tell."
    PROMISE_GIVEN = "promise_given", "The last update promised it."
    INCIDENT_ENDED = "incident_ended", "The incident is over; those who were told hear of its end."
    SEVERITY_CALLS = "severity_calls", "The severity calls this role."


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
