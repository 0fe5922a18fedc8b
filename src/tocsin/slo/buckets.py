"""Events counted by the minute, the quarter of an hour and the hour, in as few statements as there are batches.

Every event is added to all three widths at once, so a long window costs a few hundred rows and still ends at the
present minute. Both databases take the same SQL.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Least

from tocsin.core.slo_windows import EPOCH
from tocsin.platform import db
from tocsin.slo import minutes
from tocsin.slo.models import Bucket, DayOfMinutes, ObjectiveState

MINUTE, QUARTER, HOUR = 60, 900, 3600
WIDTHS = (MINUTE, QUARTER, HOUR)

# How long each width is kept. Minutes serve windows up to six hours and the burn-rate picture of some days; hours
# serve the budget and the strip of ninety days.
KEPT: Mapping[int, timedelta] = {
    MINUTE: timedelta(days=3, hours=1),
    QUARTER: timedelta(days=4),
    HOUR: timedelta(days=400),
}
PACKED_KEPT = timedelta(days=125)  # a replay reaches back 90 days, and fills a window of a month before that

Key = tuple[int, int, int]
"""(objective id, width in seconds, start in seconds since the epoch)"""

_TABLE = Bucket._meta.db_table  # noqa: SLF001 - the table's name, from Django's own meta
_STATE = ObjectiveState._meta.db_table  # noqa: SLF001 - see above
_ROWS_A_STATEMENT = 5000  # five parameters a row; SQLite takes 32,766


def epoch_seconds(instant: datetime) -> int:
    """Whole seconds since the epoch, rounded down."""
    return (instant - EPOCH) // timedelta(seconds=1)


def floor_to(seconds: int, width: int) -> int:
    return seconds - seconds % width


def spread(objective_id: int, second: int, *, narrowest: int = MINUTE) -> list[Key]:
    """The buckets an event at `second` belongs to, from `narrowest` up."""
    return [(objective_id, width, floor_to(second, width)) for width in WIDTHS if width >= narrowest]


def merged(events: Iterable[tuple[Key, int, int]]) -> dict[Key, tuple[int, int]]:
    """Sum (key, good, bad) by key; one statement may not touch a row twice."""
    sums: defaultdict[Key, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for key, good, bad in events:
        former = sums[key]
        sums[key] = (former[0] + good, former[1] + bad)
    return dict(sums)


def add(changes: Mapping[Key, tuple[int, int]]) -> None:
    """Add (good, bad) to each bucket, making those that are missing. Corrections may be negative."""
    _touch(changes)
    growing = {key: change for key, change in changes.items() if change[0] >= 0 and change[1] >= 0}
    # The insert half of an upsert is checked before the conflict is seen, so a correction downwards must be an update.
    shrinking = [(good, bad, *key) for key, (good, bad) in changes.items() if key not in growing]
    ordered = [(*key, *change) for key, change in sorted(growing.items())]  # one order for all: no deadlock
    with connection.cursor() as cursor:
        for begin in range(0, len(ordered), _ROWS_A_STATEMENT):
            rows = ordered[begin : begin + _ROWS_A_STATEMENT]
            cursor.execute(_upsert(len(rows)), [value for row in rows for value in row])
        if shrinking:
            cursor.executemany(_UPDATE, shrinking)


def _touch(keys: Iterable[Key]) -> None:
    """Give the counts of these objectives a new version and note how far back they were touched.

    It comes before the buckets, so that whoever holds an SLO's row knows that nobody else is adding to it.
    """
    earliest: dict[int, int] = {}
    for objective_id, _, start in keys:
        earliest[objective_id] = min(start, earliest.get(objective_id, start))
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for objective_id, start in sorted(earliest.items()):
        alike[floor_to(start, HOUR)].append(objective_id)
    if connection.vendor == "postgresql" and earliest:
        list(db.lock(ObjectiveState.objects.filter(pk__in=earliest).order_by("pk")).values_list("pk", flat=True))
    version = secrets.randbits(62) + 1
    for since, ids in sorted(alike.items()):
        for begin in range(0, len(ids), _ROWS_A_STATEMENT):
            ObjectiveState.objects.filter(pk__in=ids[begin : begin + _ROWS_A_STATEMENT]).update(
                counts_version=version, counts_from=Least(Coalesce(F("counts_from"), since), since)
            )


def _upsert(rows: int) -> str:
    values = ", ".join(["(%s, %s, %s, %s, %s)"] * rows)
    return (
        f"INSERT INTO {_TABLE} (objective_id, width, start, good, bad) VALUES {values} "  # noqa: S608 - the table is ours
        f"ON CONFLICT (objective_id, width, start) DO UPDATE "
        f"SET good = {_TABLE}.good + excluded.good, bad = {_TABLE}.bad + excluded.bad"
    )


_UPDATE = (
    f"UPDATE {_TABLE} SET good = good + %s, bad = bad + %s "  # noqa: S608 - the table is ours
    "WHERE objective_id = %s AND width = %s AND start = %s"
)


def note_data(latest: Mapping[int, datetime]) -> None:
    """Remember for each objective when its newest data are from; older data change only the first moment."""
    if not latest:
        return
    ordered = sorted(latest.items())
    for begin in range(0, len(ordered), _ROWS_A_STATEMENT):
        _note_data(ordered[begin : begin + _ROWS_A_STATEMENT])


def _note_data(latest: Sequence[tuple[int, datetime]]) -> None:
    instant = "CAST(%s AS timestamptz)" if connection.vendor == "postgresql" else "%s"
    number = "CAST(%s AS bigint)" if connection.vendor == "postgresql" else "%s"
    values = ", ".join([f"({number}, {instant})"] * len(latest))
    parameters: list[int | str | None] = []
    for objective_id, at in latest:
        parameters += [objective_id, connection.ops.adapt_datetimefield_value(at)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_STATE} SET "  # noqa: S608 - the table is ours
            "first_data_at = CASE WHEN first_data_at IS NULL OR seen.column2 < first_data_at "
            "THEN seen.column2 ELSE first_data_at END, "
            "last_data_at = CASE WHEN last_data_at IS NULL OR seen.column2 > last_data_at "
            "THEN seen.column2 ELSE last_data_at END "
            f"FROM (VALUES {values}) AS seen WHERE objective_id = seen.column1",
            parameters,
        )


def minute_counts(objective_ids: Sequence[int], since: int, until: int) -> dict[Key, tuple[int, int]]:
    """The minutes of [since, until) that are there."""
    found: dict[Key, tuple[int, int]] = {}
    for begin in range(0, len(objective_ids), _ROWS_A_STATEMENT):
        some = objective_ids[begin : begin + _ROWS_A_STATEMENT]
        rows = Bucket.objects.filter(objective_id__in=some, width=MINUTE, start__gte=since, start__lt=until)
        for objective_id, start, good, bad in rows.values_list("objective_id", "start", "good", "bad"):
            found[objective_id, MINUTE, start] = good, bad
    return found


def replace_minutes(counts: Mapping[tuple[int, int], tuple[int, int]]) -> int:
    """Set minutes to what a source says now: (objective id, start) -> (good, bad). Asking again doubles nothing.

    The wider buckets move by the difference. Returns how many minutes changed.
    """
    if not counts:
        return 0
    starts = [start for _, start in counts]
    known = minute_counts(sorted({one for one, _ in counts}), min(starts), max(starts) + MINUTE)
    changes = []
    for (objective_id, start), (good, bad) in counts.items():
        former = known.get((objective_id, MINUTE, start))
        if former == (good, bad):
            continue
        before = former or (0, 0)
        changes += [(key, good - before[0], bad - before[1]) for key in spread(objective_id, start)]
    add(merged(changes))
    return len(changes) // len(WIDTHS)


def prune(slos: Iterable[tuple[int, timedelta, bool]], *, now: datetime) -> int:
    """Drop what no window and no picture of these SLOs needs any more: (id, budget period, judged by time slices).

    An SLO judged by time slices needs its minutes for the whole budget period. Minutes go by whole days, and are packed
    before they go, so that a replay still has them. As many statements for many SLOs as for one. Returns how many rows
    went.
    """
    outdated: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for objective_id, period, sliced in slos:
        for width, kept in KEPT.items():
            span = max(kept, period + timedelta(days=1)) if width == HOUR or (sliced and width == MINUTE) else kept
            before = epoch_seconds(now - span)
            outdated[width, floor_to(before, minutes.DAY) if width == MINUTE else before].append(objective_id)
    gone = 0
    for (width, before), ids in sorted(outdated.items()):
        rows = Bucket.objects.filter(objective_id__in=ids, width=width, start__lt=before)
        gone += _pack_minutes(rows) if width == MINUTE else rows.delete()[0]
    seen = {objective_id for ids in outdated.values() for objective_id in ids}
    oldest = epoch_seconds(now - PACKED_KEPT) // minutes.DAY
    DayOfMinutes.objects.filter(objective_id__in=seen, day__lt=oldest).delete()
    return gone


def _pack_minutes(found: QuerySet[Bucket]) -> int:
    ordered = found.order_by("objective_id", "start")
    rows = list(db.lock(ordered).values_list("pk", "objective_id", "start", "good", "bad"))
    minutes.keep(row[1:] for row in rows)
    for begin in range(0, len(rows), _ROWS_A_STATEMENT):
        keys = [row[0] for row in rows[begin : begin + _ROWS_A_STATEMENT]]
        Bucket.objects.filter(pk__in=keys).delete()
    return len(rows)
