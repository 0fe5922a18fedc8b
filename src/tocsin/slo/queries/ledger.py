"""The ledger of an SLO's budget: its closed periods as they were written down, and the running one as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np

from tocsin.core.access import Actor, Right, require
from tocsin.core.budget_ledger import Account, Charge, Run, account, tile
from tocsin.core.recorded_past import RecordedPast
from tocsin.core.slo_windows import Span, WindowCounts, calendar_window
from tocsin.slo import snapshots
from tocsin.slo.models import Breach, BudgetPeriod, Objective
from tocsin.slo.queries.recorded import recorded_past

LONGEST = timedelta(days=400)
"""How far back periods are reckoned that nobody has written down: hours are kept that long."""
MOST_CHARGES = 50
_LONGEST_WINDOW = timedelta(days=3)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One period of the ledger. `eaten_by` as `BudgetPeriod` keeps it; `closed` is False for the running period."""

    starts_at: datetime
    ends_at: datetime
    closed: bool
    target: str
    valid: int
    bad: int
    granted: float
    spent: float | None
    breaches: int
    coverage: float
    eaten_by: Sequence[dict[str, Any]]

    @property
    def remaining(self) -> float | None:
        return None if self.spent is None else 1 - self.spent

    @property
    def rest(self) -> int:
        """Failures outside of every breach."""
        return self.bad - sum(int(one["bad"]) for one in self.eaten_by)

    @property
    def rest_share(self) -> float | None:
        return self.rest / self.granted if self.granted > 0 else None


def ledger(actor: Actor, objective: Objective, *, now: datetime, limit: int = 60) -> list[Entry]:
    """The periods of an SLO's budget, the running one first, at least a year of them where there is one."""
    require(actor, Right.SLO_READ)
    rows = BudgetPeriod.objects.filter(objective=objective).order_by("-starts_at")[:limit]
    running = period_at(objective, now)
    return [
        _entry(objective, running, now=now),
        *(_of_row(row) for row in rows if row.starts_at < running.starts_at),
    ]


def _entry(objective: Objective, span: Span, *, now: datetime) -> Entry:
    found, coverage, eaten_by = reckoned(objective, span, now=now)
    return Entry(
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        closed=False,
        target=f"{objective.target.normalize():f}",
        valid=found.counts.valid,
        bad=found.counts.bad,
        granted=float(found.granted),
        spent=None if found.spent is None else float(found.spent),
        breaches=sum(charge.run.breaches for charge in found.charges),
        coverage=coverage,
        eaten_by=eaten_by,
    )


def _of_row(row: BudgetPeriod) -> Entry:
    kept = ("starts_at", "ends_at", "valid", "bad", "granted", "spent", "breaches", "coverage", "eaten_by")
    values = {name: getattr(row, name) for name in kept}
    return Entry(closed=True, target=f"{row.target.normalize():f}", **values)


def period_at(objective: Objective, at: datetime) -> Span:
    """The ledger's period that an instant belongs to: the calendar's, or for a rolling one a tile of its length."""
    calendar = snapshots.calendar_of(objective)
    return calendar_window(calendar, now=at + _MOMENT) if calendar else tile(objective.period, now=at)


def reckoned(objective: Objective, span: Span, *, now: datetime) -> tuple[Account, float, list[dict[str, Any]]]:
    """A period's account up to `now`, the share of its minutes that is known, and what ate it as it is kept."""
    end = min(now, span.ends_at)
    past = recorded_past(objective, since=span.starts_at, until=end, lead=timedelta(0))
    breaches = Breach.objects.filter(objective=objective, at__gt=span.starts_at, at__lte=end).order_by("at")
    grouped = [list(group) for _, group in groupby(breaches, key=lambda breach: breach.episode)]
    failed = np.concatenate([[0], np.cumsum(past.bad)])

    def between(start: datetime, until: datetime) -> int:
        return int(failed[_place(past, until)] - failed[_place(past, start)])

    counts = WindowCounts(int(past.valid.sum()), int(past.bad.sum()))
    runs = [_run(group) for group in grouped]
    found = account(Span(span.starts_at, end), runs, between, counts=counts, target=objective.target)
    first = {group[0].episode: group[0] for group in grouped}
    coverage = float(past.known.mean()) if past.known.size else 0.0
    return found, coverage, [_kept(charge, first) for charge in found.charges[:MOST_CHARGES]]


def _place(past: RecordedPast, at: datetime) -> int:
    """How many of the minutes lie before an instant, the one it lies in included."""
    minutes = -((past.starts_at - at) // timedelta(minutes=1))
    return min(max(minutes, 0), past.minutes)


def _run(group: Sequence[Breach]) -> Run:
    longest = min(max(breach.window for breach in group), _LONGEST_WINDOW)
    return Run(group[0].episode, group[0].at, group[-1].at, len(group), longest)


def _kept(charge: Charge, first: dict[int, Breach]) -> dict[str, Any]:
    breach = first[charge.run.episode]
    return {
        "episode": charge.run.episode,
        "from": charge.starts_at.isoformat(),
        "until": charge.ends_at.isoformat(),
        "breaches": charge.run.breaches,
        "bad": charge.bad,
        "share": None if charge.share is None else float(charge.share),
        "priority": breach.priority,
        "priority_state": breach.priority_state,
    }
