"""The only writers of the slo domain."""

from tocsin.slo.actions.alert_rules import set_rule
from tocsin.slo.actions.closing_periods import close_periods
from tocsin.slo.actions.counting import add_counts, count_errors, forget_counts, mark_invalid
from tocsin.slo.actions.deciding import Decided, decide_many, same_response, undo_decisions
from tocsin.slo.actions.evaluating import evaluate
from tocsin.slo.actions.fallback import set_fallback
from tocsin.slo.actions.feedback_sessions import record_session
from tocsin.slo.actions.objectives import check_objective, retire_objective, save_objective
from tocsin.slo.actions.policies import answer_consequence, note_findings, save_budget_policy
from tocsin.slo.actions.policies_by_hand import begin_clause, end_budget_policy, end_clause
from tocsin.slo.actions.priorities import assign_priority, withdraw_priority
from tocsin.slo.actions.pushed_series import take_series
from tocsin.slo.actions.resource_alerts import move_resource_alert, save_resource_alert
from tocsin.slo.actions.sources import save_source
from tocsin.slo.actions.view_rounds import close_round
from tocsin.slo.actions.views import Said, ask_view, state_view, withdraw_view
from tocsin.slo.specs import Count, ObjectiveSpec, SignalKind, SloSignal

__all__ = [
    "Count",
    "Decided",
    "ObjectiveSpec",
    "Said",
    "SignalKind",
    "SloSignal",
    "add_counts",
    "answer_consequence",
    "ask_view",
    "assign_priority",
    "begin_clause",
    "check_objective",
    "close_periods",
    "close_round",
    "count_errors",
    "decide_many",
    "end_budget_policy",
    "end_clause",
    "evaluate",
    "forget_counts",
    "mark_invalid",
    "move_resource_alert",
    "note_findings",
    "record_session",
    "retire_objective",
    "same_response",
    "save_budget_policy",
    "save_objective",
    "save_resource_alert",
    "save_source",
    "set_fallback",
    "set_rule",
    "state_view",
    "take_series",
    "undo_decisions",
    "withdraw_priority",
    "withdraw_view",
]
