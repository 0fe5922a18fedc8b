"""A real Prometheus on loopback, with a past written beforehand or a page to scrape, for the tests that need one."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import msgspec

from tests.programs import path_of
from tocsin.platform import clock, http


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Look again and again until `true` is; fails after `seconds`."""
    until = clock.monotonic() + seconds
    while not true():
        assert clock.monotonic() < until, "it did not happen in time"
        clock.pause(0.05)


def write_past(folder: Path, lines: list[str]) -> None:
    """Turn samples in OpenMetrics text into blocks of the server's storage under `folder`."""
    text = folder.parent / "past.txt"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    command = [path_of("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


@contextlib.contextmanager
def prometheus(
    folder: Path,
    *,
    scrape: int | None = None,
    config: str = "",
    web: Path | None = None,
    answers: Callable[[str], bool] | None = None,
) -> Iterator[str]:
    """Start a server over the storage `folder`; `scrape` is a port on loopback that it asks each second.

    `web` is the file with its TLS and its users; then it speaks https, and `answers` says whether it answers at its
    address by now, because only the caller knows the way in. Its port is open before its storage is.
    """
    port = free_port()
    file = folder.parent / "prometheus.yml"
    job = f"\nscrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{scrape}']}}]}}]"
    file.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}" + (job if scrape else "") + config)
    command = [
        path_of("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=90d",
        "--log.level=error",
        *([f"--web.config.file={web}"] if web else []),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http{'s' if web else ''}://127.0.0.1:{port}"
    try:
        wait_until(lambda: (answers or _is_ready)(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(url: str) -> bool:
    try:
        return http.request("GET", f"{url}/-/ready").status == 200
    except http.HttpFailed:
        return False


def value(url: str, query: str, at: int) -> float:
    """What the server itself says: the only value of an instant query."""
    form = urlencode({"query": query, "time": str(at)})
    answer = http.request("GET", f"{url}/api/v1/query?{form}")
    (series,) = msgspec.json.decode(answer.body)["data"]["result"]
    return float(series["value"][1])


class Exporter:
    """A page of counters that a test moves; text format."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{name} {count}\n" for name, count in page.counts.items()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
