"""Reads of how teams come to SLOs."""

from tocsin.adoption.queries.capabilities import capabilities, sli_for
from tocsin.adoption.queries.coaching import agenda, sessions
from tocsin.adoption.queries.discovery import cases, coverage, finds, use_cases, walk, walks
from tocsin.adoption.queries.progress import (
    Progress,
    all_progress,
    hides_priorities,
    in_force,
    incomplete,
    policy_of,
    priority_warning,
    priority_warnings,
    progress,
)
from tocsin.adoption.queries.wishes import as_csv, as_row, wishes

__all__ = [
    "Progress",
    "agenda",
    "all_progress",
    "as_csv",
    "as_row",
    "capabilities",
    "cases",
    "coverage",
    "finds",
    "hides_priorities",
    "in_force",
    "incomplete",
    "policy_of",
    "priority_warning",
    "priority_warnings",
    "progress",
    "sessions",
    "sli_for",
    "use_cases",
    "walk",
    "walks",
    "wishes",
]
