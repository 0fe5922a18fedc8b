"""OTLP/HTTP metrics, protobuf and JSON: which of them are counters, and what an SLI may call them.

A monotonic sum counts, and so do the buckets and the count of a histogram. A metric called `http.server.requests` can
be named in an SLI as it is, as `http_server_requests` and as `http_server_requests_total`; attributes become labels
with `_` for what PromQL does not allow, those of the resource too, and `service.name` is also `job`.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tocsin.slo.pushed_series import MOST_LABELS, MOST_SAMPLES, Refused, Series

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MOST_BYTES = 16 * 1024 * 1024
MOST_RATIO = 100
_ALWAYS_FINE = 256 * 1024
_NO_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_DELTA, _CUMULATIVE = 1, 2
_NOT_RECORDED = 1
_GZIP = 16 + zlib.MAX_WBITS
_INVALID_ARGUMENT = 3
_GAUGE = "it is a gauge; only a counter can be counted"


def unzipped(body: bytes) -> bytes:
    """A gzip body unpacked, within bounds of size and ratio. Raises Refused."""
    most = min(MOST_BYTES, max(_ALWAYS_FINE, len(body) * MOST_RATIO))
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(body, most + 1)
    except zlib.error:
        raise Refused("the body is not packed with gzip, as Content-Encoding says") from None
    if len(found) > most:
        raise Refused(f"the body unpacks to more than {most} bytes ({MOST_RATIO} times its size)")
    if not unpacker.eof or unpacker.unused_data:
        raise Refused("the body is not one whole gzip stream")
    return found


def decode(body: bytes, kind: str) -> list[Series]:
    """The series of an export request of content type `kind`. Raises Refused, with nothing taken."""
    request = ExportMetricsServiceRequest()
    if kind == JSON and body.lstrip()[:1] != b"{":
        raise Refused("the body is no JSON object")
    try:
        if kind == JSON:
            json_format.Parse(body, request, ignore_unknown_fields=True, max_recursion_depth=32)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError, ValueError) as error:
        words = str(error)[:200] if kind == JSON else "not that protobuf message"
        raise Refused(f"the body is no ExportMetricsServiceRequest: {words}") from None
    found: list[Series] = []
    samples = 0
    for series in _all(request):
        samples += len(series.points)
        if samples > MOST_SAMPLES:
            raise Refused(f"a request may carry {MOST_SAMPLES} samples")
        found.append(series)
    return found


def answer(kind: str, *, rejected: int = 0, why: str = "") -> bytes:
    """The body of a 200: empty, or with what was not taken and why."""
    response = ExportMetricsServiceResponse()
    if rejected or why:
        response.partial_success.rejected_data_points = rejected
        response.partial_success.error_message = why
    if kind == JSON:
        return json_format.MessageToJson(response, indent=None).encode()
    return bytes(response.SerializeToString())


def status(kind: str, text: str) -> bytes:
    """The body of a refusal: google.rpc.Status with a sentence in it."""
    if kind == JSON:
        return json.dumps({"code": _INVALID_ARGUMENT, "message": text}).encode()
    told = text[:1000].encode()
    size = bytes([len(told) & 0x7F | 0x80, len(told) >> 7]) if len(told) > 0x7F else bytes([len(told)])
    return b"\x08" + bytes([_INVALID_ARGUMENT]) + b"\x12" + size + told


def _all(request: Any) -> Iterator[Series]:
    for resource in request.resource_metrics:
        about = _resource(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if not metric.name:
                    raise Refused("a metric has no name")
                yield from _metric(metric, about)


def _resource(attributes: Iterable[Any]) -> dict[str, str]:
    found = _labels(attributes)
    names = [found[name] for name in ("service_namespace", "service_name") if name in found]
    if "service_name" in found:
        found["job"] = "/".join(names)
    if "service_instance_id" in found:
        found["instance"] = found["service_instance_id"]
    return found


def _metric(metric: Any, about: dict[str, str]) -> Iterator[Series]:
    form = metric.WhichOneof("data")
    if form == "sum":
        problem = "" if metric.sum.is_monotonic else "it is a sum that may also fall; only a counter can be counted"
        for point in metric.sum.data_points:
            labels = {**about, **_labels(point.attributes)}
            yield _one(_names(metric.name, "", "_total"), labels, point, _number(point), metric.sum, problem)
    elif form == "histogram":
        for point in metric.histogram.data_points:
            yield from _histogram(metric, point, {**about, **_labels(point.attributes)})
    elif form == "gauge":
        for point in metric.gauge.data_points:
            labels = {**about, **_labels(point.attributes)}
            sample = (_ms(point.time_unix_nano), None, 0, False)
            yield Series(_names(metric.name, "", "_total"), labels, [sample], problem=_GAUGE)


def _histogram(metric: Any, point: Any, labels: dict[str, str]) -> Iterator[Series]:
    told = metric.histogram
    yield _one(_names(metric.name, "_count"), labels, point, point.count, told)
    bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
    if counts and len(counts) != len(bounds) + 1:
        raise Refused(f"the histogram {metric.name[:100]!r} has {len(counts)} buckets for {len(bounds)} bounds")
    below = 0
    for place, count in enumerate(counts):
        below += count
        le = f"{bounds[place]:g}" if place < len(bounds) else "+Inf"
        for text in {le, f"{bounds[place]}"} if place < len(bounds) else {le}:
            yield _one(_names(metric.name, "_bucket"), {**labels, "le": text}, point, below, told)


def _one(
    names: tuple[str, ...], labels: dict[str, str], point: Any, value: float, told: Any, problem: str = ""
) -> Series:
    if len(labels) > MOST_LABELS:
        raise Refused(f"the metric {names[0][:100]!r} has more than {MOST_LABELS} attributes")
    temporality = told.aggregation_temporality
    if temporality not in (_DELTA, _CUMULATIVE):
        problem = problem or "it does not say whether its values are deltas or running totals"
    nothing = bool(point.flags & _NOT_RECORDED)
    sample = (_ms(point.time_unix_nano), None if nothing else value, _ms(point.start_time_unix_nano), nothing)
    return Series(names, labels, [sample], delta=temporality == _DELTA, problem=problem)


def _number(point: Any) -> float:
    return float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)


def _ms(nanoseconds: int) -> int:
    return nanoseconds // 1_000_000


def _names(name: str, *endings: str) -> tuple[str, ...]:
    plain = _NO_NAME.sub("_", name)
    return tuple(dict.fromkeys(stem + ending for ending in endings for stem in (name, plain)))


def _labels(attributes: Iterable[Any]) -> dict[str, str]:
    return {_NO_NAME.sub("_", one.key): text for one in attributes if (text := _text(one.value))}


def _text(value: Any) -> str:
    form = value.WhichOneof("value")
    if form == "string_value":
        return str(value.string_value)
    if form == "bool_value":
        return "true" if value.bool_value else "false"
    return str(getattr(value, form)) if form in ("int_value", "double_value") else ""
