"""A day of minutes in one row: what a replay of the past needs, at a fiftieth of the room that buckets take.

Buckets of a minute give way after some days, because the evaluator needs no more. Before they go they are packed: 1,440
numbers of events and 1,440 of failures, byte planes of little-endian integers, deflated. Counts that come late are added
to the day they belong to.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from tocsin.core.slo_windows import IntArray
from tocsin.slo.models import DayOfMinutes

DAY = 86_400
MINUTES = 1440
Minute = tuple[int, int, int]
"""(start in seconds, good, bad)"""


def keep(counted: Iterable[tuple[int, int, int, int]]) -> None:
    """Add minutes that are about to go, (objective id, start, good, bad), to the days they belong to.

    Inside the caller's transaction.
    """
    by_day: defaultdict[tuple[int, int], list[Minute]] = defaultdict(list)
    for objective_id, *minute in counted:
        by_day[objective_id, minute[0] // DAY].append((minute[0], minute[1], minute[2]))
    if not by_day:
        return
    slos, days = ({key[part] for key in by_day} for part in (0, 1))
    found = DayOfMinutes.objects.filter(objective_id__in=slos, day__in=days)
    kept = {(row.objective_id, row.day): row for row in found}
    packed = [
        DayOfMinutes(objective_id=key[0], day=key[1], counts=_added(kept.get(key), rows))
        for key, rows in sorted(by_day.items())
    ]
    DayOfMinutes.objects.bulk_create(
        packed, update_conflicts=True, update_fields=["counts"], unique_fields=["objective", "day"]
    )


def _added(row: DayOfMinutes | None, minutes: Iterable[Minute]) -> bytes:
    counts = np.zeros((2, MINUTES), dtype=np.int64) if row is None else unpack(bytes(row.counts))
    for start, good, bad in minutes:
        place = start % DAY // 60
        counts[0, place] += good + bad
        counts[1, place] += bad
    return pack(counts)


def pack(counts: IntArray) -> bytes:
    """Pack int64 ``(2, 1440)``: events and failures of each minute."""
    width = 4 if int(counts.max(initial=0)) < 2**32 else 8
    narrow = np.ascontiguousarray(counts, dtype=f"<u{width}")
    planes = narrow.view(np.uint8).reshape(-1, width).T
    return bytes([width]) + zlib.compress(planes.tobytes(), 6)


def unpack(packed: bytes) -> IntArray:
    """Read what `pack` wrote."""
    width = packed[0]
    planes = np.frombuffer(zlib.decompress(packed[1:]), dtype=np.uint8).reshape(width, -1)
    return np.ascontiguousarray(planes.T).view(f"<u{width}").reshape(2, MINUTES).astype(np.int64)
