"""SLIs that are a ratio somebody else computed: each minute counts alike, with the share the source gives for it.

How many events the minute had is not known, so a busy minute weighs as much as a quiet one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from tocsin.core.counted_shares import MINUTE_PARTS, minute_parts
from tocsin.slo.prometheus import SEVERAL, Moments
from tocsin.slo.pulling import Counted

SUCCESS, FAILURE = "success", "failure"
TYPES = (SUCCESS, FAILURE)
# A quotient of floats may come out a hair beyond the ends.
_HAIR = 1e-9


def counted(values: Mapping[int, float], moments: Moments, *, raw_type: str) -> Counted:
    """A minute's parts, good and bad, for each moment with a value; what is no share is named in `invalid`."""
    result = Counted()
    for moment in range(moments.first, moments.last + 1, moments.step):
        value = values.get(moment)
        if value == SEVERAL:
            result.invalid = "the query answers with several series; it must be one"
            continue
        if value is None or not math.isfinite(value):
            continue
        if not -_HAIR <= value <= 1 + _HAIR:
            result.invalid = f"the source sent {value:g}; a ratio lies between 0 and 1"
            continue
        share = minute_parts(min(Decimal(1), max(Decimal(0), Decimal(repr(value)))))
        good = share if raw_type == SUCCESS else MINUTE_PARTS - share
        result.counts[moment - moments.step] = (good, MINUTE_PARTS - good)
        result.newest = moment
    return result
