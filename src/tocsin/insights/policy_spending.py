"""What the SLOs of a team have spent and what each incident took of them: what an error budget policy is judged on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tocsin.core.access import SYSTEM
from tocsin.core.error_budget import grant_events
from tocsin.core.error_budget_policy import BudgetPolicy, IncidentCost, Spending
from tocsin.incidents.models import Incident, State
from tocsin.slo import queries as slo
from tocsin.slo.judging import Budget
from tocsin.slo.models import Objective
from tocsin.slo.specs import Settled

_NO_INCIDENT = (State.CANCELLED, State.MERGED)
REAL = "real"


@dataclass(frozen=True, slots=True)
class Found:
    """The spending to judge, and costs of incidents that are over and were not kept yet."""

    spending: list[Spending]
    settled: list[Settled]


def spending(team: str, policy: BudgetPolicy, *, now: datetime) -> Found:
    """Each SLO of the team as the policy looks at it. Reads only."""
    objectives = slo.objectives(SYSTEM, team=team)
    budgets = slo.budgets(objectives, now=now)
    within = slo.counted_within(objectives, sorted(policy.spans), now=now)
    costs, fresh = _costs(objectives, _since(objectives, policy, now=now), now=now)
    rows = []
    for one in objectives:
        grants = {days: grant_events(one.target, counts.valid) for days, counts in within[one.pk].items()}
        bad = {days: counts.bad for days, counts in within[one.pk].items()}
        rows.append(_row(one, budgets.get(one.pk), bad, grants, costs[one.pk], now=now))
    return Found(rows, fresh)


def _row(
    one: Objective,
    budget: Budget | None,
    bad: Mapping[int, int],
    grants: Mapping[int, Fraction],
    costs: Sequence[IncidentCost],
    *,
    now: datetime,
) -> Spending:
    return Spending(
        slo=one.name,
        period_began_at=budget.span.starts_at if budget else now - one.period,
        grant=budget.grant if budget else Fraction(0),
        left=budget.left if budget else None,
        bad_within=bad,
        grant_within=grants,
        incidents=costs,
    )


def _since(objectives: Iterable[Objective], policy: BudgetPolicy, *, now: datetime) -> datetime:
    longest = max([timedelta(days=days) for days in policy.spans] + [one.period for one in objectives], default=None)
    return now - (longest or timedelta(0))


def _costs(
    objectives: Sequence[Objective], since: datetime, *, now: datetime
) -> tuple[Mapping[int, list[IncidentCost]], list[Settled]]:
    by_pk = {one.pk: one for one in objectives}
    rows = Incident.objects.filter(objective__in=objectives, created_at__gt=since, kind=REAL)
    kept = slo.settled(objectives)
    costs: defaultdict[int, list[IncidentCost]] = defaultdict(list)
    fresh = []
    for row in rows.exclude(state__in=_NO_INCIDENT).prefetch_related("breach_links__breach").order_by("created_at"):
        objective = by_pk[row.objective_id or 0]
        began_at, ended_at = _began(row), row.resolved_at
        bad = kept.get((objective.pk, row.ref, ended_at)) if ended_at else None
        if bad is None:
            bad = slo.counted_between(objective, began_at, ended_at or now, now=now).bad
            if ended_at is not None:
                fresh.append(Settled(objective.pk, row.ref, began_at, ended_at, bad))
        costs[objective.pk].append(
            IncidentCost(
                ref=row.ref,
                began_at=row.created_at,
                kind_of=row.category,
                through_dependency=row.outside_our_control,
                bad=bad,
            )
        )
    return costs, fresh


def _began(row: Incident) -> datetime:
    """Since when what it is about went wrong: the window of its first breach, else its own beginning."""
    breaches = [link.breach for link in row.breach_links.all()]
    return min([row.created_at, *(breach.at - breach.window for breach in breaches)])
