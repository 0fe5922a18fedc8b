"""The process in force, and the event log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.audit import exports as bundles
from tocsin.audit import queries as audit
from tocsin.core.access import Right, require
from tocsin.insights import adherence
from tocsin.platform import clock
from tocsin.process import exports, queries

router = Router(tags=["process"])


@router.get("/process")
def process(request: HttpRequest) -> dict[str, Any]:
    """The whole process document in force, with its number."""
    require(actor(request), Right.PROCESS_READ)
    version = queries.version(actor(request), queries.current_version().number)
    return {"number": version.number, "effective_at": shapes.at(version.effective_at), "document": version.document}


@router.get("/process/export")
def export(
    request: HttpRequest,
    part: str = "process",
    form: Annotated[str, Query(alias="format")] = "markdown",
    number: int | None = None,
) -> HttpResponse:
    """The priorities or the whole process as a document for people; `part` priorities or process, `format` markdown or html."""
    text = exports.export(actor(request), part=part, form=form, number=number)
    return HttpResponse(text, content_type=exports.TYPES[exports.Format(form)])


@router.get("/audit/verify")
def verify(request: HttpRequest) -> dict[str, Any]:
    """Walk the whole chain; names the first wrong entry if there is one."""
    require(actor(request), Right.AUDIT_READ)
    verdict = audit.verify()
    return {
        "ok": verdict.ok,
        "entries": verdict.count,
        "head": verdict.head,
        "first_wrong": verdict.first_wrong,
        "why": verdict.why,
    }


@router.get("/audit/bundle")
def bundle(
    request: HttpRequest, start: Annotated[datetime, Query(alias="from")], end: Annotated[datetime, Query(alias="to")]
) -> HttpResponse:
    """The evidence of [from, to) as one file; the same data gives the same bytes."""
    who = actor(request)
    more = adherence.bundle_files(who, start=start, end=end, now=clock.now()) if start < end else {}
    content = bundles.export_bundle(who, from_at=start, to_at=end, more=more)
    answer = HttpResponse(content, content_type="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="tocsin-evidence.zip"'
    return answer
