"""All SLOs at once, in columns.

Counts live in a ring of cumulative rows, time-major so that a window is the difference of two rows: 380 minutes, 289
quarters of an hour, 721 hours. They are uint32 and wrap around; a difference modulo 2**32 is right as long as one
window holds fewer events than that. About 11 kB for each SLO, whatever its window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from tocsin.core.burn_rate import AllowedRatio, burn_rates
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import FloatArray, IntArray, WindowArrays

Totals = npt.NDArray[np.uint32]

_MINUTE = timedelta(minutes=1)
_TIERS = ((1, 380), (15, 289), (60, 721))  # (minutes a row, rows)

BURN_WINDOWS = tuple(timedelta(minutes=m) for m in (5, 30, 60, 120, 360, 1440, 4320, 10080))
SPEND_WINDOWS = tuple(timedelta(minutes=m) for m in (5, 10, 15, 20, 60))


class _Tier:
    """Rows of running totals, one every ``every`` minutes, the oldest overwritten."""

    def __init__(self, every: int, rows: int, slos: int) -> None:
        self.every, self.rows = every, rows
        self.totals: npt.NDArray[np.uint32] = np.zeros((rows, 2, slos), dtype=np.uint32)

    def write(self, minute: int, totals: Totals) -> None:
        self.totals[minute // self.every % self.rows] = totals

    def reaches(self, minutes: int) -> bool:
        """Whether a window of this length starts on a row that has not been overwritten."""
        return minutes + self.every <= self.rows * self.every

    def at(self, minute: int) -> Totals:
        """Return the totals at the last row at or before a minute."""
        row: Totals = self.totals[minute // self.every % self.rows]
        return row


class FleetRing:
    """Cumulative counts of ``slos`` SLOs over the last 30 days; minutes are counted from the first row.

    Windows up to 379 min are exact. Longer ones start at the last quarter of an hour (up to 3 days) or hour at or
    before their start, so they may be longer by up to that.
    """

    def __init__(self, slos: int) -> None:
        self.slos = slos
        self.minute = 0
        self._now: Totals = np.zeros((2, slos), dtype=np.uint32)
        self._tiers = tuple(_Tier(every, rows, slos) for every, rows in _TIERS)

    @property
    def bytes_per_slo(self) -> float:
        """Return the memory the ring takes for one SLO."""
        return (self._now.nbytes + sum(tier.totals.nbytes for tier in self._tiers)) / max(1, self.slos)

    def append(self, valid: IntArray, bad: IntArray) -> None:
        """Add the counts of the next minute, int64 arrays ``(slos,)``; a minute without data is zeros."""
        if valid.shape != (self.slos,) or bad.shape != (self.slos,):
            raise Invalid({"valid": f"needs {self.slos} rows, as does bad"})
        self.minute += 1
        # Only the low 32 bits count; the cast wraps as the sums do.
        self._now = self._now + np.stack((valid, bad)).astype(np.uint32)
        for tier in self._tiers:
            if self.minute % tier.every == 0:
                tier.write(self.minute, self._now)

    def window(self, span: timedelta) -> WindowArrays:
        """Return every SLO's counts over the last ``span``, as int64 arrays ``(slos,)``.

        A window that begins before the first row is summed over what is there.
        """
        start = self.minute - span // _MINUTE
        if start <= 0:
            return _counts(self._now)
        return _counts(self._now - self._tier(span).at(start))

    def windows(self, spans: tuple[timedelta, ...]) -> dict[timedelta, WindowArrays]:
        """Return several windows, as a rule asks for them."""
        return {span: self.window(span) for span in spans}

    def _tier(self, span: timedelta) -> _Tier:
        minutes = span // _MINUTE
        for tier in self._tiers:
            if tier.reaches(minutes):
                return tier
        raise Invalid({"span": "the ring reaches back 30 days"})


def _counts(totals: Totals) -> WindowArrays:
    wide = totals.astype(np.int64)
    return WindowArrays(valid=wide[0], bad=wide[1])


@dataclass(frozen=True, slots=True, eq=False)
class FleetTick:
    """One tick of a fleet, for display; float arrays ``(slos,)``, NaN where there is nothing to say.

    ``burn``: burn rate per window. ``remaining``: share of the period's grant left. ``spend``: share of the period's
    grant spent in each short window. ``exhaustion_hours``: hours until nothing is left at the pace of the trend window;
    infinite when nothing burns, 0 when nothing is left.
    """

    burn: Mapping[timedelta, FloatArray]
    remaining: FloatArray
    spend: Mapping[timedelta, FloatArray]
    exhaustion_hours: FloatArray


def tick(
    ring: FleetRing,
    allowed: AllowedRatio,
    *,
    period: timedelta = timedelta(days=30),
    trend_window: timedelta = timedelta(hours=1),
) -> FleetTick:
    """Reckon the whole fleet at once. Boundaries are decided elsewhere, exactly, from ``ring.windows``."""
    whole = ring.window(period)
    with np.errstate(divide="ignore", invalid="ignore"):
        grant = np.where(whole.valid > 0, whole.valid * allowed.as_float(), np.nan)
        remaining = 1 - whole.bad / grant
        spend = {span: ring.window(span).bad / grant for span in SPEND_WINDOWS}
        per_hour = ring.window(trend_window).bad / grant / (trend_window / timedelta(hours=1))
        hours = np.maximum(remaining, 0) / per_hour
    hours[remaining <= 0] = 0.0
    hours[(per_hour == 0) & (remaining > 0)] = np.inf
    burn = {span: burn_rates(ring.window(span), allowed) for span in BURN_WINDOWS}
    return FleetTick(burn=burn, remaining=remaining, spend=spend, exhaustion_hours=hours)
