"""From the first bad pushed event to the hand-over by SMTP: p50 and p99 of a real server, a real socket and a real disk.

Each round breaks an SLO of its own, so that each is a new incident and a new page. Goal: 25 ms and 150 ms.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.crash.nodes import Mailbox, Node

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: slo-{number}}}
spec:
  service: shop
  indicator:
    metadata: {{name: slo-{number}-ratio}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: push, spec: {{name: good}}}}}}
        total: {{metricSource: {{type: push, spec: {{name: total}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: it works, target: 0.999}}]
"""


class TimedMailbox(Mailbox):
    """Notes when each page was handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: dict[str, float] = {}
        self.news = threading.Event()

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        at = time.perf_counter()
        answer = await super().handle_DATA(server, session, envelope)
        mail = self.mails[-1]
        if mail["X-Update-Kind"] == "page":
            self.arrived.setdefault(str(mail["X-Incident-Id"]), at)
            self.news.set()
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        box = TimedMailbox()
        box.start()
        node = Node(Path(folder) / "data", box)
        try:
            node.start()
            spans = measure(node, box, rounds)
        finally:
            node.stop()
            box.stop()
    report(spans)


def measure(node: Node, box: TimedMailbox, rounds: int) -> list[float]:
    """Milliseconds from the moment before the push to the end of the mail's DATA, for each round."""
    key = set_up(node, rounds)
    connection = http.client.HTTPConnection("127.0.0.1", node.port)
    for number in range(rounds):
        push(connection, key, number, good=1000, bad=0)
    time.sleep(1.0)
    spans = []
    for number in range(rounds):
        box.news.clear()
        seen = len(box.arrived)
        began = time.perf_counter()
        push(connection, key, number, good=0, bad=200)
        if not box.news.wait(timeout=10) or len(box.arrived) == seen:
            raise SystemExit(f"no page for round {number}")
        spans.append((max(box.arrived.values()) - began) * 1000)
        time.sleep(0.05)
    return spans


def set_up(node: Node, rounds: int) -> str:
    node.must("POST", "/api/v1/people", {"name": "mara", "email": "mara@example.org"})
    node.must("POST", "/api/v1/services", {"name": "shop"})
    node.must(
        "POST", "/api/v1/escalation-policies", {"name": "p", "steps": [{"wait_minutes": 30, "targets": ["user:mara"]}]}
    )
    node.must("PUT", "/api/v1/services/shop/escalation", {"policy": "p"})
    text = "---".join(SLO.format(number=number) for number in range(rounds))
    plan = node.must("POST", "/api/v1/apply", {"files": {"slos.yaml": text}})
    assert not plan["errors"], plan["errors"]
    for number in range(rounds):
        node.must("PUT", f"/api/v1/slos/slo-{number}/priority", {"priority": 1, "groups": ["customer-support"]})
    return str(node.must("POST", "/api/v1/integrations", {"kind": "sli"})["key"])


def push(connection: http.client.HTTPConnection, key: str, number: int, *, good: int, bad: int) -> None:
    body = json.dumps([{"slo": f"slo-{number}", "good": good, "bad": bad}])
    connection.request(
        "POST", "/api/v1/sli/counts", body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 202:
        raise SystemExit(f"the push was answered {answer.status}: {content!r}")


def report(spans: list[float]) -> None:
    ordered = sorted(spans)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"first bad pushed event to SMTP hand-over, {len(spans)} pages, load {os.getloadavg()[0]:.1f}")
    print(
        f"p50 {p50:.1f} ms (goal 25, {p50 / 25:.2f} of it), p99 {p99:.1f} ms (goal 150, {p99 / 150:.2f} of it), max {ordered[-1]:.1f}"
    )


if __name__ == "__main__":
    main()
