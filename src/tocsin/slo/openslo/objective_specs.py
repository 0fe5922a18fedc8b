"""From checked documents to what we keep: services, sources, SLOs with rule, queries and priority."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.platform.text import slug
from tocsin.slo import connecting
from tocsin.slo.openslo.alert_rules import PolicyBook, Told, alert_rule
from tocsin.slo.openslo.checks import Findings, shown
from tocsin.slo.openslo.durations import MEANING, Shorthand, shorthand
from tocsin.slo.openslo.indicators import PROMETHEUS_TYPES, Reading, measured
from tocsin.slo.openslo.nodes import Node, Problem
from tocsin.slo.openslo.parsing import Document
from tocsin.slo.openslo.schema_head import API_VERSION, OUR_PREFIX
from tocsin.slo.openslo.whole import whole
from tocsin.slo.specs import PROMETHEUS, PUSH, ObjectiveSpec, PrioritySpec, ServiceSpec, SourceSpec

_SECONDS = re.compile(r"([1-9][0-9]{0,4})(s|m|h)")
_SECOND_UNITS = {"s": 1, "m": 60, "h": 3600}
_PRIORITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Specs:
    """Everything a set of documents says; `errors` and `warnings` by file."""

    services: Sequence[ServiceSpec]
    sources: Sequence[SourceSpec]
    objectives: Sequence[ObjectiveSpec]
    errors: Sequence[tuple[str, Problem]]
    warnings: Sequence[tuple[str, Problem]]


def objective_specs(documents: Sequence[Document]) -> Specs:
    """Turn the OpenSLO documents among `documents` into specs; other kinds are left to their own readers."""
    ours = [document for document in documents if document.api_version == API_VERSION]
    reading = Reading({(document.kind, document.name): document for document in ours})
    services = [_service(document) for document in ours if document.kind == "Service"]
    sources = [_source(document, reading.of(document)) for document in ours if document.kind == "DataSource"]
    objectives = [spec for document in ours if document.kind == "SLO" for spec in _objectives(document, reading)]
    found = reading.findings.items()
    return Specs(
        services,
        sources,
        objectives,
        [(file, problem) for file, findings in found for problem in dict.fromkeys(findings.errors)],
        [(file, problem) for file, findings in found for problem in dict.fromkeys(findings.warnings)],
    )


def annotation(document: Document, name: str) -> str:
    """Our annotation of that name, empty when there is none."""
    return document.node.text_at("metadata", "annotations", OUR_PREFIX + name).strip()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _service(document: Document) -> ServiceSpec:
    return ServiceSpec(
        name=document.name,
        display_name=document.node.text_at("metadata", "displayName"),
        description=document.node.text_at("spec", "description"),
        team=annotation(document, "team") or None,
        runbook_url=annotation(document, "runbook"),
        depends_on=_listed(annotation(document, "depends-on")),
        escalation=annotation(document, "escalation"),
        labels=_labels(document),
        origin=document.origin,
    )


def _labels(document: Document) -> dict[str, str]:
    labels = document.node.get("metadata", "labels")
    if labels is None:
        return {}
    return {
        entry.key: ", ".join(item.text for item in entry.value.items) or entry.value.text for entry in labels.entries
    }


def _source(document: Document, findings: Findings) -> SourceSpec:
    node, kind = document.node, document.node.text_at("spec", "type").lower()
    if kind not in PROMETHEUS_TYPES and kind != PUSH:
        where = node.get("spec", "type") or node
        findings.error(
            where.line, "spec.type", f"{shown(where.text)}: Tocsin asks Prometheus-like servers, or is pushed to"
        )
    details = ("spec", "connectionDetails")
    headers = node.get(*details, "headers")
    return SourceSpec(
        name=document.name,
        kind=PUSH if kind == PUSH else PROMETHEUS,
        url=next(filter(None, (node.text_at(*details, key) for key in ("url", "server", "address"))), ""),
        every=_every(
            node.get(*details, "every"), annotation(document, "every"), document, findings, pushed=kind == PUSH
        ),
        headers={entry.key: entry.value.text for entry in headers.entries} if headers else {},
        connection=_connection(node),
        origin=document.origin,
    )


CONNECTION = {
    connecting.TOKEN: ("token", "bearerToken"),
    connecting.USERNAME: ("username",),
    connecting.PASSWORD: ("password",),
    connecting.CA_FILE: ("caFile",),
    connecting.CERTIFICATE_FILE: ("certFile", "certificateFile"),
    connecting.KEY_FILE: ("keyFile",),
    connecting.TENANT: ("tenant",),
    connecting.TIMEOUT: ("timeout",),
}


def _connection(node: Node) -> dict[str, str]:
    """How a server is reached, from the names people write to the ones we keep."""
    told = {
        field: next(filter(None, (node.text_at("spec", "connectionDetails", name) for name in names)), "")
        for field, names in CONNECTION.items()
    }
    return {field: text for field, text in told.items() if text}


_PUSHED_EVERY = timedelta(minutes=10)  # a sender that does not say how often it sends is given time


def _every(
    given: Node | None, annotated: str, document: Document, findings: Findings, *, pushed: bool = False
) -> timedelta:
    text = given.text if given else annotated
    if not text:
        return _PUSHED_EVERY if pushed else SourceSpec(name="default").every
    found = _SECONDS.fullmatch(text)
    if found is None:
        line = given.line if given else document.line
        findings.error(line, "spec.connectionDetails.every", f"{shown(text)} is no interval: write 15s, 1m or 1h")
        return SourceSpec(name="default").every
    return timedelta(seconds=int(found[1]) * _SECOND_UNITS[found[2]])


# --- SLOs


def _objectives(document: Document, reading: Reading) -> list[ObjectiveSpec]:
    told = alert_rule(document, PolicyBook(reading.book), reading.of(document), annotation(document, "short-window"))
    nodes = document.node.items_at("spec", "objectives")
    names = _names(document, nodes)
    return [
        _objective(document, reading, told, node, name, f"spec.objectives[{index}]")
        for index, (node, name) in enumerate(zip(nodes, names, strict=True))
    ]


def _names(document: Document, objectives: Sequence[Node]) -> list[str]:
    """The SLO's own name for its only objective; several are told apart by what they are called."""
    if len(objectives) == 1:
        return [document.name]
    ends = [slug(node.text_at("displayName"), limit=30) or str(at) for at, node in enumerate(objectives, start=1)]
    if len(set(ends)) < len(ends):
        ends = [str(at) for at, _ in enumerate(objectives, start=1)]
    return [f"{document.name[: 62 - len(end)]}-{end}" for end in ends]


