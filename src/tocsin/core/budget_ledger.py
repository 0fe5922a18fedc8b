"""What became of a budget in one period, and what ate it.

Each run of neighbouring breaches is charged with everything that failed from the beginning of the window in which it was
first seen to its last breach; no failure is charged twice, and what lies in no run is the everyday rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tocsin.core.error_budget import depletion, grant_events
from tocsin.core.slo_windows import EPOCH, Span, WindowCounts


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring breaches: their number, the first and the last, how many, and the longest window they spoke of."""

    episode: int
    first_at: datetime
    last_at: datetime
    breaches: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Charge:
    """What one run ate: ``bad`` events from ``starts_at`` to ``ends_at``, and their share of the grant."""

    run: Run
    starts_at: datetime
    ends_at: datetime
    bad: int
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Account:
    """A period's budget: ``granted`` events might fail, ``counts.bad`` did. ``charges`` has what ate most first."""

    span: Span
    counts: WindowCounts
    granted: Fraction
    charges: tuple[Charge, ...]

    @property
    def spent(self) -> Fraction | None:
        """The share of the grant that is gone, above 1 when overspent; None where nothing was granted."""
        return self.share(self.counts.bad)

    @property
    def rest(self) -> int:
        """Failures that belong to no breach."""
        return self.counts.bad - sum(charge.bad for charge in self.charges)

    def share(self, bad: int) -> Fraction | None:
        """Which share of the grant so many failures are."""
        return depletion(self.granted, bad) if self.granted > 0 else None


def tile(period: timedelta, *, now: datetime) -> Span:
    """Return the stretch of a rolling period's length that ``now`` lies in, counted from the epoch.

    A rolling budget has no periods of its own; the ledger needs some that never overlap and are the same for everybody.
    """
    starts_at = EPOCH + (now - EPOCH) // period * period
    return Span(starts_at, starts_at + period)


def account(
    span: Span,
    runs: Sequence[Run],
    failed: Callable[[datetime, datetime], int],
    *,
    counts: WindowCounts,
    target: Decimal,
) -> Account:
    """Charge what failed in ``span`` to ``runs``, oldest first; ``failed`` counts the failures between two moments."""
    granted = grant_events(target, counts.valid)
    charges: list[Charge] = []
    taken_until = span.starts_at
    for run in runs:
        starts_at = max(run.first_at - run.window, taken_until)
        ends_at = min(max(run.last_at, starts_at), span.ends_at)
        bad = failed(starts_at, ends_at)
        share = depletion(granted, bad) if granted > 0 else None
        charges.append(Charge(run, starts_at, ends_at, bad, share))
        taken_until = ends_at
    charges.sort(key=lambda charge: (-charge.bad, charge.starts_at))
    return Account(span, counts, granted, tuple(charges))
