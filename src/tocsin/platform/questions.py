"""Asking whether any work is due, at the price of one small statement.

Django takes longer to put a query together than the database takes to answer it, and an engine at rest asks the same
dozen twice a second. So a question is put together once a process, from the very querysets the work itself reads, and
asked again with another `now`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

Rows = Callable[[datetime], QuerySet[Any]]
"""The rows that are due at an instant; what it compares with is that instant or lies a fixed span from it."""

_PROBES = (datetime(2001, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC), datetime(2002, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC))


class Question:
    """Whether any of some rows is there at an instant."""

    def __init__(self, *rows: Rows) -> None:
        self._rows = rows
        self._put: dict[str, tuple[str, list[Any]]] = {}

    def __call__(self, *, now: datetime) -> bool:
        sql, parameters = self._put.get(connection.vendor) or self._put_together()
        filled = [_adapted(now + one) if isinstance(one, _After) else one for one in parameters]
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            return bool(cursor.fetchone()[0])

    def _put_together(self) -> tuple[str, list[Any]]:
        parts, parameters = [], []
        for rows in self._rows:
            (sql, early), (_, late) = (_compiled(rows(probe)) for probe in _PROBES)
            parts.append(f"EXISTS({sql})")
            parameters += [_parameter(*pair) for pair in zip(early, late, strict=True)]
        put = f"SELECT {' OR '.join(parts)}", parameters
        self._put[connection.vendor] = put
        return put


class _After(timedelta):
    """Stands for an instant so long after `now`."""


def _compiled(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    sql, parameters = rows.query.exists().get_compiler(connection=connection).as_sql()
    return sql, tuple(parameters)


def _parameter(early: Any, late: Any) -> Any:
    """A parameter as it is, or what it is to `now` when it moves with it. Raises ValueError when it moves otherwise."""
    if early == late or not isinstance(early, str | datetime):  # a driver's wrapper of a constant equals only itself
        return early
    spans = [_instant(value) - probe for value, probe in zip((early, late), _PROBES, strict=True)]
    if spans[0] != spans[1]:
        raise ValueError("a question may only compare with instants at a fixed distance from now")
    return _After(microseconds=spans[0] // timedelta(microseconds=1))


def _instant(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else parse_datetime(str(value))
    if found is None:
        raise ValueError(f"a question cannot compare {value!r} with now")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _adapted(instant: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(instant)
