"""Harbor Tickets' own service: it really answers requests, really breaks when told to, and counts what happened.

A small HTTP server on loopback, people (threads) who use it, and a counter that tells Tocsin what it saw, through the
same door as anybody's counter. Nothing here knows what Tocsin will make of it.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tocsin.platform import clock

FAULTS: Mapping[str, tuple[str, float]] = {
    # name -> the SLO whose requests fail, and which share of them
    "break-logon": ("logon-availability", 0.38),
    "break-checkout": ("checkout-availability", 0.25),
    "break-search": ("search-availability", 0.5),
    "late-messages": ("notify-latency", 0.6),
    "silence-source": ("", 0.0),
}


@dataclass(slots=True)
class Faults:
    """Which faults are on. A fraction of requests fails in turn, so that the share is exact and no dice are thrown."""

    active: set[str] = field(default_factory=set)
    _seen: Counter[str] = field(default_factory=Counter)
    _failed: Counter[str] = field(default_factory=Counter)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def fails(self, slo: str) -> bool:
        """Whether the next request that counts for `slo` fails."""
        share = max(
            (part for name, (where, part) in FAULTS.items() if name in self.active and where == slo), default=0.0
        )
        if not share:
            return False
        with self._guard:
            self._seen[slo] += 1
            if self._failed[slo] < share * self._seen[slo]:
                self._failed[slo] += 1
                return True
        return False

    @property
    def silent(self) -> bool:
        return "silence-source" in self.active

    def set(self, name: str, *, on: bool) -> None:
        if name not in FAULTS:
            raise KeyError(name)
        with self._guard:
            (self.active.add if on else self.active.discard)(name)
            self._seen.clear()
            self._failed.clear()

    def clear(self) -> None:
        with self._guard:
            self.active.clear()


class _Handler(BaseHTTPRequestHandler):
    """GET /<slo>: 200, or 500 while its fault is on. GET /metrics: how often which answer was given, for a Prometheus."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are two writes; together with delayed ACKs each request would wait 40 ms
    )
    faults: Faults
    served: Counter[tuple[str, int]]

    def do_GET(self) -> None:
        slo = self.path.strip("/")
        if slo == "metrics":
            self._answer(200, exposition(self.served).encode())
            return
        status = 500 if self.faults.fails(slo) else 200
        self.served[slo, status] += 1
        self._answer(status, b"ok\n" if status == 200 else b"we could not do this\n")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's word
        """Say nothing: the counter tells."""


def exposition(served: Mapping[tuple[str, int], int]) -> str:
    """The counters in Prometheus' text format."""
    lines = ["# TYPE harbor_requests_total counter"]
    for (slo, status), count in sorted(served.items()):
        lines.append(f'harbor_requests_total{{slo="{slo}",code="{status}"}} {count}')
    return "\n".join(lines) + "\n"


class Harbor:
    """The service with its users and its counter. `rates` maps an SLO to requests a second of its clock's time."""

    def __init__(
        self,
        *,
        tocsin: tuple[str, int],
        key: str,
        rates: Mapping[str, float],
        speed: Callable[[], float] = lambda: 1.0,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.faults = Faults()
        self._tocsin = tocsin
        self._key = key
        self._rates = dict(rates)
        self._now = now
        self._speed = speed
        self._counts: dict[str, list[int]] = {name: [0, 0] for name in rates}
        self._guard = threading.Lock()
        self._running = True
        self._threads: list[threading.Thread] = []
        handler = type("HarborHandler", (_Handler,), {"faults": self.faults, "served": Counter()})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Open the doors: the server, its users, and (with a key) the counter that tells Tocsin every second."""
        for work in (self._server.serve_forever, self._use, *([self._tell] if self._key else [])):
            thread = threading.Thread(target=work, name=f"harbor-{work.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Close the doors and wait until the last guest has left."""
        self._running = False
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()

    def _use(self) -> None:
        """People use the service: each SLO's requests at its rate, over one kept connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            self._keep_using(connection)
        finally:
            connection.close()

    def _keep_using(self, connection: http.client.HTTPConnection) -> None:
        owed = dict.fromkeys(self._rates, 0.0)
        last = clock.monotonic()
        while self._running:
            clock.pause(0.05)
            elapsed, last = clock.monotonic() - last, clock.monotonic()
            pace = self._speed()
            for slo, slow in self._rates.items():
                rate = slow * pace
                owed[slo] = min(owed[slo] + rate * elapsed, max(rate * 2, 1.0))
                while owed[slo] >= 1 and self._running:
                    owed[slo] -= 1
                    self._request(connection, slo)

    def _request(self, connection: http.client.HTTPConnection, slo: str) -> None:
        try:
            connection.request("GET", f"/{slo}")
            answer = connection.getresponse()
            answer.read()
            failed = answer.status >= 500
        except (OSError, http.client.HTTPException):
            connection.close()
            failed = True
        with self._guard:
            self._counts[slo][failed] += 1

    def _tell(self) -> None:
        """Push what was counted. What cannot be handed over is kept and told with the next push."""
        while self._running:
            # At least three times a minute of its clock, as its data source promises.
            clock.pause(min(1.0, max(0.1, 20 / self._speed())))
            if self.faults.silent:
                self._take()
                continue
            taken = self._take()
            if taken and not self._push(taken):
                self._put_back(taken)

    def _take(self) -> dict[str, tuple[int, int]]:
        with self._guard:
            taken = {slo: (good, bad) for slo, (good, bad) in self._counts.items() if good or bad}
            for slo in taken:
                self._counts[slo] = [0, 0]
        return taken

    def _put_back(self, taken: Mapping[str, tuple[int, int]]) -> None:
        with self._guard:
            for slo, (good, bad) in taken.items():
                self._counts[slo][0] += good
                self._counts[slo][1] += bad

    def _push(self, taken: Mapping[str, tuple[int, int]]) -> bool:
        at = self._now().isoformat()
        rows = [{"slo": slo, "good": good, "bad": bad, "at": at} for slo, (good, bad) in taken.items()]
        connection = http.client.HTTPConnection(*self._tocsin, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/sli/counts", json.dumps(rows), headers)
            return connection.getresponse().status == 202
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
