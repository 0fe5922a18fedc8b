"""`/metrics`: the engine's report in Prometheus' text format, for whoever watches the watcher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

_GAUGES = {
    "last_cycle_age_seconds": "Age of the engine's last complete cycle.",
    "oldest_due_seconds": "How long the oldest due action has been waiting.",
    "oldest_unsent_seconds": "How long the oldest message that should have left has been waiting.",
    "journal_waiting": "Accepted messages that have not been folded.",
    "journal_oldest_seconds": "Age of the oldest accepted message that has not been folded.",
}
_PER_TURN = {"handled": "Things each turn has dealt with.", "failures": "Failures of each turn."}


def exposition(report: Mapping[str, Any], *, healthy: bool, version: str) -> bytes:
    """The figures of `report` (see `Engine.report`) as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Report(report, healthy=healthy, version=version))
    return generate_latest(registry)


class _Report(Collector):
    """One look at the engine; made anew for each question."""

    def __init__(self, report: Mapping[str, Any], *, healthy: bool, version: str) -> None:
        self._report = report
        self._healthy = healthy
        self._version = version

    def collect(self) -> Iterable[Metric]:
        yield _gauge("build_info", "The version that runs.", {self._version: 1}, label="version")
        yield GaugeMetricFamily("tocsin_engine_healthy", "1 while every loop completes its cycles.", int(self._healthy))
        for name, meaning in _GAUGES.items():
            if name in self._report:
                yield GaugeMetricFamily(f"tocsin_{name}", meaning, self._report[name])
        ages = self._report.get("loops", {})
        yield _gauge("loop_age_seconds", "Age of each loop's last complete cycle.", ages, label="loop")
        for figure, meaning in _PER_TURN.items():
            family = CounterMetricFamily(f"tocsin_turn_{figure}", meaning, labels=["turn"])
            for name, turn in self._report.get("turns", {}).items():
                family.add_metric([name], turn[figure])
            yield family


def _gauge(name: str, meaning: str, values: Mapping[str, float], *, label: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tocsin_{name}", meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
