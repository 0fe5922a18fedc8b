"""A real Prometheus scrapes the demo's real service: its SLO by PromQL and an alerting rule each become one incident."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.nodes import Mailbox, Node, eventually, mailbox
from tests.edges.real_prometheus import prometheus
from tocsin.demo.harbor import Harbor

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.crash,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("prometheus"),
]

SLO = """
apiVersion: openslo/v1
kind: DataSource
metadata: {{name: prom}}
spec: {{type: prometheus, connectionDetails: {{url: "{url}", every: 1s}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: logon-by-promql}}
spec:
  service: logon
  indicator:
    metadata: {{name: ratio}}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {{metricSourceRef: prom, type: prometheus, spec: {{query: 'sum(harbor_requests_total{{slo="logon-availability",code="200"}})'}}}}
        total:
          metricSource: {{metricSourceRef: prom, type: prometheus, spec: {{query: 'sum(harbor_requests_total{{slo="logon-availability"}})'}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: it works, target: 0.99}}]
"""

RULES = """
groups:
  - name: harbor
    interval: 1s
    rules:
      - alert: LogonErrors
        expr: >
          sum(rate(harbor_requests_total{slo="logon-availability",code="500"}[10s]))
          / sum(rate(harbor_requests_total{slo="logon-availability"}[10s])) > 0.1
        labels: {service: logon, priority: P2, severity: critical}
        annotations: {summary: "log-ons fail"}
"""


@pytest.fixture
def mails() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def node(tmp_path: Path, mails: Mailbox) -> Iterator[Node]:
    found = Node(tmp_path / "data", mails)
    found.start()
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture
def harbor() -> Iterator[Harbor]:
    service = Harbor(tocsin=("127.0.0.1", 1), key="", rates={"logon-availability": 30.0})
    service.start()
    yield service
    service.stop()


def set_up(node: Node) -> str:
    node.must("POST", "/api/v1/people", {"name": "mara", "email": "mara@example.org"})
    node.must("POST", "/api/v1/services", {"name": "logon"})
    node.must(
        "POST", "/api/v1/escalation-policies", {"name": "p", "steps": [{"wait_minutes": 30, "targets": ["user:mara"]}]}
    )
    node.must("PUT", "/api/v1/services/logon/escalation", {"policy": "p"})
    return str(node.must("POST", "/api/v1/integrations", {"kind": "alertmanager", "service": "logon"})["key"])


def incidents(node: Node) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.must("GET", "/api/v1/incidents?all=true")["items"]
    return found


@pytest.mark.req("R-9.1-2")
def test_promql_and_alerting_rule_each_become_one_incident_that_pages_and_ends(
    tmp_path: Path, node: Node, harbor: Harbor, mails: Mailbox
) -> None:
    key = set_up(node)
    (tmp_path / "rules.yml").write_text(RULES)
    config = (
        f"\nrule_files: [{tmp_path / 'rules.yml'}]"
        f"\nalerting: {{alertmanagers: [{{authorization: {{credentials: {key}}}, "
        f"static_configs: [{{targets: ['127.0.0.1:{node.port}']}}]}}]}}"
    )
    with prometheus(tmp_path / "tsdb", scrape=harbor.port, config=config) as url:
        plan = node.must("POST", "/api/v1/apply", {"files": {"slo.yaml": SLO.format(url=url)}})
        assert not plan["errors"], plan["errors"]
        node.must("PUT", "/api/v1/slos/logon-by-promql/priority", {"priority": 1, "groups": ["management"]})
        eventually(
            lambda: node.must("GET", "/api/v1/slos/logon-by-promql")["health"] == "met",
            what="counts pulled",
            seconds=60,
        )
        harbor.faults.set("break-logon", on=True)

        def both() -> bool:
            return {one["origin"] for one in incidents(node)} == {"slo", "resource"}

        eventually(both, what="an incident from the SLO and one from the alerting rule", seconds=90)
        by_origin = {one["origin"]: one for one in incidents(node)}
        assert (by_origin["slo"]["priority"], by_origin["resource"]["priority"]) == (1, 2)
        assert by_origin["resource"]["labels"]["alertname"] == "LogonErrors"
        assert by_origin["resource"]["signal_severity"] == "critical"
        ids = {one["id"] for one in by_origin.values()}
        eventually(lambda: {mail["X-Incident-Id"] for mail in mails.of("page")} == ids, what="both paged")

        harbor.faults.set("break-logon", on=False)
        eventually(
            lambda: {one["id"]: one["status"] for one in incidents(node)}[by_origin["resource"]["id"]] == "resolved",
            what="the alert's end resolves its incident",
            seconds=90,
        )
        assert len(incidents(node)) == 2
