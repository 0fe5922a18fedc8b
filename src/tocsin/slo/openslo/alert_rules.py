"""From an SLO's alert policies to the rule we judge it by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.core.alert_latch import Urgency
from tocsin.slo.openslo.checks import Findings, shown
from tocsin.slo.openslo.durations import shorthand
from tocsin.slo.openslo.nodes import Node, Shape
from tocsin.slo.openslo.parsing import Document
from tocsin.slo.rules import BURN_RATE

_PRIORITY = re.compile(r"[Pp][1-9]")
# Words people use for "in working hours"; every other severity is worth a page.
_LATER = frozenset({"ticket", "low", "info", "warning", "warn", "minor"})


@dataclass(frozen=True, slots=True)
class Told:
    """The rule that the policies amount to, and the priority a severity named ("P2"), empty for none."""

    rule: Mapping[str, Any]
    priority: str = ""


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """Policies and conditions by name."""

    documents: Mapping[tuple[str, str], Document]

    def spec(self, kind: str, name: str) -> Node | None:
        found = self.documents.get((kind, name))
        return found.node.get("spec") if found else None


@dataclass(slots=True)
class _Pairs:
    pairs: list[dict[str, Any]] = field(default_factory=list)
    priority: str = ""


def alert_rule(document: Document, book: PolicyBook, findings: Findings, short_window: str) -> Told:
    """The rule of the SLO's policies; without one, the rule of the product.

    A policy that does not alert when breaching is passed over. `short_window` is our second window: OpenSLO has one.
    """
    found = _Pairs()
    for condition in _conditions(document, book, findings):
        _add(found, condition, findings, short_window)
    if not found.pairs:
        return Told({"name": "tocsin"}, found.priority)
    return Told({"name": BURN_RATE, "pairs": found.pairs}, found.priority)


def named_conditions(document: Document, book: PolicyBook) -> list[tuple[str, Node]]:
    """(name, spec) of every condition of an SLO's policies; what a reference does not lead to is left out."""
    findings = Findings()
    return list(_named(document, book, findings))


def _conditions(document: Document, book: PolicyBook, findings: Findings) -> Iterator[Node]:
    return (spec for _, spec in _named(document, book, findings))


def _named(document: Document, book: PolicyBook, findings: Findings) -> Iterator[tuple[str, Node]]:
    for index, policy in enumerate(document.node.items_at("spec", "alertPolicies")):
        path = f"spec.alertPolicies[{index}]"
        spec = _resolved(policy, "alertPolicyRef", "AlertPolicy", book, findings, path)
        if spec is None:
            continue
        breaching = spec.get("alertWhenBreaching")
        if breaching is not None and breaching.boolean is False:
            continue
        for condition in spec.items_at("conditions"):
            found = _resolved(condition, "conditionRef", "AlertCondition", book, findings, f"{path}.conditions[0]")
            if found is not None:
                yield condition.text_at("metadata", "name") or condition.text_at("conditionRef"), found


def _resolved(node: Node, key: str, kind: str, book: PolicyBook, findings: Findings, path: str) -> Node | None:
    inline = node.get("spec")
    if inline is not None:
        return inline
    reference = node if node.shape is Shape.SCALAR else node.get(key)
    if reference is None:
        return None
    spec = book.spec(kind, reference.text)
    if spec is None:
        findings.error(reference.line, path, f"no {kind} called {shown(reference.text)} in these files")
    return spec


def _add(found: _Pairs, spec: Node, findings: Findings, short_window: str) -> None:
    condition, severity = spec.get("condition"), spec.text_at("severity").strip()
    if condition is None:
        return
    if _PRIORITY.fullmatch(severity):
        found.priority = min(found.priority or severity.upper(), severity.upper())
    _warn(condition, findings)
    threshold = condition.get("threshold")
    long = shorthand(condition.text_at("lookbackWindow"))
    if threshold is None or long is None or not threshold.number:
        return
    pair: dict[str, Any] = {
        "urgency": Urgency.TICKET.value if severity.lower() in _LATER else Urgency.PAGE.value,
        "threshold": str(threshold.number),
        "long_seconds": int(long.span.total_seconds()),
    }
    short = shorthand(short_window) if short_window else None
    if short is not None:
        pair["short_seconds"] = int(short.span.total_seconds())
    found.pairs.append(pair)


def _warn(condition: Node, findings: Findings) -> None:
    after = condition.get("alertAfter")
    if after is not None and not after.text.startswith("0"):
        findings.warn(after.line, "alertAfter", "is not waited for: the windows themselves keep blips from alerting")
    threshold = condition.get("threshold")
    if threshold is not None and threshold.number is not None and threshold.number < 1:
        findings.warn(threshold.line, "threshold", "below 1 is read as 1, at which a budget lasts its period")
