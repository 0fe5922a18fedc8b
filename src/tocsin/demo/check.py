"""`tocsin demo --check`: the whole way without a browser, each stage timed on the demo's clock; exit 0 only if all happened."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tocsin.platform import clock

FAULT, SLO = "break-logon", "logon-availability"


class StageMissed(Exception):
    """A stage did not happen in time."""


@dataclass(slots=True)
class Check:
    """Talks to the demo like anybody else: over HTTP, with the administrator's token. `patience` in real seconds."""

    address: tuple[str, int]
    token: str
    patience: float = 60.0
    _began: datetime = field(default_factory=clock.now)

    def run(self) -> int:
        """Exit code 0 when every stage happened, 1 with the missing stage named."""
        try:
            self._await("ready", self._ready)
            self._walk()
        except StageMissed as missed:
            sys.stderr.write(f"demo check: {missed}\n")
            return 1
        sys.stdout.write("demo check: every stage happened\n")
        return 0

    def _walk(self) -> None:
        before = {one["id"] for one in self._get("/api/v1/incidents")["items"]}
        breaches = len(self._get(f"/api/v1/slos/{SLO}")["breaches"])
        seen = max((message["id"] for message in self._get("/demo/outbox.json")["items"]), default=0)
        self._began = clock.now()
        self._post(f"/demo/fault/{FAULT}")
        self._said("fault")
        self._await("breach", lambda: len(self._get(f"/api/v1/slos/{SLO}")["breaches"]) > breaches)
        incident = self._await("incident", lambda: self._new_incident(before))
        page = self._await("page", lambda: self._page(incident["id"], seen))
        self._post(_path(page["link"]) + "/take", form=True)
        self._await("answer", lambda: self._show(incident["id"])["status"] == "acknowledged")
        self._post(f"/demo/fault/{FAULT}?off=1")
        if incident["priority"] != 1:
            self._post(f"/api/v1/incidents/{incident['id']}/priority", {"priority": 1, "reason": "nobody can log on"})
        self._post(f"/api/v1/incidents/{incident['id']}/resolve", {"category": "software", "note": "Rolled back."})
        self._await("resolve", lambda: self._show(incident["id"])["status"] == "resolved")
        self._await(
            "postmortem draft", lambda: self._get(f"/api/v1/incidents/{incident['id']}/postmortem", missing=True)
        )

    def _ready(self) -> bool:
        try:
            return self._request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def _new_incident(self, before: set[str]) -> Mapping[str, Any] | None:
        found = self._get("/api/v1/incidents")["items"]
        return next((one for one in found if one["id"] not in before and one["slo"] == SLO), None)

    def _page(self, incident: str, seen: int) -> Mapping[str, Any] | None:
        sent = self._get(f"/demo/outbox.json?after={seen}")["items"]
        pages = [
            m for m in sent if m["kind"] == "page" and m["incident"] == incident and m["state"] == "sent" and m["link"]
        ]
        return pages[0] if pages else None

    def _show(self, incident: str) -> Mapping[str, Any]:
        shown: Mapping[str, Any] = self._get(f"/api/v1/incidents/{incident}")
        return shown

    def _await(self, stage: str, happened: Callable[[], Any]) -> Any:
        deadline = clock.monotonic() + self.patience
        while clock.monotonic() < deadline:
            result = happened()
            if result:
                self._said(stage)
                return result
            clock.pause(0.05)
        raise StageMissed(f"{stage!r} did not happen within {self.patience:.0f} s")

    def _said(self, stage: str) -> None:
        since = (clock.now() - self._began).total_seconds()
        sys.stdout.write(f"{stage:18} {since:8.2f} s\n")
        sys.stdout.flush()

    def _get(self, path: str, *, missing: bool = False) -> Any:
        status, body = self._request("GET", path)
        if missing and status == 404:
            return None
        if status != 200:
            raise StageMissed(f"GET {path} answered {status}")
        return json.loads(body)

    def _post(self, path: str, document: Any = None, *, form: bool = False) -> None:
        status, body = self._request("POST", path, document, form=form)
        if status >= 400:
            raise StageMissed(f"POST {path} answered {status}: {body[:200]!r}")

    def _request(self, method: str, path: str, document: Any = None, *, form: bool = False) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=15)
        headers = {"Accept": "application/json"}
        if not form and not path.startswith("/demo/"):
            headers["Authorization"] = f"Bearer {self.token}"
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
            body = "" if form else json.dumps(document or {})
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _path(link: str) -> str:
    return "/" + link.split("/", 3)[3] if "://" in link else link
