"""`tocsin serve` as a real process: from an empty folder to a clean end, one process a folder."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.nodes import TOKEN, Mailbox, Node, eventually, mailbox

pytestmark = pytest.mark.sqlite  # a folder of its own is SQLite's


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as kept:
        yield kept


@pytest.fixture(scope="module")
def node(box: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A server that was started in an empty folder; the tests of this module share it."""
    one = Node(data=tmp_path_factory.mktemp("serve") / "data", mailbox=box)
    one.start()
    yield one
    one.kill()


def test_it_starts_in_an_empty_folder_without_a_question(node: Node) -> None:
    assert node.ask("GET", "/readyz") == (200, {"ready": True})
    status, engine = node.ask("GET", "/health/engine")
    assert (status, engine["healthy"]) == (200, True)
    assert engine["last_cycle_age_seconds"] < 30
    assert node.must("GET", "/version")["name"] == "tocsin"


def test_an_alert_that_is_posted_becomes_one_incident(node: Node) -> None:
    for _ in range(3):
        status, _ = node.ask("POST", "/prefix/api/v2/alerts", [{"labels": {"alertname": "FrontDown"}}])
        assert status == 200

    def titles() -> list[str]:
        return [item["title"] for item in node.must("GET", "/api/v1/incidents")["items"]]

    eventually(lambda: "FrontDown" in titles(), what="the incident is there")
    assert titles().count("FrontDown") == 1


def test_pages_of_django_are_answered_through_the_bridge(node: Node) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    connection.request("GET", "/accounts/login/")
    answer = connection.getresponse()
    assert answer.status == 200
    assert b"<form" in answer.read()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    connection.close()


def test_a_stranger_may_not_watch(node: Node) -> None:
    assert node.ask("GET", "/live")[0] == 401


def test_a_body_that_lies_about_its_length_harms_nobody(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.port)) as line:
        line.sendall(
            b"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
            + TOKEN.encode()
            + b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        line.settimeout(5)
        received = line.recv(65536)
    assert received.startswith(b"HTTP/1.1 400")
    assert node.ask("GET", "/readyz")[0] == 200


def test_a_second_process_on_the_folder_is_refused_in_one_line(node: Node) -> None:
    command = [sys.executable, "-m", "tocsin.wiring.main", "serve", "--data", str(node.data), "--port", "0"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 1
    assert "is in use by another tocsin" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert node.process is not None
    assert str(node.process.pid) in refused.stderr


def signed_in_cookie(node: Node) -> str:
    url = node.must("POST", "/api/v1/people/admin/login-link")["url"]
    path = "/" + url.split("/", 3)[3]
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    page = answer.read().decode()
    cookies = dict(re.findall(r"(\w+)=([^;]+);", ";".join(_set(answer)) + ";"))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    if token is not None:  # the page asks for a press of its button, so that a mail scanner uses nothing up
        sent = {"Cookie": f"csrftoken={cookies['csrftoken']}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, f"csrfmiddlewaretoken={token[1]}", sent)
        answer = connection.getresponse()
        answer.read()
        cookies |= dict(re.findall(r"(\w+)=([^;]+);", ";".join(_set(answer)) + ";"))
    connection.close()
    return f"sessionid={cookies['sessionid']}"


def _set(answer: http.client.HTTPResponse) -> list[str]:
    return [value.strip() for value in answer.headers.get_all("Set-Cookie") or []]


def test_a_stream_tells_of_a_change_and_does_not_hold_up_the_end(node: Node) -> None:
    watching = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    watching.request("GET", "/live", headers={"Cookie": signed_in_cookie(node)})
    stream = watching.getresponse()
    assert stream.status == 200
    node.must("POST", "/api/v1/services", {"name": "changed"})
    while b"event: changed" not in (line := stream.readline()):
        assert line
    assert node.stop() == 0
    stream.read()
    stream.close()
    watching.close()
    node.start()


def test_it_ends_cleanly_with_connections_open_and_starts_again(node: Node) -> None:
    idle = socket.create_connection(("127.0.0.1", node.port))
    kept_alive = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    kept_alive.request("GET", "/healthz")
    kept_alive.getresponse().read()
    assert node.stop() == 0
    for line in (idle, kept_alive):
        line.close()
    node.start()
    assert node.ask("GET", "/readyz")[0] == 200


def test_a_request_in_flight_is_finished_before_the_end(node: Node) -> None:
    body = b'[{"labels":{"alertname":"SentWhileEnding"}}]'
    head = f"POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", node.port), timeout=10) as line:
        line.sendall(head.encode() + body[:10])
        assert node.ask("GET", "/readyz")[0] == 200  # by now the half request has been read
        assert node.process is not None
        node.process.send_signal(signal.SIGTERM)
        eventually(lambda: _refuses(node.port), what="the server takes no more")
        line.sendall(body[10:])
        assert line.recv(65536).startswith(b"HTTP/1.1 200")
    assert node.process.wait(timeout=30) == 0
    node.start()
    titles = [item["title"] for item in node.must("GET", "/api/v1/incidents")["items"]]
    eventually(lambda: "SentWhileEnding" in titles or node.ask("GET", "/readyz")[0] == 200, what="folded")


def _refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_it_starts_again_after_a_kill(node: Node) -> None:
    assert node.ask("POST", "/api/v2/alerts", [{"labels": {"alertname": "BeforeTheKill"}}])[0] == 200
    node.kill()
    node.start()

    def titles() -> list[str]:
        return [item["title"] for item in node.must("GET", "/api/v1/incidents")["items"]]

    eventually(lambda: "BeforeTheKill" in titles(), what="what was accepted is there after the kill")


def test_without_a_token_one_is_shown_once_and_works(box: Mailbox, tmp_path: Path) -> None:
    one = Node(data=tmp_path / "data", mailbox=box)
    log = tmp_path / "data.log"
    environment = {name: value for name, value in os.environ.items() if name not in {"TOCSIN_TOKEN", "TOKEN"}}
    command = [sys.executable, "-m", "tocsin.wiring.main", "serve", "--data", str(one.data), "--port", str(one.port)]
    with log.open("ab") as sink:
        one.process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
    try:
        one.ready()
        (token,) = re.findall(r"shown this once: (tocsin_\S+)", log.read_text())
        status, people = one.ask("GET", "/api/v1/people", key=token)
        assert (status, [person["role"] for person in people["items"]]) == (200, ["admin"])
        assert token not in json.dumps(people)
    finally:
        one.stop()
