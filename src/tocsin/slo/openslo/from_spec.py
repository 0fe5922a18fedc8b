"""An SLO that came from no file, as the OpenSLO object it would have come from."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.slo.openslo.durations import written
from tocsin.slo.openslo.schema_head import OUR_PREFIX
from tocsin.slo.openslo.writing import an_object
from tocsin.slo.rules import written_rule
from tocsin.slo.specs import ObjectiveSpec

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_DEFAULT_RULE = "tocsin"


def document_of(spec: ObjectiveSpec) -> dict[str, Any]:
    """The document; empty where OpenSLO with our annotations cannot say all that `spec` does."""
    indicator = _indicator(spec)
    spans = (spec.period, spec.evaluate_every, spec.renotify_after, spec.slice_window or _MINUTE)
    unit = _DAY if spec.calendar_start is not None else _MINUTE
    fits = all(span % _MINUTE == timedelta(0) for span in spans) and spec.period % unit == timedelta(0)
    named = set(spec.rule) <= {"name"}
    if not (fits and named and indicator and _NAME.fullmatch(spec.name) and len(spec.description) <= 1050):
        return {}
    body: dict[str, Any] = {"description": spec.description} if spec.description.strip() else {}
    body |= {
        "service": spec.service,
        "indicator": {"metadata": {"name": spec.name}, "spec": indicator},
        "timeWindow": [_window(spec)],
        "budgetingMethod": spec.budgeting,
        "objectives": [_objective(spec)],
    }
    return an_object("SLO", spec.name, body, displayName=spec.display_name, annotations=_annotations(spec))


def _indicator(spec: ObjectiveSpec) -> dict[str, Any]:
    if spec.threshold_query and spec.source:
        return {"thresholdMetric": _metric(spec.source, spec.threshold_query)}
    if spec.raw_query and spec.source:
        return {"ratioMetric": {"raw": _metric(spec.source, spec.raw_query), "rawType": spec.raw_type}}
    queries = {"good": spec.good_query, "bad": spec.bad_query, "total": spec.total_query}
    given = {role: query for role, query in queries.items() if query}
    if not given:
        return {"ratioMetric": {"good": _metric(spec.source, ""), "total": _metric(spec.source, "")}}
    if spec.source is None or set(given) not in ({"good", "total"}, {"bad", "total"}):
        return {}
    return {"ratioMetric": {"counter": True, **{role: _metric(spec.source, query) for role, query in given.items()}}}


def _metric(source: str | None, query: str) -> dict[str, Any]:
    reference = {"metricSourceRef": source} if source else {}
    return {"metricSource": {**reference, "spec": {"query": query} if query else {}}}


def _window(spec: ObjectiveSpec) -> dict[str, Any]:
    if spec.calendar_start is None:
        return {"duration": written(spec.period), "isRolling": True}
    wall = spec.calendar_start.astimezone(ZoneInfo(spec.time_zone))
    calendar = {"startTime": f"{wall:%Y-%m-%d %H:%M:%S}", "timeZone": spec.time_zone}
    return {"duration": f"{spec.period // _DAY}d", "isRolling": False, "calendar": calendar}


def _objective(spec: ObjectiveSpec) -> dict[str, Any]:
    found: dict[str, Any] = {"target": _number(spec.target)}
    if spec.threshold_query and spec.threshold_value is not None:
        found |= {"op": spec.threshold_op, "value": _number(spec.threshold_value)}
    if spec.slice_window is not None:
        found["timeSliceWindow"] = written(spec.slice_window)
    if spec.slice_target is not None:
        found["timeSliceTarget"] = _number(spec.slice_target)
    return found


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _annotations(spec: ObjectiveSpec) -> dict[str, str]:
    name = str(spec.rule.get("name", _DEFAULT_RULE))
    default = ObjectiveSpec(name="", service="", target=Decimal(0), period=_DAY)
    found = {
        "use-case": spec.use_case,
        "sli-kind": spec.sli_kind,
        "endpoint": spec.endpoint,
        "runbook": spec.runbook_url,
        "fallback": spec.fallback,
        "rule": "" if name == _DEFAULT_RULE else written_rule(spec.rule),
        "snooze": "" if spec.renotify_after == default.renotify_after else written(spec.renotify_after),
        "evaluate-every": "" if spec.evaluate_every == default.evaluate_every else written(spec.evaluate_every),
    }
    return {OUR_PREFIX + key: value for key, value in found.items() if value}
