"""The doors for pushed counters: OTLP metrics and Prometheus remote write, what they take and what they refuse."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import struct
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tests.edges.front_client import Answer, request, scope
from tests.edges.metric_bodies import STALE, otlp_sum, remote_write
from tocsin.core.access import TABLE, Role
from tocsin.intake.doors import MOST_BODY, Doors
from tocsin.intake.journal import NotAccepted
from tocsin.intake.keys import KeyRing, Sender
from tocsin.slo import pushed_series
from tocsin.slo.promql import Matcher, Selector
from tocsin.slo.pushed_series import Selection, Wanted
from tocsin.slo.remote_write import MOST_BYTES

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
METRICS, WRITE = "/v1/metrics", "/api/v1/write"
PROTOBUF = "application/x-protobuf"
SENDERS = {
    "otlp": Sender(source="integration:1", kind="otlp", rights=TABLE[Role.INTEGRATION]),
    "write": Sender(source="integration:2", kind="remote-write", rights=TABLE[Role.INTEGRATION]),
    "bound": Sender(source="integration:3", kind="remote-write", rights=TABLE[Role.INTEGRATION], service_id=2),
    "reader": Sender(source="person:rita", kind="", rights=TABLE[Role.READER]),
}
SELECTION = Selection(
    [
        Wanted(7, 1, "total", Selector("http_requests_total", (Matcher("job", "=", "shop"),))),
        Wanted(
            7, 1, "good", Selector("http_requests_total", (Matcher("code", "!~", "5.."), Matcher("job", "=", "shop")))
        ),
    ]
)


@dataclass
class Intake:
    """The doors before a fake journal, and two selectors of one SLO."""

    kept: list[tuple[str, str, bytes]] = field(default_factory=list)
    full: bool = False
    broken: bool = False

    async def append(self, kind: str, source: str, body: bytes) -> None:
        if self.full:
            raise NotAccepted("full")
        self.kept.append((kind, source, body))

    def write(self, body: bytes, *, key: str = "write", headers: Mapping[str, str] | None = None) -> Answer:
        sent = {"Content-Type": PROTOBUF, "Content-Encoding": "snappy", **(headers or {})}
        return self.post(WRITE, body, key=key, headers=sent)

    def metrics(self, body: bytes, *, kind: str = PROTOBUF, key: str = "otlp", coding: str = "") -> Answer:
        headers = {"Content-Type": kind} | ({"Content-Encoding": coding} if coding else {})
        return self.post(METRICS, body, key=key, headers=headers)

    def post(self, path: str, body: bytes, *, key: str, headers: Mapping[str, str]) -> Answer:
        return asyncio.run(self._post(scope("POST", path, headers={**headers, "Authorization": f"Bearer {key}"}), body))

    async def _post(self, given: Any, body: bytes) -> Answer:
        with ThreadPoolExecutor(1) as threads:
            doors = Doors(
                keys=KeyRing(SENDERS.get, threads, lambda: 0.0),
                journal=self,  # type: ignore[arg-type]
                names=self._names,
                selection=self._selection,
                clock=lambda: NOW,
            )
            door = doors.door_for(given)
            assert door is not None
            return await request(door, given, body)

    async def _names(self, names: Sequence[str], service_id: int | None) -> Mapping[str, int]:
        return {}

    async def _selection(self) -> Selection:
        if self.broken:
            raise OSError("no database")
        return SELECTION

    @property
    def series(self) -> list[pushed_series.Series]:
        return [one for _, _, body in self.kept for one in pushed_series.from_bytes(body)]


@pytest.fixture
def intake() -> Intake:
    return Intake()


def shop(*values: float, code: str = "200", at: int = NOW_MS) -> bytes:
    samples = [(at + place * 1000, value) for place, value in enumerate(values)]
    return remote_write({"__name__": "http_requests_total", "job": "shop", "code": code}, samples)


def test_a_remote_write_is_stored_before_it_is_answered(intake: Intake) -> None:
    answer = intake.write(shop(10, 12))
    assert (answer.status, answer.body) == (204, b"")
    (series,) = intake.series
    assert (intake.kept[0][0], intake.kept[0][1]) == ("series", "integration:2")
    assert series.points == [(NOW_MS, 10.0, 0, False), (NOW_MS + 1000, 12.0, 0, False)]
    assert series.counts_for == ((7, "total"), (7, "good"))


def test_only_what_an_sli_names_is_kept_and_only_as_what_it_names_it(intake: Intake) -> None:
    others = remote_write({"__name__": "http_requests_total", "job": "search"}, [(NOW_MS, 1.0)])
    assert intake.write(others).status == 204
    assert intake.write(shop(1, code="503")).status == 204
    (series,) = intake.series
    assert series.counts_for == ((7, "total"),)


def test_a_key_bound_to_another_service_counts_for_nothing(intake: Intake) -> None:
    assert intake.write(shop(1), key="bound").status == 204
    assert intake.series == []


def test_a_stale_marker_is_an_end_and_any_other_nan_is_no_number(intake: Intake) -> None:
    intake.write(shop(STALE, math.nan, math.inf))
    (series,) = intake.series
    assert [(value, stale) for _, value, _, stale in series.points] == [(None, True), (None, False), (None, False)]


BAD_WRITES = {
    "nothing": (b"", "snappy"),
    "no snappy": (b"hello", "snappy"),
    "no protobuf": (bytes(cramjam.snappy.compress_raw(b"\xff\xff\xff\xff")), "WriteRequest"),
    "no name": (remote_write({"job": "shop"}, [(NOW_MS, 1.0)]), "__name__"),
    "a label twice": (remote_write([("__name__", "a"), ("b", "1"), ("b", "2")], [(NOW_MS, 1.0)]), "twice"),
    "too many labels": (
        remote_write({"__name__": "a", **{f"l{n}": "v" for n in range(200)}}, [(NOW_MS, 1.0)]),
        "128 labels",
    ),
    "too many samples": (
        remote_write({"__name__": "a"}, [(NOW_MS - n * 7919, n * 1.37) for n in range(50_001)]),
        "50000 samples",
    ),
    "from the future": (shop(1, at=NOW_MS + 6 * 60_000), "future"),
    "a bomb": (bytes(cramjam.snappy.compress_raw(b"\0" * (MOST_BYTES + 1))), "unpack"),
    "a length that lies": (b"\xff\xff\xff\xff\x0f", "unpack"),
}


@pytest.mark.parametrize(("body", "word"), BAD_WRITES.values(), ids=BAD_WRITES.keys())
def test_a_wrong_remote_write_is_a_400_that_names_what_is_wrong_and_leaves_nothing(
    intake: Intake, body: bytes, word: str
) -> None:
    answer = intake.write(body)
    assert answer.status == 400
    assert word in answer.document["detail"]
    assert intake.kept == []


@given(st.binary(max_size=400))
def test_no_bytes_make_a_door_stumble(body: bytes) -> None:
    intake = Intake()
    assert intake.write(body).status in {204, 400}
    assert intake.write(bytes(cramjam.snappy.compress_raw(body))).status in {204, 400}
    assert intake.metrics(body).status in {200, 400}
    assert intake.metrics(body, kind="application/json").status in {200, 400}
    assert intake.series == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": ""},
        {"Content-Encoding": "gzip"},
        {"Content-Type": "application/json"},
        {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
    ],
)
def test_what_is_no_remote_write_1_is_a_415_so_that_a_sender_of_2_falls_back(
    intake: Intake, headers: Mapping[str, str]
) -> None:
    assert intake.write(shop(1), headers=headers).status == 415


def test_strangers_and_keys_of_another_kind_are_refused_at_both_doors(intake: Intake) -> None:
    assert intake.write(shop(1), key="nobody").status == 401
    assert intake.write(shop(1), key="otlp").status == 403
    assert intake.metrics(otlp_sum("http.requests", 1, NOW_MS), key="write").status == 403
    assert intake.metrics(otlp_sum("http.requests", 1, NOW_MS), key="reader").status == 403
    assert intake.kept == []


def test_a_database_that_refuses_is_a_503_so_that_the_sender_keeps_it(intake: Intake) -> None:
    for hindered in (Intake(full=True), Intake(broken=True)):
        for answer in (hindered.write(shop(1)), hindered.metrics(otlp_sum("http.requests", 1, NOW_MS))):
            assert answer.status == 503
            assert answer.header("retry-after")


def test_a_body_above_the_limit_is_refused_unread(intake: Intake) -> None:
    assert intake.write(b"x" * (MOST_BODY + 1)).status == 413


def test_that_a_sender_lives_is_noted_once_a_minute_even_when_no_sli_names_its_counters(intake: Intake) -> None:
    body = remote_write({"__name__": "up"}, [(NOW_MS, 1.0)])
    intake.write(body)
    assert [kind for kind, _, _ in intake.kept] == ["series"]


# --- OTLP


def response(answer: Answer) -> Any:
    found = ExportMetricsServiceResponse()
    found.ParseFromString(answer.body)
    return found


def export(**fields: Any) -> bytes:
    labels = {"job": "shop", "code": "200"}
    return otlp_sum("http.requests", 10, NOW_MS, labels=labels, start=NOW_MS - 9000, **fields)


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_an_otlp_sum_is_found_by_the_name_that_promql_gives_it(intake: Intake, coding: str) -> None:
    answer = intake.metrics(gzip.compress(export()) if coding else export(), coding=coding)
    assert (answer.status, answer.header("content-type"), answer.body) == (200, PROTOBUF, b"")
    (series,) = intake.series
    assert series.points == [(NOW_MS, 10.0, NOW_MS - 9000, False)]
    assert series.names == ("http.requests", "http_requests", "http.requests_total", "http_requests_total")
    assert series.delta is False


def test_the_service_of_the_resource_is_the_job(intake: Intake) -> None:
    body = otlp_sum("http.requests", 10, NOW_MS, resource={"service.name": "shop", "service.instance.id": "a1"})
    assert intake.metrics(body).status == 200
    assert intake.series[0].labels == {
        "job": "shop",
        "service_name": "shop",
        "instance": "a1",
        "service_instance_id": "a1",
    }


def test_json_is_taken_and_answered_in_json(intake: Intake) -> None:
    document = {
        "resourceMetrics": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "scopeMetrics": [
                    {
                        "metrics": [
                            {
                                "name": "http.requests",
                                "sum": {
                                    "isMonotonic": True,
                                    "aggregationTemporality": 1,
                                    "dataPoints": [{"asInt": "5", "timeUnixNano": str(NOW_MS * 1_000_000)}],
                                },
                            }
                        ]
                    }
                ],
            }
        ]
    }
    answer = intake.metrics(json.dumps(document).encode(), kind="application/json")
    assert (answer.status, answer.document) == (200, {})
    (series,) = intake.series
    assert (series.delta, series.points[0][1]) == (True, 5.0)


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"monotonic": False}, "fall"), ({"temporality": 0}, "deltas"), ({"gauge": True}, "gauge")],
)
def test_what_an_sli_names_but_is_no_counter_is_told_as_partial_success(
    intake: Intake, fields: Mapping[str, Any], word: str
) -> None:
    answer = intake.metrics(export(**fields))
    assert answer.status == 200
    told = response(answer).partial_success
    assert told.rejected_data_points == 1
    assert word in told.error_message


def test_a_value_that_is_no_count_is_rejected_by_name_and_kept_so_that_the_slo_says_invalid(intake: Intake) -> None:
    for value in (math.nan, math.inf, -1.0):
        answer = intake.metrics(otlp_sum("http.requests", value, NOW_MS, labels={"job": "shop"}))
        assert response(answer).partial_success.rejected_data_points == 1
    assert len(intake.series) == 3


def test_the_buckets_of_a_histogram_are_counters_with_le(intake: Intake) -> None:
    requested = ExportMetricsServiceRequest()
    metric = requested.resource_metrics.add().scope_metrics.add().metrics.add(name="latency")
    metric.histogram.aggregation_temporality = 2
    metric.histogram.data_points.add(
        time_unix_nano=NOW_MS * 1_000_000, count=6, explicit_bounds=[0.25, 1], bucket_counts=[3, 2, 1]
    )
    selection = Selection([Wanted(7, 1, "good", Selector("latency_bucket", (Matcher("le", "=", "0.25"),)))])
    from tocsin.slo import otlp

    series = otlp.decode(requested.SerializeToString(), PROTOBUF)
    by_le = {one.labels["le"]: one.points[0][1] for one in series if "le" in one.labels}
    assert {le: by_le[le] for le in ("0.25", "1", "+Inf")} == {"0.25": 3, "1": 5, "+Inf": 6}
    (named,) = selection.named(series, service_id=None)
    assert named.points[0][1] == 3


BAD_EXPORTS = {
    "no protobuf": (b"\xff\xff\xff", PROTOBUF, ""),
    "no JSON": (b"{", "application/json", ""),
    "an array": (b"[]", "application/json", ""),
    "deep JSON": (b'{"resourceMetrics":' * 5000, "application/json", ""),
    "no gzip": (b"hello", PROTOBUF, "gzip"),
    "half a gzip": (gzip.compress(b"x" * 1000)[:-9], PROTOBUF, "gzip"),
    "two gzips": (gzip.compress(b"") * 2, PROTOBUF, "gzip"),
    "a bomb": (gzip.compress(b"\0" * 30_000_000), PROTOBUF, "gzip"),
    "no name": (otlp_sum("", 1, NOW_MS), PROTOBUF, ""),
    "from the future": (otlp_sum("a", 1, NOW_MS + 10 * 60_000), PROTOBUF, ""),
}


@pytest.mark.parametrize(("body", "kind", "coding"), BAD_EXPORTS.values(), ids=BAD_EXPORTS.keys())
def test_a_wrong_export_is_a_400_with_a_sentence_in_the_senders_format(
    intake: Intake, body: bytes, kind: str, coding: str
) -> None:
    answer = intake.metrics(body, kind=kind, coding=coding)
    assert (answer.status, answer.header("content-type")) == (400, kind)
    if kind == "application/json":
        assert answer.document["message"]
    else:
        assert answer.body[:3] == b"\x08\x03\x12"
        assert len(answer.body) > 20
    assert intake.kept == []


@pytest.mark.parametrize(("kind", "coding"), [("text/plain", ""), (PROTOBUF, "br"), (PROTOBUF, "gzip, gzip")])
def test_other_types_and_codings_are_a_415(intake: Intake, kind: str, coding: str) -> None:
    assert intake.metrics(export(), kind=kind, coding=coding).status == 415


def test_the_stale_marker_is_the_very_nan_of_prometheus() -> None:
    assert struct.pack(">d", STALE).hex() == "7ff0000000000002"
