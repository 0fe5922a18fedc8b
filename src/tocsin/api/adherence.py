"""Was the process followed: the checks of one incident, the report of a period, and waivers, over JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.core.adherence import CHECKS
from tocsin.core.adherence_outcomes import Outcome, Verdict
from tocsin.core.errors import Invalid
from tocsin.core.report_periods import Period, parse_period, quarter_of
from tocsin.incidents import actions
from tocsin.insights import adherence
from tocsin.insights import adherence_evidence as evidence
from tocsin.insights.adherence_evidence import Judged, Tally
from tocsin.platform import clock

router = Router(tags=["adherence"])
FORMATS = ("json", "csv", "md")
_WORDS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.WAIVED: "waived",
    Verdict.NOT_APPLICABLE: "not_applicable",
    Verdict.NOT_DUE: "not_due",
    Verdict.NOT_CHECKED: "not_checked",
}


class Reason(Schema):
    reason: str = ""


@router.get("/adherence")
def report(
    request: HttpRequest,
    period: str = "",
    start: Annotated[datetime | None, Query(alias="from")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
    detail: bool = False,
    format: str = "json",  # noqa: A002 - the name in the address
) -> Any:
    """Per check: how many incidents passed, failed, were waived, and so on. Never one figure over all of them.

    `period` is 2026, 2026-Q3, 2026-08 or 90d; or give `from` and `to`; without either it is this quarter. `detail` adds
    each verdict with the entries behind it. `format` is json, csv (each verdict) or md (the table).
    """
    now = clock.now()
    if format not in FORMATS:
        raise Invalid({"format": f"Choose {', '.join(FORMATS)}."})
    asked = _asked(period, start, end, now=now)
    found = adherence.of_period(actor(request), start=asked.start, end=asked.end, now=now)
    if format == "csv":
        return StreamingHttpResponse(_encoded(evidence.as_csv(found)), content_type="text/csv; charset=utf-8")
    tally, verdicts = _collect(found, detail=detail)
    as_of = min(asked.end, now)
    if format == "md":
        text = evidence.summary(tally, start=asked.start, end=asked.end, as_of=as_of)
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")
    return {
        "from": shapes.at(asked.start),
        "to": shapes.at(asked.end),
        "as_of": shapes.at(as_of),
        "incidents": tally.incidents,
        "exercises": tally.exercises,
        "checks": [_row(code, tally, verdicts) for code in CHECKS],
    }


def _asked(period: str, start: datetime | None, end: datetime | None, *, now: datetime) -> Period:
    if period and (start or end):
        raise Invalid({"period": "Give a period, or from and to, not both."})
    if period:
        return parse_period(period, now=now)
    if start is None and end is None:
        return quarter_of(now)
    if start is None or end is None or start.tzinfo is None or end.tzinfo is None:
        raise Invalid({"from": "Give from and to, both with a zone: 2026-07-01T00:00:00Z."})
    if start >= end:
        raise Invalid({"to": "The end lies at or before the beginning."})
    return Period("", start, end)


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (line.encode() for line in lines)


def _collect(found: Iterable[Judged], *, detail: bool) -> tuple[Tally, dict[str, list[dict[str, Any]]]]:
    """Counts, and each verdict where it was asked for."""
    tally = Tally.empty()
    verdicts: dict[str, list[dict[str, Any]]] = {code: [] for code in CHECKS}
    for judged in found:
        tally.add({code: one.verdict for code, one in judged.outcomes.items()}, exercise=judged.exercise)
        if detail and not judged.exercise:
            for code, outcome in judged.outcomes.items():
                verdicts[code].append({"incident": judged.ref, **_outcome(outcome)})
    return tally, verdicts if detail else {}


def _row(code: str, tally: Tally, verdicts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    counts = {word: tally.counts[code][verdict] for verdict, word in _WORDS.items()}
    row = {"id": code, "title": CHECKS[code].title, "incidents": tally.incidents, **counts}
    return row | ({"verdicts": verdicts[code]} if verdicts else {})


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "verdict": one.verdict.value,
        "why": one.why,
        "events": list(one.evidence),
        "due_at": shapes.at(one.due_at),
        "remark": one.remark or None,
        "waived_by": one.waiver.by if one.waiver else None,
        "waiver_reason": one.waiver.reason if one.waiver else None,
    }


@router.get("/incidents/{ref}/adherence")
def of_incident(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Each check of one incident with its verdict and the numbers of the log entries behind it."""
    return _incident(request, ref)


def _incident(request: HttpRequest, ref: str) -> dict[str, Any]:
    found = adherence.of_incident(actor(request), ref, now=clock.now())
    return {
        "incident": found.incident.ref,
        "process_version": found.incident.process_version.number,
        "as_of": shapes.at(found.as_of),
        "checks": [
            {"id": code, "title": CHECKS[code].title, **_outcome(outcome)} for code, outcome in found.outcomes.items()
        ],
    }


@router.post("/incidents/{ref}/adherence/{check}/waive")
def waive(request: HttpRequest, ref: str, check: str, body: Reason) -> dict[str, Any]:
    """Say that a miss is not held against the incident, and why. The owner of the process may."""
    actions.waive_check(actor(request), ref, check=check, reason=body.reason, now=clock.now())
    return _incident(request, ref)


@router.post("/incidents/{ref}/adherence/{check}/withdraw")
def withdraw(request: HttpRequest, ref: str, check: str, body: Reason) -> dict[str, Any]:
    """Let a waived check count again, and say why."""
    actions.withdraw_waiver(actor(request), ref, check=check, reason=body.reason, now=clock.now())
    return _incident(request, ref)
