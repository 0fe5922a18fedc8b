"""Pyrra's ServiceLevelObjectives (`pyrra.dev/v1alpha1`) as OpenSLO."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from tocsin.config.imports.drafts import (
    BurnAlert,
    Draft,
    Found,
    Imported,
    Options,
    counters,
    documents_of,
    imported,
    raw_ratio,
    slo_document,
    texts_at,
)
from tocsin.platform.text import slug
from tocsin.slo.openslo.nodes import Node, Shape

VERSION = "pyrra.dev/v1alpha1"
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_MINUTE = timedelta(minutes=1)
# (urgency, factor, long window, short window, how long): what Pyrra alerts on, as parts of its period of 28 days.
_ALERTS = (
    ("page", 14, 28 * 24, 28 * 24 * 12, 28 * 24 * 30),
    ("page", 7, 28 * 4, 28 * 24 * 2, 28 * 24 * 4),
    ("ticket", 2, 28, 28 * 12, 28 * 24),
    ("ticket", 1, 7, 28 * 4, 28 * 8),
)
_ALIKE = "each minute counts alike, however many events it had"


def from_pyrra(texts: Mapping[str, str], options: Options) -> Imported:
    """Convert the SLOs of Pyrra among `texts` (by name); other documents are left out with a word."""
    found = Found()
    for file, node in documents_of(texts, found):
        for one in _objects(file, node, found):
            _convert(file, one, found, options)
    return imported(found, options)


def _objects(file: str, node: Node, found: Found) -> Iterator[Node]:
    if node.shape is Shape.MAP and node.get("items") is not None:
        for item in node.items_at("items"):
            yield from _objects(file, item, found)
    elif node.shape is Shape.MAP and node.text_at("apiVersion") == VERSION:
        yield node
    else:
        kind = node.text_at("kind") or "document"
        found.leave(kind, f"{file}:{node.line}", f"is no ServiceLevelObjective of {VERSION}")


def seconds_of(text: str) -> float | None:
    """A duration of Prometheus (200ms, 2w, 1h30m) in seconds; None when it is none."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text))


def _convert(file: str, node: Node, found: Found, options: Options) -> None:
    name, origin = node.text_at("metadata", "name"), f"{file}:{node.line}"
    target, window = node.get("spec", "target"), seconds_of(node.text_at("spec", "window"))
    percent = _percent(target)
    if not name:
        found.leave("ServiceLevelObjective", origin, "has no name")
    elif percent is None or not 0 < percent < 100:
        given = target.text if target is not None else "nothing"
        found.leave(name, origin, f"its target is {given}; it lies above 0 and below 100, or nothing may fail")
    elif window is None or window < 3600 or window % 60:
        found.leave(name, origin, f"its window is {node.text_at('spec', 'window') or 'nothing'}; write 28d or 4w")
    else:
        notes: list[str] = []
        indicator = _indicator(node.get("spec", "indicator"), options, notes)
        if isinstance(indicator, str):
            found.leave(name, origin, indicator)
            return
        service = _service(node, options, notes)
        period = timedelta(seconds=window)
        alerts = _alerts(node, period, notes)
        document = slo_document(
            slug(name, limit=63),
            service=service,
            target_percent=percent,
            period=period,
            indicator=indicator,
            alerts=alerts,
            description=node.text_at("spec", "description"),
            labels=texts_at(node.get("metadata", "labels")),
            annotations={"runbook": _runbook(node), "priority": "" if alerts else "none"},
        )
        found.drafts.append(Draft(name, origin, service, document, tuple(notes)))


def _percent(target: Node | None) -> Any:
    """Pyrra writes its targets as texts, quoted."""
    return Node(Shape.SCALAR, target.line, text=target.text).number if target is not None else None


def _service(node: Node, options: Options, notes: list[str]) -> str:
    labels = texts_at(node.get("metadata", "labels"))
    found = options.service or labels.get("pyrra.dev/service") or labels.get("service")
    if found:
        return found
    namespace = node.text_at("metadata", "namespace")
    notes.append(
        "names no service; its namespace stands for it" if namespace else "names no service; its name stands for it"
    )
    return namespace or slug(node.text_at("metadata", "name"), limit=63)


def _runbook(node: Node) -> str:
    found = texts_at(node.get("metadata", "annotations")).get("pyrra.dev/runbook", "")
    return found if found.startswith(("http://", "https://")) else ""


def _alerts(node: Node, period: timedelta, notes: list[str]) -> list[BurnAlert]:
    alerting = node.get("spec", "alerting")
    disabled, burnrates = ((alerting.get(key) if alerting is not None else None) for key in ("disabled", "burnrates"))
    if (disabled is not None and disabled.boolean) or (burnrates is not None and burnrates.boolean is False):
        notes.append("alerts of nothing: a breach is kept and opens nothing (priority none)")
        return []
    return [
        BurnAlert(urgency, _decimal(factor), *(_minutes(period / part) for part in parts))
        for urgency, factor, *parts in _ALERTS
    ]


def _decimal(factor: int) -> Any:
    return Node(Shape.SCALAR, 0, text=str(factor)).number


def _minutes(span: timedelta) -> timedelta:
    """To whole minutes, one at least, because events are counted by the minute."""
    return max(1, round(span / _MINUTE)) * _MINUTE


def _indicator(node: Node | None, options: Options, notes: list[str]) -> dict[str, Any] | str:
    """The indicator, or why there is none."""
    kinds = ("ratio", "latency", "latencyNative", "bool_gauge", "boolGauge")
    kind = next((one for one in kinds if node is not None and node.get(one) is not None), None)
    if node is None or kind is None:
        return "its indicator is none of ratio, latency, latencyNative and bool_gauge"
    if grouping := [item.text for item in node.items_at(kind, "grouping")]:
        notes.append(f"it was an SLO for each {', '.join(grouping)}; it is one over all of them")
    return _of_kind(kind, node, options, notes)


def _of_kind(kind: str, node: Node, options: Options, notes: list[str]) -> dict[str, Any] | str:
    total = _one_line(node.text_at(kind, "total", "metric") or node.text_at(kind, "metric"))
    if not total:
        return f"its {kind} names no metric"
    if kind == "ratio":
        errors = _one_line(node.text_at(kind, "errors", "metric"))
        return counters(options.source, bad=f"sum({errors})", total=f"sum({total})")
    if kind == "latency":
        success = _one_line(node.text_at(kind, "success", "metric"))
        return counters(options.source, good=f"sum({success})", total=f"sum({total})")
    if kind == "latencyNative":
        limit = seconds_of(node.text_at(kind, "latency"))
        if limit is None:
            return f"its latency is {node.text_at(kind, 'latency') or 'nothing'}; write 200ms or 1s"
        notes.append(f"a native histogram gives a ratio, so {_ALIKE}")
        return raw_ratio(
            options.source, f"histogram_fraction(0, {limit:g}, sum(rate({total}[5m])))", raw_type="success"
        )
    notes.append(f"a gauge gives a ratio, so {_ALIKE}")
    return raw_ratio(options.source, f"avg({total})", raw_type="success")


def _one_line(query: str) -> str:
    return " ".join(query.split())
