"""Can the alert rules of SLOs in files ever fire? Judged before they are applied, and without a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tocsin.core.errors import Invalid
from tocsin.core.reachability import Reach
from tocsin.slo import queries
from tocsin.slo.openslo import Document, files_in, objective_specs, parse


def reach_of_files(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """One report for each SLO of the files; raises Invalid naming file and line when one cannot be read."""
    documents: list[Document] = []
    for path in files_in(list(paths)):
        file = parse(path.read_bytes(), str(path))
        if file.errors:
            raise Invalid({f"{path} line {one.line}": f"{one.path}: {one.message}" for one in file.errors})
        documents += file.documents
    specs = objective_specs(documents)
    if specs.errors:
        raise Invalid({f"{file} line {one.line}": f"{one.path}: {one.message}" for file, one in specs.errors})
    found = []
    for spec in specs.objectives:
        report = queries.reach_of_spec(spec)
        found.append(
            {
                "slo": spec.name,
                "service": spec.service,
                "target": str(spec.target),
                "rule": str(spec.rule.get("name", "")),
                "ok": report.ok,
                "warnings": list(report.warnings),
                "conditions": [condition(one) for one in report.reaches],
            }
        )
    return found


def condition(one: Reach) -> dict[str, Any]:
    """One condition and what is to be expected of it."""
    minutes = one.outage_minutes
    return {
        "urgency": one.condition.urgency.value,
        "window_seconds": int(one.condition.window.total_seconds()),
        "burn_rate": round(float(one.condition.limit), 4),
        "verdict": one.verdict.value,
        "text": one.text,
        "outage_seconds": None if minutes is None else round(float(minutes) * 60, 1),
    }
