"""The ledger on an SLO's page: its periods, and what ate each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from tocsin.incidents import queries as incidents
from tocsin.incidents.breach_refs import refs_by_episode
from tocsin.slo import queries
from tocsin.slo.models import Objective
from tocsin.slo.queries.ledger import Entry
from tocsin.web import asking
from tocsin.web.instants import zone_name

PERIODS_SHOWN = 13
CHARGES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Charge:
    """What one run of breaches ate, and the incidents it belongs to."""

    starts_at: datetime
    until: datetime
    share: float | None
    bad: int
    priority: int | None
    priority_state: str
    incidents: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Period:
    entry: Entry
    charges: Sequence[Charge]
    more: int


def facts(request: HttpRequest, objective: Objective) -> dict[str, Any]:
    """The periods as the table shows them, times in the reader's zone, which is named."""
    actor, now = asking.actor(request), asking.now(request)
    entries = queries.ledger(actor, objective, now=now, limit=PERIODS_SHOWN)
    refs = refs_by_episode(actor, objective.pk)
    return {
        "ledger": [_period(entry, refs) for entry in entries],
        "ledger_zone": zone_name(now, asking.zone(request)),
    }


def _period(entry: Entry, refs: Mapping[int, Sequence[str]]) -> Period:
    eaten = [one for one in entry.eaten_by if one["bad"]]
    charges = [
        Charge(
            starts_at=datetime.fromisoformat(one["from"]),
            until=datetime.fromisoformat(one["until"]),
            share=one["share"],
            bad=one["bad"],
            priority=one["priority"],
            priority_state=one["priority_state"],
            incidents=[(ref, incidents.number_of(ref)) for ref in refs.get(one["episode"], ())],
        )
        for one in eaten[:CHARGES_SHOWN]
    ]
    return Period(entry, charges, max(0, len(eaten) - CHARGES_SHOWN))
