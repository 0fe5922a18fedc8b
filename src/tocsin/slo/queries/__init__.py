"""Reads of the slo domain; each takes the actor where people ask."""

from tocsin.slo.queries.counts import counts_to_judge, window_counts
from tocsin.slo.queries.objectives import (
    assignment_at,
    assignments,
    assignments_at,
    breaches,
    ids_by_name,
    objective,
    objectives,
    source,
    sources,
    undecided,
)

__all__ = [
    "assignment_at",
    "assignments",
    "assignments_at",
    "breaches",
    "counts_to_judge",
    "ids_by_name",
    "objective",
    "objectives",
    "source",
    "sources",
    "undecided",
    "window_counts",
]
