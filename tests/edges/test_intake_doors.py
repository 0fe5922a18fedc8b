"""The hot doors: what they take, what they refuse, and that nothing refused is stored."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.edges.front_client import Answer, request, scope
from tocsin.alerts import posted_alerts
from tocsin.core.access import TABLE, Role
from tocsin.intake.doors import MOST_BODY, Doors
from tocsin.intake.journal import NotAccepted
from tocsin.intake.keys import KeyRing, Sender
from tocsin.slo.pushed_series import Selection

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
ALERTS = "/api/v2/alerts"
COUNTS = "/api/v1/sli/counts"
PROMETHEUS = Sender(source="integration:1", kind="alertmanager", rights=TABLE[Role.INTEGRATION])
PUSHER = Sender(source="integration:2", kind="sli", rights=TABLE[Role.INTEGRATION])
READER = Sender(source="person:rita", kind="", rights=TABLE[Role.READER])
ADMIN = Sender(source="person:admin", kind="", rights=TABLE[Role.ADMIN])
SENDERS = {"prometheus": PROMETHEUS, "pusher": PUSHER, "reader": READER, "admin": ADMIN}


@dataclass
class FakeJournal:
    """Keeps what was appended; refuses everything when told to."""

    kept: list[tuple[str, str, bytes]] = field(default_factory=list)
    full: bool = False

    async def append(self, kind: str, source: str, body: bytes) -> None:
        if self.full:
            raise NotAccepted("full")
        self.kept.append((kind, source, body))


@dataclass
class Intake:
    """The doors before a fake journal and three SLOs; `broken` makes the database refuse."""

    journal: FakeJournal = field(default_factory=FakeJournal)
    broken: bool = False

    def post(self, path: str, body: bytes, *, key: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        sent = dict(headers or {})
        if key:
            sent["Authorization"] = f"Bearer {key}"
        return asyncio.run(self._post(scope("POST", path, headers=sent), body))

    async def _post(self, given: Any, body: bytes) -> Answer:
        with ThreadPoolExecutor(1) as threads:
            doors = Doors(
                keys=KeyRing(self._lookup, threads, lambda: 0.0),
                journal=self.journal,  # type: ignore[arg-type]
                names=self._names,
                selection=self._selection,
                clock=lambda: NOW,
            )
            door = doors.door_for(given)
            assert door is not None
            return await request(door, given, body)

    def _lookup(self, key: str) -> Sender | None:
        if self.broken:
            raise OSError("no database")
        return SENDERS.get(key)

    async def _selection(self) -> Selection:
        return Selection([])

    async def _names(self, names: Sequence[str], service_id: int | None) -> Mapping[str, int]:
        if self.broken:
            raise OSError("no database")
        return {name: 1 for name in names if name in {"checkout", "search", "login"}}


@pytest.fixture
def intake() -> Intake:
    return Intake()


def alert(**labels: str) -> dict[str, Any]:
    return {"labels": labels or {"alertname": "Down"}}


def dumped(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_valid_alerts_are_stored_as_they_came_and_answered_with_an_empty_200(intake: Intake) -> None:
    body = dumped([alert(), alert(alertname="Slow")])
    answer = intake.post(ALERTS, body, key="prometheus")
    assert (answer.status, answer.body) == (200, b"")
    assert intake.journal.kept == [("alertmanager", "integration:1", body)]


def test_a_prefix_before_the_path_is_welcome(intake: Intake) -> None:
    assert intake.post("/team/blue" + ALERTS, dumped([alert()]), key="prometheus").status == 200


def test_a_key_may_be_a_basic_password_or_part_of_the_path(intake: Intake) -> None:
    basic = base64.b64encode(b"anybody:prometheus").decode()
    assert intake.post(ALERTS, dumped([alert()]), headers={"Authorization": f"Basic {basic}"}).status == 200
    assert intake.post("/ingest/prometheus" + ALERTS, dumped([alert()])).status == 200
    assert len(intake.journal.kept) == 2


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nobody",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "GenieKey prometheus",
        "Bearer " + "x" * 600,
    ],
)
def test_without_a_known_key_nothing_is_stored(intake: Intake, authorization: str) -> None:
    answer = intake.post(ALERTS, dumped([alert()]), headers={"Authorization": authorization})
    assert answer.status == 401
    assert "Bearer" in answer.header("www-authenticate")
    assert intake.journal.kept == []


def test_a_stranger_is_refused_before_the_body_is_read(intake: Intake) -> None:
    answer = intake.post(ALERTS, b"x" * (MOST_BODY + 1), key="nobody")
    assert answer.status == 401


def test_a_person_without_the_right_and_a_key_of_another_kind_are_refused(intake: Intake) -> None:
    assert intake.post(ALERTS, dumped([alert()]), key="reader").status == 403
    assert intake.post(ALERTS, dumped([alert()]), key="pusher").status == 403
    assert intake.post(COUNTS, dumped([]), key="prometheus").status == 403
    assert intake.journal.kept == []


def test_an_administrator_may_send_alerts_so_that_amtool_works(intake: Intake) -> None:
    assert intake.post(ALERTS, dumped([alert()]), key="admin").status == 200
    assert intake.journal.kept[0][1] == "person:admin"


def test_invalid_alerts_are_named_while_the_valid_ones_are_stored(intake: Intake) -> None:
    body = dumped([{"labels": {}}, alert(), {"labels": {"": "x"}}, {"annotations": {}}])
    answer = intake.post(ALERTS, body, key="prometheus")
    assert answer.status == 400
    assert isinstance(answer.document, str)
    for index in (0, 2, 3):
        assert f"alert {index}:" in answer.document
    assert "alert 1:" not in answer.document
    assert len(intake.journal.kept) == 1


def test_a_body_with_no_valid_alert_is_not_stored(intake: Intake) -> None:
    assert intake.post(ALERTS, dumped([{"labels": {}}]), key="prometheus").status == 400
    assert intake.journal.kept == []


HOSTILE = {
    "nothing": b"",
    "null": b"null",
    "an object": b'{"labels":{"a":"b"}}',
    "not a number": b'[{"labels":{"a":NaN}}]',
    "half": b'[{"labels":{"a":"b"}}',
    "trailing": b'[{"labels":{"a":"b"}}] x',
    "a byte order mark": b"\xef\xbb\xbf[]",
    "bad utf-8 around": b'\xff[{"labels":{"a":"b"}}]',
    "utf-16": '[{"labels":{"a":"b"}}]'.encode("utf-16"),
    "deep": b"[" * 100_000,
    "deep within": b'[{"labels":{"a":"b"},"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "a NUL": b'[{"labels":{"a":"b\\u0000c"}}]',
    "a raw NUL": b'[{"labels":{"a":"b\x00c"}}]',
    "too many labels": dumped([{"labels": {f"l{n}": "v" for n in range(1001)}}]),
    "a label of a megabyte": dumped([{"labels": {"a": "x" * 1_000_000}}]),
    "an end before the start": dumped(
        [{"labels": {"a": "b"}, "startsAt": "2026-11-23T02:00:00Z", "endsAt": "2026-11-23T01:00:00Z"}]
    ),
    "a leap second": b'[{"labels":{"a":"b"},"startsAt":"2026-12-31T23:59:60Z"}]',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_a_400_and_leave_nothing(intake: Intake, body: bytes) -> None:
    for path, key in ((ALERTS, "prometheus"), (COUNTS, "pusher")):
        assert intake.post(path, body, key=key).status == 400
    assert intake.journal.kept == []


@pytest.mark.parametrize("half", [b"\\ud800", b"\\uDC00", b"\\ud800\\u0041", b"\\udc00\\ud800"])
def test_half_a_character_is_replaced_and_keeps_no_alert_out(half: bytes) -> None:
    body = b'[{"labels":{"a":"x' + half + b'"}},{"labels":{"b":"\\ud83d\\ude00 \\\\ud800"}}]'
    decoded = posted_alerts.decode(body, received_at=NOW)
    assert decoded.errors == []
    assert decoded.alerts[0].labels["a"].rstrip("A").rstrip("\ufffd") == "x"
    assert "\ufffd" in decoded.alerts[0].labels["a"]
    assert decoded.alerts[1].labels == {"b": "\U0001f600 \\ud800"}


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"\xff", "\ufffd"),
        (b"caf\xe9", "caf\ufffd"),
        (b"\xe2\x82", "\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xc0\xaf", "\ufffd\ufffd"),
        ("\u20ac".encode() + b"\xff\\ud800", "\u20ac\ufffd\ufffd"),
    ],
)
def test_bytes_that_are_no_characters_are_replaced_and_keep_no_alert_of_the_batch_out(
    intake: Intake, raw: bytes, read: str
) -> None:
    body = b'[{"labels":{"a":"' + raw + b'"}},{"labels":{"alertname":"DiskFull"},"annotations":{"summary":"full"}}]'
    decoded = posted_alerts.decode(body, received_at=NOW)
    assert decoded.errors == []
    assert [alert.labels for alert in decoded.alerts] == [{"a": read}, {"alertname": "DiskFull"}]
    assert intake.post(ALERTS, body, key="prometheus").status == 200
    assert len(intake.journal.kept) == 1
    assert intake.post(COUNTS, body, key="pusher").status == 400


def test_half_a_character_is_taken_at_the_door(intake: Intake) -> None:
    body = b'[{"labels":{"a":"\\ud800"}},{"labels":{"a":"b"}}]'
    assert intake.post(ALERTS, body, key="prometheus").status == 200
    assert intake.post(COUNTS, body, key="pusher").status == 400
    assert len(intake.journal.kept) == 1


def test_a_key_given_twice_in_an_object_counts_as_its_last(intake: Intake) -> None:
    assert intake.post(ALERTS, b'[{"labels":{"a":"b","a":"c"}}]', key="prometheus").status == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "snappy", "zstd", "gzip, gzip"])
def test_compressed_bodies_are_refused(intake: Intake, coding: str) -> None:
    answer = intake.post(ALERTS, dumped([alert()]), key="prometheus", headers={"Content-Encoding": coding})
    assert answer.status == 415
    assert intake.journal.kept == []


def test_a_body_above_the_limit_is_refused(intake: Intake) -> None:
    assert intake.post(ALERTS, b" " * (MOST_BODY + 1), key="prometheus").status == 413
    assert intake.journal.kept == []


@pytest.mark.parametrize(("path", "key", "body"), [(ALERTS, "prometheus", [alert()]), (COUNTS, "pusher", [])])
def test_a_database_that_refuses_is_a_503_with_a_time_to_come_again(path: str, key: str, body: list[Any]) -> None:
    for intake in (Intake(broken=True), Intake(journal=FakeJournal(full=True))):
        answer = intake.post(path, dumped(body), key=key)
        assert answer.status == 503
        assert answer.header("retry-after")


def row(slo: str = "checkout", good: Any = 99, bad: Any = 1, **more: Any) -> dict[str, Any]:
    return {"slo": slo, "good": good, "bad": bad, **more}


@pytest.mark.parametrize("body", [row(), [row()], [row(), row("search", at="2026-11-23T02:11:00Z")]])
def test_counts_come_as_one_row_or_many_and_are_answered_202(intake: Intake, body: Any) -> None:
    answer = intake.post(COUNTS, dumped(body), key="pusher")
    assert answer.status == 202
    assert answer.document == {"accepted": len(body) if isinstance(body, list) else 1}
    assert intake.journal.kept == [("sli", "integration:2", dumped(body))]


WRONG_ROWS = {
    "an unknown SLO": (row("nobody"), "slo"),
    "a negative count": (row(bad=-1), "bad"),
    "a count beyond reason": (row(good=10**15 + 1), "good"),
    "half an event": (row(good=0.5), ""),
    "a number as text": (row(good="5"), ""),
    "five thousand digits": (json.loads(f'{{"slo":"checkout","good":{"9" * 4000},"bad":0}}'), "good"),
    "no bad": ({"slo": "checkout", "good": 1}, ""),
    "a field nobody knows": (row(ugly=1), ""),
    "no row": (7, ""),
    "a time without offset": (row(at="2026-11-23T02:11:00"), "at"),
    "no time": (row(at="yesterday"), ""),
    "a time in the future": (row(at=(NOW + timedelta(minutes=6)).isoformat()), "at"),
}


@pytest.mark.parametrize(("wrong", "at"), WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
def test_a_wrong_row_is_named_by_its_index_and_nothing_is_half_taken(intake: Intake, wrong: Any, at: str) -> None:
    answer = intake.post(COUNTS, dumped([row(), wrong, row("search")]), key="pusher")
    assert answer.status == 400
    assert answer.header("content-type") == "application/problem+json"
    assert [(error["index"], error["field"]) for error in answer.document["errors"]] == [(1, at)]
    assert intake.journal.kept == []


def test_every_wrong_row_is_named_at_once(intake: Intake) -> None:
    answer = intake.post(COUNTS, dumped([row("x"), row(), row(bad=-1), 5]), key="pusher")
    assert [error["index"] for error in answer.document["errors"]] == [0, 2, 3]


def test_more_rows_than_a_request_may_carry_are_refused(intake: Intake) -> None:
    assert intake.post(COUNTS, dumped([row()] * 10_001), key="pusher").status == 400
    assert intake.journal.kept == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ALERTS), ("DELETE", COUNTS), ("POST", "/api/v2/alerts/groups"), ("POST", "/")]
)
def test_the_doors_leave_everything_else_to_others(method: str, path: str) -> None:
    doors = Doors(keys=None, journal=None, names=None, selection=None, clock=lambda: NOW)  # type: ignore[arg-type]
    assert doors.door_for(scope(method, path)) is None
