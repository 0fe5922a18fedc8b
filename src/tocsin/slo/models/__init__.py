"""SLOs, where their numbers come from, what was measured, what was breached, and what a breach means."""

from tocsin.slo.models.breaches import Breach
from tocsin.slo.models.counts import Bucket, DayOfMinutes
from tocsin.slo.models.ledger import BudgetPeriod
from tocsin.slo.models.objectives import Budgeting, Health, Objective, ObjectiveState
from tocsin.slo.models.policies import ErrorBudgetPolicy, IncidentSpend, PolicyConsequence
from tocsin.slo.models.priorities import Decision, PriorityAssignment, TargetKind
from tocsin.slo.models.pushed import PushedGrowth, PushedSeries
from tocsin.slo.models.resource_alerts import ResourceAlert, ResourceAlertStep
from tocsin.slo.models.sources import DataSource
from tocsin.slo.models.versions import ObjectiveVersion, VersionChange
from tocsin.slo.models.views import (
    BreachSubscription,
    ConsumerView,
    FeedbackSession,
    SessionOutcome,
    ViewAnswer,
    ViewDecision,
    ViewRound,
)

__all__ = [
    "Breach",
    "BreachSubscription",
    "Bucket",
    "BudgetPeriod",
    "Budgeting",
    "ConsumerView",
    "DataSource",
    "DayOfMinutes",
    "Decision",
    "ErrorBudgetPolicy",
    "FeedbackSession",
    "Health",
    "IncidentSpend",
    "Objective",
    "ObjectiveState",
    "ObjectiveVersion",
    "PolicyConsequence",
    "PriorityAssignment",
    "PushedGrowth",
    "PushedSeries",
    "ResourceAlert",
    "ResourceAlertStep",
    "SessionOutcome",
    "TargetKind",
    "VersionChange",
    "ViewAnswer",
    "ViewDecision",
    "ViewRound",
]
