"""Tocsin's own kinds of configuration documents, as far as files are applied today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tocsin.config import consumer_views
from tocsin.config.parts import WORDS, priority_code
from tocsin.slo.openslo.checks import Check, Findings, free, list_of, record, shown, text
from tocsin.slo.openslo.durations import shorthand
from tocsin.slo.openslo.nodes import Node
from tocsin.slo.openslo.schema_head import NAME

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


_ENTRY = record(
    {"slo": WORDS, "priority": priority_code},
    {
        "groups": list_of(WORDS),
        "because": WORDS,
        "raise": list_of(record({"when": _when, "to": priority_code}), most=1),
        "assignMode": text(pattern=re.compile("automatic|manual"), meaning="automatic or manual"),
        "severity": WORDS,
        "escalationPolicy": WORDS,
    },
)
_MAP = record(
    {
        "apiVersion": WORDS,
        "kind": WORDS,
        "metadata": record({"name": NAME}, {"team": WORDS, "annotations": free, "labels": free}),
        "spec": record({"slos": list_of(_ENTRY)}, {"resourceAlerts": free}),
    }
)


def _later(findings: Findings, node: Node, _path: str) -> None:
    kind = node.text_at("kind")
    findings.warn(node.line, "kind", f"{kind} is known but not applied from files yet; it was passed over")


OUR_KINDS: Mapping[str, Mapping[str, Check]] = {
    OUR_VERSION: {PRIORITY_MAP: _MAP, consumer_views.KIND: consumer_views.SCHEMA, **dict.fromkeys(_LATER, _later)}
}
