"""The catalogue of priorities, and every SLO with its priority, over JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.core.access import Right, require
from tocsin.core.errors import Invalid
from tocsin.insights import priority_listing
from tocsin.insights.priority_listing import Wanted
from tocsin.platform import clock
from tocsin.process import exports, queries

router = Router(tags=["priorities"])


@router.get("/priorities")
def priorities(request: HttpRequest) -> dict[str, Any]:
    """What each priority asks for, and the names other tools know it by."""
    require(actor(request), Right.PROCESS_READ)
    version = queries.current_version()
    rows = [
        exports.priority_document(queries.definition(version), one.rank)
        for one in queries.current().catalogue.priorities
    ]
    return {**listing(rows, dict), "process_version": version.number}


@router.get("/priorities/slos")
def listed(
    request: HttpRequest,
    team: str = "",
    service: str = "",
    priority: str = "",
    q: str = "",
    format: str = "json",  # noqa: A002 - the name in the address
) -> Any:
    """SLO, priority, team, since when, by whom. `priority` is a code, a rank, none or unset; `format` json or csv."""
    if format not in {"json", "csv"}:
        raise Invalid({"format": "Choose json or csv."})
    wanted = Wanted(team=team, service=service, priority=priority, words=q)
    found = priority_listing.lines(actor(request), wanted, now=clock.now())
    if format == "csv":
        return HttpResponse(priority_listing.as_csv(found), content_type="text/csv; charset=utf-8")
    return listing(found, priority_listing.document)
