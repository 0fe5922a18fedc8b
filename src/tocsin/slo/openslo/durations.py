"""OpenSLO's duration shorthand: a positive whole number and one letter, 5m, 4w, 1M."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from tocsin.core.slo_windows import CalendarUnit

_SHORTHAND = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
_ZERO = re.compile(r"0[mhdwMQY]")
# A month as a span is a twelfth of a year of 365 days only on paper; 30 days are what people mean by a rolling month.
_SPANS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
    "Q": timedelta(days=90),
    "Y": timedelta(days=365),
}
MEANING = "a whole number and one of m, h, d, w, M, Q, Y, for example 4w"


@dataclass(frozen=True, slots=True)
class Shorthand:
    """`count` times `unit`, the unit being the letter of the shorthand."""

    count: int
    unit: str

    @property
    def span(self) -> timedelta:
        """Elapsed time; months, quarters and years as 30, 90 and 365 days."""
        return self.count * _SPANS[self.unit]

    @property
    def calendar_unit(self) -> CalendarUnit | None:
        """The unit as a calendar period counts it, None for minutes and hours."""
        return CalendarUnit(self.unit) if self.unit in set(CalendarUnit) else None

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def shorthand(text: str, *, zero: bool = False) -> Shorthand | None:
    """Read a shorthand; None when `text` is none. With `zero` a duration of nothing ("0m") is one too."""
    if found := _SHORTHAND.fullmatch(text):
        return Shorthand(int(found[1]), found[2])
    return Shorthand(0, text[-1]) if zero and _ZERO.fullmatch(text) else None


def written(span: timedelta) -> str:
    """The shortest shorthand of whole minutes for `span`."""
    for unit in ("w", "d", "h"):
        if span and span % _SPANS[unit] == timedelta(0):
            return f"{span // _SPANS[unit]}{unit}"
    return f"{span // _SPANS['m']}m"
