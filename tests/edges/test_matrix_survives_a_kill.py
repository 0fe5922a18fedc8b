"""A real server and a real homeserver: what is written while the server is dead is kept once after it is back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.nodes import Mailbox, Node, eventually, mailbox
from tests.edges.real_synapse import Homeserver, synapse

pytestmark = [pytest.mark.sqlite, pytest.mark.timeout(600)]


@pytest.fixture
def homeserver(tmp_path: Path) -> Iterator[Homeserver]:
    with synapse(tmp_path / "synapse") as running:
        yield running


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as kept:
        yield kept


def said(node: Node, incident: str) -> list[tuple[str, str]]:
    lines = node.must("GET", f"/api/v1/incidents/{incident}")["timeline"]
    return [(one["kind"], one["text"]) for one in lines if one["kind"] in {"chat", "decision"}]


def test_what_was_written_while_the_server_was_dead_is_kept_once(
    homeserver: Homeserver, box: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, mara = homeserver.user("bot"), homeserver.user("mara")
    tools = {"URL": homeserver.url, "TOKEN": bot.token, "INVITE": mara.ident}
    for name, value in tools.items():
        monkeypatch.setenv(f"TOCSIN_MATRIX_{name}", value)
    node = Node(data=tmp_path / "data", mailbox=box)
    node.start()
    try:
        eventually(lambda: node.ask("GET", "/api/v1/process")[0] == 200, what="the first answer", seconds=60)
        node.must("POST", "/api/v1/services", {"name": "checkout"})
        severity = node.must("GET", "/api/v1/process")["document"]["severities"]["severities"][0]["code"]
        body: dict[str, Any] = {"title": "Checkout fails", "service": "checkout", "priority": 1, "severity": severity}
        incident = node.must("POST", "/api/v1/incidents", body)["id"]
        room = eventually(lambda: invited(mara), what="mara is invited", seconds=60)
        mara.join(room)
        mara.say(room, "before")
        eventually(lambda: len(said(node, incident)) == 1, what="the first line is kept", seconds=60)
        node.kill()
        for number in range(110):
            mara.say(room, f"away {number}")
        mara.say(room, "!decision We fail over")
        node.start()
        eventually(lambda: len(said(node, incident)) == 112, what="all of it is kept", seconds=90)
        texts = [text for _, text in said(node, incident)]
        assert texts == ["before", *(f"away {number}" for number in range(110)), "We fail over"]
        assert said(node, incident)[-1][0] == "decision"
    finally:
        node.kill()


def invited(user: Any) -> str:
    """The room somebody was invited to; each question differs, because the server remembers its answers."""
    user.said += 1
    found = user.ask("GET", f"/sync?timeout=0&filter=%7B%22presence%22%3A%7B%22limit%22%3A{user.said}%7D%7D")
    return next(iter(found.get("rooms", {}).get("invite", {})), "")
