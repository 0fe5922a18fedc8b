"""A real Alertmanager that believes it talks to PagerDuty: its trigger opens an incident, its resolve ends it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.nodes import Mailbox, Node, eventually, mailbox
from tests.edges.real_prometheus import _is_ready, free_port, wait_until
from tests.programs import path_of

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.crash,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("prometheus"),
]


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


@contextmanager
def alertmanager(folder: Path, *, key: str, url: str) -> Iterator[str]:
    folder.mkdir()
    file, port = folder / "alertmanager.yml", free_port()
    file.write_text(
        f"global: {{pagerduty_url: '{url}/v2/enqueue'}}\n"
        "route: {receiver: tocsin, group_by: [alertname], group_wait: 1s, group_interval: 1s}\n"
        f"receivers: [{{name: tocsin, pagerduty_configs: [{{routing_key: {key}, severity: critical}}]}}]\n"
    )
    command = [
        path_of("prometheus-alertmanager"),
        f"--config.file={file}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _is_ready(address))
        yield address
    finally:
        process.terminate()
        process.wait(30)


def incidents(node: Node) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.must("GET", "/api/v1/incidents?all=true")["items"]
    return found


def test_a_group_of_alertmanager_is_one_incident_from_trigger_to_resolve(
    tmp_path: Path, node: Node, mails: Mailbox
) -> None:
    node.must("POST", "/api/v1/people", {"name": "mara", "email": "mara@example.org"})
    node.must("POST", "/api/v1/services", {"name": "orders"})
    steps = [{"wait_minutes": 30, "targets": ["user:mara"]}]
    node.must("POST", "/api/v1/escalation-policies", {"name": "p", "steps": steps})
    node.must("PUT", "/api/v1/services/orders/escalation", {"policy": "p"})
    key = node.must("POST", "/api/v1/integrations", {"kind": "events-v2", "service": "orders"})["key"]
    with alertmanager(tmp_path / "am", key=str(key), url=f"http://127.0.0.1:{node.port}") as address:
        amtool = [path_of("amtool"), f"--alertmanager.url={address}"]
        subprocess.run([*amtool, "alert", "add", "DiskFull", "instance=db1"], check=True, capture_output=True)
        eventually(lambda: len(incidents(node)) == 1, what="the trigger opens an incident", seconds=40)
        [one] = incidents(node)
        assert (one["status"], one["service"], one["signal_severity"]) == ("triggered", "orders", "critical")
        assert len(one["dedup_key"]) == 64
        eventually(lambda: [mail["X-Incident-Id"] for mail in mails.of("page")] == [one["id"]], what="mara is paged")
        end = ["--end=2020-01-01T00:00:00Z", "--start=2019-01-01T00:00:00Z"]
        subprocess.run([*amtool, "alert", "add", "DiskFull", "instance=db1", *end], check=True, capture_output=True)
        eventually(lambda: incidents(node)[0]["status"] == "resolved", what="its end resolves it", seconds=40)
        assert len(incidents(node)) == 1
