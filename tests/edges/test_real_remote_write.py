"""What a real Prometheus 2.42 sends by remote write is what we read."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.edges.real_prometheus import Exporter, prometheus, wait_until
from tocsin.slo import remote_write
from tocsin.slo.pushed_series import Series

pytestmark = [pytest.mark.prometheus, pytest.mark.xdist_group("prometheus")]


class Receiver:
    """Takes requests as a door does and keeps them."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                here.headers.append({name.lower(): value for name, value in self.headers.items()})
                here.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, daemon=True).start()

    def series(self, name: str) -> list[Series]:
        return [one for body in self.bodies for one in remote_write.decode(body) if one.names == (name,)]


def test_the_counters_of_a_real_prometheus_are_read(tmp_path: Path) -> None:
    exporter, receiver = Exporter(), Receiver()
    exporter.counts = {'shop_requests_total{code="200"}': 41}
    config = (
        f"\nremote_write: [{{url: 'http://127.0.0.1:{receiver.server.server_port}/api/v1/write', "
        "authorization: {credentials: the-key}}]"
    )
    try:
        with prometheus(tmp_path / "data", scrape=exporter.port, config=config):
            wait_until(lambda: bool(receiver.series("shop_requests_total")))
            exporter.counts = {'shop_requests_total{code="200"}': 58}
            wait_until(
                lambda: any(point[1] == 58 for one in receiver.series("shop_requests_total") for point in one.points)
            )
            exporter.counts = {}
            wait_until(lambda: any(point[3] for one in receiver.series("shop_requests_total") for point in one.points))
        found = receiver.series("shop_requests_total")
        assert {tuple(sorted(one.labels.items())) for one in found} == {
            (("code", "200"), ("instance", f"127.0.0.1:{exporter.port}"), ("job", "shop"))
        }
        told = receiver.headers[0]
        assert (told["content-encoding"], told["content-type"]) == ("snappy", "application/x-protobuf")
        assert told["authorization"] == "Bearer the-key"
    finally:
        exporter.close()
        receiver.server.shutdown()
        receiver.server.server_close()
