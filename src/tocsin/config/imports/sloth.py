"""Sloth's files (`version: prometheus/v1`) and its Kubernetes twin (PrometheusServiceLevel) as OpenSLO."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
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
from tocsin.slo.promql import query_problem

VERSION, KUBERNETES = "prometheus/v1", "sloth.slok.dev/v1"
_WINDOW = re.compile(r"\{\{\s*\.window\s*\}\}")
_SPAN = "5m"  # Tocsin asks for growth by the minute; the span a file asks for is only its form
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# (urgency, percent of the budget, long window, short window): what Sloth alerts on by default.
_ALERTS = (
    ("page", 2, _HOUR, _HOUR / 12),
    ("page", 5, 6 * _HOUR, _HOUR / 2),
    ("ticket", 10, _DAY, 2 * _HOUR),
    ("ticket", 10, 3 * _DAY, 6 * _HOUR),
)
_RATIO_NOTE = "its query gives a ratio, so each minute counts alike, however many events it had"


def from_sloth(texts: Mapping[str, str], options: Options) -> Imported:
    """Convert the files of Sloth among `texts` (by name); other documents are left out with a word."""
    found = Found()
    for file, node in documents_of(texts, found):
        for group in _groups(file, node, found):
            for slo in group.slos:
                _convert(slo, group, found, options)
    return imported(found, options)


@dataclass(frozen=True, slots=True)
class _Group:
    """The SLOs of one service. `names` are how this form of the file spells its fields."""

    file: str
    service: str
    labels: Mapping[str, str]
    slos: tuple[Node, ...]


def _groups(file: str, node: Node, found: Found) -> Iterator[_Group]:
    origin = f"{file}:{node.line}"
    if node.shape is not Shape.MAP:
        found.leave("document", origin, "is no map")
    elif node.text_at("version") == VERSION:
        yield _group(file, node)
    elif node.text_at("apiVersion") == KUBERNETES and node.text_at("kind") == "PrometheusServiceLevel":
        yield _group(file, node.get("spec") or node)
    elif node.text_at("kind") == "AlertWindows":
        found.leave("AlertWindows", origin, "windows of an installation; write them into the SLOs' alert conditions")
    else:
        kind = node.text_at("kind") or node.text_at("version") or "document"
        found.leave(kind, origin, f"is neither {VERSION} nor {KUBERNETES} PrometheusServiceLevel")


def _group(file: str, node: Node) -> _Group:
    return _Group(file, node.text_at("service"), texts_at(node.get("labels")), node.items_at("slos"))


def _either(node: Node, *names: str) -> Node | None:
    return next((found for name in names if (found := node.get(name)) is not None), None)


def _convert(slo: Node, group: _Group, found: Found, options: Options) -> None:
    title = f"{group.service}/{slo.text_at('name')}"
    origin = f"{group.file}:{slo.line}"
    service = options.service or group.service
    notes: list[str] = []
    objective = slo.get("objective")
    indicator = _indicator(slo, options, notes)
    if not service or not slo.text_at("name"):
        found.leave(title, origin, "has no name, or no service")
    elif objective is None or objective.number is None or not 0 < objective.number < 100:
        given = objective.text if objective is not None else "nothing"
        found.leave(
            title, origin, f"its objective is {given}; a target lies above 0 and below 100, or nothing may fail"
        )
    elif isinstance(indicator, str):
        found.leave(title, origin, indicator)
    else:
        document = _document(slo, group, service, objective.number, indicator, notes, options)
        found.drafts.append(Draft(title, origin, service, document, tuple(notes)))


def _indicator(slo: Node, options: Options, notes: list[str]) -> dict[str, Any] | str:
    """The indicator, or why there is none."""
    sli = slo.get("sli")
    events = sli.get("events") if sli is not None else None
    raw = sli.get("raw") if sli is not None else None
    if events is not None:
        error, total = (
            _query(events, *names) for names in (("error_query", "errorQuery"), ("total_query", "totalQuery"))
        )
        if not error or not total:
            return "its events need an error query and a total query"
        if query_problem(error) is None and query_problem(total) is None:
            return counters(options.source, bad=error, total=total)
        notes.append(f"its queries count no counters; {_RATIO_NOTE.removeprefix('its query gives a ratio, so ')}")
        return raw_ratio(options.source, f"({error}) / ({total})", raw_type="failure")
    if raw is not None:
        notes.append(_RATIO_NOTE)
        return raw_ratio(options.source, _query(raw, "error_ratio_query", "errorRatioQuery"), raw_type="failure")
    if sli is not None and sli.get("plugin") is not None:
        return f"its SLI comes from the plugin {sli.text_at('plugin', 'id')!r}; write out the queries it makes"
    return "it has no SLI of events or of a raw ratio"


def _query(node: Node, *names: str) -> str:
    found = _either(node, *names)
    return _WINDOW.sub(_SPAN, found.text).strip() if found is not None else ""


def _document(
    slo: Node,
    group: _Group,
    service: str,
    objective: Decimal,
    indicator: dict[str, Any],
    notes: list[str],
    options: Options,
) -> dict[str, Any]:
    alerting = slo.get("alerting") or slo
    alerts = _alerts(alerting, options)
    annotations = texts_at(alerting.get("annotations"))
    runbook = next((value for key, value in annotations.items() if "runbook" in key.lower()), "")
    told = {"runbook": runbook if runbook.startswith(("http://", "https://")) else ""}
    if not alerts:
        notes.append("alerts of nothing: a breach is kept and opens nothing (priority none)")
        told["priority"] = "none"
    if slo.get("plugins") is not None:
        notes.append("its plugins are left out")
    labels = {**group.labels, **texts_at(slo.get("labels"))}
    return slo_document(
        slug(f"{group.service}-{slo.text_at('name')}", limit=63),
        service=service,
        target_percent=objective,
        period=options.period,
        indicator=indicator,
        alerts=alerts,
        display_name=f"{group.service} {slo.text_at('name')}",
        description=slo.text_at("description"),
        labels=labels,
        annotations=told,
    )


def _alerts(alerting: Node, options: Options) -> list[BurnAlert]:
    off = {
        urgency
        for urgency, names in (("page", ("page_alert", "pageAlert")), ("ticket", ("ticket_alert", "ticketAlert")))
        if (given := _either(alerting, *names)) is not None
        and (disabled := given.get("disable")) is not None
        and disabled.boolean
    }
    return [
        BurnAlert.of_share(urgency, percent, long, short, period=options.period)
        for urgency, percent, long, short in _ALERTS
        if urgency not in off and long <= options.period
    ]
