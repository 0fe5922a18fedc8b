"""How fast a budget burns: 1 uses it up exactly at the end of the period.

``exceeds`` is the one place where a burn rate meets a limit. It compares whole numbers,
``bad * q > limit * valid * p`` with an allowed ratio of ``p / q``, because the float quotient says that
20 % errors under a 90 % target burn faster than 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tocsin.core.error_budget import allowed_ratio, error_ratio, seconds, share_of
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import BoolArray, FloatArray, IntArray, WindowArrays, WindowCounts

_INT64_MAX = 2**63 - 1
# Four float operations are each within 2**-53 of the truth; whatever lies closer than this is
# decided with whole numbers.
_FLOAT_DOUBT = 1e-12
_BARELY_LESS = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class AllowedRatio:
    """Allowed error ratios ``numerator / denominator``: one for all rows, or int64 arrays ``(n,)``."""

    numerator: IntArray | int
    denominator: IntArray | int
    _floats: list[FloatArray] = field(default_factory=list["FloatArray"], init=False, repr=False, compare=False)
    _largest: list[tuple[int, int]] = field(
        default_factory=list[tuple[int, int]], init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, target: Decimal) -> "AllowedRatio":
        """Return the ratio of one target."""
        ratio = allowed_ratio(target)
        return cls(ratio.numerator, ratio.denominator)

    @classmethod
    def of_each(cls, targets: Sequence[Decimal]) -> "AllowedRatio":
        """Return one ratio for each row."""
        ratios = [allowed_ratio(target) for target in targets]
        return cls(
            np.array([ratio.numerator for ratio in ratios], dtype=np.int64),
            np.array([ratio.denominator for ratio in ratios], dtype=np.int64),
        )

    def at(self, rows: npt.NDArray[np.intp]) -> "AllowedRatio":
        """Return the ratios of some rows; one for all stays one for all."""
        if isinstance(self.numerator, int) or isinstance(self.denominator, int):
            return self
        few = AllowedRatio(self.numerator[rows], self.denominator[rows])
        few._largest.append(self.largest())
        return few

    def largest(self) -> tuple[int, int]:
        """Return bounds of the numerators and of the denominators; some rows of many keep the bounds of all."""
        if not self._largest:
            numerator, denominator = self.numerator, self.denominator
            self._largest.append(
                (
                    numerator if isinstance(numerator, int) else int(numerator.max(initial=0)),
                    denominator if isinstance(denominator, int) else int(denominator.max(initial=0)),
                )
            )
        return self._largest[0]

    def as_float(self) -> FloatArray:
        """Return the ratios for display and statistics, never for a boundary."""
        if not self._floats:  # asked for by every window of a fleet
            self._floats.append(np.asarray(np.true_divide(self.numerator, self.denominator), dtype=np.float64))
        return self._floats[0]


def burn_rate(target: Decimal, valid: int, bad: int) -> Fraction | None:
    """Return error ratio over allowed ratio, or None when there were no valid events."""
    ratio = error_ratio(valid, bad)
    return None if ratio is None else ratio / allowed_ratio(target)


def burn_rate_of_ratio(target: Decimal, ratio: Fraction) -> Fraction:
    """Return the burn rate of an error ratio that is already known."""
    return ratio / allowed_ratio(target)


def burn_rates(counts: WindowArrays, allowed: AllowedRatio) -> FloatArray:
    """Return burn rates for display, shape ``(n,)``; NaN where there were no valid events."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(counts.bad / counts.valid / allowed.as_float(), dtype=np.float64)


def max_burn(target: Decimal) -> Fraction:
    """Return the burn rate of a total outage, ``1 / (1 - target)``."""
    return 1 / allowed_ratio(target)


def rule_reachable(target: Decimal, limit: Fraction) -> bool:
    """Return whether any traffic could burn faster than ``limit``."""
    return limit < max_burn(target)


def limit_for_share(share: Fraction, window: timedelta, period: timedelta) -> Fraction:
    """Return the burn rate that spends ``share`` of the period's grant inside ``window``."""
    return share / share_of(window, period)


def depletion_even(burn: Fraction, window: timedelta, period: timedelta) -> Fraction:
    """Return the share of the period's grant a window consumes at even traffic."""
    return burn * share_of(window, period)


def depletion_speed(percent: Fraction, span: timedelta) -> Fraction:
    """Return depleted percent of the grant per hour."""
    return percent * 3600 / seconds(span)


def exhaustion_hours(period: timedelta, burn: Fraction) -> Fraction | None:
    """Return the hours a full grant lasts at a constant burn rate; None when nothing burns."""
    return None if burn == 0 else seconds(period) / 3600 / burn


