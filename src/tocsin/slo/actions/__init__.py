"""The only writers of the slo domain."""

from tocsin.slo.actions.counting import add_counts, count_errors, forget_counts, mark_invalid
from tocsin.slo.actions.evaluating import evaluate
from tocsin.slo.actions.objectives import check_objective, retire_objective, save_objective
from tocsin.slo.actions.priorities import assign_priority, withdraw_priority
from tocsin.slo.actions.pushed_series import take_series
from tocsin.slo.actions.sources import save_source
from tocsin.slo.specs import Count, ObjectiveSpec, SignalKind, SloSignal

__all__ = [
    "Count",
    "ObjectiveSpec",
    "SignalKind",
    "SloSignal",
    "add_counts",
    "assign_priority",
    "check_objective",
    "count_errors",
    "evaluate",
    "forget_counts",
    "mark_invalid",
    "retire_objective",
    "save_objective",
    "save_source",
    "take_series",
    "withdraw_priority",
]
