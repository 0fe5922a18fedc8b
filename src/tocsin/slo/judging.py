"""One SLO at one moment: rule, budget, burn rates, health. No query and no clock in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tocsin.core.breach_rules import Evaluation, RuleState, evaluate
from tocsin.core.budget_priorities import CHAPTER_VELOCITY, priority_by_remaining, priority_by_velocity
from tocsin.core.burn_rate import burn_rate, limit_for_share
from tocsin.core.error_budget import depletion, forecast_valid, grant_events, remaining, seconds
from tocsin.core.objective_health import Direction, HealthReason, Observation, direction, health
from tocsin.core.slo_windows import Span, WindowCounts, grid_tick
from tocsin.core.trend import Trend, per_hour, trend
from tocsin.slo import snapshots
from tocsin.slo.models import Objective, ObjectiveState

SHORT, HOUR_WINDOW, HALF_HOUR, LONG = (
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(minutes=30),
    timedelta(hours=6),
)
SHOWN = (SHORT, HALF_HOUR, HOUR_WINDOW, LONG)
TREND = timedelta(hours=24)
PROJECTION = timedelta(hours=6)
FALLBACK_REMAINING, FALLBACK_VELOCITY = "remaining", "velocity"
_PAGE_SHARE = Fraction(2, 100)  # of the budget within an hour: the line of the burn-rate picture

Windows = Mapping[timedelta, WindowCounts]


def windows_needed(objective: Objective) -> frozenset[timedelta]:
    """The trailing windows a verdict on `objective` asks for; its budget period comes on top."""
    spans = {*snapshots.rule_of(objective).windows(), snapshots.rule_of(objective).own_window, *SHOWN, TREND}
    if objective.fallback == FALLBACK_VELOCITY:
        spans.update(CHAPTER_VELOCITY.windows())
    return frozenset(spans)


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of a period: `bad` of `valid` events so far, `grant` events allowed, `left` as a share of it."""

    span: Span
    valid: int
    bad: int
    grant: Fraction
    left: Fraction | None

    def spent(self, bad: int) -> Fraction | None:
        """The share of the grant that so many bad events are."""
        return depletion(self.grant, bad) if self.grant > 0 else None


def budget_of(objective: Objective, counts: WindowCounts, *, now: datetime) -> Budget:
    """The budget as it stands: a rolling period grants what its own traffic earns, a calendar one what is forecast."""
    span = snapshots.period_of(objective, now=now)
    valid: int | Fraction = counts.valid
    if objective.calendar_start is not None:
        valid = forecast_valid(counts.valid, now - span.starts_at, span.ends_at - span.starts_at)
    grant = grant_events(objective.target, valid)
    left = remaining(grant, counts.bad) if grant > 0 else None
    return Budget(span, counts.valid, counts.bad, grant, left)


def hours_left(objective: Objective, budget: Budget, *, now: datetime) -> Fraction:
    """Hours until the period ends; a rolling one has no end, so its own length is the horizon."""
    if objective.calendar_start is None:
        return seconds(objective.period) / 3600
    return seconds(budget.span.ends_at - now) / 3600


def trend_of(objective: Objective, budget: Budget, windows: Windows, *, over: timedelta, now: datetime) -> Trend | None:
    """When the budget ends at the pace of the last `over`; None without a budget to speak of."""
    spent = budget.spent(windows[over].bad)
    if spent is None or budget.left is None:
        return None
    return trend(budget.left, per_hour(spent, over), hours_left=hours_left(objective, budget, now=now))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything an evaluation finds, before it is written."""

    evaluation: Evaluation
    budget: Budget
    own: WindowCounts
    own_window: timedelta
    windows: Windows
    burns: Mapping[timedelta, Fraction | None]
    breaching: bool
    health: HealthReason
    exhausts_at: datetime | None
    fallback_rank: int | None
    next_at: datetime


def judge(
    objective: Objective, state: ObjectiveState, windows: Windows, period: WindowCounts, *, now: datetime
) -> Verdict:
    """Judge an SLO on the counts of `windows_needed` and of its period, each up to `now`."""
    rule = snapshots.rule_of(objective)
    evaluation = evaluate(rule, windows, snapshots.rule_state_of(state), target=objective.target, now=now)
    own = windows[rule.own_window]
    budget = budget_of(objective, period, now=now)
    breaching = _breaching(state, evaluation, own)
    seen = Observation(
        last_data_at=state.last_data_at,
        invalid_at=state.invalid_at,
        silence_limit=snapshots.silence_limit(objective),
        remaining=budget.left,
        breaching=breaching,
        alerting=evaluation.state.firing,
        recent_valid=own.valid,
    )
    return Verdict(
        evaluation=evaluation,
        budget=budget,
        own=own,
        own_window=rule.own_window,
        windows=windows,
        burns={span: burn_rate(objective.target, windows[span].valid, windows[span].bad) for span in SHOWN},
        breaching=breaching,
        health=health(seen, now=now),
        exhausts_at=exhaustion(objective, budget, windows, now=now),
        # The tables are asked at a breach only (requirements, 9.2.5).
        fallback_rank=fallback_rank(objective, budget, windows, now=now) if breaching else None,
        next_at=grid_tick(now, objective.evaluate_every) + objective.evaluate_every,
    )


def _breaching(state: ObjectiveState, evaluation: Evaluation, own: WindowCounts) -> bool:
    if evaluation.breached is None:
        # Between two ticks of the rule's grid nothing is known to have changed; without events nothing is breached.
        return state.breaching and own.valid > 0
    return evaluation.breached


def exhaustion(objective: Objective, budget: Budget, windows: Windows, *, now: datetime) -> datetime | None:
    """When nothing is left at the pace of the last six hours; None when that is beyond the period."""
    found = trend_of(objective, budget, windows, over=PROJECTION, now=now)
    if found is None or found.hours is None or not found.premature:
        return None
    return now + timedelta(seconds=float(found.hours * 3600))


def fallback_rank(objective: Objective, budget: Budget, windows: Windows, *, now: datetime) -> int | None:
    """What the budget-to-priority table gives, if this SLO has one switched on."""
    if objective.fallback == FALLBACK_REMAINING:
        pace = trend_of(objective, budget, windows, over=TREND, now=now)
        if pace is None or budget.left is None:
            return None
        return priority_by_remaining(budget.left, premature=pace.premature)
    if objective.fallback == FALLBACK_VELOCITY and budget.grant > 0:
        return priority_by_velocity(
            {span: depletion(budget.grant, windows[span].bad) for span in CHAPTER_VELOCITY.windows()}
        )
    return None


def page_limit(objective: Objective) -> Fraction:
    """The burn rate at which an hour eats two percent of the budget, never below 1."""
    return max(Fraction(1), limit_for_share(_PAGE_SHARE, HOUR_WINDOW, objective.period))


def direction_of(objective: Objective, burns: Mapping[timedelta, Fraction | None]) -> Direction:
    """Burning, rising, recovering or fine, by the last five minutes and the last hour."""
    return direction(burns.get(SHORT), burns.get(HOUR_WINDOW), limit=page_limit(objective))


def rule_state_json(state: RuleState, *, silent: bool) -> dict[str, object]:
    """What the evaluator keeps of the rule; `silent` remembers that people were told the data are lost."""
    return {**state.as_json(), "silent": silent}