def detection_minutes(target: Decimal, ratio: Fraction, *, limit: Fraction, window: timedelta) -> Fraction | None:
    """Return the minutes from onset until a window burns at ``limit``, coming from no errors.

    None when the error ratio never lifts the window above the limit (equality is not above).
    """
    needed = limit * allowed_ratio(target)
    return None if ratio <= needed else seconds(window) / 60 * needed / ratio


def reset_minutes(target: Decimal, ratio: Fraction, *, limit: Fraction, window: timedelta) -> Fraction:
    """Return the minutes from the end of the errors until the window is back at ``limit``.

    Holds for outages that filled the window; 0 when the rule could not have fired.
    """
    needed = limit * allowed_ratio(target)
    return Fraction(0) if ratio <= needed else seconds(window) / 60 * (1 - needed / ratio)


def exceeds(counts: WindowArrays, *, limit: Fraction, allowed: AllowedRatio) -> BoolArray:
    """Return where a window burns strictly faster than ``limit``, shape ``(n,)``, exactly.

    False where there were no valid events. Raises ``Invalid`` for a negative limit.
    """
    if limit.numerator < 0:
        raise Invalid({"limit": "must not be negative"})
    if _fits(counts, limit, allowed):
        left, right = allowed.denominator * limit.denominator, allowed.numerator * limit.numerator
        return np.asarray(counts.bad * left > counts.valid * right)
    left, right = _times(allowed.denominator, limit.denominator), _times(allowed.numerator, limit.numerator)
    return _more(counts.bad, counts.valid, np.asarray(left), np.asarray(right))


def falls_below(counts: WindowArrays, *, limit: Fraction, allowed: AllowedRatio) -> BoolArray:
    """Return where a window burns strictly slower than ``limit``, shape ``(n,)``, exactly.

    False where there were no valid events. Raises ``Invalid`` for a negative limit.
    """
    if limit.numerator < 0:
        raise Invalid({"limit": "must not be negative"})
    if _fits(counts, limit, allowed):
        left, right = allowed.denominator * limit.denominator, allowed.numerator * limit.numerator
        return np.asarray(counts.valid * right > counts.bad * left)
    left, right = _times(allowed.denominator, limit.denominator), _times(allowed.numerator, limit.numerator)
    return _more(counts.valid, counts.bad, np.asarray(right), np.asarray(left))


def might_exceed(counts: WindowArrays, *, limit: Fraction, allowed: AllowedRatio) -> BoolArray:
    """Return where ``exceeds`` could hold: never misses one, may name some that are a hair below. Cheap."""
    return np.asarray(counts.bad > counts.valid * (allowed.as_float() * (float(limit) * _BARELY_LESS)))


def burns_faster(counts: WindowCounts, *, limit: Fraction, target: Decimal) -> bool:
    """Return whether one window burns strictly faster than ``limit``."""
    return bool(exceeds(WindowArrays.of([counts]), limit=limit, allowed=AllowedRatio.of(target))[0])


def _times(factor: IntArray | int, by: int) -> "IntArray | int":
    """Multiply without wrapping around: beyond int64 the array turns into one of whole numbers."""
    if isinstance(factor, int):
        return factor * by
    if int(factor.max(initial=0)) * by <= _INT64_MAX:
        return factor * by
    return np.asarray(factor.astype(object) * by)


def _fits(counts: WindowArrays, limit: Fraction, allowed: AllowedRatio) -> bool:
    """Whether both sides of a comparison stay within int64."""
    numerator, denominator = allowed.largest()
    left = max(1, int(counts.bad.max(initial=0))) * denominator * limit.denominator
    return left <= _INT64_MAX and max(1, int(counts.valid.max(initial=0))) * numerator * limit.numerator <= _INT64_MAX


def _more(first: IntArray, second: IntArray, left: IntArray, right: IntArray) -> BoolArray:
    """Where ``first * left > second * right`` beyond int64: by float where safe, with whole numbers where it is close."""
    more, less = (
        first.astype(np.float64) * left.astype(np.float64),
        second.astype(np.float64) * right.astype(np.float64),
    )
    result = np.asarray(more > less)
    lefts, rights = np.broadcast_to(left, first.shape), np.broadcast_to(right, first.shape)
    for row in np.flatnonzero(np.abs(more - less) <= _FLOAT_DOUBT * (more + less)):
        result[row] = int(first[row]) * int(lefts[row]) > int(second[row]) * int(rights[row])
    return result
