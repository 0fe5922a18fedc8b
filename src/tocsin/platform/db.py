"""Claiming work: the one place that locks rows.

On PostgreSQL many nodes share the rows, so a claim skips what another transaction holds. On SQLite the process is
alone and its transactions are IMMEDIATE, so the same calls need no row lock. A claim that outlives its transaction (an
outbox message being sent) carries a lease and an attempt number: whoever wants to finish it must still hold both.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet

from tocsin.platform.models import Claimable

Row = TypeVar("Row", bound=Model)
Held = TypeVar("Held", bound=Claimable)

_NODE = f"{socket.gethostname()}:{os.getpid()}"


def node() -> str:
    """This process's name in claims and logs."""
    return _NODE


def patience() -> float:
    """Factor on every deadline, lease and time-out (`TOCSIN_PATIENCE`, default 1); clocks that run fast need it."""
    return float(os.environ.get("TOCSIN_PATIENCE", "1") or 1)


def lock_due(rows: QuerySet[Row], *, limit: int) -> list[Row]:
    """Up to `limit` of `rows`, held by this transaction; those that another one holds are passed over."""
    if connection.vendor == "postgresql":
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows[:limit])


def lock(rows: QuerySet[Row]) -> QuerySet[Row]:
    """`rows`, locked until this transaction ends; waits for whoever holds them."""
    if connection.vendor == "postgresql":
        return rows.select_for_update(of=("self",))
    return rows


def unheld(*, now: datetime) -> Q:
    """The condition under which `claim` may take a row."""
    free = Q(claimed_by="")
    return free | Q(lease_until__lt=now) if connection.vendor == "postgresql" else free


def claim(rows: QuerySet[Held], *, now: datetime, lease: timedelta, limit: int) -> list[Held]:
    """Take up to `limit` of `rows` for `lease`, oldest claim first served; each gets a new attempt number.

    Call inside a transaction and commit before doing the work. Only rows without a live lease are taken; on SQLite a
    lease never runs out (a second process cannot exist; `release_all` clears what a dead one left).
    """
    taken = lock_due(rows.filter(unheld(now=now)), limit=limit)
    for row in taken:
        row.claimed_by = _NODE
        row.lease_until = now + lease * patience()
        row.attempt += 1
        row.save(update_fields=["claimed_by", "lease_until", "attempt"])
    return taken


def still_held(row: Held) -> QuerySet[Held]:
    """The row as a query that matches only while our claim with this attempt stands; update through it."""
    return type(row)._default_manager.filter(pk=row.pk, claimed_by=_NODE, attempt=row.attempt)


def release_all(models: Sequence[type[Claimable]]) -> int:
    """At start on SQLite, under the process lock: give back what a killed process held. Returns how many rows."""
    return sum(
        model._default_manager.exclude(claimed_by="").update(claimed_by="", lease_until=None) for model in models
    )


def advisory_lock(name: str) -> None:
    """Serialise transactions that name the same thing (PostgreSQL); on SQLite the write transaction already does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def try_advisory_lock(name: str) -> bool:
    """Like `advisory_lock`, but False at once when another transaction holds it; True on SQLite."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [name])
        return bool(cursor.fetchone()[0])
