"""Reads of the slo domain; each takes the actor where people ask."""

from tocsin.slo.queries.budgets import BudgetView, budget, left_in_units
from tocsin.slo.queries.counts import counts_to_judge, window_counts
from tocsin.slo.queries.coverage import Coverage, coverage
from tocsin.slo.queries.depletion import Span, Step, depletion
from tocsin.slo.queries.objectives import (
    assignment_at,
    assignments,
    assignments_at,
    breach_runs,
    breaches,
    ids_by_name,
    objective,
    objectives,
    reading_past,
    source,
    sources,
    undecided,
    wanted_counters,
    without_data,
)
from tocsin.slo.queries.series import BudgetLevel, BurnPoint, burn_down, burn_series, day_counts
from tocsin.slo.queries.views import (
    FeedbackRow,
    feedback,
    gaps,
    lowest_rank,
    not_asked,
    rounds,
    sessions,
    view_history,
)

__all__ = [
    "BudgetLevel",
    "BudgetView",
    "BurnPoint",
    "Coverage",
    "FeedbackRow",
    "Span",
    "Step",
    "assignment_at",
    "assignments",
    "assignments_at",
    "breach_runs",
    "breaches",
    "budget",
    "burn_down",
    "burn_series",
    "counts_to_judge",
    "coverage",
    "day_counts",
    "depletion",
    "feedback",
    "gaps",
    "ids_by_name",
    "left_in_units",
    "lowest_rank",
    "not_asked",
    "objective",
    "objectives",
    "reading_past",
    "rounds",
    "sessions",
    "source",
    "sources",
    "undecided",
    "view_history",
    "wanted_counters",
    "window_counts",
    "without_data",
]
