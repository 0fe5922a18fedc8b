"""The budget of one SLO at this moment, in the units people think in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tocsin.core.access import Actor, Right, require
from tocsin.core.breach_rules import urgencies
from tocsin.core.error_budget import allowed_ratio
from tocsin.core.objective_health import Direction, HealthReason
from tocsin.core.slo_windows import Span
from tocsin.slo import judging, snapshots
from tocsin.slo.judging import Verdict, Windows
from tocsin.slo.models import Objective, ObjectiveState
from tocsin.slo.queries.counts import Judged, counts_to_judge, window_counts

_CONE_FROM = timedelta(hours=3)
_UNKNOWN = frozenset({HealthReason.NO_DATA, HealthReason.INVALID})


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """What is left, as a share, as a full outage and as failed events; when it is gone, and how it moves.

    `left` and what follows from it are None while nothing is known. `exhausts_at` is None when the budget outlasts
    `horizon_at`; `cone` holds the same for the pace of the last three and of the last 24 hours, however far away.
    `explanations` are (page or ticket, what the rule measured against what).
    """

    span: Span
    horizon_at: datetime
    valid: int
    bad: int
    grant: Fraction
    left: Fraction | None
    outage_left: timedelta | None
    events_left: int | None
    exhausts_at: datetime | None
    cone: tuple[datetime | None, datetime | None]
    health: HealthReason
    direction: Direction
    burns: Mapping[timedelta, Fraction | None]
    last_data_at: datetime | None
    explanations: tuple[tuple[str, str], ...]


def budget(actor: Actor, objective: Objective, *, now: datetime) -> BudgetView:
    """Judge an SLO at `now` without writing anything down."""
    require(actor, Right.SLO_READ)
    state = state_of(objective)
    windows, period = counts_to_judge([objective], now=now)[objective.pk]
    verdict = judging.judge(objective, state, windows, period, now=now)
    rule = snapshots.rule_of(objective)
    known = None if verdict.health in _UNKNOWN else verdict.budget.left
    return BudgetView(
        span=verdict.budget.span,
        horizon_at=now + timedelta(hours=float(judging.hours_left(objective, verdict.budget, now=now))),
        valid=verdict.budget.valid,
        bad=verdict.budget.bad,
        grant=verdict.budget.grant,
        left=known,
        outage_left=None if known is None else _outage(objective, verdict, known),
        events_left=None if known is None else int(verdict.budget.grant - verdict.budget.bad),
        exhausts_at=None if known is None else verdict.exhausts_at,
        cone=(None, None) if known is None else _cone(objective, verdict, windows, now=now),
        health=verdict.health,
        direction=Direction.UNKNOWN if known is None else judging.direction_of(objective, verdict.burns),
        burns=verdict.burns,
        last_data_at=state.last_data_at,
        explanations=tuple(
            (urgency.value, rule.explain(windows, objective.target, urgency)) for urgency in urgencies(rule)
        ),
    )


def left_in_units(objectives: Sequence[Objective], *, now: datetime) -> dict[int, tuple[timedelta, int]]:
    """What is left of each budget as minutes of full outage and as failed events; absent where there is no budget."""
    found = {}
    for objective, (_, period) in zip(objectives, _judged(objectives, now=now), strict=True):
        budget = judging.budget_of(objective, period, now=now)
        if budget.left is not None:
            whole = (budget.span.ends_at - budget.span.starts_at).total_seconds()
            outage = timedelta(seconds=float(budget.left * allowed_ratio(objective.target)) * whole)
            found[objective.pk] = (outage, int(budget.grant - budget.bad))
    return found


def _judged(objectives: Sequence[Objective], *, now: datetime) -> list[Judged]:
    counted = counts_to_judge(objectives, now=now)
    return [counted[one.pk] for one in objectives]


def state_of(objective: Objective) -> ObjectiveState:
    """What the evaluator knows of an SLO; an empty state before its first look."""
    return ObjectiveState.objects.filter(objective=objective).first() or ObjectiveState(objective=objective)


def _outage(objective: Objective, verdict: Verdict, left: Fraction) -> timedelta:
    """How long everything may fail, at even traffic, until nothing is left."""
    span = verdict.budget.span
    return timedelta(
        seconds=float(left * allowed_ratio(objective.target)) * (span.ends_at - span.starts_at).total_seconds()
    )


def _cone(
    objective: Objective, verdict: Verdict, windows: Windows, *, now: datetime
) -> tuple[datetime | None, datetime | None]:
    recent = window_counts([objective.pk], [_CONE_FROM], now=now)[objective.pk]
    spans = ((_CONE_FROM, recent), (judging.TREND, windows))
    return tuple(_gone_at(objective, verdict, counted, over, now=now) for over, counted in spans)  # type: ignore[return-value]


def _gone_at(
    objective: Objective, verdict: Verdict, windows: Windows, over: timedelta, *, now: datetime
) -> datetime | None:
    found = judging.trend_of(objective, verdict.budget, windows, over=over, now=now)
    if found is None or found.hours is None or found.hours > 24 * 3650:
        return None
    return now + timedelta(hours=float(found.hours))
