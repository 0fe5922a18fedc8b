"""What can be asked of a written process: is it sound, and what did a version change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from tocsin.api.auth import actor
from tocsin.core.document_reading import Level
from tocsin.core.process_check import Finding
from tocsin.core.process_maps import Step
from tocsin.insights import process_check, process_maps
from tocsin.process import document, queries

router = Router(tags=["process"])


class Sections(Schema):
    sections: dict[str, Any]


@router.get("/process/check")
def check(request: HttpRequest, version: int | None = None) -> dict[str, Any]:
    """Contradictions, missing answers, unreachable pairs and roles nobody can fill, each with place and remedy."""
    return findings(process_check.check_version(actor(request), version))


@router.post("/process/check")
def check_sections(request: HttpRequest, body: Sections) -> dict[str, Any]:
    """The same about sections laid over the process in force. Nothing is kept."""
    return findings(process_check.check_sections(actor(request), body.sections))


@router.get("/process/diff")
def diff(
    request: HttpRequest, before: Annotated[int, Query(alias="from")], after: Annotated[int, Query(alias="to")]
) -> dict[str, Any]:
    """Every place at which two versions differ, whichever they are."""
    changes = queries.version_changes(actor(request), before, after)
    return {
        "from": before,
        "to": after,
        "items": [
            {"path": one.path, "change": one.change.value, "before": one.before, "after": one.after} for one in changes
        ],
        "next": None,
    }


@router.get("/process/document")
def written(
    request: HttpRequest, form: Annotated[str, Query(alias="format")] = "html", version: int | None = None
) -> HttpResponse:
    """The complete process as a document with contents: `format` html, md or pdf."""
    content = document.written(actor(request), form=form, number=version)
    return HttpResponse(content, content_type=document.TYPES[form])


@router.get("/process/maps/itil")
def itil(request: HttpRequest, version: int | None = None) -> dict[str, Any]:
    """The five steps of ITIL with what serves each; `gaps` says what nothing serves."""
    steps = process_maps.itil(actor(request), version)
    return {"items": [_step(one) for one in steps], "gaps": [gap for one in steps for gap in one.gaps], "next": None}


def _step(one: Step) -> dict[str, Any]:
    return {
        "step": one.step,
        "serves": one.serves or None,
        "states": list(one.states),
        "features": [
            {"feature": it.feature, "where": it.where, "states": list(it.states), "events": list(it.events)}
            for it in one.features
        ],
        "parts": [_step(part) for part in one.parts],
        "gaps": list(one.gaps),
    }


@router.get("/process/maps/frameworks")
def frameworks(
    request: HttpRequest,
    framework: str = "",
    start: Annotated[datetime | None, Query(alias="from")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """What SOC 2, ISO 27001 and DORA ask for, and the evidence that answers it."""
    found = process_maps.frameworks(actor(request), only=framework, start=start, end=end)
    items = [
        {
            "framework": one.code,
            "name": one.name,
            "control": it.ref,
            "asks": it.asks,
            "evidence": [
                {"code": ev.code, "name": ev.name, "where": ev.where, "command": ev.command, "entries": ev.entries}
                for ev in it.evidence
            ],
            "gap": it.gap or None,
        }
        for one in found
        for it in one.controls
    ]
    return {"items": items, "gaps": [f"{one['control']}: {one['gap']}" for one in items if one["gap"]], "next": None}


def findings(found: Sequence[Finding]) -> dict[str, Any]:
    """Findings as a list with a verdict."""
    items = [
        {"level": one.level.value, "where": one.where, "rule": one.rule, "says": one.says, "remedy": one.remedy}
        for one in found
    ]
    errors = sum(one.level is Level.ERROR for one in found)
    return {"ok": errors == 0, "errors": errors, "warnings": len(found) - errors, "items": items, "next": None}
