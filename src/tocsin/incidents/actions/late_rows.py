"""What is past its due time and its grace, told one row after the other so that none holds up the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial, reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from tocsin.platform.guarding import guarded
from tocsin.process import queries as processes

Row = TypeVar("Row", bound=Model)

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def past_grace(due: QuerySet[Row], *, now: datetime) -> QuerySet[Row] | None:
    """Those of `due` that are late, each by the grace of the process its incident began under; None for nothing due."""
    versions = due.order_by().values_list("incident__process_version_id", flat=True).distinct()
    conditions = [
        Q(
            incident__process_version_id=version,
            due_at__lt=now - processes.definition(version).catalogue.notification.overdue_grace,
        )
        for version in versions
    ]
    return due.filter(reduce(or_, conditions)) if conditions else None


def tell_each(late: QuerySet[Row], tell: Callable[[int], int], *, limit: int) -> int:
    """Let `tell` have each row by its id, the longest due first, until `limit` were told; returns how many.

    A row that cannot be told does not take the place of one that can.
    """
    told = 0
    after: tuple[datetime | None, int] = (_BEGINNING, 0)
    while told < limit:
        due_at, pk = after
        rows = late.filter(Q(due_at__gt=due_at) | Q(due_at=due_at, pk__gt=pk)).order_by("due_at", "pk")
        found = list(rows.values_list("due_at", "pk")[: limit - told])
        if not found:
            break
        after = found[-1]
        told += sum(
            guarded(partial(tell, pk), trouble=f"could not tell that {late.model.__name__} {pk} is late")
            for _, pk in found
        )
    return told
