"""Everything the page of one SLO shows: the budget in three units, both pictures, the breaches, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

from django.http import HttpRequest

from tocsin.config.targets import targets_of
from tocsin.core.access import Actor, Right, require
from tocsin.core.alert_latch import Urgency
from tocsin.core.budget_priorities import CHAPTER_REMAINING
from tocsin.core.condition_rule import BurnCondition, ConditionRule
from tocsin.core.error_budget import share_of
from tocsin.core.objective_health import Direction
from tocsin.core.workbook_rule import PUBLISHED_PAIRS, WindowPair, WorkbookRule
from tocsin.incidents import queries as incidents
from tocsin.process import queries as process
from tocsin.slo import queries, snapshots
from tocsin.slo.judging import FALLBACK_REMAINING
from tocsin.slo.models import Breach, Health, Objective
from tocsin.slo.queries import BudgetLevel, BudgetView
from tocsin.web import asking
from tocsin.web.instants import span_text
from tocsin.web.pictures import burn_down as down
from tocsin.web.pictures import burn_rate as rates
from tocsin.web.pictures.drawing import Picture
from tocsin.web.slo_words import HEALTH, RULES, state_of

RUNS_SHOWN = 20
AHEAD = 4  # a rolling period has no end: the picture looks a quarter of it ahead
_SHOWN_OF_LONG = {timedelta(hours=1): timedelta(hours=3), timedelta(hours=6): timedelta(hours=24)}
_SHOWN_ELSE = timedelta(days=3)
_WORDS = {
    Direction.BURNING: rates.BURNING,
    Direction.RISING: rates.RISING,
    Direction.RECOVERING: rates.RECOVERING,
    Direction.FINE: rates.FINE,
    Direction.UNKNOWN: rates.UNKNOWN,
}
_URGENCIES = {Urgency.PAGE: "pages", Urgency.TICKET: "tickets"}


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring breaches with one priority: from when to when, the worst of them, what they spent of the budget."""

    first: Breach
    last: Breach
    worst: Breach
    count: int
    spent: float | None
    rule: str

    @property
    def share(self) -> float:
        return self.worst.bad / self.worst.valid if self.worst.valid else 0.0


def facts(request: HttpRequest, objective: Objective) -> dict[str, Any]:
    """The context of the page, without the form for the priority."""
    actor, now = asking.actor(request), asking.now(request)
    view = queries.budget(actor, objective, now=now)
    levels = queries.burn_down(objective, view, now=now)
    breaches = queries.breaches(objective, view.span.starts_at)
    pairs = _pairs(objective)
    chosen = _chosen(request, len(pairs))
    word, chip = HEALTH[view.health.value]
    return {
        "objective": objective,
        "view": view,
        "state_word": word,
        "state_chip": chip,
        "state_text": view.health.text,
        "direction": _WORDS[view.direction],
        "state": state_of(objective),
        "reading": queries.reading_past(objective, now=now),
        "coverage": queries.coverage(objective, view.span, now=now),
        "stale_since": _stale_since(objective, now=now),
        "left": None if view.left is None else float(view.left),
        "overspent": -view.events_left if view.events_left is not None and view.events_left < 0 else None,
        "burn_down": _burn_down(request, objective, view, levels, breaches),
        "burn_rate": _burn_rate(request, objective, pairs[chosen]),
        "pairs": [(place, f"{span_text(pair.short)} and {span_text(pair.long)}") for place, pair in enumerate(pairs)],
        "pair": chosen,
        "windows": f"?windows={chosen}",
        "runs": runs(breaches, levels)[:RUNS_SHOWN],
        "breach_count": len(breaches),
        "incidents": incidents.incidents_of_objective(actor, objective.pk, limit=8),
        "explanations": view.explanations,
        "targets": targets_of(objective),
        "rule_name": snapshots.rule_of(objective).name,
    }


def _stale_since(objective: Objective, *, now: datetime) -> datetime | None:
    """Since when the source has not answered, while what was known before is still shown."""
    source, state = objective.source, state_of(objective)
    if source is None or not source.last_error or state.health == Health.NO_DATA or state.last_data_at is None:
        return None
    return state.last_data_at if now - state.last_data_at > 2 * objective.evaluate_every else None


def burn_down_of(request: HttpRequest, actor: Actor, objective: Objective) -> Picture:
    """The burn-down alone, for those who want the file."""
    view = queries.budget(actor, objective, now=asking.now(request))
    levels = queries.burn_down(objective, view, now=asking.now(request))
    return _burn_down(request, objective, view, levels, queries.breaches(objective, view.span.starts_at))


def burn_rate_of(request: HttpRequest, actor: Actor, objective: Objective) -> Picture:
    """The burn rates alone, of the pair of windows the address asks for."""
    require(actor, Right.SLO_READ)
    pairs = _pairs(objective)
    return _burn_rate(request, objective, pairs[_chosen(request, len(pairs))])


def _chosen(request: HttpRequest, count: int) -> int:
    asked = request.GET.get("windows", "")
    return int(asked) if asked.isdecimal() and int(asked) < count else 0


