"""Taking counts in, from whoever sends or answers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from tocsin.core.errors import Invalid
from tocsin.slo import buckets
from tocsin.slo.models import Objective, ObjectiveState
from tocsin.slo.specs import Count

MOST_EVENTS = 10**15
AHEAD = timedelta(minutes=5)


def count_errors(rows: Sequence[Count], *, now: datetime) -> dict[str, str]:
    """What is wrong with each row, by "index.field"; a wrong number is never taken for a good one."""
    errors: dict[str, str] = {}
    for index, row in enumerate(rows):
        for name, value in (("good", row.good), ("bad", row.bad)):
            if type(value) is not int or not 0 <= value <= MOST_EVENTS:
                errors[f"{index}.{name}"] = f"must be a whole number from 0 to {MOST_EVENTS}"
        if row.at > now + AHEAD:
            errors[f"{index}.at"] = "lies in the future"
    return errors


def add_counts(rows: Sequence[Count], *, now: datetime) -> set[int]:
    """Add pushed events to their minutes, inside the caller's transaction. Returns the objectives that got some.

    Raises Invalid, with nothing taken, when any row is no count. Rows of unknown objectives break a foreign key:
    resolve names first. What is dated later than now counts as now, so that a fast clock hides nothing.
    """
    if errors := count_errors(rows, now=now):
        raise Invalid(errors)
    second = buckets.epoch_seconds(now)
    buckets.add(
        buckets.merged(
            (key, row.good, row.bad)
            for row in rows
            for key in buckets.spread(row.objective_id, min(second, buckets.epoch_seconds(row.at)))
        )
    )
    buckets.note_data(_latest((row.objective_id, min(row.at, now)) for row in rows))
    return {row.objective_id for row in rows}


def _latest(seen: Iterable[tuple[int, datetime]]) -> dict[int, datetime]:
    latest: dict[int, datetime] = {}
    for objective_id, at in seen:
        latest[objective_id] = max(at, latest.get(objective_id, at))
    return latest


def forget_counts(after: int, *, now: datetime, limit: int = 50) -> int | None:
    """Drop outdated buckets of up to `limit` objectives with an id above `after`.

    Returns the last id looked at, None when there was none left.
    """
    with transaction.atomic():
        rows = list(Objective.objects.filter(pk__gt=after).order_by("pk")[:limit])
        buckets.prune([(row.pk, row.period, row.slice_window is not None) for row in rows], now=now)
    return rows[-1].pk if rows else None


def mark_invalid(reasons: Mapping[int, str], *, now: datetime) -> None:
    """Remember that a source sent what cannot be counts for these objectives, and have them judged at once."""
    for objective_id, reason in reasons.items():
        ObjectiveState.objects.filter(pk=objective_id).update(
            invalid_at=now, invalid_reason=reason[:500], next_at=Least(F("next_at"), now)
        )
