"""The fingerprint of a set of labels, equal to Alertmanager's to the last digit, so that its clients find their alerts.

Source: 64-bit FNV-1a (Fowler, Noll, Vo) over the labels in the order of their names, each as name, 0xFF, value, 0xFF.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_OFFSET_BASIS = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF


def canonical_labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The labels in the order of their names; an empty value is the same as no label."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def fingerprint(labels: Mapping[str, str]) -> str:
    """The fingerprint of labels in any order, as 16 hex digits."""
    return fingerprint_of_pairs(canonical_labels(labels))


def fingerprint_of_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """The fingerprint of pairs that are canonical already (`canonical_labels`), as 16 hex digits."""
    # Half a surrogate pair is no text, but it must not keep an alert from being stored.
    text = b"".join(part.encode("utf-8", "surrogatepass") + b"\xff" for pair in pairs for part in pair)
    return f"{fnv1a_64(text):016x}"


def fnv1a_64(data: bytes) -> int:
    """The 64-bit FNV-1a hash of some bytes."""
    value = _OFFSET_BASIS
    for byte in data:
        value = ((value ^ byte) * _PRIME) & _MASK
    return value
