"""Look at the error budget policies whose time has come: one in a turn, because a look reads a quarter of counts."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.core.error_budget_policy import judge
from tocsin.insights import policy_spending
from tocsin.platform import db
from tocsin.slo import actions, queries
from tocsin.slo.models import ErrorBudgetPolicy


def turn(*, now: datetime) -> int:
    """Judge the policy that is due the longest; returns 1 if there was one."""
    due = queries.due_policies(now=now)
    if not due:
        return 0
    with transaction.atomic():
        rows = ErrorBudgetPolicy.objects.select_related("team").filter(pk=due[0], next_at__lte=now)
        for row in db.lock_due(rows, limit=1):
            policy = queries.policy_of(row)
            found = policy_spending.spending(row.team.name, policy, now=now)
            actions.note_findings(row, judge(policy, found.spending, now=now), found.settled, now=now)
            return 1
    return 0
