"""SLOs and the priorities of their breaches over JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from tocsin.adoption import queries as adopted
from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.incidents import rank_of
from tocsin.api.listing import listing
from tocsin.config import apply, export, legacy_priorities
from tocsin.core.errors import Invalid, Refused
from tocsin.core.rule_reach import velocity_warnings
from tocsin.oncall import queries as oncall
from tocsin.platform import clock
from tocsin.process import queries as process
from tocsin.slo import actions, queries, snapshots
from tocsin.slo.models import Objective
from tocsin.slo.wording import MECHANICAL

router = Router(tags=["SLOs"])


class Files(Schema):
    files: dict[str, str]
    in_folders: list[str] = []
    dry_run: bool = False
    reason: str = ""


class LegacyPriorities(Schema):
    csv: str
    mapping: dict[str, str] = {}
    file: str = "priorities.csv"
    dry_run: bool = False


class Reason(Schema):
    reason: str = ""


class Assignment(Schema):
    priority: int | str | None
    groups: list[str] = []
    reason: str = ""
    raise_rule: dict[str, Any] | None = None
    assign_mode: str = "automatic"
    severity: str = ""
    escalation_policy: str = ""


class Fallback(Schema):
    fallback: str | None
    reason: str = ""


@router.get("/slos")
def slos(request: HttpRequest, team: str = "", service: str = "") -> dict[str, Any]:
    return listing(queries.objectives(actor(request), team=team or None, service=service or None), shapes.objective)


@router.get("/slos/{name}")
def slo(request: HttpRequest, name: str) -> dict[str, Any]:
    """One SLO with its priority and the breaches of the last 30 days."""
    now = clock.now()
    row = queries.objective(actor(request), name)
    assignment = queries.assignment_at(row, now)
    reading = queries.reading_past(row, now=now)
    breaches = queries.breaches(row, now - timedelta(days=30))
    return {
        **shapes.objective(row),
        "reading_past": str(reading) if reading else None,
        **_late(row),
        "coverage": round(queries.coverage(row, snapshots.period_of(row, now=now), now=now).share, 4),
        "priority": assignment.priority if assignment else None,
        "priority_state": assignment.decision if assignment else "unset",
        "groups": [group.code for group in assignment.groups.all()] if assignment else [],
        "starting_severity": (assignment.severity or None) if assignment else None,
        "escalation_policy": (assignment.escalation_policy or None) if assignment else None,
        "breaches": [
            {**shapes.breach(one), "process_version": number}
            for one, number in zip(breaches, process.numbers_at(one.at for one in breaches), strict=True)
        ],
    }


def _late(row: Objective) -> dict[str, Any]:
    """How many pushed samples came too late to be counted, and when one last did."""
    state = getattr(row, "state", None)
    return {
        "late_samples": state.late_samples if state else 0,
        "late_at": shapes.at(state.late_at) if state else None,
    }


@router.get("/slos/{name}/budget")
def budget(request: HttpRequest, name: str, span: str = "day") -> dict[str, Any]:
    """What was left at the end of each step: `day` by the hour, `period` by the week, `year` by period."""
    if span not in set(queries.Span):
        raise Invalid({"span": f"There is no span {span!r}: choose {', '.join(queries.Span)}."})
    row = queries.objective(actor(request), name)
    steps = queries.depletion(actor(request), row, queries.Span(span), now=clock.now())
    return {
        "slo": row.name,
        "span": span,
        "steps": [
            {
                "starts_at": shapes.at(one.starts_at),
                "ends_at": shapes.at(one.ends_at),
                "valid": one.valid,
                "bad": one.bad,
                "remaining": one.left,
            }
            for one in steps
        ],
    }


@router.put("/slos/{name}/priority")
def assign(request: HttpRequest, name: str, body: Assignment) -> dict[str, Any]:
    """Say what a breach of this SLO means, and who hears of it."""
    rank = rank_of(body.priority)
    now, objective = clock.now(), queries.objective(actor(request), name)
    row = actions.assign_priority(
        actor(request),
        objective=objective,
        decision="set" if rank is not None else "none",
        priority=rank,
        groups=body.groups,
        reason=body.reason,
        raise_rule=body.raise_rule,
        assign_mode=body.assign_mode,
        severity=body.severity,
        escalation_policy=oncall.known_policy(body.escalation_policy),
        now=now,
    )
    return {
        "slo": name,
        "priority": row.priority,
        "decision": row.decision,
        "assign_mode": row.assign_mode,
        "severity": row.severity or None,
        "escalation_policy": row.escalation_policy or None,
        "valid_from": shapes.at(row.valid_from),
        "warnings": [warning for warning in [adopted.priority_warning(objective.service.team, now=now)] if warning],
    }


@router.get("/slos/{name}/versions")
def versions(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the SLO said from when to when, newest first, with what each version changed, who changed it and why."""
    row = queries.objective(actor(request), name)
    return listing(queries.versions(actor(request), row), _version)


