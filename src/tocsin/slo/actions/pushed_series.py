"""Taking pushed counters in: from samples of series to whole events in the minutes of SLOs.

Good and total come as separate series, sometimes in separate requests. What one of them grew by waits until every
other living series of the SLO has come as far, because a total without its good events would look like failures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.core import counter_growth
from tocsin.core.counter_growth import Stand
from tocsin.core.slo_windows import EPOCH
from tocsin.platform import db
from tocsin.platform.bulk import update_many
from tocsin.slo import buckets, pulling
from tocsin.slo.actions.counting import mark_invalid
from tocsin.slo.models import Objective, ObjectiveState, PushedGrowth, PushedSeries
from tocsin.slo.prometheus import Moments
from tocsin.slo.pulling import Answer
from tocsin.slo.pushed_series import Series

MOST_SERIES = 2_000
"""Series that one SLO may be counted from; more is a label that should not be there."""
SLOWEST_MS = 90_000
"""A series this far behind the newest one is not waited for, and sooner if it used to come more often."""
_PATIENCE_MS = 15_000
FORGOTTEN_MS = 24 * 3600 * 1000
_MINUTE_MS = 60_000
_ROLES = ("good", "bad", "total")


@dataclass(slots=True)
class _Progress:
    """An SLO while its series are taken in."""

    state: ObjectiveState
    growth: PushedGrowth
    rows: dict[tuple[str, str], PushedSeries]
    changed: dict[tuple[str, str], PushedSeries] = field(default_factory=dict)
    waiting: defaultdict[tuple[int, str], float] = field(default_factory=lambda: defaultdict(float))
    wrong: str = ""
    lost: dict[str, int] = field(default_factory=dict)  # by series; one may count as good and in total


def take_series(sent: Sequence[tuple[int | None, Sequence[Series]]], *, now: datetime) -> set[int]:
    """Count what senders (each bound to a service, or to none) sent, inside the caller's transaction.

    Returns the SLOs that got counts or are known to be invalid now; an SLO that was retired or moved takes nothing.
    """
    ids = {pk for _, series in sent for one in series for pk, _ in one.counts_for}
    found = _progress(sorted(ids))
    for service_id, series in sent:
        for one in series:
            for pk, role in one.counts_for:
                if pk in found and service_id in (None, found[pk].state.objective.service_id):
                    _take_one(found[pk], role, one)
    touched = {pk for pk, progress in found.items() if _count(progress, now=now)}
    _save(found.values())
    wrong = {pk: progress.wrong for pk, progress in found.items() if progress.wrong}
    mark_invalid(wrong, now=now)
    lost = [(one.state.late_samples + sum(one.lost.values()), now, pk) for pk, one in found.items() if one.lost]
    update_many(ObjectiveState, ["late_samples", "late_at"], lost)
    return touched | wrong.keys()


def _progress(ids: Sequence[int]) -> dict[int, _Progress]:
    states = ObjectiveState.objects.filter(objective_id__in=ids, objective__retired_at=None)
    locked = list(db.lock(states.select_related("objective").order_by("objective_id")))
    growths = {row.pk: row for row in PushedGrowth.objects.filter(objective_id__in=ids)}
    rows: defaultdict[int, dict[tuple[str, str], PushedSeries]] = defaultdict(dict)
    for row in PushedSeries.objects.filter(objective_id__in=ids):
        rows[row.objective_id][row.role, row.key] = row
    found = {}
    for state in locked:
        growth = growths.get(state.pk) or PushedGrowth(objective_id=state.pk)
        progress = _Progress(state, growth, rows[state.pk])
        progress.waiting.update({(int(at), role): float(events) for at, role, events in growth.waiting})
        found[state.pk] = progress
    return found


def _take_one(progress: _Progress, role: str, series: Series) -> None:
    name = series.names[0][:100]
    if series.problem:
        progress.wrong = f"the counter {name} cannot be counted: {series.problem}"
        return
    key = series.key
    row = progress.rows.get((role, key))
    if row is None and len(progress.rows) >= MOST_SERIES:
        progress.wrong = f"more than {MOST_SERIES} series count for this SLO; {name} has a label that changes too often"
        return
    stand = None if row is None else Stand(row.at, row.value, row.start, row.stale)
    read = counter_growth.delta if series.delta else counter_growth.cumulative
    grown = read(stand, series.samples())
    if grown.lost:
        progress.lost[key] = grown.lost
    if grown.invalid:
        progress.wrong = f"the counter {name} sent {grown.invalid} values that are no counts"
    for at, events in grown.grown:
        progress.waiting[at, role] += events
    if grown.stand is not None and grown.stand != stand:
        row = row or PushedSeries(objective_id=progress.state.pk, role=role, key=key)
        row.gap = grown.stand.at - stand.at if stand is not None and grown.stand.at > stand.at else row.gap
        row.at, row.value, row.start, row.stale = (
            grown.stand.at,
            grown.stand.value,
            grown.stand.start,
            grown.stand.stale,
        )
        progress.rows[role, key] = progress.changed[role, key] = row


def _count(progress: _Progress, *, now: datetime) -> bool:
    """Count what every living series has come as far as; whether that was anything."""
    ready = _ready(progress)
    if not ready:
        return False
    now_ms = int((now - EPOCH) / timedelta(milliseconds=1))
    spans = _by_minute(ready, now_ms=now_ms)
    asked = _asked(progress.state.objective)
    moments = Moments(min(spans), max(spans), buckets.MINUTE)
    answer = {
        role: {end: events.get(role, 0.0) for end, events in spans.items()} if role in asked else None
        for role in _ROLES
    }
    state = progress.state
    counted = pulling.counted(
        Answer(answer["good"], answer["bad"], answer["total"]),
        moments,
        rests=(state.rest_good, state.rest_bad),
        final=moments.last,
    )
    state.rest_good, state.rest_bad = counted.rest_good, counted.rest_bad
    progress.wrong = progress.wrong or counted.invalid
    buckets.add(
        buckets.merged(
            (key, good, bad) for start, (good, bad) in counted.counts.items() for key in buckets.spread(state.pk, start)
        )
    )
    newest = min(now_ms, max(at for at, _ in ready))
    if counted.counts:
        buckets.note_data({state.pk: EPOCH + timedelta(milliseconds=newest)})
    return True


def _ready(progress: _Progress) -> dict[tuple[int, str], float]:
    """Take from what waits everything up to the slowest of the living series."""
    rows = progress.rows.values()
    newest = max((row.at for row in rows), default=0)
    horizon = min((row.at for row in rows if _is_waited_for(row, newest)), default=newest)
    ready = {key: events for key, events in progress.waiting.items() if key[0] <= horizon}
    for key in ready:
        del progress.waiting[key]
    return ready


def _is_waited_for(row: PushedSeries, newest: int) -> bool:
    """Whether a series still comes: it missed no more than one of its rounds."""
    patience = min(SLOWEST_MS, 2 * row.gap + _PATIENCE_MS) if row.gap else SLOWEST_MS
    return not row.stale and row.at > newest - patience


def _by_minute(ready: Mapping[tuple[int, str], float], *, now_ms: int) -> dict[int, dict[str, float]]:
    """Events by the end of their minute in seconds; a sample at its very end still belongs to it.

    What is dated later than now counts as now, so that a fast clock hides nothing.
    """
    spans: defaultdict[int, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (at, role), events in ready.items():
        end = -(-min(at, now_ms) // _MINUTE_MS) * buckets.MINUTE
        spans[end][role] += events
    return {end: dict(events) for end, events in spans.items()}


def _asked(objective: Objective) -> set[str]:
    return {role for role in _ROLES if getattr(objective, f"{role}_query")}


def _save(found: Iterable[_Progress]) -> None:
    progress = list(found)
    for one in progress:
        one.growth.waiting = [[at, role, events] for (at, role), events in sorted(one.waiting.items())]
        newest = max((row.at for row in one.rows.values()), default=0)
        old = [row.pk for row in one.rows.values() if row.pk is not None and row.at < newest - FORGOTTEN_MS]
        if old:
            PushedSeries.objects.filter(pk__in=old).delete()
    PushedGrowth.objects.bulk_create(
        [one.growth for one in progress],
        update_conflicts=True,
        update_fields=["waiting"],
        unique_fields=["objective"],
    )
    PushedSeries.objects.bulk_create(
        [row for one in progress for row in one.changed.values() if row.pk is None], batch_size=500
    )
    PushedSeries.objects.bulk_update(
        [row for one in progress for row in one.changed.values() if row.pk is not None],
        ["at", "value", "start", "stale", "gap"],
        batch_size=500,
    )
    update_many(
        ObjectiveState,
        ["rest_good", "rest_bad"],
        [(one.state.rest_good, one.state.rest_bad, one.state.pk) for one in progress],
    )
