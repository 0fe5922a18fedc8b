"""What OpenSLO v1 lets each kind of object say, with the rules that tie fields together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.slo.openslo.checks import (
    Check,
    Findings,
    boolean,
    choice,
    duration,
    exactly_one,
    free,
    inside,
    list_of,
    number,
    record,
    shown,
)
from tocsin.slo.openslo.durations import MEANING, shorthand
from tocsin.slo.openslo.nodes import Node, Shape
from tocsin.slo.openslo.schema_head import API_VERSION, DESCRIPTION, METADATA, WORDS

_START_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def _inline(kind: str, spec: Check) -> Check:
    """An object that stands inside another one: its head may be left out."""
    return record({"metadata": METADATA, "spec": spec}, {"apiVersion": choice(API_VERSION), "kind": choice(kind)})


def _reference_or(key: str, inline: Check, *, bare: bool = False) -> Check:
    """`{key: name}` or the object itself; with `bare` the name alone will do."""
    reference = record({key: WORDS})

    def check(findings: Findings, node: Node, path: str) -> None:
        if bare and node.shape is Shape.SCALAR:
            WORDS(findings, node, path)
        elif node.get(key) is not None:
            reference(findings, node, path)
        else:
            inline(findings, node, path)

    return check


# --- indicators

_SOURCE = record({"spec": free}, {"metricSourceRef": WORDS, "type": WORDS})
_METRIC = record({"metricSource": _SOURCE})


def _ratio_rules(findings: Findings, node: Node, path: str) -> None:
    if node.get("raw") is not None:
        for key in ("good", "bad", "total"):
            if (given := node.get(key)) is not None:
                findings.error(given.line, inside(path, key), "cannot stand beside raw")
        if node.get("rawType") is None:
            findings.error(node.line, inside(path, "rawType"), "raw needs rawType: success or failure")
        return
    if node.get("total") is None:
        findings.error(node.line, inside(path, "total"), "total, or raw with rawType, is required")
    exactly_one("good", "bad")(findings, node, path)


_RATIO = record(
    {},
    {
        "counter": boolean,
        "good": _METRIC,
        "bad": _METRIC,
        "total": _METRIC,
        "rawType": choice("success", "failure"),
        "raw": _METRIC,
    },
    also=_ratio_rules,
)
SLI_SPEC = record(
    {},
    {"description": DESCRIPTION, "thresholdMetric": _METRIC, "ratioMetric": _RATIO},
    also=exactly_one("thresholdMetric", "ratioMetric"),
)
INLINE_SLI = _inline("SLI", SLI_SPEC)


# --- alerts


def _condition_rules(findings: Findings, node: Node, path: str) -> None:
    for key in ("threshold", "lookbackWindow"):
        if node.get(key) is None:
            findings.error(node.line, inside(path, key), f"required field {key!r} is missing")
    operator = node.get("op")
    if operator is not None and operator.text in ("lte", "lt"):
        message = f"op {operator.text} alerts while the budget burns slowly; gt or gte is what alerts mean by too fast"
        findings.warn(operator.line, inside(path, "op"), message)


_CONDITION = record(
    {},
    {
        "kind": choice("burnrate"),
        "op": choice("lte", "gte", "lt", "gt"),
        "threshold": number(least="0"),
        "lookbackWindow": duration(),
        "alertAfter": duration(zero=True),
    },
    also=_condition_rules,
)
CONDITION_SPEC = record({"severity": WORDS, "condition": _CONDITION}, {"description": DESCRIPTION})
TARGET_SPEC = record({"target": WORDS}, {"description": DESCRIPTION})
POLICY_SPEC = record(
    {
        "conditions": list_of(
            _reference_or("conditionRef", _inline("AlertCondition", CONDITION_SPEC)), least=1, most=1
        ),
        "notificationTargets": list_of(
            _reference_or("targetRef", _inline("AlertNotificationTarget", TARGET_SPEC)), least=1
        ),
    },
    {
        "description": DESCRIPTION,
        "alertWhenNoData": boolean,
        "alertWhenResolved": boolean,
        "alertWhenBreaching": boolean,
    },
)


# --- objectives


def _start_time(findings: Findings, node: Node, path: str) -> None:
    try:
        fits = _START_TIME.fullmatch(node.text) and datetime.fromisoformat(node.text)
    except ValueError:
        fits = None
    if not fits:
        findings.error(node.line, path, f"{shown(node.text)} is no time: write YYYY-MM-DD hh:mm:ss, without a zone")


def _time_zone(findings: Findings, node: Node, path: str) -> None:
    try:
        ZoneInfo(node.text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        findings.error(node.line, path, f"{shown(node.text)} is no time zone of the IANA database")


def _window_rules(findings: Findings, node: Node, path: str) -> None:
    calendar, rolling = node.get("calendar"), node.get("isRolling")
    if calendar is None and (rolling is None or not rolling.boolean):
        where = rolling.line if rolling is not None else node.line
        findings.error(where, inside(path, "calendar"), "a window that is not rolling needs a calendar")
    if calendar is not None and rolling is not None and rolling.boolean:
        findings.error(calendar.line, inside(path, "calendar"), "a rolling window has no calendar")
    length = shorthand(node.text_at("duration"))
    if calendar is not None and length is not None and length.calendar_unit is None:
        message = "a calendar period is counted in days, weeks, months, quarters or years"
        findings.error(node.line, inside(path, "duration"), message)


_WINDOW = record(
    {"duration": duration()},
    {
        "isRolling": boolean,
        "calendar": record({"startTime": _start_time, "timeZone": _time_zone}),
    },
    also=_window_rules,
)


def _slice_window(findings: Findings, node: Node, path: str) -> None:
    """A shorthand, or a bare number of minutes."""
    value = node.number
    if shorthand(node.text) is None and (value is None or value <= 0 or value != int(value)):
        findings.error(node.line, path, f"{shown(node.text)} is no slice: write whole minutes, or {MEANING}")


def _objective_rules(findings: Findings, node: Node, path: str) -> None:
    exactly_one("target", "targetPercent")(findings, node, path)
    if node.get("indicator") is not None or node.get("indicatorRef") is not None:
        exactly_one("indicator", "indicatorRef")(findings, node, path)
    for key in ("target", "targetPercent"):
        value = node.get(key)
        if value is not None and value.number == 0:
            findings.warn(value.line, inside(path, key), "a target of zero is met whatever happens")


def _target(limit: str) -> Check:
    plain = number(least="0", below=limit)

    def check(findings: Findings, node: Node, path: str) -> None:
        if node.number is not None and node.number.compare(type(node.number)(limit)) == 0:
            findings.error(node.line, path, f"{node.text} leaves no error budget; a target lies below {limit}")
        else:
            plain(findings, node, path)

    return check


_OBJECTIVE = record(
    {},
    {
        "displayName": WORDS,
        "op": choice("lte", "gte", "lt", "gt"),
        "value": number(),
        "target": _target("1"),
        "targetPercent": _target("100"),
        "timeSliceTarget": number(above="0", most="1"),
        "timeSliceWindow": _slice_window,
        "indicator": INLINE_SLI,
        "indicatorRef": WORDS,
        "compositeWeight": number(above="0"),
    },
    also=_objective_rules,
)
_NEEDED_BY_METHOD: Mapping[str, tuple[str, ...]] = {
    "Occurrences": (),
    "Timeslices": ("timeSliceTarget", "timeSliceWindow"),
    "RatioTimeslices": ("timeSliceWindow",),
}


def _slo_rules(findings: Findings, node: Node, path: str) -> None:
    _indicator_rules(findings, node, path)
    objectives = node.items_at("objectives")
    for index, objective in enumerate(objectives):
        where = f"{inside(path, 'objectives')}[{index}]"
        _method_rules(findings, objective, where, node.text_at("budgetingMethod"))
        if _threshold_of(node, objective):
            _threshold_rules(findings, objective, where)
    if node.get("indicator", "spec", "thresholdMetric") is not None and len(objectives) > 1:
        second = objectives[1].line
        findings.error(second, f"{inside(path, 'objectives')}[1]", "a threshold metric takes one objective only")


def _threshold_of(spec: Node, objective: Node) -> bool:
    own = objective.get("indicator", "spec", "thresholdMetric")
    return own is not None or spec.get("indicator", "spec", "thresholdMetric") is not None


def _indicator_rules(findings: Findings, node: Node, path: str) -> None:
    if node.get("indicator") is not None and node.get("indicatorRef") is not None:
        exactly_one("indicator", "indicatorRef")(findings, node, path)
    if node.get("indicator") is not None or node.get("indicatorRef") is not None:
        return
    for index, objective in enumerate(node.items_at("objectives")):
        if objective.get("indicator") is None and objective.get("indicatorRef") is None:
            where = f"{inside(path, 'objectives')}[{index}].indicator"
            findings.error(objective.line, where, "neither the SLO nor this objective names an indicator")


def _method_rules(findings: Findings, objective: Node, path: str, method: str) -> None:
    for key in _NEEDED_BY_METHOD.get(method, ()):
        if objective.get(key) is None:
            findings.error(objective.line, inside(path, key), f"required with budgetingMethod {method}")
    for key in ("timeSliceTarget", "timeSliceWindow"):
        if method == "Occurrences" and (given := objective.get(key)) is not None:
            findings.warn(given.line, inside(path, key), "has no meaning with budgetingMethod Occurrences")


def _threshold_rules(findings: Findings, objective: Node, path: str) -> None:
    for key in ("op", "value"):
        if objective.get(key) is None:
            findings.error(objective.line, inside(path, key), "required with a threshold metric")


SLO_SPEC = record(
    {
        "service": WORDS,
        "timeWindow": list_of(_WINDOW, least=1, most=1),
        "budgetingMethod": choice("Occurrences", "Timeslices", "RatioTimeslices"),
        "objectives": list_of(_OBJECTIVE, least=1),
    },
    {
        "description": DESCRIPTION,
        "indicator": INLINE_SLI,
        "indicatorRef": WORDS,
        "alertPolicies": list_of(_reference_or("alertPolicyRef", _inline("AlertPolicy", POLICY_SPEC), bare=True)),
    },
    also=_slo_rules,
)
_SPECS: Mapping[str, Check] = {
    "SLO": SLO_SPEC,
    "SLI": SLI_SPEC,
    "AlertPolicy": POLICY_SPEC,
    "AlertCondition": CONDITION_SPEC,
    "AlertNotificationTarget": TARGET_SPEC,
    "DataSource": record({"type": WORDS}, {"description": DESCRIPTION, "connectionDetails": free}),
    "Service": record({}, {"description": DESCRIPTION}),
}
KINDS = tuple(_SPECS)


def _head(kind: str, spec: Check) -> Check:
    head = {"apiVersion": choice(API_VERSION), "kind": choice(kind), "metadata": METADATA}
    if kind == "Service":  # it has nothing that must be said
        return record(head, {"spec": spec})
    return record({**head, "spec": spec})


OBJECTS: Mapping[str, Check] = {kind: _head(kind, spec) for kind, spec in _SPECS.items()}
