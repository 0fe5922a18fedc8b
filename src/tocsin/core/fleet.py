"""The counts of many SLOs side by side, so that a window of all of them is the difference of two rows.

Three tiers hold running totals by the minute, the quarter of an hour and the hour, time-major: a row is one moment of
every SLO. Totals are kept modulo 2**32 (or 2**64), and so is their difference, which is right as long as one window
holds fewer events than that. Which bucket a window begins at is decided elsewhere; here are only sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import IntArray, WindowArrays

Places = npt.NDArray[np.intp] | slice
Totals = npt.NDArray[np.unsignedinteger]

MINUTE, QUARTER, HOUR = 60, 900, 3600
# What the longest window of each tier reaches back, the row before it, and some for a clock that lags behind another.
MINUTES, QUARTERS = 380, 292
HOURS_OF_A_MONTH = 31 * 24


def tier_rows(hours: int) -> tuple[tuple[int, int], ...]:
    """(seconds a row, rows) of each tier, for budget periods that need so many hours."""
    return (MINUTE, MINUTES), (QUARTER, QUARTERS), (HOUR, hours)


@dataclass(frozen=True, slots=True, eq=False)
class BucketRows:
    """Counted buckets of one width in no order: ``slo`` numbers the SLOs of a call, ``start`` is in seconds."""

    slo: npt.NDArray[np.intp]
    start: IntArray
    valid: IntArray
    bad: IntArray


class Tier:
    """Running totals of one width of bucket; row ``n % rows`` holds everything up to and including bucket ``n``.

    ``totals`` has the shape ``(rows, 2, slos)``; ``head`` is one int64 cell with the newest bucket, -1 before the
    first. Both may lie in a file.
    """

    def __init__(self, width: int, totals: Totals, head: IntArray) -> None:
        self.width, self.totals, self._head = width, totals, head
        self.rows = totals.shape[0]

    @property
    def head(self) -> int:
        return int(self._head[0])

    def advance(self, second: int) -> None:
        """Let the running bucket be the one of ``second``; what is between has no events yet. Never goes back."""
        bucket, head = second // self.width, self.head
        if bucket <= head:
            return
        if head >= 0:
            last = self.totals[head % self.rows].copy()
            for row in range(bucket - min(bucket - head, self.rows) + 1, bucket + 1):
                self.totals[row % self.rows] = last
        self._head[0] = bucket

    def reaches(self, start: int, second: int) -> bool:
        """Whether a window from bucket ``start`` to that of ``second`` (both in seconds) lies in here."""
        return start // self.width - 1 > self.head - self.rows and second // self.width <= self.head

    def window(self, start: int, second: int, places: Places) -> WindowArrays:
        """The events from the bucket of ``start`` to that of ``second``, both included: int64 arrays ``(n,)``."""
        if not self.reaches(start, second):
            raise Invalid({"start": "lies before what is remembered"})
        upto = self.totals[second // self.width % self.rows]
        before = self.totals[(start // self.width - 1) % self.rows]
        found = (upto[:, places] - before[:, places]).astype(np.int64)
        return WindowArrays(valid=found[0], bad=found[1])

    def replace(self, places: npt.NDArray[np.intp], counts: BucketRows) -> IntArray:
        """Forget what was known of these places and take ``counts``; returns how many events each has in here."""
        first = self.head - self.rows + 1
        row = counts.start // self.width - first
        inside = (row >= 0) & (row < self.rows)
        dense = np.zeros((self.rows, 2, places.size), dtype=np.int64)
        dense[row[inside], 0, counts.slo[inside]] = counts.valid[inside]
        dense[row[inside], 1, counts.slo[inside]] = counts.bad[inside]
        sums = dense.cumsum(axis=0)
        order: npt.NDArray[np.intp] = np.arange(first, self.head + 1, dtype=np.intp) % self.rows
        self.totals[order[:, None, None], np.arange(2)[None, :, None], places[None, None, :]] = sums.astype(
            self.totals.dtype
        )
        return np.asarray(sums[-1, 0])

    def change(self, places: npt.NDArray[np.intp], counts: BucketRows) -> IntArray:
        """Let these buckets be as given and all others stay; returns by how much each place may have grown.

        ``counts.slo`` points into ``places``. Meant for the newest buckets: each row from a bucket on is written.
        """
        grown = np.zeros(places.size, dtype=np.int64)
        bucket = counts.start // self.width
        for number in np.unique(bucket).tolist():
            if not self.head - self.rows + 1 < number <= self.head:
                continue
            here = bucket == number
            at = places[counts.slo[here]]
            given = np.stack((counts.valid[here], counts.bad[here]))
            known = self.totals[number % self.rows][:, at] - self.totals[(number - 1) % self.rows][:, at]
            difference = given.astype(self.totals.dtype) - known
            for row in range(number, self.head + 1):
                self.totals[row % self.rows][:, at] += difference
            grown[counts.slo[here]] += np.maximum(counts.valid[here] - known[0].astype(np.int64), 0)
        return grown


class Columns:
    """The three tiers of a block of SLOs."""

    def __init__(self, tiers: Sequence[Tier]) -> None:
        self._tiers = {tier.width: tier for tier in tiers}

    @classmethod
    def empty(cls, slos: int, *, hours: int = HOURS_OF_A_MONTH, dtype: npt.DTypeLike = np.uint32) -> "Columns":
        """Columns in memory."""
        return cls(
            [
                Tier(width, np.zeros((rows, 2, slos), dtype=dtype), np.full(1, -1, dtype=np.int64))
                for width, rows in tier_rows(hours)
            ]
        )

    def tier(self, width: int) -> Tier:
        return self._tiers[width]

    def advance(self, second: int) -> None:
        """Let the running buckets be those of ``second``."""
        for tier in self._tiers.values():
            tier.advance(second)

    @property
    def nbytes(self) -> int:
        return sum(tier.totals.nbytes for tier in self._tiers.values())
