"""Saving and retiring SLOs. An SLO with a past is never deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.catalog import queries as catalog
from tocsin.core.access import Actor, Right, require
from tocsin.core.error_budget import allowed_ratio
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.core.slo_windows import grid_tick
from tocsin.platform import db
from tocsin.platform.text import clean, one_line
from tocsin.slo import judging, raw_ratios, thresholds, versioning
from tocsin.slo.actions.naming import checked_name
from tocsin.slo.models import Budgeting, DataSource, Objective, ObjectiveState, VersionChange
from tocsin.slo.openslo.from_spec import document_of
from tocsin.slo.promql import query_problem
from tocsin.slo.rules import rule_for
from tocsin.slo.specs import ObjectiveSpec

_SHORTEST_PERIOD = timedelta(hours=1)
_HIGHEST_LINE = Decimal(10) ** 20
_SHORTEST_TICK = timedelta(seconds=1)
_PLAIN = (
    "target",
    "period",
    "budgeting",
    "slice_window",
    "slice_target",
    "calendar_start",
    "time_zone",
    "good_query",
    "bad_query",
    "total_query",
    "threshold_query",
    "threshold_op",
    "threshold_value",
    "raw_query",
    "raw_type",
    "evaluate_every",
    "renotify_after",
    "fallback",
    "runbook_url",
    "origin",
)


def save_objective(actor: Actor, spec: ObjectiveSpec, *, reason: str = "", now: datetime) -> Objective:
    """Make the SLO `spec.name` be as given; the same again writes nothing, a change is a new version, made for `reason`.

    What was measured, breached and alerted stays; a new evaluation begins now. A retired SLO comes back. Raises
    Invalid for wrong fields (unknown service and source included), NotAllowed without the right over its team.
    """
    check_objective(spec)
    with transaction.atomic():
        found = db.lock(Objective.objects.select_related("service__team").filter(name=spec.name)).first()
        wanted = _wanted(spec)
        _may_write(actor, found, wanted["service"].team)
        changed = {key: value for key, value in wanted.items() if found is None or getattr(found, key) != value}
        if found is not None and _is_same(found, changed):
            return _moved(found, changed)
        change = _change(found)
        saved = _write(found, spec.name, changed, now=now)
        versioning.note_version(actor, saved, change, reason=reason, now=now)
        _tell(actor, saved, changed, change, reason=reason, now=now)
    return saved


def _change(found: Objective | None) -> VersionChange:
    if found is None:
        return VersionChange.ADDED
    return VersionChange.CHANGED if found.retired_at is None else VersionChange.RETURNED


def _is_same(found: Objective, changed: dict[str, Any]) -> bool:
    return found.retired_at is None and changed.keys() <= {"origin"}


def _moved(found: Objective, changed: dict[str, Any]) -> Objective:
    """A document that only moved within its file is no new revision."""
    if changed:
        found.origin = changed["origin"]
        found.save(update_fields=["origin"])
    return found


def _may_write(actor: Actor, found: Objective | None, team: Any) -> None:
    for owner in {found.service.team if found else team, team}:
        require(actor, Right.SLO_WRITE, team=owner.name if owner else None)


def _wanted(spec: ObjectiveSpec) -> dict[str, Any]:
    service = catalog.find_service(spec.service)
    if service is None:
        raise Invalid({"service": f"There is no service called {spec.service!r}."})
    return {
        **{name: getattr(spec, name) for name in _PLAIN},
        "service": service,
        "source": _source(spec.source),
        "display_name": one_line(clean(spec.display_name), limit=150),
        "description": clean(spec.description),
        "use_case": one_line(clean(spec.use_case)),
        "sli_kind": one_line(clean(spec.sli_kind), limit=63),
        "endpoint": one_line(clean(spec.endpoint)),
        "rule": dict(spec.rule),
        "document": dict(spec.document) or document_of(spec),
    }


def _source(name: str | None) -> DataSource | None:
    if name is None:
        return None
    found = DataSource.objects.filter(name=name).first()
    if found is None:
        raise Invalid({"source": f"There is no data source called {name!r}."})
    return found


def _write(found: Objective | None, name: str, changed: dict[str, Any], *, now: datetime) -> Objective:
    if found is None:
        objective = Objective.objects.create(name=name, created_at=now, **changed)
        due = grid_tick(now, objective.evaluate_every) + objective.evaluate_every
        ObjectiveState.objects.create(objective=objective, next_at=due)
        return objective
    for key, value in changed.items():
        setattr(found, key, value)
    found.revision += 1
    found.retired_at = None
    found.save(update_fields=[*changed, "revision", "retired_at"])
    ObjectiveState.objects.filter(objective=found).update(next_at=now)
    return found


def _tell(
    actor: Actor, objective: Objective, changed: dict[str, Any], change: VersionChange, *, reason: str, now: datetime
) -> None:
    shown = {key: versioning.shown(value) for key, value in changed.items() if key not in ("document", "origin")}
    data = {
        "slo": objective.name,
        "service": objective.service.name,
        "change": change.value,
        "revision": objective.revision,
        "fields": shown,
    }
    if reason:
        data["reason"] = clean(reason)
    audit.record(actor, [Fact(kind=Kind.SLO_APPLIED, data=data)], now=now)


def retire_objective(actor: Actor, name: str, *, reason: str = "", now: datetime) -> Objective:
    """Take an SLO out of use: no longer evaluated or asked for, its versions, breaches and priorities kept.

    Nothing in the house deletes an SLO: what was breached and what followed from it must stay explainable.
    """
    with transaction.atomic():
        objective = db.lock(Objective.objects.select_related("service__team").filter(name=name)).first()
        if objective is None:
            raise NotFound(f"There is no SLO called {name!r}.")
        team = objective.service.team
        require(actor, Right.SLO_WRITE, team=team.name if team else None)
        if objective.retired_at is None:
            objective.retired_at = now
            objective.revision += 1
            objective.save(update_fields=["retired_at", "revision"])
            ObjectiveState.objects.filter(objective=objective).update(next_at=None)
            versioning.note_version(actor, objective, VersionChange.RETIRED, reason=reason, now=now)
            data = {"slo": name, "reason": clean(reason), "revision": objective.revision}
            audit.record(actor, [Fact(kind=Kind.SLO_RETIRED, data=data)], now=now)
    return objective


def check_objective(spec: ObjectiveSpec) -> None:
    """Raise Invalid with every wrong field of `spec` that can be seen without asking the database."""
    checked_name(spec.name)
    problems: dict[str, str] = {}
    _check_target(spec, problems)
    _check_spans(spec, problems)
    _check_slices(spec, problems)
    for field in ("good_query", "bad_query", "total_query"):
        query = getattr(spec, field)
        if query and (problem := query_problem(query)):
            problems[field] = problem
    _check_threshold(spec, problems)
    _check_raw(spec, problems)
    if spec.fallback not in ("", judging.FALLBACK_REMAINING, judging.FALLBACK_VELOCITY):
        problems["fallback"] = "must be empty, remaining or velocity"
    try:
        rule_for(spec.rule, period=spec.period, renotify_after=spec.renotify_after)
    except Invalid as error:
        problems |= error.fields
    if problems:
        raise Invalid(problems)


def _check_target(spec: ObjectiveSpec, problems: dict[str, str]) -> None:
    try:
        allowed_ratio(spec.target)
    except Invalid as error:
        problems |= error.fields
        return
    if spec.target <= 0:
        problems["target"] = "must be above 0"
    exponent = spec.target.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -10:
        problems["target"] = "has more than ten decimal places"


def _check_spans(spec: ObjectiveSpec, problems: dict[str, str]) -> None:
    if spec.period < _SHORTEST_PERIOD:
        problems["period"] = "must be at least an hour"
    if spec.evaluate_every < _SHORTEST_TICK:
        problems["evaluate_every"] = "must be at least a second"
    if spec.renotify_after < timedelta(0):
        problems["renotify_after"] = "must not be negative"
    try:
        ZoneInfo(spec.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems["time_zone"] = f"{one_line(spec.time_zone, limit=60)!r} is no time zone"


def _check_threshold(spec: ObjectiveSpec, problems: dict[str, str]) -> None:
    if not spec.threshold_query:
        return
    if problem := thresholds.query_problem(spec.threshold_query):
        problems["threshold_query"] = problem
    if spec.threshold_op not in thresholds.OPERATORS:
        problems["threshold_op"] = f"must be one of {', '.join(thresholds.OPERATORS)}"
    if spec.threshold_value is None or abs(spec.threshold_value) >= _HIGHEST_LINE:
        problems["threshold_value"] = "the line that the value must keep is a number below 10^20"
    if spec.good_query or spec.bad_query or spec.total_query:
        problems["threshold_query"] = "an SLO is measured by a value or by counters, not both"


def _check_raw(spec: ObjectiveSpec, problems: dict[str, str]) -> None:
    if not spec.raw_query:
        return
    if problem := thresholds.query_problem(spec.raw_query):
        problems["raw_query"] = problem
    if spec.raw_type not in raw_ratios.TYPES:
        problems["raw_type"] = f"must be one of {', '.join(raw_ratios.TYPES)}"
    if spec.threshold_query or spec.good_query or spec.bad_query or spec.total_query:
        problems["raw_query"] = "an SLO is measured by a ratio, by a value or by counters, by one of them only"


def _check_slices(spec: ObjectiveSpec, problems: dict[str, str]) -> None:
    if spec.budgeting not in Budgeting.values:
        problems["budgeting"] = f"must be one of {', '.join(Budgeting.values)}"
    if spec.budgeting == Budgeting.OCCURRENCES:
        return
    if not spec.slice_window or spec.slice_window % timedelta(minutes=1):
        problems["slice_window"] = "time slices need a length in whole minutes"
    if spec.budgeting != Budgeting.TIMESLICES:
        return
    if spec.slice_target is None or not 0 < spec.slice_target <= 1:
        problems["slice_target"] = "time slices need a target above 0 and at most 1"
