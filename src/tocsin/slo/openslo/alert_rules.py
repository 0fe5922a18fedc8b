"""From an SLO's alert policies to the rule we judge it by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.core.alert_latch import Urgency
from tocsin.core.condition_rule import Comparison
from tocsin.slo.openslo.checks import Findings, shown
from tocsin.slo.openslo.durations import shorthand
from tocsin.slo.openslo.nodes import Node, Shape, walk
from tocsin.slo.openslo.parsing import Document
from tocsin.slo.openslo.schema_head import OUR_PREFIX
from tocsin.slo.rules import BURN_RATE
from tocsin.slo.specs import TargetSpec

SNOOZE, SHORT_WINDOW = OUR_PREFIX + "snooze", OUR_PREFIX + "short-window"
_PRIORITY = re.compile(r"[Pp][1-9]")
# Words people use for "in working hours"; every other severity is worth a page.
_LATER = frozenset({"ticket", "low", "info", "warning", "warn", "minor"})


@dataclass(frozen=True, slots=True)
class Told:
    """The rule that the policies amount to, the priority a severity named ("P2", empty for none), and whom to tell."""

    rule: Mapping[str, Any]
    priority: str = ""
    targets: tuple[TargetSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """Policies, conditions and targets by name."""

    documents: Mapping[tuple[str, str], Document]

    def object(self, kind: str, name: str) -> Node | None:
        found = self.documents.get((kind, name))
        return found.node if found else None


@dataclass(slots=True)
class _Conditions:
    found: list[dict[str, Any]] = field(default_factory=list)
    priority: str = ""
    snooze: str = ""


def alert_rule(document: Document, book: PolicyBook, findings: Findings, short_window: str) -> Told:
    """The rule of the SLO's policies; without one, the rule of the product.

    A policy that does not alert when breaching is passed over. `short_window` is our second window, because OpenSLO has
    one; a condition may have its own in an annotation of the same name.
    """
    found = _Conditions(snooze=document.node.text_at("metadata", "annotations", SNOOZE))
    for _, condition in _named(document, book, findings):
        _add(found, condition, short_window)
    targets = tuple(dict.fromkeys(_targets(document, book, findings)))
    if not found.found:
        return Told({"name": "tocsin"}, found.priority, targets)
    rule: dict[str, Any] = {"name": BURN_RATE, "conditions": found.found}
    snooze = shorthand(found.snooze)
    if snooze is not None:
        rule["snooze_seconds"] = int(snooze.span.total_seconds())
    return Told(rule, found.priority, targets)


def _targets(document: Document, book: PolicyBook, findings: Findings) -> Iterator[TargetSpec]:
    """Whom the policies want told. A name that no document has may be one that the installation knows."""
    for policy, path in policies(document, book, Findings()):
        no_data = policy.get("spec", "alertWhenNoData")
        if no_data is not None and no_data.boolean is False:
            advice = "is told all the same: without data nobody knows whether the target is met"
            findings.warn(no_data.line, f"{path}.alertWhenNoData", advice)
        for one in policy.items_at("spec", "notificationTargets"):
            reference = one.get("targetRef")
            named = reference.text if reference is not None else one.text_at("metadata", "name")
            found = one if reference is None else book.object("AlertNotificationTarget", named)
            target = found.text_at("spec", "target") if found is not None else ""
            yield TargetSpec(named, target, f"{document.file}:{policy_line(document, one)}")


def policy_line(document: Document, node: Node) -> int:
    """The line of a part of a policy, if it stands in the SLO's own document; else that of the SLO."""
    return node.line if any(node is one for one in walk(document.node)) else document.line


def named_conditions(document: Document, book: PolicyBook) -> list[tuple[str, Node]]:
    """(name, spec) of every condition of an SLO's policies; what a reference does not lead to is left out."""
    found = ((name, one.get("spec")) for name, one in _named(document, book, Findings()))
    return [(name, spec) for name, spec in found if spec is not None]


def _named(document: Document, book: PolicyBook, findings: Findings) -> Iterator[tuple[str, Node]]:
    for policy, path in policies(document, book, findings):
        breaching = policy.get("spec", "alertWhenBreaching")
        if breaching is not None and breaching.boolean is False:
            findings.warn(breaching.line, f"{path}.alertWhenBreaching", "this policy alerts of no breach, as it says")
            continue
        for condition in policy.items_at("spec", "conditions"):
            found = resolved(condition, "conditionRef", "AlertCondition", book, findings, f"{path}.conditions[0]")
            if found is not None:
                yield condition.text_at("metadata", "name") or condition.text_at("conditionRef"), found


def policies(document: Document, book: PolicyBook, findings: Findings) -> Iterator[tuple[Node, str]]:
    """The alert policies of an SLO, inline or by name, each with the path that leads to it."""
    for index, policy in enumerate(document.node.items_at("spec", "alertPolicies")):
        path = f"spec.alertPolicies[{index}]"
        found = resolved(policy, "alertPolicyRef", "AlertPolicy", book, findings, path)
        if found is not None:
            yield found, path


def resolved(node: Node, key: str, kind: str, book: PolicyBook, findings: Findings, path: str) -> Node | None:
    """The object itself, or the one a reference leads to."""
    if node.get("spec") is not None:
        return node
    reference = node if node.shape is Shape.SCALAR else node.get(key)
    if reference is None:
        return None
    found = book.object(kind, reference.text)
    if found is None:
        findings.error(reference.line, path, f"no {kind} called {shown(reference.text)} in these files")
    return found


def _add(found: _Conditions, node: Node, short_window: str) -> None:
    condition, severity = node.get("spec", "condition"), node.text_at("spec", "severity").strip()
    if condition is None:
        return
    if _PRIORITY.fullmatch(severity):
        found.priority = min(found.priority or severity.upper(), severity.upper())
    found.snooze = found.snooze or node.text_at("metadata", "annotations", SNOOZE)
    threshold = condition.get("threshold")
    lookback = shorthand(condition.text_at("lookbackWindow"))
    if threshold is None or threshold.number is None or lookback is None:
        return
    after = shorthand(condition.text_at("alertAfter"))
    one: dict[str, Any] = {
        "op": condition.text_at("op") or Comparison.GT.value,
        "threshold": f"{threshold.number.normalize():f}",
        "lookback_seconds": int(lookback.span.total_seconds()),
        "alert_after_seconds": int(after.span.total_seconds()) if after else 0,
        "severity": severity,
        "urgency": Urgency.TICKET.value if severity.lower() in _LATER else Urgency.PAGE.value,
    }
    short = shorthand(node.text_at("metadata", "annotations", SHORT_WINDOW) or short_window)
    if short is not None:
        one["short_seconds"] = int(short.span.total_seconds())
    found.found.append(one)
