"""Every number of an SLO opened up: the rule, the windows, the counts, the queries, and the sums."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tocsin.core.access import Actor, Right, require
from tocsin.core.arithmetic import Step, WindowReading, breach_steps, budget_steps, read_windows
from tocsin.core.breach_rules import urgencies
from tocsin.core.error_budget import seconds
from tocsin.core.errors import NotFound
from tocsin.core.recorded_past import window_at
from tocsin.core.rule_protocol import Rule, Unit
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import judging, snapshots
from tocsin.slo.models import Breach, Objective, ObjectiveVersion
from tocsin.slo.queries.budgets import state_of
from tocsin.slo.queries.counts import counts_to_judge
from tocsin.slo.queries.recorded import bucket_widths, recorded_past
from tocsin.slo.wording import told_again_words

_QUERIES = (
    ("total_query", "All events"),
    ("good_query", "Good events"),
    ("bad_query", "Bad events"),
    ("threshold_query", "Good minutes"),
    ("raw_query", "Share of events"),
)
_FRACTIONS = frozenset({"target", "slice_target"})
_SPANS = frozenset({"period", "renotify_after", "evaluate_every", "slice_window"})


@dataclass(frozen=True, slots=True)
class AlertReading:
    """One alert of the rule: whether it fires, and what was measured against what."""

    urgency: str
    firing: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why a number is what it is. `breach_steps` is about the rule's own window, `budget_steps` about the period.

    `own` are the counts the breach rests on; `rereckoned` says that the other windows were counted again from what is
    kept, and `notes` what a reader must know to get the same sums, and when people are told again.
    """

    at: datetime
    objective: Objective
    revision: int
    rule: Rule
    rule_document: Mapping[str, Any]
    target: Decimal
    unit: Unit
    own: WindowCounts
    own_window: timedelta
    windows: tuple[WindowReading, ...]
    alerts: tuple[AlertReading, ...]
    breach_steps: tuple[Step, ...]
    budget_steps: tuple[Step, ...]
    queries: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def explain(actor: Actor, objective: Objective, *, now: datetime) -> Explained:
    """The SLO as it stands at `now`: what would page, what is a breach, what is left, and from which counts."""
    require(actor, Right.SLO_READ)
    windows, period = counts_to_judge([objective], now=now)[objective.pk]
    state = snapshots.rule_state_of(state_of(objective))
    rule, target = snapshots.rule_of(objective), objective.target
    asked = {span: windows[span] for span in {*rule.windows(), rule.own_window}}
    own = windows[rule.own_window]
    return Explained(
        at=now,
        objective=objective,
        revision=objective.revision,
        rule=rule,
        rule_document=objective.rule,
        target=target,
        unit=snapshots.unit_of(objective),
        own=own,
        own_window=rule.own_window,
        windows=read_windows(asked, target),
        alerts=tuple(
            AlertReading(urgency.value, state.alert(urgency).firing, rule.explain(asked, target, urgency))
            for urgency in urgencies(rule)
        ),
        breach_steps=breach_steps(own, window=rule.own_window, target=target, unit=snapshots.unit_of(objective)),
        budget_steps=_budget_steps(objective, period, now=now),
        queries=_queries(objective),
        notes=tuple(filter(None, [told_again_words(rule)])),
    )


def _budget_steps(objective: Objective, period: WindowCounts, *, now: datetime) -> tuple[Step, ...]:
    budget = judging.budget_of(objective, period, now=now)
    elapsed: Fraction | None = None
    if objective.calendar_start is not None:
        elapsed = seconds(now - budget.span.starts_at) / seconds(budget.span.ends_at - budget.span.starts_at)
    counts, unit = WindowCounts(budget.valid, budget.bad), snapshots.unit_of(objective)
    return budget_steps(counts, grant=budget.grant, target=objective.target, unit=unit, elapsed=elapsed)


def _queries(objective: Objective) -> tuple[tuple[str, str], ...]:
    return tuple((words, getattr(objective, name)) for name, words in _QUERIES if getattr(objective, name))


def breach(actor: Actor, number: int) -> Breach:
    """The breach of that number, its SLO at hand. Raises NotFound."""
    require(actor, Right.SLO_READ)
    found = Breach.objects.select_related("objective__service__team", "objective__source").filter(pk=number).first()
    if found is None:
        raise NotFound(f"There is no breach {number}.")
    return found


def explain_breach(actor: Actor, row: Breach) -> Explained:
    """A breach under the rule and the target of its moment.

    Its own window has the counts that were recorded with it; the others are counted again from the minutes that are
    kept.
    """
    require(actor, Right.SLO_READ)
    objective, notes = _as_it_was(row)
    rule, unit = snapshots.rule_of(objective), snapshots.unit_of(objective)
    windows = _windows_at(objective, rule, row.at)
    own = WindowCounts(row.valid, row.bad)
    if windows[rule.own_window] != own:
        again = windows[rule.own_window]
        notes.append(
            f"Recorded were {unit.shown(row.bad)} of {unit.shown(row.valid)}; counted again to the full minute they are "
            f"{unit.shown(again.bad)} of {unit.shown(again.valid)}: counts of that minute came in later."
        )
    windows = {**windows, row.window: own}
    return Explained(
        at=row.at,
        objective=objective,
        revision=row.revision,
        rule=rule,
        rule_document=objective.rule,
        target=objective.target,
        unit=unit,
        own=own,
        own_window=row.window,
        windows=read_windows(windows, objective.target),
        alerts=tuple(
            AlertReading(urgency.value, False, rule.explain(windows, objective.target, urgency))
            for urgency in urgencies(rule)
        ),
        breach_steps=breach_steps(own, window=row.window, target=objective.target, unit=unit),
        budget_steps=(),
        queries=_queries(objective),
        notes=tuple(notes),
    )


def _as_it_was(row: Breach) -> tuple[Objective, list[str]]:
    """The SLO with the settings of the breach's revision, never saved."""
    objective = copy.copy(row.objective)
    if row.revision == objective.revision:
        return objective, []
    version = ObjectiveVersion.objects.filter(objective_id=objective.pk, number=row.revision).first()
    if version is None:
        return objective, [f"Version {row.revision} is not kept; the target and the rule are those of today."]
    for name, value in version.settings.items():
        if name in _FRACTIONS:
            setattr(objective, name, Decimal(str(value)))
        elif name in _SPANS:
            setattr(objective, name, timedelta(seconds=int(str(value).removesuffix(" s"))))
        elif name == "rule" or name.endswith("_query"):
            setattr(objective, name, value)
    return objective, [f"Reckoned with version {row.revision} of the SLO, which held then."]


def _windows_at(objective: Objective, rule: Rule, at: datetime) -> dict[timedelta, WindowCounts]:
    spans = tuple({*rule.windows(), rule.own_window})
    widths = bucket_widths(spans, sliced=snapshots.slices_of(objective) is not None)
    past = recorded_past(objective, since=at, until=at, lead=max(spans) + timedelta(hours=2))
    if past.minutes == 0:
        return dict.fromkeys(spans, WindowCounts(0, 0))
    return {span: window_at(past, past.minutes - 1, span, widths[span]) for span in spans}
