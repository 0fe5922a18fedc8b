"""The event log as text: how an entry is written for its hash, and whether a run of entries still fits.

Nothing here needs a database, so that an evidence bundle can be checked far from the server.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from tocsin.core import hash_chain
from tocsin.core.hash_chain import GENESIS, ChainedEntry

_UNCANONICAL = b""  # stands for data that JSON cannot say; its digest fits no entry


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `count` entries fit, the last of them has the hash `head`; `why` is a sentence when not ok.

    `first_wrong` is the number of the first entry that does not fit; None when all do, or when the fault is outside
    the entries (a file of a bundle, for example).
    """

    ok: bool
    count: int
    head: str
    first_wrong: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as text. `data` is JSON, None when redacted; `occurred_at` is empty when it equals `ts`."""

    seq: int
    ts: str
    actor: str
    kind: str
    incident: str
    occurred_at: str
    source_id: str
    data: str | None
    data_sha256: str
    previous_hash: str
    hash: str


def canonical(document: Any) -> bytes:
    """RFC 8785 text of `document`. Raises ValueError for what JSON cannot say exactly."""
    return rfc8785.dumps(document)


def canonical_flat(document: dict[str, str | int]) -> bytes:
    """The same as `canonical` for a flat object of texts and small whole numbers under ASCII keys, ten times faster."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def data_digest(data: Any) -> str:
    return hashlib.sha256(canonical(data)).hexdigest()


def stamp(instant: datetime) -> str:
    """RFC 3339 UTC with Z; microseconds only when there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def chained(
    *, seq: int, ts: str, actor: str, kind: str, data_sha256: str, incident: str, occurred_at: str, source_id: str
) -> dict[str, str | int]:
    """What the chain's hash covers: the data by digest, so that it may be redacted later; empty texts are left out."""
    document: dict[str, str | int] = {"seq": seq, "ts": ts, "actor": actor, "kind": kind, "data_sha256": data_sha256}
    if incident:
        document["incident"] = incident
    if occurred_at:
        document["occurred_at"] = occurred_at
    if source_id:
        document["source_id"] = source_id
    return document


def chained_line(line: Line) -> dict[str, str | int]:
    return chained(
        seq=line.seq,
        ts=line.ts,
        actor=line.actor,
        kind=line.kind,
        data_sha256=line.data_sha256,
        incident=line.incident,
        occurred_at=line.occurred_at,
        source_id=line.source_id,
    )


def check(lines: Iterable[Line], *, previous: str = GENESIS, first_seq: int = 1) -> Verdict:
    """Check that `lines` carry on from the hash `previous`, in order, none missing, none edited."""
    walk = _Walk(lines, previous)
    found = hash_chain.verify(walk, previous_hex=previous, first_sequence=first_seq)
    if found.fault is not None:
        return Verdict(
            False, found.entries, found.head, found.first_wrong, f"Entry {found.first_wrong}: {found.fault.text}"
        )
    if walk.unlinked is not None:
        why = f"Entry {walk.unlinked}: It names another hash as the one before it."
        return Verdict(False, found.entries, found.head, walk.unlinked, why)
    return Verdict(True, found.entries, found.head)


class _Walk:
    """Lines as core reads them; stops at one whose column for the former hash disagrees, which no hash covers."""

    def __init__(self, lines: Iterable[Line], previous: str) -> None:
        self._lines = lines
        self._previous = previous
        self.unlinked: int | None = None

    def __iter__(self) -> Iterator[ChainedEntry]:
        for line in self._lines:
            entry = ChainedEntry(line.seq, _chained_text(line), line.hash, line.data_sha256, _doubtful_data(line))
            if (
                line.previous_hash != self._previous
                and hash_chain.link(self._previous, entry.canonical_json) == line.hash
            ):
                self.unlinked = line.seq
                return
            self._previous = line.hash
            yield entry


def _chained_text(line: Line) -> bytes:
    try:
        return canonical_flat(chained_line(line))
    except UnicodeEncodeError:  # half a character, put there by hand
        return _UNCANONICAL


def _doubtful_data(line: Line) -> bytes | None:
    """The canonical data, for core to judge; None where there is none or where it plainly fits its digest.

    Sorted JSON of the standard library is nearly always canonical and much faster to make. Where its digest is the
    one stored, nothing else can be meant; where not, the slow and exact way decides.
    """
    if line.data is None:
        return None
    try:
        data = json.loads(line.data)
        quick = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        if hashlib.sha256(quick).hexdigest() == line.data_sha256:
            return None
        return canonical(data)
    except (ValueError, RecursionError):
        return _UNCANONICAL
