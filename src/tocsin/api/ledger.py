"""The ledger of an SLO's budget over JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.incidents.breach_refs import refs_by_episode
from tocsin.platform import clock
from tocsin.slo import queries
from tocsin.slo.queries.ledger import Entry

router = Router(tags=["SLOs"])


@router.get("/slos/{name}/ledger")
def ledger(request: HttpRequest, name: str) -> dict[str, Any]:
    """What became of each period's budget and what ate it, the running period first."""
    row = queries.objective(actor(request), name)
    entries = queries.ledger(actor(request), row, now=clock.now())
    refs = refs_by_episode(actor(request), row.pk)
    return {
        "slo": row.name,
        "time_zone": row.time_zone,
        "period_days": row.period.total_seconds() / 86_400,
        "rolling": row.calendar_start is None,
        "items": [_shape(entry, refs) for entry in entries],
    }


def _shape(entry: Entry, refs: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    return {
        "starts_at": shapes.at(entry.starts_at),
        "ends_at": shapes.at(entry.ends_at),
        "closed": entry.closed,
        "target": entry.target,
        "valid": entry.valid,
        "bad": entry.bad,
        "granted": entry.granted,
        "spent": entry.spent,
        "remaining": entry.remaining,
        "breaches": entry.breaches,
        "coverage": round(entry.coverage, 4),
        "eaten_by": [_charge(one, refs) for one in entry.eaten_by],
        "outside_breaches": {"bad": entry.rest, "share": entry.rest_share},
    }


def _charge(one: Mapping[str, Any], refs: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    edges = {edge: shapes.at(datetime.fromisoformat(one[edge])) for edge in ("from", "until")}
    return {**one, **edges, "incidents": list(refs.get(one["episode"], ()))}
