"""What happens around a kill, and what must be true afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.crash.nodes import Mailbox, Node, eventually

IN_FLIGHT = 8
PEOPLE = ("first", "second")


@dataclass(slots=True)
class Story:
    """A small installation whose alerts are sent until each is accepted, whatever dies meanwhile."""

    nodes: list[Node]
    mailbox: Mailbox
    key: str = ""
    accepted: set[str] = field(default_factory=set)
    sent: int = 0

    def set_up(self) -> None:
        node = self.nodes[0]
        for name in PEOPLE:
            node.must("POST", "/api/v1/people", {"name": name, "email": f"{name}@example.org"})
        policy = {"name": "chain", "steps": [{"wait_minutes": 30, "targets": [f"user:{PEOPLE[0]}"]}]}
        node.must("POST", "/api/v1/escalation-policies", policy)
        node.must("POST", "/api/v1/services", {"name": "shop"})
        node.must("PUT", "/api/v1/services/shop/escalation", {"policy": "chain"})
        made = node.must("POST", "/api/v1/integrations", {"kind": "alertmanager", "service": "shop"})
        self.key = made["key"]

    def send(self, count: int) -> None:
        """Post `count` new alerts, one request each; try every node until one says 2xx, as a careful sender would."""
        for _ in range(count):
            self.sent += 1
            self.send_again(f"alert-{self.sent}")

    def send_again(self, name: str) -> None:
        body = [{"labels": {"alertname": name, "priority": "P2"}, "annotations": {"summary": f"{name} fires"}}]
        eventually(lambda: self._offered(body), what=f"{name} accepted", seconds=60)
        self.accepted.add(name)

    def _offered(self, body: list[dict[str, Any]]) -> bool:
        for node in self.nodes:
            if node.is_dead():
                if node.killed_itself():
                    node.start()
                continue
            try:
                if node.ask("POST", "/api/v2/alerts", body, key=self.key)[0] < 300:
                    return True
            except OSError:
                continue
        return False

    def acknowledge_one(self) -> None:
        """Take an incident, asking again until somebody answers."""
        chosen = eventually(
            lambda: self.living().must("GET", "/api/v1/incidents")["items"], what="an incident to take"
        )[0]

        def taken() -> bool:
            self.revive()
            status, answer = self.living().ask(
                "POST", f"/api/v1/incidents/{chosen['id']}/acknowledge", {"person": PEOPLE[1]}
            )
            return status == 200 and answer["status"] == "acknowledged"

        eventually(taken, what="the incident is taken", seconds=60)

    def living(self) -> Node:
        """A node that can be asked; one that killed itself meanwhile is started again."""
        self.revive()
        return next(node for node in self.nodes if not node.is_dead())

    def revive(self) -> None:
        for node in self.nodes:
            if node.killed_itself():
                node.start()

    def settle(self) -> None:
        """Wait until nothing is on its way any more."""
        self.revive()
        eventually(self._is_quiet, what="journal folded and outbox empty", seconds=90)

    def _is_quiet(self) -> bool:
        self.revive()
        report = self.living().ask("GET", "/health/engine")[1]
        paged = {mail["X-Incident-Id"] for mail in self.mailbox.of("page")}
        known = {one["id"] for one in self.incidents()}
        return report["journal_waiting"] == 0 and report["oldest_unsent_seconds"] == 0 and known <= paged

    def incidents(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.living().must("GET", "/api/v1/incidents?all=true&limit=1000")["items"]
        return items

    def must_hold(self, *, kills: int) -> None:
        """Nothing accepted is lost, nothing is there twice, repeats are few and say so, the log is whole."""
        names = Counter(one["labels"].get("alertname") for one in self.incidents())
        assert set(names) >= self.accepted, f"lost: {self.accepted - set(names)}"
        assert all(count == 1 for count in names.values()), f"twice: {names}"
        pages = self.mailbox.of("page")
        assert {one["id"] for one in self.incidents()} <= {mail["X-Incident-Id"] for mail in pages}
        by_key = Counter(mail["Message-ID"] for mail in pages)
        repeats = sum(by_key.values()) - len(by_key)
        labelled = sum(1 for mail in pages if mail["X-Tocsin-Repeat"])
        assert repeats <= labelled, "a repeat that does not say so"
        assert repeats <= IN_FLIGHT * kills, f"{repeats} repeats after {kills} kills"
        numbers = sorted(one["number"] for one in self.incidents())
        assert numbers == list(range(1, len(numbers) + 1)), "a hole in the numbers"
        verdict = self.living().must("GET", "/api/v1/audit/verify")
        assert verdict["ok"], verdict
