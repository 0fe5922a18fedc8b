"""A chain of hashes over the event log, so that an edited, removed or reordered entry is found.

`h(n) = sha256(h(n-1) + "\\n" + canonical_json(entry))`, in hexadecimal; `h(0)` is 64 zeros. The canonical JSON is that of
RFC 8785 and is made by the caller. An entry holds the hash of its data in place of the data, which may thus be
redacted without breaking the chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.core.reasons import Reason

GENESIS = "0" * 64


def link(previous_hex: str, canonical_json: bytes) -> str:
    """The hash of an entry after the one whose hash is `previous_hex` (64 hexadecimal digits, lower case)."""
    return hashlib.sha256(previous_hex.encode("ascii") + b"\n" + canonical_json).hexdigest()


def data_digest(canonical_data: bytes) -> str:
    """The hash under which an entry holds its data."""
    return hashlib.sha256(canonical_data).hexdigest()


@dataclass(frozen=True)
class ChainedEntry:
    """An entry as it was found: its number, its canonical JSON without data, the hash stored with it.

    `canonical_data` is None when the data was redacted; `data_sha256` is what the entry says about it.
    """

    sequence: int
    canonical_json: bytes
    stored_hash: str
    data_sha256: str | None = None
    canonical_data: bytes | None = None


class ChainFault(Reason):
    SEQUENCE_BROKEN = "sequence_broken", "An entry is missing, added or out of order here."
    HASH_DIFFERS = "hash_differs", "The entry was edited after it was written."
    DATA_DIFFERS = "data_differs", "The data kept with the entry was edited after it was written."


@dataclass(frozen=True)
class ChainVerdict:
    """How far the chain holds. `first_wrong` is the number of the first entry that does not fit, None when all do."""

    entries: int
    head: str
    first_wrong: int | None = None
    fault: ChainFault | None = None

    @property
    def intact(self) -> bool:
        return self.fault is None


def verify(entries: Iterable[ChainedEntry], *, previous_hex: str = GENESIS, first_sequence: int = 1) -> ChainVerdict:
    """Check entries in order and stop at the first that does not fit.

    For a part of the chain give the hash before it and the number it begins with. A removed entry shows as a break in
    the numbers at the entry after it; entries missing at the end show only against a head kept elsewhere.
    """
    head, expected = previous_hex, first_sequence
    for entry in entries:
        fault = _fault(entry, head, expected)
        if fault is not None:
            return ChainVerdict(expected - first_sequence, head, entry.sequence, fault)
        head, expected = entry.stored_hash, expected + 1
    return ChainVerdict(expected - first_sequence, head)


def _fault(entry: ChainedEntry, head: str, expected: int) -> ChainFault | None:
    if entry.sequence != expected:
        return ChainFault.SEQUENCE_BROKEN
    if link(head, entry.canonical_json) != entry.stored_hash:
        return ChainFault.HASH_DIFFERS
    if entry.canonical_data is not None and data_digest(entry.canonical_data) != entry.data_sha256:
        return ChainFault.DATA_DIFFERS
    return None
