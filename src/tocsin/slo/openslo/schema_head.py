"""The head every OpenSLO object has: names, labels, annotations, and which annotations are ours."""

from __future__ import annotations

import re

from tocsin.slo.openslo.checks import Findings, inside, record, shown, text, twice
from tocsin.slo.openslo.nodes import Node, Shape

API_VERSION = "openslo/v1"
OUR_PREFIX = "tocsin.dev/"
KNOWN_ANNOTATIONS = frozenset(
    OUR_PREFIX + name
    for name in (
        "team",
        "runbook",
        "escalation",
        "depends-on",
        "use-case",
        "sli-kind",
        "endpoint",
        "priority",
        "groups",
        "snooze",
        "fallback",
        "rule",
        "short-window",
        "evaluate-every",
        "every",
    )
)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?"
_LABEL_KEY = re.compile(_WORD)
_DOMAIN = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
_ANNOTATION_KEY = re.compile(rf"(?:(?=.{{1,253}}/){_DOMAIN}/)?{_WORD}")

NAME = text(
    pattern=_NAME,
    meaning="a name: lower-case letters, digits and -, at most 63, a letter or digit at both ends (RFC 1123)",
)
DESCRIPTION = text(most=1050)
WORDS = text()


def _labels(findings: Findings, node: Node, path: str) -> None:
    if not _is_map(findings, node, path):
        return
    for entry in node.entries:
        where = inside(path, entry.key)
        if not _LABEL_KEY.fullmatch(entry.key):
            findings.error(entry.line, where, f"{shown(entry.key)} is no label: letters, digits, - _ . and at most 63")
        values = entry.value.items if entry.value.shape is Shape.LIST else (entry.value,)
        if any(value.shape is not Shape.SCALAR for value in values):
            findings.error(entry.value.line, where, "must be a text or a list of texts")


def _annotations(findings: Findings, node: Node, path: str) -> None:
    if not _is_map(findings, node, path):
        return
    for entry in node.entries:
        where = inside(path, entry.key)
        if not _ANNOTATION_KEY.fullmatch(entry.key):
            findings.error(entry.line, where, f"{shown(entry.key)} is no annotation: [domain/]name")
        if entry.value.shape is not Shape.SCALAR:
            findings.error(entry.value.line, where, "must be a text")
        if entry.key.startswith(OUR_PREFIX) and entry.key not in KNOWN_ANNOTATIONS:
            findings.warn(entry.line, where, f"{entry.key} means nothing to Tocsin")


def _is_map(findings: Findings, node: Node, path: str) -> bool:
    if node.shape is not Shape.MAP:
        findings.error(node.line, path, "must be a map")
        return False
    twice(findings, node, path)
    return True


METADATA = record({"name": NAME}, {"displayName": WORDS, "labels": _labels, "annotations": _annotations})
