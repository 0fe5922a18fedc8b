"""Writing down what became of a budget when its period is over, so that it can be told after the counts are gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from tocsin.core.slo_windows import Span
from tocsin.slo.models import BudgetPeriod, Objective
from tocsin.slo.queries.ledger import LONGEST, period_at, reckoned

LATE_COUNTS = timedelta(hours=1)
"""How long a period that is over waits for counts that come late."""


def close_periods(after: int, *, now: datetime, limit: int = 200) -> tuple[int | None, int]:
    """Write down the periods that are over of up to `limit` SLOs with an id above `after`, at most one SLO's at a time.

    Returns the last id looked at (None when there was none left) and how many periods were written.
    """
    latest = BudgetPeriod.objects.filter(objective=OuterRef("pk")).values("objective")
    rows = Objective.objects.filter(pk__gt=after, state__first_data_at__isnull=False).select_related("state")
    found = list(
        rows.annotate(written_until=Subquery(latest.annotate(last=Max("ends_at")).values("last"))).order_by("pk")[
            :limit
        ]
    )
    written = 0
    for objective in found:
        written += _close(objective, objective.written_until, now=now)
        if written:  # one SLO's history is work enough for one turn
            return objective.pk, written
    return (found[-1].pk if found else None), written


def _close(objective: Objective, written_until: datetime | None, *, now: datetime) -> int:
    """Write down what is over and not written yet, oldest first; a node that writes the same does no harm."""
    since = written_until or objective.state.first_data_at
    if since is None:
        return 0
    start = max(since, now - LONGEST)
    if objective.retired_at is not None and start > objective.retired_at:
        return 0
    rows = []
    span = period_at(objective, start)
    while span.ends_at + LATE_COUNTS <= now:
        rows.append(_row(objective, span, now=now))
        span = period_at(objective, span.ends_at)
    if rows:
        with transaction.atomic():
            BudgetPeriod.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _row(objective: Objective, span: Span, *, now: datetime) -> BudgetPeriod:
    found, coverage, eaten_by = reckoned(objective, span, now=now)
    return BudgetPeriod(
        objective=objective,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        target=objective.target,
        valid=found.counts.valid,
        bad=found.counts.bad,
        granted=float(found.granted),
        spent=None if found.spent is None else float(found.spent),
        breaches=sum(charge.run.breaches for charge in found.charges),
        coverage=coverage,
        eaten_by=eaten_by,
        closed_at=now,
    )
