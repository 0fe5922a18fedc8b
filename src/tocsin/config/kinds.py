"""Tocsin's own kinds of configuration documents, as far as files are applied today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tocsin.config import consumer_views
from tocsin.config.parts import WORDS, priority_code
from tocsin.slo.openslo.checks import Check, Findings, boolean, free, list_of, record, shown, text
from tocsin.slo.openslo.durations import shorthand
from tocsin.slo.openslo.nodes import Node
from tocsin.slo.openslo.schema_head import NAME
from tocsin.slo.specs import PrioritySpec

OUR_VERSION = "tocsin/v1alpha1"
PRIORITY_MAP = "PriorityMap"
_LATER = (
    "PrioritySet",
    "SeveritySet",
    "ClassificationMatrix",
    "Role",
    "Rotation",
    "EscalationPolicy",
    "StakeholderGroup",
    "Process",
)
_WHEN = re.compile(r"breaches\s*>\s*([0-9]{1,4})\s+in\s+([1-9][0-9]*[mhd])")


def _when(findings: Findings, node: Node, path: str) -> None:
    if raise_condition(node.text) is None:
        findings.error(node.line, path, f"{shown(node.text)} is no condition: write breaches > 3 in 1h")


def raise_condition(written: str) -> tuple[int, timedelta] | None:
    """`breaches > 3 in 1h` as (3, an hour); None when it says anything else."""
    found = _WHEN.fullmatch(written.strip())
    length = shorthand(found[2]) if found else None
    return (int(found[1]), length.span) if found and length else None


def raise_rule(node: Node) -> dict[str, Any] | None:
    """The conditional priority of an entry of a priority map, as an assignment stores it; `to` as it is written."""
    raises = node.items_at("raise")
    condition = raise_condition(raises[0].text_at("when")) if raises else None
    if condition is None:
        return None
    more_than, within = condition
    to = raises[0].get("to")
    return {
        "more_than": more_than,
        "within_seconds": int(within.total_seconds()),
        "to": to.text if to else "",
    }


def entry_spec(entry: Node) -> PrioritySpec:
    """What an entry of a priority map decides, for an SLO or for a resource alert."""
    code = entry.text_at("priority")
    return PrioritySpec(
        decision="none" if code == "none" else "set",
        code="" if code == "none" else code,
        groups=tuple(item.text for item in entry.items_at("groups")),
        reason=entry.text_at("because"),
        raise_rule=raise_rule(entry),
        assign_mode=entry.text_at("assignMode") or "automatic",
        severity=entry.text_at("severity"),
        escalation_policy=entry.text_at("escalationPolicy"),
    )


_DECIDED: Mapping[str, Check] = {
    "groups": list_of(WORDS),
    "because": WORDS,
    "assignMode": text(pattern=re.compile("automatic|manual"), meaning="automatic or manual"),
    "severity": WORDS,
    "escalationPolicy": WORDS,
}
_ENTRY = record(
    {"slo": WORDS, "priority": priority_code},
    {**_DECIDED, "raise": list_of(record({"when": _when, "to": priority_code}), most=1)},
)
_ALERT_OPTIONS: Mapping[str, Check] = {
    **_DECIDED,
    "replaceWith": WORDS,
    "service": WORDS,
    "alertName": WORDS,
    "metric": WORDS,
    "useCase": WORDS,
    "runbook": WORDS,
    "interim": boolean,
}
_ALERT = record({"alert": WORDS, "priority": priority_code}, _ALERT_OPTIONS)
_MAP = record(
    {
        "apiVersion": WORDS,
        "kind": WORDS,
        "metadata": record({"name": NAME}, {"team": WORDS, "annotations": free, "labels": free}),
        "spec": record({"slos": list_of(_ENTRY)}, {"resourceAlerts": list_of(_ALERT)}),
    }
)


def _later(findings: Findings, node: Node, _path: str) -> None:
    kind = node.text_at("kind")
    findings.warn(node.line, "kind", f"{kind} is known but not applied from files yet; it was passed over")


OUR_KINDS: Mapping[str, Mapping[str, Check]] = {
    OUR_VERSION: {PRIORITY_MAP: _MAP, consumer_views.KIND: consumer_views.SCHEMA, **dict.fromkeys(_LATER, _later)}
}
