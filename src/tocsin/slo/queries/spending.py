"""What a team's SLOs have spent of their budgets, over whatever stretch an agreement asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import judging, snapshots, windows
from tocsin.slo.buckets import epoch_seconds, floor_to
from tocsin.slo.judging import Budget
from tocsin.slo.models import Health, Objective, ObjectiveState
from tocsin.slo.queries.counts import counts_to_judge
from tocsin.slo.queries.series import slots

_UNKNOWN = frozenset({Health.NO_DATA, Health.INVALID})


def budgets(objectives: Sequence[Objective], *, now: datetime) -> dict[int, Budget]:
    """The budget of each SLO's period; those of which nothing is known now are absent."""
    states = ObjectiveState.objects.filter(objective__in=objectives).values_list("objective_id", "health")
    known = {pk for pk, health in states if health not in _UNKNOWN}
    judged = counts_to_judge(objectives, now=now)
    return {one.pk: judging.budget_of(one, judged[one.pk][1], now=now) for one in objectives if one.pk in known}


def counted_within(
    objectives: Sequence[Objective], days: Sequence[int], *, now: datetime
) -> dict[int, Mapping[int, WindowCounts]]:
    """Events (or slices) of the last so many days, for each SLO."""
    stretches = {count: windows.trailing(timedelta(days=count), now=now) for count in days}
    if not stretches:
        return {one.pk: {} for one in objectives}
    plain = [one.pk for one in objectives if snapshots.slices_of(one) is None]
    found: dict[int, Mapping[windows.Stretch, WindowCounts]] = dict(windows.sums(plain, stretches.values(), now=now))
    for one in objectives:
        slices = snapshots.slices_of(one)
        if slices is not None:
            starts = {stretch: stretch.start for stretch in stretches.values()}
            found[one.pk] = windows.slice_sums(one.pk, slices, starts, now=now)
    return {one.pk: {count: found[one.pk][stretch] for count, stretch in stretches.items()} for one in objectives}


def counted_between(objective: Objective, start: datetime, end: datetime, *, now: datetime) -> WindowCounts:
    """What was counted from `start` until `end`, in whole buckets: minutes for six hours back, then quarters, then hours."""
    width = windows.width_for(now - start)
    found = slots(objective, width, floor_to(epoch_seconds(start), width), now=now)
    return sum((counts for begins, counts in found.items() if begins < epoch_seconds(end)), start=WindowCounts(0, 0))