def _pairs(objective: Objective) -> Sequence[WindowPair]:
    """The pairs of windows the SLO's own rule looks at, else the published ones."""
    rule = snapshots.rule_of(objective)
    pairs: Sequence[WindowPair] = PUBLISHED_PAIRS
    if isinstance(rule, WorkbookRule):
        pairs = rule.pairs
    elif isinstance(rule, ConditionRule):
        pairs = [_pair(one, objective.period) for one in rule.conditions]
    return [pair for pair in pairs if pair.long <= objective.period]


def _pair(one: BurnCondition, period: timedelta) -> WindowPair:
    """A condition as the picture draws it: its windows, and its threshold as the line."""
    share = one.threshold * share_of(one.lookback, period)
    return WindowPair(one.urgency, one.lookback, one.short or one.lookback, share, floor=Fraction(0))


def _burn_down(
    request: HttpRequest,
    objective: Objective,
    view: BudgetView,
    levels: Sequence[BudgetLevel],
    breaches: Sequence[Breach],
) -> Picture:
    now = asking.now(request)
    rolling = objective.calendar_start is None
    shown = down.BurnDown(
        label=objective.label,
        starts_at=view.span.starts_at,
        ends_at=now + objective.period / AHEAD if rolling else view.span.ends_at,
        even_until=view.span.ends_at,
        now=now,
        zone=asking.zone(request),
        levels=_levels(view, levels, now=now),
        breaches=_marks(runs(breaches, levels)),
        exhausts_at=view.exhausts_at,
        cone=view.cone,
        reading="Marks: breaches, each with the priority it had. Dashed: the last 6 h carried on; the cone is 3 h to 24 h.",
        would_be=_would_be(objective),
    )
    return down.burn_down(shown)


def _levels(view: BudgetView, levels: Sequence[BudgetLevel], *, now: datetime) -> list[down.Level]:
    """What was left, up to the moment from which nothing is known."""
    if view.left is not None:
        return [down.Level(level.at, level.left) for level in levels]
    last = view.last_data_at or view.span.starts_at
    known = [down.Level(level.at, level.left) for level in levels if level.at <= last]
    return [*known, down.Level(min(last, now), None), down.Level(now, None)]


def _marks(found: Sequence[Run]) -> list[down.BreachMark]:
    """One mark a run, oldest first."""
    marks = []
    for run in reversed(found):
        spent = "" if run.spent is None else f", spent {run.spent * 100:.0f} points"
        text = f"{run.share:.1%} failed{spent}"
        marks.append(down.BreachMark(run.first.at, run.first.priority, run.first.priority_state, text))
    return marks


def _would_be(objective: Objective) -> list[tuple[float, str]]:
    """The lines of the fallback table by what is left, only while it is on."""
    if objective.fallback != FALLBACK_REMAINING:
        return []
    catalogue = process.current().catalogue
    rows = [(row.at_most, catalogue.by_rank(row.priority)) for row in CHAPTER_REMAINING.rows]
    return [(float(at_most), f"would be {priority.code}") for at_most, priority in rows if priority is not None]


def _burn_rate(request: HttpRequest, objective: Objective, pair: WindowPair) -> Picture:
    now = asking.now(request)
    limit: Fraction = pair.limit(objective.period)
    points = queries.burn_series(
        objective,
        short=pair.short,
        long=pair.long,
        limit=limit,
        shown=_SHOWN_OF_LONG.get(pair.long, _SHOWN_ELSE),
        now=now,
    )
    shown = rates.BurnRate(
        label=objective.label,
        rates=[rates.Rate(point.at, point.short, point.long, _WORDS[point.direction]) for point in points],
        threshold=float(limit),
        short_window=pair.short,
        long_window=pair.long,
        period=objective.period,
        now=now,
        zone=asking.zone(request),
        urgency=_URGENCIES[pair.urgency],
    )
    return rates.burn_rate(shown)


def runs(breaches: Sequence[Breach], levels: Sequence[BudgetLevel]) -> list[Run]:
    """Breaches (newest first) joined where they are one episode at one priority, newest first."""
    found = []
    for _, group in groupby(breaches, key=lambda one: (one.episode, one.priority, one.priority_state)):
        members = list(group)
        first, last = members[-1], members[0]
        worst = max(members, key=lambda one: Fraction(one.bad, one.valid) if one.valid else Fraction(0))
        spent = _spent(levels, first.at - first.window, last.at)
        found.append(Run(first, last, worst, len(members), spent, RULES.get(first.priority_rule, "")))
    return found


def _spent(levels: Sequence[BudgetLevel], start: datetime, end: datetime) -> float | None:
    """The share of the budget that went between two instants, as coarse as the picture."""
    before = next((level.left for level in reversed(levels) if level.at <= start and level.left is not None), None)
    after = next((level.left for level in levels if level.at >= end and level.left is not None), None)
    return None if before is None or after is None else max(before - after, 0.0)
