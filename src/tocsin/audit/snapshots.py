"""Entries as text, read in batches: a check of a million rows must neither fill the memory nor hold a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import TextField
from django.db.models.functions import Cast

from tocsin.audit.chain import Line
from tocsin.audit.models import Entry

BATCH = 5000


def lines(*, first: int = 0, last: int | None = None) -> Iterator[Line]:
    """The entries numbered `first` to `last` (both included) in order, as they are stored.

    Times and data are read as text: what somebody wrote past us need not be a time or JSON, and must be named as the
    wrong entry instead of ending the check.
    """
    rows = Entry.objects.annotate(
        at_text=Cast("at", TextField()),
        occurred_text=Cast("occurred_at", TextField()),
        data_text=Cast("data", TextField()),
    ).values_list(
        "seq",
        "at_text",
        "actor",
        "kind",
        "incident",
        "occurred_text",
        "source_id",
        "data_text",
        "data_sha256",
        "previous_hash",
        "hash",
    )
    if last is not None:
        rows = rows.filter(seq__lte=last)
    after = first - 1
    while batch := list(rows.filter(seq__gt=after).order_by("seq")[:BATCH]):
        for seq, at, actor, kind, incident, occurred, source, data, digest, previous, own in batch:
            ts = _stamp(at)
            later = "" if occurred == at else _stamp(occurred)
            yield Line(seq, ts, actor, kind, incident, later, source, data, digest, previous, own)
        after = batch[-1][0]


def _stamp(stored: str) -> str:
    """A stored time as the chain has it; what is no time stays as it is and fits no hash."""
    try:
        instant = datetime.fromisoformat(stored)
    except (TypeError, ValueError):
        return str(stored)
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
