"""Prometheus remote write 1.0: a snappy block that holds a protobuf `WriteRequest`, within bounds of size."""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from tocsin.slo.pushed_series import MOST_LABELS, MOST_SAMPLES, Refused, Series

MOST_BYTES = 16 * 1024 * 1024
MOST_RATIO = 100
_ALWAYS_FINE = 256 * 1024
_STALE = 0x7FF0000000000002
"""The bits of the NaN by which Prometheus says that a series has ended."""


def decode(body: bytes) -> list[Series]:
    """The series of a request. Raises Refused, with nothing taken, for anything that is no such request."""
    request = _request()()
    try:
        request.ParseFromString(_uncompressed(body))
    except DecodeError:
        raise Refused("the body is no WriteRequest of Prometheus remote write 1.0 (protobuf)") from None
    if sum(len(one.samples) for one in request.timeseries) > MOST_SAMPLES:
        raise Refused(f"a request may carry {MOST_SAMPLES} samples")
    return [_series(place, one) for place, one in enumerate(request.timeseries) if one.samples]


def _uncompressed(body: bytes) -> bytes:
    try:
        size = int(cramjam.snappy.decompress_raw_len(body))
        if size > MOST_BYTES or size > max(_ALWAYS_FINE, len(body) * MOST_RATIO):
            raise Refused(f"the body would unpack to {size} bytes; at most {MOST_BYTES}, {MOST_RATIO} times its size")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise Refused("the body is not packed with snappy (block format)") from None


def _series(place: int, given: Any) -> Series:
    labels: dict[str, str] = {}
    for label in given.labels:
        if label.name in labels or not label.name:
            raise Refused(f"series {place}: a label is missing its name or is given twice")
        if label.value:
            labels[label.name] = label.value
    name = labels.pop("__name__", "")
    if not name:
        raise Refused(f"series {place}: it has no name (__name__)")
    if len(labels) > MOST_LABELS:
        raise Refused(f"series {place}: more than {MOST_LABELS} labels")
    return Series((name,), labels, [_point(one.timestamp, one.value) for one in given.samples])


def _point(at: int, value: float) -> tuple[int, float | None, int, bool]:
    if math.isnan(value) and struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE:
        return at, None, 0, True
    return at, value if math.isfinite(value) else None, 0, False


@lru_cache(maxsize=1)
def _request() -> Any:
    """The message class. Only the fields we read are described; protobuf passes over the others."""
    file = descriptor_pb2.FileDescriptorProto(name="tocsin/remote_write.proto", package="tocsin", syntax="proto3")
    label = file.message_type.add(name="Label")
    _field(label, "name", 1, "STRING")
    _field(label, "value", 2, "STRING")
    sample = file.message_type.add(name="Sample")
    _field(sample, "value", 1, "DOUBLE")
    _field(sample, "timestamp", 2, "INT64")
    series = file.message_type.add(name="TimeSeries")
    _field(series, "labels", 1, "MESSAGE", of="Label")
    _field(series, "samples", 2, "MESSAGE", of="Sample")
    _field(file.message_type.add(name="WriteRequest"), "timeseries", 1, "MESSAGE", of="TimeSeries")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tocsin.WriteRequest"))


def _field(message: Any, name: str, number: int, kind: str, *, of: str = "") -> None:
    proto = descriptor_pb2.FieldDescriptorProto
    label = proto.LABEL_REPEATED if of else proto.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, type=getattr(proto, f"TYPE_{kind}"), label=label)
    if of:
        field.type_name = f".tocsin.{of}"
