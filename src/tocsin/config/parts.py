"""Words that several of our own kinds of documents share."""

from __future__ import annotations

import re

from tocsin.slo.openslo.checks import Findings, shown, text
from tocsin.slo.openslo.nodes import Node, Shape

_PRIORITY = re.compile(r"[Pp]?([1-9])")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
WORDS = text()


def priority_code(findings: Findings, node: Node, path: str) -> None:
    """A priority by rank or by its code in the catalogue, which is asked when the file is applied; or none."""
    if node.shape is not Shape.SCALAR or not _CODE.fullmatch(node.text):
        findings.error(node.line, path, f"{shown(node.text)} is no priority: write 2, P2 or none")


def rank_or_none(node: Node) -> int | None:
    """The rank written as 2, "2" or P2; None for the word none."""
    found = _PRIORITY.fullmatch(node.text)
    return int(found[1]) if found else None


def priority(findings: Findings, node: Node, path: str) -> None:
    """A priority as people write it."""
    if node.shape is not Shape.SCALAR or (node.text != "none" and rank_or_none(node) is None):
        findings.error(node.line, path, f"{shown(node.text)} is no priority: write 2, P2 or none")
