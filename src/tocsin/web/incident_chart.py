"""The small chart of an incident: the share of failed events, minute by minute, around its beginning."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.safestring import SafeString

from tocsin.incidents.models import Incident
from tocsin.slo.models import Bucket
from tocsin.web.pictures.small import sparkline

LOOK_BACK = timedelta(hours=1)
MINUTE = 60


def error_share(incident: Incident, *, now: datetime) -> SafeString | None:
    """The last hour while it is open, the hour around its beginning afterwards; None without an SLO or data."""
    if incident.objective_id is None:
        return None
    end = now if incident.is_open else min(now, incident.created_at + LOOK_BACK / 2)
    start = end - LOOK_BACK
    values = _shares(incident.objective_id, start=start, end=end)
    known = [value for value in values if value is not None]
    if not known:
        return None
    label = f"Share of failed events, {_words(incident, known)}"
    return sparkline(values, label)


def _shares(objective_id: int, *, start: datetime, end: datetime) -> list[float | None]:
    first, last = int(start.timestamp()) // MINUTE, int(end.timestamp()) // MINUTE
    rows = Bucket.objects.filter(
        objective_id=objective_id, width=MINUTE, start__gte=first * MINUTE, start__lt=last * MINUTE
    )
    counted = {row.start // MINUTE: row for row in rows if row.good + row.bad}
    return [
        counted[minute].bad / (counted[minute].good + counted[minute].bad) if minute in counted else None
        for minute in range(first, last)
    ]


def _words(incident: Incident, known: list[float]) -> str:
    where = "last hour" if incident.is_open else "the hour around its beginning"
    return f"{where}: at most {max(known):.0%}, lately {known[-1]:.0%}"
