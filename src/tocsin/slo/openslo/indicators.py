"""Where an SLO's numbers come from: its indicator, inline or by name, as queries of one data source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin.slo.openslo.checks import Findings, shown
from tocsin.slo.openslo.nodes import Node
from tocsin.slo.openslo.parsing import Document
from tocsin.slo.promql import query_problem
from tocsin.slo.promql_faults import fault, line_of

# Servers that answer Prometheus' query API.
PROMETHEUS_TYPES = frozenset({"prometheus", "victoriametrics", "mimir", "thanos", "cortex"})


@dataclass(slots=True)
class Reading:
    """All documents by kind and name, and what was found while reading one of them."""

    book: Mapping[tuple[str, str], Document]
    findings: dict[str, Findings] = field(default_factory=dict)

    def of(self, document: Document) -> Findings:
        return self.findings.setdefault(document.file, Findings())


@dataclass(frozen=True, slots=True)
class Measured:
    """Where an indicator's numbers come from."""

    source: str | None = None
    good: str = ""
    bad: str = ""
    total: str = ""
    value: str = ""
    raw: str = ""
    raw_type: str = ""


def measured(document: Document, reading: Reading, objective: Node, path: str) -> Measured:
    found = _indicator(document, reading, objective, path)
    if found is None:
        return Measured()
    spec, findings = found[0], reading.of(found[1])
    _check_queries(spec, findings)
    ratio = spec.get("ratioMetric")
    if ratio is not None and ratio.get("raw") is None:
        return _ratio(ratio, findings)
    owner, key, kind = (
        (spec, "thresholdMetric", "a threshold metric") if ratio is None else (ratio, "raw", "a raw ratio")
    )
    name, _, query = _metric_source(owner, key)
    if not name:
        advice = "push counts of good and bad events, or name the DataSource"
        findings.warn(owner.line, path, f"{kind} without a data source (metricSourceRef) cannot be asked for; {advice}")
        return Measured()
    if not query:
        findings.error(
            owner.line, f"{key}.metricSource.spec.query", f"{kind} needs the query that the data source answers"
        )
    if ratio is None:
        return Measured(name, value=query)
    return Measured(name, raw=query, raw_type=ratio.text_at("rawType"))


def _check_queries(spec: Node, findings: Findings) -> None:
    """Note what is wrong with the queries of an indicator, each at its own line, before anything is saved."""
    for key, of_value in (("good", False), ("bad", False), ("total", False), ("raw", True), ("thresholdMetric", True)):
        owner = spec if key == "thresholdMetric" else spec.get("ratioMetric")
        source = owner.get(key, "metricSource") if owner is not None else None
        query = source.get("spec", "query") if source is not None else None
        if source is None or query is None or not source.text_at("metricSourceRef"):
            continue
        text = query.text.strip()
        problem = (fault(text) if of_value else query_problem(text)) if text else None
        if problem:
            # A text of several lines begins on the line after its key.
            line = query.line + ("\n" in query.text) + line_of(problem) - 1
            findings.error(line, f"{key}.metricSource.spec.query", problem)


def _indicator(document: Document, reading: Reading, objective: Node, path: str) -> tuple[Node, Document] | None:
    """The SLI's spec with the document it stands in: of the objective itself, else of the SLO; inline or by name."""
    for owner, where in ((objective, path), (document.node.get("spec"), "spec")):
        if owner is None:
            continue
        inline = owner.get("indicator", "spec")
        if inline is not None:
            return inline, document
        reference = owner.get("indicatorRef")
        if reference is not None:
            named = reading.book.get(("SLI", reference.text))
            if named is None:
                message = f"no SLI called {shown(reference.text)} in these files"
                reading.of(document).error(reference.line, f"{where}.indicatorRef", message)
                return None
            inside = named.node.get("spec")
            return None if inside is None else (inside, named)
    return None


def _ratio(ratio: Node, findings: Findings) -> Measured:
    sources = {key: _metric_source(ratio, key) for key in ("good", "bad", "total") if ratio.get(key) is not None}
    names = {name for name, _, _ in sources.values()}
    if len(names) > 1:
        findings.error(ratio.line, "ratioMetric", "good, bad and total must come from one data source")
    name = next(iter(names), "")
    if not name:
        if any(kind in PROMETHEUS_TYPES for _, kind, _ in sources.values()):
            findings.warn(ratio.line, "ratioMetric", "names no data source (metricSourceRef); counts must be pushed")
        return Measured()
    counter = ratio.get("counter")
    if counter is not None and counter.boolean is False:
        findings.warn(counter.line, "ratioMetric.counter", "is read as a counter all the same; gauges cannot be summed")
    queries = {key: query for key, (_, _, query) in sources.items()}
    return Measured(name, queries.get("good", ""), queries.get("bad", ""), queries.get("total", ""))


def _metric_source(ratio: Node, key: str) -> tuple[str, str, str]:
    """(data source's name, type in lower case, query) of good, bad or total."""
    at = (key, "metricSource")
    return (
        ratio.text_at(*at, "metricSourceRef"),
        ratio.text_at(*at, "type").lower(),
        ratio.text_at(*at, "spec", "query").strip(),
    )
