"""Bodies as senders of metrics make them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import cramjam
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

STALE: float = struct.unpack(">d", bytes.fromhex("7ff0000000000002"))[0]


def remote_write(labels: Mapping[str, str] | Sequence[tuple[str, str]], samples: Sequence[tuple[int, float]]) -> bytes:
    """One series as Prometheus' remote write sends it, written byte by byte so that our own reader is not its oracle."""
    pairs = labels.items() if isinstance(labels, Mapping) else labels
    series = b"".join(_part(1, _part(1, name.encode()) + _part(2, value.encode())) for name, value in pairs)
    series += b"".join(_part(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at)) for at, value in samples)
    return bytes(cramjam.snappy.compress_raw(_part(1, series)))


def _part(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def otlp_sum(
    name: str,
    value: float,
    at_ms: int,
    *,
    labels: Mapping[str, str] | None = None,
    resource: Mapping[str, str] | None = None,
    start: int = 0,
    temporality: int = 2,
    monotonic: bool = True,
    gauge: bool = False,
) -> bytes:
    """An export with one data point."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    for key, text in (resource or {}).items():
        group.resource.attributes.add(key=key).value.string_value = text
    metric = group.scope_metrics.add().metrics.add(name=name)
    if gauge:
        point = metric.gauge.data_points.add()
    else:
        metric.sum.is_monotonic = monotonic
        metric.sum.aggregation_temporality = temporality  # type: ignore[assignment]
        point = metric.sum.data_points.add()
    point.as_double = value
    point.time_unix_nano = at_ms * 1_000_000
    point.start_time_unix_nano = start * 1_000_000
    for key, text in (labels or {}).items():
        point.attributes.add(key=key).value.string_value = text
    return bytes(request.SerializeToString())
