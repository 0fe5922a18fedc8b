"""Names that one object uses for another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from tocsin.slo.openslo.checks import shown
from tocsin.slo.openslo.nodes import Node, Problem, Shape

_KIND_OF_KEY = {
    "indicatorRef": "SLI",
    "alertPolicyRef": "AlertPolicy",
    "conditionRef": "AlertCondition",
    "targetRef": "AlertNotificationTarget",
    "metricSourceRef": "DataSource",
}
# Below these keys everything is the implementation's own; a key of ours in there means nothing.
_FOREIGN_KEYS = frozenset({"connectionDetails", "annotations", "labels"})


class Named(Protocol):
    """What of a document references need."""

    @property
    def file(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def node(self) -> Node: ...


def references(document: Named) -> Iterator[tuple[str, str, int, str]]:
    """(kind, name, line, path) of every object that `document` refers to."""
    service = document.node.get("spec", "service")
    if document.kind == "SLO" and service is not None:
        yield "Service", service.text, service.line, "spec.service"
    for index, policy in enumerate(document.node.items_at("spec", "alertPolicies")):
        if policy.shape is Shape.SCALAR:
            yield "AlertPolicy", policy.text, policy.line, f"spec.alertPolicies[{index}]"
    yield from _nested(document.node, "")


def _nested(node: Node, path: str) -> Iterator[tuple[str, str, int, str]]:
    for entry in node.entries:
        where = f"{path}.{entry.key}" if path else entry.key
        if entry.key in _KIND_OF_KEY and entry.value.shape is Shape.SCALAR:
            yield _KIND_OF_KEY[entry.key], entry.value.text, entry.value.line, where
        elif entry.key == "metricSource":
            # Its `spec` holds whatever the data source wants.
            reference = entry.value.get("metricSourceRef")
            if reference is not None and reference.shape is Shape.SCALAR:
                yield "DataSource", reference.text, reference.line, f"{where}.metricSourceRef"
        elif entry.key not in _FOREIGN_KEYS:
            yield from _nested(entry.value, where)
    for index, item in enumerate(node.items):
        yield from _nested(item, f"{path}[{index}]")


def dangling(documents: Sequence[Named]) -> dict[str, list[Problem]]:
    """By file, a warning for each reference to an object that none of the documents is."""
    known = {(document.kind, document.name) for document in documents}
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for document in documents:
        for kind, name, line, path in references(document):
            if (kind, name) not in known:
                found[document.file].append(Problem(line, path, f"no {kind} called {shown(name)} in these files"))
    return found
