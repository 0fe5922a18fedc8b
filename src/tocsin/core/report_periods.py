"""Periods of reports as people name them: a year, a quarter, a month, or the last so many days. Boundaries are UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tocsin.core.errors import Invalid

_NAMED = re.compile(r"(?P<year>\d{4})(?:-(?:[Qq](?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")
_LAST = re.compile(r"(?P<days>[1-9]\d{0,3})d")
_MONTHS = 12
_QUARTER = 3


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (included) to `end` (left out); `name` is what people call it."""

    name: str
    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


def parse_period(text: str, *, now: datetime) -> Period:
    """`2026`, `2026-Q3`, `2026-08`, or `90d` (up to `now`). Raises `Invalid` for anything else."""
    said = text.strip()
    last = _LAST.fullmatch(said)
    if last:
        return Period(said, now - timedelta(days=int(last["days"])), now)
    named = _NAMED.fullmatch(said)
    if named is None or not 1970 <= int(named["year"]) < 9000:  # years that dates can hold
        raise Invalid({"period": "Write a year, a quarter, a month, or days: 2026, 2026-Q3, 2026-08, 90d."})
    year = int(named["year"])
    if named["quarter"]:
        return _months(year, int(named["quarter"]) * _QUARTER - _QUARTER + 1, _QUARTER, f"{year}-Q{named['quarter']}")
    if named["month"]:
        return _months(year, int(named["month"]), 1, said)
    return _months(year, 1, _MONTHS, said)


def quarter_of(at: datetime) -> Period:
    """The quarter that holds an instant."""
    utc = at.astimezone(UTC)
    quarter = (utc.month - 1) // _QUARTER
    return _months(utc.year, quarter * _QUARTER + 1, _QUARTER, f"{utc.year}-Q{quarter + 1}")


def month_of(at: datetime) -> Period:
    """The month that holds an instant."""
    utc = at.astimezone(UTC)
    return _months(utc.year, utc.month, 1, f"{utc:%Y-%m}")


def _months(year: int, month: int, count: int, name: str) -> Period:
    following = year * _MONTHS + month - 1 + count
    end = datetime(following // _MONTHS, following % _MONTHS + 1, 1, tzinfo=UTC)
    return Period(name, datetime(year, month, 1, tzinfo=UTC), end)
