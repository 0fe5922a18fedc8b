"""Why a number of an SLO is what it is, over JSON: rule, windows, counts, queries, sums."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.core.arithmetic import Step, WindowReading
from tocsin.core.errors import NotFound
from tocsin.platform import clock
from tocsin.slo import queries
from tocsin.slo.queries import Explained

router = Router(tags=["SLOs"])


@router.get("/slos/{name}/explain")
def explain(request: HttpRequest, name: str, breach: int | None = None) -> dict[str, Any]:
    """The SLO as it stands, or one of its breaches, with the sums behind each number."""
    who = actor(request)
    row = queries.objective(who, name)
    if breach is None:
        return document(queries.explain(who, row, now=clock.now()))
    found = queries.breach(who, breach)
    if found.objective_id != row.pk:
        raise NotFound(f"There is no breach {breach} of {name!r}.")
    return {**document(queries.explain_breach(who, found)), "breach": shapes.breach(found)}


def document(one: Explained) -> dict[str, Any]:
    """An explanation; counts are in parts of `unit`, which is one whole where `parts` is 1."""
    return {
        "slo": one.objective.name,
        "at": shapes.at(one.at),
        "revision": one.revision,
        "target": str(one.target.normalize()),
        "unit": {"word": one.unit.word, "parts": one.unit.parts},
        "rule": {"name": one.rule.name, "settings": one.rule_document},
        "valid": one.own.valid,
        "bad": one.own.bad,
        "window_seconds": int(one.own_window.total_seconds()),
        "windows": [_window(reading) for reading in one.windows],
        "alerts": [{"urgency": told.urgency, "firing": told.firing, "text": told.text} for told in one.alerts],
        "breach_sum": [_step(step) for step in one.breach_steps],
        "budget_sum": [_step(step) for step in one.budget_steps],
        "queries": [{"what": what, "query": query} for what, query in one.queries],
        "notes": list(one.notes),
    }


def _window(reading: WindowReading) -> dict[str, Any]:
    return {
        "seconds": int(reading.span.total_seconds()),
        "valid": reading.counts.valid,
        "bad": reading.counts.bad,
        "ratio": None if reading.ratio is None else float(reading.ratio),
        "burn_rate": None if reading.burn is None else float(reading.burn),
    }


def _step(step: Step) -> dict[str, str]:
    return {"what": step.what, "sum": step.sum}
