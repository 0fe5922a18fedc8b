"""Reads of what was counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import judging, snapshots, windows
from tocsin.slo.models import Objective
from tocsin.slo.windows import Stretch

Judged = tuple[dict[timedelta, WindowCounts], WindowCounts]
"""The trailing windows of an SLO, and its budget period."""


def window_counts(
    objective_ids: Sequence[int], lookbacks: Sequence[timedelta], *, now: datetime
) -> dict[int, dict[timedelta, WindowCounts]]:
    """Events in each trailing window of each objective; one query for each width of bucket (three at most)."""
    stretches = {span: windows.trailing(span, now=now) for span in lookbacks}
    found = windows.sums(objective_ids, stretches.values(), now=now)
    return {one: {span: found[one][stretch] for span, stretch in stretches.items()} for one in objective_ids}


def counts_to_judge(objectives: Sequence[Objective], *, now: datetime) -> dict[int, Judged]:
    """What a verdict on each objective needs, in a handful of queries for all together."""
    asked = {objective.pk: stretches_to_judge(objective, now=now) for objective in objectives}
    everything = {stretch for trailing, period in asked.values() for stretch in (*trailing.values(), period)}
    plain = [objective.pk for objective in objectives if snapshots.slices_of(objective) is None]
    found: dict[int, Mapping[Stretch, WindowCounts]] = dict(windows.sums(plain, everything, now=now))
    for objective in objectives:
        slices = snapshots.slices_of(objective)
        if slices is not None:
            wanted = {stretch: stretch.start for stretch in (*asked[objective.pk][0].values(), asked[objective.pk][1])}
            found[objective.pk] = windows.slice_sums(objective.pk, slices, wanted, now=now)
    return {
        pk: ({span: found[pk][stretch] for span, stretch in trailing.items()}, found[pk][period])
        for pk, (trailing, period) in asked.items()
    }


def stretches_to_judge(objective: Objective, *, now: datetime) -> tuple[dict[timedelta, Stretch], Stretch]:
    """The trailing windows a verdict on an SLO asks for, and its budget period, as stretches of buckets."""
    trailing = {span: windows.trailing(span, now=now) for span in judging.windows_needed(objective)}
    if objective.calendar_start is None:
        return trailing, windows.trailing(objective.period, now=now)
    return trailing, windows.since(snapshots.period_of(objective, now=now).starts_at, now=now)
