"""Which pairs of priority and severity incidents stand at: the open ones, those of a while, and the exceptions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.core.access import Actor, Right, require
from tocsin.incidents.models import OPEN_STATES, Incident

Pair = tuple[int, str]


@dataclass(slots=True)
class PairUse:
    """How a pair is used: open incidents, the latest first, and how many began there of late."""

    open: list[Incident] = field(default_factory=list)
    lately: list[Incident] = field(default_factory=list)


def pair_use(actor: Actor, *, since: datetime) -> dict[Pair, PairUse]:
    """Real incidents by the pair they stand at: all open ones, and those that opened from `since` on."""
    require(actor, Right.INCIDENT_READ)
    rows = Incident.objects.filter(kind="real", priority__isnull=False).order_by("-number")
    found: dict[Pair, PairUse] = defaultdict(PairUse)
    # Only what the page shows of an incident; a long past stands in many rows.
    for row in rows.filter(created_at__gte=since).only("number", "priority", "severity", "state", "title"):
        found[_pair(row)].lately.append(row)
    for row in rows.filter(state__in=OPEN_STATES).only("number", "priority", "severity", "state", "title"):
        found[_pair(row)].open.append(row)
    return dict(found)


def _pair(row: Incident) -> Pair:
    return row.priority or 0, row.severity
