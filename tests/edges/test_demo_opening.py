"""Before the demo opens: the port answers at once, says how far the past is, and asks nothing of anybody."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin.demo.waiting import PROGRESS_PATH, Progress, Stopped, WaitingRoom
from tocsin.platform import clock
from tocsin.wiring import demo_past

DAY = datetime(2026, 9, 14, 12, tzinfo=UTC)
BROWSER = [(b"accept", b"text/html,*/*")]


def ask(progress: Progress, path: str, *, headers: Any = (), method: str = "GET") -> tuple[int, dict[str, str], str]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "path": path, "method": method, "headers": list(headers)}
    asyncio.run(WaitingRoom(progress)(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, sent[1]["body"].decode()


def half_way() -> Progress:
    progress = Progress()
    progress.tell("Harbor Tickets lives", 0.437, DAY, incidents=17)
    return progress


@pytest.mark.parametrize("path", ["/", "/slos", "/i/INC-3"])
def test_any_page_says_how_far_the_past_is_and_asks_again_by_itself(path: str) -> None:
    status, headers, page = ask(half_way(), path, headers=BROWSER)
    assert (status, headers["retry-after"]) == (503, "1")
    assert re.search(r'<progress id="share" max="100" value="43"[^>]*>43 %</progress>', page)
    assert '<label for="share"' in page
    assert "14 September 2026, 17 incidents so far, 43 % done" in page
    assert '<noscript><meta http-equiv="refresh" content="1"></noscript>' in page
    assert "unsafe-inline" not in headers["content-security-policy"]


def test_what_the_page_needs_is_there_before_anything_else_is() -> None:
    _, _, page = ask(half_way(), "/", headers=BROWSER)
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        status, headers, body = ask(half_way(), path)
        assert (status, bool(body)) == (200, True), path
        assert not headers["content-type"].startswith("text/html")


def test_nobody_says_how_far_it_is_while_nobody_can_know() -> None:
    _, _, page = ask(Progress(), "/", headers=BROWSER)
    assert re.search(r'<progress id="share" max="100" data-testid="waiting-progress"></progress>', page)


def test_it_is_alive_but_not_ready_and_programs_get_a_problem() -> None:
    assert ask(half_way(), "/healthz")[0] == 200
    status, _, body = ask(half_way(), "/readyz")
    assert (status, json.loads(body)["ready"], json.loads(body)["percent"]) == (503, False, 43)
    assert json.loads(ask(half_way(), PROGRESS_PATH)[2])["percent"] == 43
    for method, headers in (("GET", ()), ("POST", BROWSER)):
        status, told, body = ask(half_way(), "/api/v1/incidents", headers=headers, method=method)
        assert (status, told["content-type"]) == (503, "application/problem+json")
        assert "43 % done" in json.loads(body)["detail"]


def test_whoever_asks_for_the_end_ends_the_making() -> None:
    progress = half_way()
    progress.stopped.set()
    with pytest.raises(Stopped):
        progress.tell("on", 0.5, DAY)


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    demo_past.check_folder(tmp_path)
    (tmp_path / demo_past.DATABASE).touch()
    with pytest.raises(demo_past.NotADemo, match="installation of its own"):
        demo_past.check_folder(tmp_path)
    (tmp_path / demo_past.BEGUN).touch()
    demo_past.check_folder(tmp_path)


@pytest.mark.sqlite
def test_the_port_answers_at_once_and_the_demo_ends_in_good_order_while_the_past_is_made(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tocsin.wiring.main", "demo", "--data", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        status, page = _first_answer(f"http://127.0.0.1:{port}/")
        assert status == 503
        assert "<progress" in page
        assert (tmp_path / demo_past.BEGUN).exists()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert "Traceback" not in said
        assert not (tmp_path / demo_past.KEPT).exists()
    finally:
        process.kill()
        process.wait()


def _first_answer(url: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()
        except OSError:
            clock.pause(0.1)
    raise AssertionError("nothing answered")
