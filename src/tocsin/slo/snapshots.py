"""From rows to what core decides on: rules, periods, assignments, windows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.core.breach_frequency import CountedAs, FrequencyRule
from tocsin.core.breach_rules import RuleState
from tocsin.core.consumer_views import Opinion, Strategy, UseCase, View
from tocsin.core.counted_shares import MINUTE_PARTS
from tocsin.core.priorities import Assignment, PriorityState
from tocsin.core.rule_protocol import EVENTS, Rule, Unit
from tocsin.core.slo_windows import CalendarPeriod, CalendarUnit, Span, calendar_window, rolling_window
from tocsin.slo.models import Budgeting, ConsumerView, Objective, ObjectiveState, PriorityAssignment, ViewDecision
from tocsin.slo.openslo.durations import shorthand
from tocsin.slo.rules import rule_for
from tocsin.slo.specs import PUSH
from tocsin.slo.windows import Slices

_SILENCE_OF_PULLED = timedelta(minutes=10)
_SILENCE_OF_PUSHED = timedelta(minutes=30)


def rule_of(objective: Objective) -> Rule:
    """The alert rule of an SLO; the same rule for the same settings is made once."""
    document = json.dumps(objective.rule, sort_keys=True)
    return _rule(document, objective.period, objective.renotify_after, unit_of(objective))


@lru_cache(maxsize=1024)
def _rule(document: str, period: timedelta, renotify_after: timedelta, unit: Unit) -> Rule:
    return rule_for(json.loads(document), period=period, renotify_after=renotify_after, unit=unit)


def unit_of(objective: Objective) -> Unit:
    """What the counts of an SLO's budget, windows and breaches count."""
    slices = slices_of(objective)
    return bucket_unit_of(objective) if slices is None else Unit("slices", slices.parts)


def bucket_unit_of(objective: Objective) -> Unit:
    """What its buckets count, before they are judged by slices."""
    if objective.raw_query:
        return Unit("minutes", MINUTE_PARTS)
    return Unit("minutes") if objective.threshold_query else EVENTS


def rule_state_of(state: ObjectiveState) -> RuleState:
    """What the rule remembers. It was last evaluated when the SLO was.

    A rule with a grid of its own may have been passed over then, but only because no tick lay in between: whether the
    next one is due comes to the same.
    """
    return replace(RuleState.from_json(state.rule_state), evaluated_at=state.evaluated_at)


def slices_of(objective: Objective) -> Slices | None:
    """How time slices are judged, None for an SLO that counts events."""
    if objective.budgeting == Budgeting.OCCURRENCES or objective.slice_window is None:
        return None
    if objective.budgeting == Budgeting.RATIO_TIMESLICES:
        return Slices(objective.slice_window, None)
    return None if objective.slice_target is None else Slices(objective.slice_window, objective.slice_target)


def period_of(objective: Objective, *, now: datetime) -> Span:
    """The budget period that `now` belongs to: trailing, or the calendar period that has begun before it."""
    calendar = calendar_of(objective)
    return calendar_window(calendar, now=now) if calendar else rolling_window(objective.period, now=now)


def calendar_of(objective: Objective) -> CalendarPeriod | None:
    """The calendar an SLO's budget follows, None for a rolling period."""
    if objective.calendar_start is None:
        return None
    zone = ZoneInfo(objective.time_zone)
    wall = objective.calendar_start.astimezone(zone).replace(tzinfo=None)
    count, unit = _calendar_length(objective)
    return CalendarPeriod(wall, zone, count, unit)


def _calendar_length(objective: Objective) -> tuple[int, CalendarUnit]:
    # The row's period is a span; only the document still knows a month from thirty days.
    windows: Any = objective.document.get("spec", {}).get("timeWindow") or [{}]
    length = shorthand(str(windows[0].get("duration", "")))
    if length is not None and length.calendar_unit is not None:
        return length.count, length.calendar_unit
    return max(1, objective.period // timedelta(days=1)), CalendarUnit.DAY


def assignment_of(row: PriorityAssignment) -> Assignment:
    raised = (row.raise_rule or {}).get("to")
    return Assignment(
        state=PriorityState(row.decision),
        rank=row.priority,
        valid_from_at=row.valid_from,
        valid_until_at=row.valid_until,
        raised_rank=raised,
    )


def frequency_rule_of(row: PriorityAssignment) -> FrequencyRule | None:
    """The conditional priority of an assignment.

    It is always fed one moment for each thing that counts (an episode or an occurrence), hence `OCCURRENCES`.
    """
    if not row.raise_rule or row.priority is None:
        return None
    return FrequencyRule(
        base=row.priority,
        raised=int(row.raise_rule["to"]),
        more_than=int(row.raise_rule["more_than"]),
        window=timedelta(seconds=int(row.raise_rule["within_seconds"])),
        counted_as=CountedAs.OCCURRENCES,
    )


def counts_occurrences(row: PriorityAssignment) -> bool:
    """Whether each recorded breach counts, instead of each run of neighbouring ones."""
    return (row.raise_rule or {}).get("count") == CountedAs.OCCURRENCES


def silence_limit(objective: Objective) -> timedelta:
    """How long a source may be silent before nothing is known any more.

    A sender that says how often it sends is missed after three times that, at the second evaluation at the earliest.
    """
    if objective.source is None:
        return _SILENCE_OF_PUSHED
    if objective.source.kind == PUSH:
        return max(objective.evaluate_every, 3 * objective.source.every)
    return max(_SILENCE_OF_PULLED, 3 * objective.source.every)


@dataclass(frozen=True, slots=True)
class RecordedBreach:
    """What of an earlier breach matters to the present one."""

    at: datetime
    episode: int
    priority: int | None


def opinion_of(decision: str, priority: int | None) -> Opinion:
    """A decision of an assignment or a view; one that was only asked has said nothing yet."""
    if decision == ViewDecision.ASKED or not decision:
        return Opinion(PriorityState.UNSET)
    return Opinion(PriorityState(decision), priority)


def use_case(objective: Objective, held: PriorityAssignment | None, views: Iterable[ConsumerView]) -> UseCase:
    """One SLO with its decision and its views, their consumers at hand, as core compares them."""
    team = objective.service.team
    return UseCase(
        slo=objective.name,
        provider=team.name if team else "",
        decided=opinion_of(held.decision, held.priority) if held else Opinion(PriorityState.UNSET),
        views=tuple(
            View(
                key=row.consumer,
                label=row.consumer_label,
                opinion=opinion_of(row.decision, row.priority),
                strategy=Strategy(row.strategy) if row.strategy else None,
            )
            for row in views
        ),
    )
