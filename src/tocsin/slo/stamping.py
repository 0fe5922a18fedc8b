"""The priority a breach gets: that of its very moment, frequency rule and fallback tables included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.core.breach_frequency import FrequencyReason, priority_by_frequency
from tocsin.core.priorities import (
    AssignMode,
    MomentPriority,
    PriorityRule,
    PriorityState,
    incident_priority,
    moment_priority,
)
from tocsin.slo import snapshots
from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.slo.snapshots import RecordedBreach


@dataclass(frozen=True, slots=True)
class Stamp:
    """A breach's priority and, where it differs because a person is to choose, the one an incident starts with."""

    breach: MomentPriority
    incident: MomentPriority
    rule: str

    @property
    def incident_rule(self) -> str:
        return self.rule if self.incident is self.breach else self.incident.rule.value


def stamp(
    objective: Objective,
    assignment: PriorityAssignment | None,
    earlier: Sequence[RecordedBreach],
    *,
    episode: int,
    fallback_rank: int | None,
    now: datetime,
) -> Stamp:
    """The priority of a breach of `objective` at `now` that belongs to run number `episode`."""
    moment = moment_priority(
        snapshots.assignment_of(assignment) if assignment else None,
        frequent=_is_frequent(assignment, earlier, episode=episode, now=now),
        fallback_rank=fallback_rank,
    )
    mode = AssignMode(assignment.assign_mode) if assignment else AssignMode.AUTOMATIC
    return Stamp(moment, incident_priority(moment, mode), _rule_name(objective, moment))


def _rule_name(objective: Objective, moment: MomentPriority) -> str:
    """Which rule spoke: of the fallback tables the very one, also when it found nothing to say."""
    asked = objective.fallback and moment.rule in (PriorityRule.FALLBACK, PriorityRule.NOTHING)
    if asked:
        return objective.fallback
    return "" if moment.state is PriorityState.UNSET else moment.rule.value


def _is_frequent(
    assignment: PriorityAssignment | None, earlier: Sequence[RecordedBreach], *, episode: int, now: datetime
) -> bool:
    rule = snapshots.frequency_rule_of(assignment) if assignment else None
    if assignment is None or rule is None:
        return False
    if snapshots.counts_occurrences(assignment):
        moments = [breach.at for breach in earlier if breach.at <= now]
    else:
        # One moment for each earlier run, its last: a run counts while any of its breaches lies in the window.
        last = {breach.episode: breach.at for breach in sorted(earlier, key=lambda one: one.at)}
        moments = [at for number, at in last.items() if number != episode]
    return priority_by_frequency(rule, moments, now=now).reason is FrequencyReason.FREQUENT