def _version(one: queries.Version) -> dict[str, Any]:
    return {
        "number": one.row.number,
        "change": one.row.change,
        "from": shapes.at(one.row.effective_at),
        "until": shapes.at(one.until_at),
        "by": one.row.author,
        "reason": one.row.reason or None,
        "sha256": one.row.sha256,
        "changes": [
            {"path": change.path, "change": change.change.value, "before": change.before, "after": change.after}
            for change in one.changes
        ],
        "touches": [effect.value for effect in one.effects],
        "settings": one.row.settings,
        "document": one.row.document,
    }


@router.post("/slos/{name}/retire")
def retire(request: HttpRequest, name: str, body: Reason) -> dict[str, Any]:
    """Take an SLO out of use, for a reason; its versions, breaches and incidents stay."""
    if not body.reason.strip():
        raise Invalid({"reason": "Say why the SLO is retired; it stands in its history."})
    return shapes.objective(actions.retire_objective(actor(request), name, reason=body.reason, now=clock.now()))


@router.put("/slos/{name}/fallback")
def fallback(request: HttpRequest, name: str, body: Fallback) -> dict[str, Any]:
    """Choose the table that speaks while nobody has decided; rows that can never speak are told."""
    table = "" if body.fallback in (None, "off") else body.fallback
    row = actions.set_fallback(actor(request), name, table or "", reason=body.reason, now=clock.now())
    codes = {one.rank: one.code for one in process.current().catalogue.priorities}
    warnings = velocity_warnings(row.target, row.period, codes) if row.fallback == "velocity" else ()
    return {"slo": name, "fallback": row.fallback or None, "label": MECHANICAL, "warnings": list(warnings)}


@router.delete("/slos/{name}")
def delete(request: HttpRequest, name: str) -> dict[str, Any]:
    """Always refused: what an SLO promised and broke must stay explainable."""
    row = queries.objective(actor(request), name)
    raise Refused(
        f"{row.name} is never deleted. Retire it: tocsin slo retire {row.name} --reason ...", reason="never_deleted"
    )


@router.get("/export/slos")
def export_slos(request: HttpRequest, name: Annotated[list[str] | None, Query()] = None) -> dict[str, Any]:
    """SLOs as files again, with their services, data sources and priorities; all of them when no name is given."""
    return export.export(actor(request), name or [], now=clock.now()).as_json()


@router.post("/priorities/import")
def import_priorities(request: HttpRequest, body: LegacyPriorities) -> dict[str, Any]:
    """Earlier priorities of a team as a CSV, brought onto the organisation's by a mapping; what has none is listed."""
    return legacy_priorities.import_priorities(
        actor(request), body.csv, body.mapping, file=body.file, dry_run=body.dry_run, now=clock.now()
    ).as_document()


@router.post("/apply")
def apply_files(request: HttpRequest, body: Files) -> dict[str, Any]:
    """Configuration files, all or nothing; a dry run says what would change."""
    plan = apply.apply_texts(
        actor(request),
        body.files,
        in_folders=set(body.in_folders),
        dry_run=body.dry_run,
        reason=body.reason,
        now=clock.now(),
    )
    return plan.as_document()
