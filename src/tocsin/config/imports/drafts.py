"""What an importer found, checked as if it were to be applied, and put into files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tocsin.config.plan import FileProblem
from tocsin.core.error_budget import share_of
from tocsin.platform.text import slug
from tocsin.slo.openslo import objective_specs, parse
from tocsin.slo.openslo.durations import written
from tocsin.slo.openslo.nodes import Node, Unreadable
from tocsin.slo.openslo.schema_head import OUR_PREFIX
from tocsin.slo.openslo.writing import an_object, to_yaml
from tocsin.slo.openslo.yaml_reading import read_yaml
from tocsin.slo.promql import query_problem
from tocsin.slo.promql_faults import fault

_LABEL = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the files do not say. `source` is the data source's name, `url` its address when it is to be written too."""

    source: str = "prometheus"
    url: str = ""
    service: str = ""
    period: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draft:
    """An SLO as it would be written. `notes` say what became of what has no place in OpenSLO."""

    title: str
    origin: str
    service: str
    slo: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.slo["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What could not be converted, and why."""

    title: str
    origin: str
    why: str


@dataclass(slots=True)
class Found:
    """What an importer has found so far."""

    drafts: list[Draft] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    errors: list[FileProblem] = field(default_factory=list)

    def leave(self, title: str, origin: str, why: str) -> None:
        self.left_out.append(LeftOut(title, origin, why))


@dataclass(frozen=True, slots=True)
class Imported:
    """The plan, and the files by name. With any error there are no files."""

    files: Mapping[str, str]
    converted: Sequence[tuple[Draft, str]]
    left_out: Sequence[LeftOut]
    errors: Sequence[FileProblem]

    def as_json(self) -> dict[str, Any]:
        return {
            "files": sorted(self.files),
            "converted": [
                {"from": one.origin, "title": one.title, "slo": one.name, "file": file, "notes": list(one.notes)}
                for one, file in self.converted
            ],
            "left_out": [{"from": one.origin, "title": one.title, "why": one.why} for one in self.left_out],
            "errors": [one.as_json() for one in self.errors],
        }


def documents_of(texts: Mapping[str, str], found: Found) -> list[tuple[str, Node]]:
    """(file, document) of every document; a file that is no YAML is an error with its line."""
    documents = []
    for path, text in texts.items():
        try:
            documents += [(path, node) for node in read_yaml(text.removeprefix("\ufeff"))]
        except Unreadable as error:
            found.errors.append(FileProblem(path, error.line, error.message))
    return documents


def imported(found: Found, options: Options) -> Imported:
    """Check every draft and put them into files, one for each service; what would be refused is left out."""
    kept: list[tuple[Draft, str]] = []
    by_file: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    names: dict[str, str] = {}
    for draft in found.drafts:
        why = f"{names[draft.name]} is called so already" if draft.name in names else problem_of(draft)
        if why:
            found.leave(draft.title, draft.origin, why)
            continue
        names[draft.name] = draft.origin
        file = f"slos-{slug(draft.service, limit=50) or 'unnamed'}.yaml"
        kept.append((draft, file))
        by_file[file].append(draft.slo)
    if found.errors:
        return Imported({}, (), found.left_out, found.errors)
    files = {file: to_yaml(documents) for file, documents in sorted(by_file.items())}
    services = sorted({draft.service for draft, _ in kept})
    if services:
        files["services.yaml"] = to_yaml(an_object("Service", name, {}) for name in services)
    if services and options.url:
        details = {"type": "Prometheus", "connectionDetails": {"url": options.url}}
        files["sources.yaml"] = to_yaml([an_object("DataSource", options.source, details)])
    return Imported(files, kept, found.left_out, found.errors)


def problem_of(draft: Draft) -> str:
    """Why Tocsin would refuse an SLO, empty when it would not."""
    file = parse(to_yaml([draft.slo]), "draft.yaml")
    if file.errors:
        return f"{file.errors[0].path}: {file.errors[0].message}"
    specs = objective_specs(file.documents)
    if specs.errors:
        return specs.errors[0][1].message
    (spec,) = specs.objectives
    for role in ("good", "bad", "total"):
        query = getattr(spec, f"{role}_query")
        if query and (problem := query_problem(query)):
            return f"the query {query!r} {problem}"
    return f"the query {spec.raw_query!r} {problem}" if (problem := value_problem(spec.raw_query)) else ""


def value_problem(query: str) -> str:
    """Why a query cannot be asked as it is, empty when it can (or is empty)."""
    return (fault(query) or "") if query else ""


# --- the parts of an SLO


def counters(source: str, *, total: str, good: str = "", bad: str = "") -> dict[str, Any]:
    queries = {"good": good, "bad": bad, "total": total}
    return {
        "ratioMetric": {"counter": True, **{role: _metric(source, query) for role, query in queries.items() if query}}
    }


def raw_ratio(source: str, query: str, *, raw_type: str) -> dict[str, Any]:
    return {"ratioMetric": {"raw": _metric(source, query), "rawType": raw_type}}


def _metric(source: str, query: str) -> dict[str, Any]:
    return {"metricSource": {"metricSourceRef": source, "spec": {"query": " ".join(query.split())}}}


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """One alert of another tool: both windows burn faster than `threshold`, for `after`."""

    urgency: str
    threshold: Decimal
    long: timedelta
    short: timedelta
    after: timedelta = timedelta(0)

    @classmethod
    def of_share(cls, urgency: str, percent: int, long: timedelta, short: timedelta, *, period: timedelta) -> BurnAlert:
        """The alert that tells when `percent` of the period's budget go within `long`."""
        limit = Fraction(percent, 100) / share_of(long, period)
        threshold = Decimal(limit.numerator) / Decimal(limit.denominator)
        return cls(urgency, threshold, long, short)

    def policy(self, name: str) -> dict[str, Any]:
        condition = {
            "kind": "burnrate",
            "op": "gt",
            "threshold": float(self.threshold),
            "lookbackWindow": written(self.long),
            "alertAfter": written(self.after),
        }
        return {
            "kind": "AlertPolicy",
            "metadata": {"name": name},
            "spec": {
                "alertWhenBreaching": True,
                "conditions": [
                    {
                        "kind": "AlertCondition",
                        "metadata": {"name": name, "annotations": {OUR_PREFIX + "short-window": written(self.short)}},
                        "spec": {"severity": self.urgency, "condition": condition},
                    }
                ],
                "notificationTargets": [{"targetRef": "tocsin"}],
            },
        }


def slo_document(
    name: str,
    *,
    service: str,
    target_percent: Decimal,
    period: timedelta,
    indicator: Mapping[str, Any],
    alerts: Sequence[BurnAlert],
    display_name: str = "",
    description: str = "",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    spec: dict[str, Any] = {"description": description[:1050]} if description.strip() else {}
    spec |= {
        "service": service,
        "indicator": {"metadata": {"name": name}, "spec": dict(indicator)},
        "timeWindow": [{"duration": written(period), "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"targetPercent": float(target_percent)}],
    }
    if alerts:
        spec["alertPolicies"] = [one.policy(f"{one.urgency}-{written(one.long)}") for one in alerts]
    return an_object(
        "SLO",
        name,
        spec,
        displayName=display_name,
        labels=labels_of(labels or {}),
        annotations={OUR_PREFIX + key: value for key, value in (annotations or {}).items() if value},
    )


def labels_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels as OpenSLO takes them: of team.example/tier the part behind the stroke."""
    short = {key.rpartition("/")[2]: value for key, value in labels.items()}
    return {key: value for key, value in short.items() if _LABEL.fullmatch(key)}


def texts_at(node: Node | None) -> dict[str, str]:
    """The texts of a map, whatever else it holds."""
    return {entry.key: entry.value.text for entry in node.entries if entry.value.text} if node is not None else {}
