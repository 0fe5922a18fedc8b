"""PagerDuty's Events API v2 at the door: what it answers, what it stores, and that the key stays out of the journal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.edges.front_client import Answer
from tests.edges.test_intake_doors import SENDERS, Intake, dumped
from tocsin.alerts import posted_events
from tocsin.core.access import TABLE, Role
from tocsin.intake.keys import Sender

ENQUEUE, CHANGE = "/v2/enqueue", "/v2/change/enqueue"
KEY = "e" * 32
PAYLOAD = {"summary": "Disk full on db1", "source": "db1", "severity": "critical"}


@pytest.fixture
def intake(monkeypatch: pytest.MonkeyPatch) -> Intake:
    monkeypatch.setitem(SENDERS, KEY, Sender(source="integration:7", kind="events-v2", rights=TABLE[Role.INTEGRATION]))
    monkeypatch.setitem(
        SENDERS, "a" * 32, Sender(source="integration:8", kind="alertmanager", rights=TABLE[Role.INTEGRATION])
    )
    return Intake()


def event(**more: Any) -> dict[str, Any]:
    return {"routing_key": KEY, "event_action": "trigger", "dedup_key": "disk", "payload": PAYLOAD, **more}


def read(answer: Answer) -> Any:
    return json.loads(answer.body)


def test_a_trigger_is_stored_and_answered_with_its_key(intake: Intake) -> None:
    answer = intake.post(ENQUEUE, dumped(event()))
    assert (answer.status, read(answer)) == (
        202,
        {"status": "success", "message": "Event processed", "dedup_key": "disk"},
    )
    [(kind, source, body)] = intake.journal.kept
    assert (kind, source) == ("events-v2", "integration:7")
    assert KEY.encode() not in body
    stored = posted_events.event_from_bytes(body)
    assert (stored.action, stored.dedup_key, stored.summary, stored.severity) == (
        "trigger", "disk", "Disk full on db1", "critical",
    )  # fmt: skip
    assert stored.labels == {
        "alertname": "Disk full on db1", "source": "db1", "severity": "critical", "dedup_key": "disk",
    }  # fmt: skip


def test_a_trigger_without_a_key_is_given_one_that_is_stored_too(intake: Intake) -> None:
    given = event()
    del given["dedup_key"]
    keys = {read(intake.post(ENQUEUE, dumped(given)))["dedup_key"] for _ in range(2)}
    assert {posted_events.event_from_bytes(body).dedup_key for _, _, body in intake.journal.kept} == keys
    assert len(keys) == 2


def test_all_that_a_sender_tells_is_kept(intake: Intake) -> None:
    payload = PAYLOAD | {
        "component": "postgres", "group": "prod", "class": "DiskFull", "timestamp": "2026-11-23T02:00:00Z",
        "custom_details": {"free": 3, "mounts": ["/", "/var"], "priority": "P2", "service": "orders", "empty": None},
    }  # fmt: skip
    links = [{"href": "https://wiki.example/disk", "text": "Runbook"}, {"text": "no address"}, "nonsense"]
    intake.post(ENQUEUE, dumped(event(payload=payload, links=links, client="Nagios", images=[{"src": "x"}])))
    stored = posted_events.event_from_bytes(intake.journal.kept[0][2])
    assert stored.labels | {"class": "DiskFull", "priority": "P2", "service": "orders"} == stored.labels
    assert (stored.labels["alertname"], stored.url) == ("DiskFull", "https://wiki.example/disk")
    assert stored.annotations["description"].splitlines()[:2] == ["free: 3", 'mounts: ["/","/var"]']
    assert stored.annotations["client"] == "Nagios"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"routing_key": "short"}, "Length of 'routing_key' is incorrect (should be 32 characters)"),
        ({"routing_key": None}, "'routing_key' is missing or blank"),
        ({"routing_key": "u" * 32}, "'routing_key' belongs to no integration of kind events-v2"),
        ({"routing_key": "a" * 32}, "'routing_key' belongs to no integration of kind events-v2"),
        ({"event_action": "explode"}, "'event_action' must be one of trigger, acknowledge, resolve"),
        ({"event_action": None}, "'event_action' must be one of trigger, acknowledge, resolve"),
        ({"event_action": ["trigger"]}, "'event_action' must be one of trigger, acknowledge, resolve"),
        ({"dedup_key": "x" * 256}, "'dedup_key' must be a string of at most 255 characters"),
        ({"dedup_key": 7}, "'dedup_key' must be a string of at most 255 characters"),
        ({"event_action": "resolve", "dedup_key": None}, "'dedup_key' is missing or blank; it is required to resolve"),
        ({"payload": None}, "'payload' is missing or blank"),
        ({"payload": {"summary": " ", "source": "x", "severity": "info"}}, "'payload.summary' is missing or blank"),
        ({"payload": {"summary": "x", "severity": "info"}}, "'payload.source' is missing or blank"),
        (
            {"payload": PAYLOAD | {"severity": "bad"}},
            "'payload.severity' must be one of critical, error, warning, info",
        ),
    ],
)
def test_what_is_wrong_is_listed_and_nothing_is_stored(intake: Intake, wrong: dict[str, Any], told: str) -> None:
    answer = intake.post(ENQUEUE, dumped(event(**wrong)))
    found = read(answer)
    assert (answer.status, found["status"], found["message"]) == (400, "invalid event", "Event object is invalid")
    assert told in found["errors"]
    assert intake.journal.kept == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"routing_key":NaN}', b"[" * 100_000])
@pytest.mark.parametrize("path", [ENQUEUE, CHANGE])
def test_what_is_no_object_is_refused_as_an_invalid_event(intake: Intake, path: str, body: bytes) -> None:
    answer = intake.post(path, body)
    assert (answer.status, read(answer)["errors"]) == (400, ["The body is not a JSON object"])


def test_a_body_of_more_than_512_kib_is_too_large_and_one_below_is_taken(intake: Intake) -> None:
    large = event(payload=PAYLOAD | {"custom_details": {"log": "x" * (512 * 1024)}})
    assert intake.post(ENQUEUE, dumped(large)).status == 413
    assert intake.journal.kept == []
    below = event(payload=PAYLOAD | {"custom_details": {"log": "x" * (511 * 1024)}})
    assert intake.post(ENQUEUE, dumped(below)).status == 202


def test_odd_text_and_long_summaries_keep_no_event_out(intake: Intake) -> None:
    assert intake.post(ENQUEUE, dumped(event()).replace(b"Disk full", b"caf\xe9 \xff")).status == 202
    assert intake.post(ENQUEUE, dumped(event(payload=PAYLOAD | {"summary": "y" * 2000}))).status == 202
    first, second = (posted_events.event_from_bytes(body) for _, _, body in intake.journal.kept)
    assert first.summary.startswith("caf\ufffd \ufffd on db1"[:5])
    assert len(second.summary) == 1024


def test_nothing_is_promised_that_is_not_stored(intake: Intake) -> None:
    intake.journal.full = True
    answer = intake.post(ENQUEUE, dumped(event()))
    assert answer.status == 503
    assert dict(answer.headers)[b"retry-after"] == b"2"
    intake.journal.full, intake.broken = False, True
    assert intake.post(ENQUEUE, dumped(event())).status == 503
    assert intake.journal.kept == []


def test_a_change_needs_a_key_and_a_summary(intake: Intake) -> None:
    change = {
        "routing_key": KEY,
        "payload": {"summary": "Deployed 1.2", "source": "ci", "custom_details": {"by": "mo"}},
    }
    answer = intake.post(CHANGE, dumped(change))
    assert (answer.status, read(answer)) == (202, {"status": "success", "message": "Change event processed"})
    [(kind, _, body)] = intake.journal.kept
    stored = posted_events.change_from_bytes(body)
    assert (kind, stored.summary, stored.source, stored.details) == ("events-v2-change", "Deployed 1.2", "ci", "by: mo")
    assert read(intake.post(CHANGE, dumped({"routing_key": KEY})))["errors"] == [
        "'payload.summary' is missing or blank"
    ]
