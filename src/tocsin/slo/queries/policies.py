"""Reads of error budget policies and what followed from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from tocsin.core.access import Actor, Right, require
from tocsin.core.budget_policy_document import parse_budget_policy
from tocsin.core.error_budget_policy import BudgetPolicy
from tocsin.platform.questions import Question
from tocsin.slo.models import ErrorBudgetPolicy, IncidentSpend, Objective, PolicyConsequence

SHOWN = 100


def budget_policy(actor: Actor, team: str) -> ErrorBudgetPolicy | None:
    """The policy of a team, None while it has none."""
    require(actor, Right.SLO_READ)
    return ErrorBudgetPolicy.objects.select_related("team").filter(team__name=team).first()


def budget_policies(actor: Actor) -> list[ErrorBudgetPolicy]:
    require(actor, Right.SLO_READ)
    return list(ErrorBudgetPolicy.objects.select_related("team").order_by("team__name"))


def policy_of(row: ErrorBudgetPolicy) -> BudgetPolicy:
    return parse_budget_policy(row.document)


def consequences(actor: Actor, row: ErrorBudgetPolicy, *, limit: int = SHOWN) -> list[PolicyConsequence]:
    """What followed, the open ones first, then the latest."""
    require(actor, Right.SLO_READ)
    rows = row.consequences.select_related("objective__service").order_by("-began_at", "-pk")
    waiting = list(rows.filter(ended_at=None))
    return [*waiting, *rows.exclude(ended_at=None)[:limit]]


def due_policies(*, now: datetime) -> list[int]:
    """The policies that are to be looked at again, longest due first."""
    if not _any_policy_due(now=now):
        return []
    return list(_due(now).order_by("next_at").values_list("pk", flat=True))


def _due(now: datetime) -> QuerySet[ErrorBudgetPolicy]:
    return ErrorBudgetPolicy.objects.filter(next_at__lte=now)


_any_policy_due = Question(_due)


def settled(objectives: Sequence[Objective]) -> dict[tuple[int, str, datetime], int]:
    """Bad events of incidents that are over, by (objective, incident, its end)."""
    rows = IncidentSpend.objects.filter(objective__in=objectives)
    return {(row.objective_id, row.incident, row.ended_at): row.bad for row in rows}
