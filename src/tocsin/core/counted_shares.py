"""Shares counted as whole numbers, so that their sums stay exact and fit where events are counted.

A slice that was 99.4 % good is neither a good nor a bad event; it is a fixed number of parts of which six in a
thousand are bad.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

MINUTE_PARTS = 1_000_000
"""Parts of a minute whose share of good events is known, but not their number."""

_FINE, _COARSE = 1_000_000_000, 1_000_000
_FINE_UP_TO = timedelta(hours=1)


def slice_parts(length: timedelta) -> int:
    """Return the parts of one slice. A long slice has fewer, because twice its events times its parts must fit int64."""
    return _FINE if length <= _FINE_UP_TO else _COARSE


def bad_parts(valid: int, bad: int, parts: int) -> int:
    """Return how many of ``parts`` a slice with these events lost, rounded to the nearest (half up)."""
    return (2 * bad * parts + valid) // (2 * valid)


def minute_parts(share: Decimal) -> int:
    """Return a share in [0, 1] as parts of a minute, rounded to the nearest."""
    return round(Fraction(share) * MINUTE_PARTS)
