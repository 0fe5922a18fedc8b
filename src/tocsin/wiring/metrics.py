"""`/metrics`: the engine's report in Prometheus' text format, for whoever watches the watcher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_GAUGES = {
    "last_cycle_age_seconds": "Age of the engine's last complete cycle.",
    "oldest_due_seconds": "How long the oldest due action has been waiting.",
    "oldest_unsent_seconds": "How long the oldest message that should have left has been waiting.",
    "journal_waiting": "Accepted messages that have not been folded.",
    "journal_oldest_seconds": "Age of the oldest accepted message that has not been folded.",
}


def exposition(report: Mapping[str, Any], *, healthy: bool, version: str) -> bytes:
    """The figures of `report` (see `Engine.report`) as Prometheus reads them."""
    return ("\n".join(_lines(report, healthy=healthy, version=version)) + "\n").encode()


def _lines(report: Mapping[str, Any], *, healthy: bool, version: str) -> Iterator[str]:
    yield from _family("build_info", "gauge", "The version that runs.", {f'{{version="{version}"}}': 1})
    yield from _family("engine_healthy", "gauge", "1 while every loop completes its cycles.", {"": int(healthy)})
    for name, meaning in _GAUGES.items():
        if name in report:
            yield from _family(name, "gauge", meaning, {"": report[name]})
    ages = {f'{{loop="{name}"}}': age for name, age in report.get("loops", {}).items()}
    yield from _family("loop_age_seconds", "gauge", "Age of each loop's last complete cycle.", ages)
    for figure, meaning in (("handled", "Things each turn has dealt with."), ("failures", "Failures of each turn.")):
        values = {f'{{turn="{name}"}}': turn[figure] for name, turn in report.get("turns", {}).items()}
        yield from _family(f"turn_{figure}_total", "counter", meaning, values)


def _family(name: str, kind: str, meaning: str, samples: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP tocsin_{name} {meaning}"
    yield f"# TYPE tocsin_{name} {kind}"
    for labels, value in samples.items():
        yield f"tocsin_{name}{labels} {value}"
