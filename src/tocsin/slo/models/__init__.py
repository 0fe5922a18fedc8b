"""SLOs, where their numbers come from, what was measured, what was breached, and what a breach means."""

from tocsin.slo.models.breaches import Breach
from tocsin.slo.models.counts import Bucket
from tocsin.slo.models.objectives import Budgeting, Health, Objective, ObjectiveState
from tocsin.slo.models.priorities import Decision, PriorityAssignment
from tocsin.slo.models.pushed import PushedGrowth, PushedSeries
from tocsin.slo.models.sources import DataSource

__all__ = [
    "Breach",
    "Bucket",
    "Budgeting",
    "DataSource",
    "Decision",
    "Health",
    "Objective",
    "ObjectiveState",
    "PriorityAssignment",
    "PushedGrowth",
    "PushedSeries",
]