def _objective(document: Document, reading: Reading, told: Told, node: Node, name: str, path: str) -> ObjectiveSpec:
    findings = reading.of(document)
    window = document.node.items_at("spec", "timeWindow")[0]
    length = shorthand(window.text_at("duration")) or Shorthand(28, "d")
    found = measured(document, reading, node, path)
    method = document.node.text_at("spec", "budgetingMethod")
    sliced = method != "Occurrences"
    return ObjectiveSpec(
        name=name,
        service=document.node.text_at("spec", "service"),
        target=_target(node),
        period=length.span,
        display_name=document.node.text_at("metadata", "displayName") or node.text_at("displayName"),
        description=document.node.text_at("spec", "description"),
        use_case=annotation(document, "use-case"),
        sli_kind=annotation(document, "sli-kind"),
        endpoint=annotation(document, "endpoint"),
        budgeting=method,
        slice_window=_slice_window(node.text_at("timeSliceWindow")) if sliced else None,
        slice_target=_number(node, "timeSliceTarget") if sliced else None,
        calendar_start=_calendar_start(window),
        time_zone=window.text_at("calendar", "timeZone") or "UTC",
        source=found.source,
        good_query=found.good,
        bad_query=found.bad,
        total_query=found.total,
        threshold_query=found.value,
        threshold_op=node.text_at("op") if found.value else "",
        threshold_value=_number(node, "value") if found.value else None,
        raw_query=found.raw,
        raw_type=found.raw_type,
        rule=_rule(document, told, findings),
        evaluate_every=_span(document, "evaluate-every", findings, default=timedelta(minutes=1)),
        renotify_after=_span(document, "snooze", findings, default=timedelta(hours=2)),
        fallback=annotation(document, "fallback").replace("off", ""),
        runbook_url=annotation(document, "runbook"),
        document=whole(document, reading.book),
        origin=document.origin,
        priority=_priority(document, told, findings),
        targets=told.targets,
    )


def _number(node: Node, key: str) -> Decimal | None:
    given = node.get(key)
    return given.number if given is not None else None


def _target(node: Node) -> Decimal:
    share = _number(node, "target")
    if share is not None:
        return share
    return (_number(node, "targetPercent") or Decimal(0)) / 100


def _slice_window(text: str) -> timedelta | None:
    length = shorthand(text)
    if length is not None:
        return length.span
    return timedelta(minutes=int(text)) if text.isdecimal() else None


def _calendar_start(window: Node) -> datetime | None:
    if window.get("calendar") is None:
        return None
    zone = ZoneInfo(window.text_at("calendar", "timeZone"))
    return datetime.fromisoformat(window.text_at("calendar", "startTime")).replace(tzinfo=zone).astimezone(UTC)


def _rule(document: Document, told: Told, findings: Findings) -> dict[str, Any]:
    named = annotation(document, "rule")
    if named.startswith("{"):
        return _rule_document(document, named, findings)
    return {"name": named} if named else dict(told.rule)


def _rule_document(document: Document, text: str, findings: Findings) -> dict[str, Any]:
    """A rule with numbers of its own, written as JSON in the annotation."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict) and "name" in found:
        return found
    path = f"metadata.annotations.{OUR_PREFIX}rule"
    findings.error(_annotation_line(document, "rule"), path, 'write a name, or JSON such as {"name": "depletion"}')
    return {"name": "tocsin"}


def _span(document: Document, name: str, findings: Findings, *, default: timedelta) -> timedelta:
    text = annotation(document, name)
    if not text:
        return default
    length = shorthand(text, zero=name == "snooze")
    if length is None:
        findings.error(_annotation_line(document, name), f"metadata.annotations.{OUR_PREFIX}{name}", f"write {MEANING}")
        return default
    return length.span


def _annotation_line(document: Document, name: str) -> int:
    given = document.node.get("metadata", "annotations", OUR_PREFIX + name)
    return given.line if given is not None else document.line


def _priority(document: Document, told: Told, findings: Findings) -> PrioritySpec | None:
    text = annotation(document, "priority") or told.priority
    groups = _listed(annotation(document, "groups"))
    if not text or text == "unset":
        return None
    if text == "none":
        return PrioritySpec(decision="none")
    path = f"metadata.annotations.{OUR_PREFIX}priority"
    line = _annotation_line(document, "priority")
    if not _PRIORITY.fullmatch(text):
        findings.error(line, path, f"{shown(text)} is no priority: write P1, 2 or none")
        return None
    return PrioritySpec(decision="set", code=text, groups=groups, origin=f"{document.file}:{line}")
