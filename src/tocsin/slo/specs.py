"""What a file or a form says about a service, a source or an SLO, before any row exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # reading files must not need Django
    from tocsin.slo.models import Breach, Objective, PriorityAssignment

PROMETHEUS = "prometheus"
PUSH = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A service as a file names it; `escalation` is the name of a policy that rooms above tie to it."""

    name: str
    display_name: str = ""
    description: str = ""
    team: str | None = None
    runbook_url: str = ""
    depends_on: tuple[str, ...] = ()
    escalation: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """Where numbers come from: `kind` is prometheus (asked every `every`) or push (heard from every `every`).

    `connection` is how a server is reached, as `slo.connecting` reads it.
    """

    name: str
    kind: str = PROMETHEUS
    url: str = ""
    every: timedelta = timedelta(seconds=15)
    headers: Mapping[str, str] = field(default_factory=dict)
    connection: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrioritySpec:
    """A decision on what a breach means: `decision` set with a rank, or none.

    `code` is the priority as a file writes it; rooms that know the catalogue turn it into a rank. `origin` is file:line.
    """

    decision: str
    priority: int | None = None
    code: str = ""
    groups: tuple[str, ...] = ()
    reason: str = ""
    raise_rule: Mapping[str, Any] | None = None
    assign_mode: str = "automatic"
    severity: str = ""
    escalation_policy: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """Somebody an alert policy wants told: the name of the target, and the word for where it is ("email")."""

    name: str
    target: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSpec:
    """An SLO. `target` in (0, 1); `period` the budget's window; `service` and `source` by name.

    `rule` is what `slo.rules.rule_for` reads. With Timeslices `slice_window` and `slice_target` say when a slice is
    good; with RatioTimeslices each counts with its own share. With `threshold_query` a minute is good when its value
    keeps the line; `raw_query` is the share of good (`raw_type` success) or bad (failure) events of a minute. `priority`
    is a decision that comes with the file.
    """

    name: str
    service: str
    target: Decimal
    period: timedelta
    display_name: str = ""
    description: str = ""
    use_case: str = ""
    sli_kind: str = ""
    endpoint: str = ""
    budgeting: str = "Occurrences"
    slice_window: timedelta | None = None
    slice_target: Decimal | None = None
    calendar_start: datetime | None = None
    time_zone: str = "UTC"
    source: str | None = None
    good_query: str = ""
    bad_query: str = ""
    total_query: str = ""
    threshold_query: str = ""
    threshold_op: str = ""
    threshold_value: Decimal | None = None
    raw_query: str = ""
    raw_type: str = ""
    rule: Mapping[str, Any] = field(default_factory=lambda: {"name": "tocsin"})
    evaluate_every: timedelta = timedelta(minutes=1)
    renotify_after: timedelta = timedelta(hours=2)
    fallback: str = ""
    runbook_url: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""
    priority: PrioritySpec | None = None
    targets: tuple[TargetSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """Events of one SLO that happened in the minute of `at`."""

    objective_id: int
    at: datetime
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What an incident that is over took from an SLO, to be kept."""

    objective_id: int
    incident: str
    began_at: datetime
    ended_at: datetime
    bad: int


class SignalKind(StrEnum):
    """What an evaluation tells the room above."""

    OPENED = "opened"
    RENOTIFIED = "renotified"
    GROWN = "grown"
    REOPENED = "reopened"
    CLOSED = "closed"
    BREACHED = "breached"
    NO_DATA = "no_data"
    DATA_BACK = "data_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class SloSignal:
    """One thing that followed from an evaluation.

    `urgency` is page or ticket; `breach` the recorded breach of this tick if there is one. The priority is that of the
    moment, already `unset` where the assignment leaves it to a person. `breached` says that a further breach was recorded
    while an alert is firing; it tells nobody by itself. `grown` says that a further share of the budget is gone since
    people were told: it speaks to the incident there is and never opens one.
    """

    objective: Objective
    urgency: str
    kind: str
    priority: int | None
    priority_state: str
    priority_rule: str
    summary: str
    explanation: str
    breach: Breach | None = None
    assignment: PriorityAssignment | None = None
