"""How sure a handful of events makes us.

These are statements of confidence, so floats are right here; nothing in this module decides a stated boundary.
Only additions, products, quotients and square roots are used on arrays, which IEEE 754 rounds alike everywhere:
a replay of 40,000 steps and the engine's single row must agree to the bit.
"""

from functools import cache
from math import erfc, exp, lgamma, log, sqrt

import numpy as np

from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import FloatArray, IntArray

Z_95 = 1.959963984540054
_EXACT_UP_TO = 64


def wilson_bounds(bad: int, valid: int, *, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of an error ratio; (0, 1) when nothing was seen."""
    if valid == 0:
        return 0.0, 1.0
    ratio, spread = bad / valid, z * z / valid
    centre = ratio + spread / 2
    half = z * sqrt(ratio * (1 - ratio) / valid + spread / valid / 4)
    low = 0.0 if bad == 0 else (centre - half) / (1 + spread)
    high = 1.0 if bad == valid else (centre + half) / (1 + spread)
    return low, high


def binomial_tail(least: int, trials: int, chance: float) -> float:
    """Return P(X >= least) for ``trials`` independent events of which each is bad with ``chance``."""
    if least <= 0:
        return 1.0
    if chance <= 0 or least > trials:
        return 0.0
    if chance >= 1:
        return 1.0
    below = sum(exp(_log_binomial(k, trials, chance)) for k in range(least))
    return max(0.0, 1.0 - below)


def _log_binomial(k: int, trials: int, chance: float) -> float:
    ways = lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1)
    return ways + k * log(chance) + (trials - k) * log(1 - chance)


def poisson_tail(least: int, mean: float) -> float:
    """Return P(X >= least) for a Poisson count with this mean."""
    if least <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    below = sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(least))
    return max(0.0, 1.0 - below)


@cache
def poisson_lower(count: int, doubt: float) -> float:
    """Return the mean below which ``count`` or more events would come with a chance under ``doubt``.

    The exact one-sided lower bound: P(X >= count | mean) = doubt. 0 for no events.
    """
    if not 0 < doubt < 0.5:
        raise Invalid({"doubt": "must lie between 0 and 0.5"})
    if count == 0:
        return 0.0
    low, high = 0.0, float(count)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if poisson_tail(count, middle) < doubt else (low, middle)
    return low


def poisson_lower_bounds(counts: IntArray, *, doubt: float) -> FloatArray:
    """Return ``poisson_lower`` for many counts, shape ``(n,)``.

    Exact up to 64; above that the cube-root normal approximation of Wilson and Hilferty, good to one in a thousand.
    """
    table = _exact_table(doubt)
    clipped = np.minimum(counts, _EXACT_UP_TO)
    if counts.max(initial=0) <= _EXACT_UP_TO:
        return table[clipped]
    many = np.maximum(counts, 1).astype(np.float64)
    root = 1 - 1 / (9 * many) - _normal_quantile(doubt) / (3 * np.sqrt(many))
    return np.where(counts <= _EXACT_UP_TO, table[clipped], many * root * root * root)


@cache
def _exact_table(doubt: float) -> FloatArray:
    return np.array([poisson_lower(count, doubt) for count in range(_EXACT_UP_TO + 1)])


@cache
def _normal_quantile(doubt: float) -> float:
    """Return z with P(Z > z) = doubt, by halving: the standard normal tail from ``erfc``."""
    low, high = 0.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if erfc(middle / sqrt(2)) / 2 > doubt else (low, middle)
    return low


def poisson_upper(count: int, doubt: float) -> float:
    """Return the mean above which ``count`` or fewer events would come with a chance under ``doubt``."""
    low, high = float(count), float(count) + 1
    while 1 - poisson_tail(count + 1, high) > doubt:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - poisson_tail(count + 1, middle) > doubt else (low, middle)
    return high
