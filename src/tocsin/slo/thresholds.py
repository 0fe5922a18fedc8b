"""SLIs that are a value and a line it must keep: each minute whose value keeps it is good, each that does not is bad.

A minute without a value, or with one that is no number, is neither: nothing is known of it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal

from tocsin.slo.prometheus import SEVERAL, Moments
from tocsin.slo.promql_faults import fault
from tocsin.slo.pulling import Counted

OPERATORS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def keeps(value: float, op: str, line: Decimal) -> bool:
    """Whether a value is on the good side; exact, so that a value on the line itself is what `op` says."""
    return OPERATORS[op](Decimal(repr(value)), line)


def counted(values: Mapping[int, float], moments: Moments, *, op: str, line: Decimal) -> Counted:
    """One event for each minute of `moments` with a value, good or bad."""
    result = Counted()
    for moment in range(moments.first, moments.last + 1, moments.step):
        value = values.get(moment)
        if value == SEVERAL:
            result.invalid = "the query answers with several series; it must be one"
            continue
        if value is None or not math.isfinite(value):
            continue
        good = keeps(value, op, line)
        result.counts[moment - moments.step] = (int(good), int(not good))
        result.newest = moment
    return result


def query_problem(query: str) -> str | None:
    """What is wrong with the query of a threshold metric, None when it can be asked."""
    return fault(query)
