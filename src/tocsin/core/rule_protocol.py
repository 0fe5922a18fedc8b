"""What every alert rule offers, and the few lines all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tocsin.core.alert_latch import Heat, Latch, Urgency
from tocsin.core.burn_rate import AllowedRatio, burn_rate
from tocsin.core.slo_windows import BoolArray, IntArray, WindowArrays, WindowCounts

HeatArray = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Unit:
    """What an SLO counts, in a word, and how many ``parts`` of the whole numbers kept of it make one.

    A share of a slice is no whole number; it is kept in parts, so that sums stay exact.
    """

    word: str = "events"
    parts: int = 1

    def shown(self, count: int) -> str:
        """Return a count as people read it."""
        if self.parts == 1:
            return f"{count:,}"
        return f"{count / self.parts:,.2f}".rstrip("0").rstrip(".")


EVENTS = Unit()


class Rule(Protocol):
    """A rule for one SLO: a pure condition over window sums, and the latches it drives.

    ``every`` is its evaluation grid (None: each step), ``own_window`` the window whose error ratio makes a breach,
    ``latches`` its alerts from the most urgent down; several of one urgency are one alert.
    """

    @property
    def name(self) -> str: ...
    @property
    def every(self) -> timedelta | None: ...
    @property
    def own_window(self) -> timedelta: ...
    @property
    def latches(self) -> tuple[tuple[Urgency, Latch], ...]: ...

    def windows(self) -> tuple[timedelta, ...]:
        """Return the lookback windows whose counts the rule needs."""
        ...

    def heats(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> tuple[HeatArray, ...]:
        """Return one int8 array of ``Heat`` for each latch, shape ``(n,)``: steps of a replay, or SLOs of a fleet."""
        ...

    def may_burn(self, sums: Mapping[timedelta, WindowArrays], allowed: AllowedRatio) -> BoolArray:
        """Return where ``heats`` could show BURNING: never misses one, may name some that do not. Cheap."""
        ...

    def explain(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> str:
        """Say in one sentence what was measured against what."""
        ...

    def speaks_of(self, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency) -> timedelta:
        """Return the window whose figures ``explain`` puts first."""
        ...


def heats(burning: BoolArray, *, calm: BoolArray, valid: IntArray) -> HeatArray:
    """Fold what a tick shows into one value; ``valid`` are the events of the longest window asked for."""
    result = np.full(burning.shape, Heat.LINGERING, dtype=np.int8)
    result[calm] = Heat.CALM
    result[burning] = Heat.BURNING
    result[valid == 0] = Heat.NO_DATA
    return result


def span_text(span: timedelta) -> str:
    """Return a window's length the way people say it: 5 min, 6 h, 3 d."""
    minutes = span // timedelta(minutes=1)
    if minutes and minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    if minutes and minutes % 60 == 0:
        return f"{minutes // 60} h"
    return f"{minutes} min" if minutes else f"{span.total_seconds():g} s"


def limit_met(counts: WindowCounts, *, window: timedelta, limit: Fraction, target: Decimal, unit: Unit = EVENTS) -> str:
    """Describe one window against one burn-rate limit."""
    burn = burn_rate(target, counts.valid, counts.bad)
    if burn is None:
        return f"no {unit.word} in the last {span_text(window)}"
    percent = 100 * counts.bad / counts.valid
    return (
        f"{unit.shown(counts.bad)} of {unit.shown(counts.valid)} {unit.word} bad ({percent:.3g} %) in the last {span_text(window)}: "
        f"burn rate {float(burn):.4g}, limit {float(limit):.4g}"
    )
