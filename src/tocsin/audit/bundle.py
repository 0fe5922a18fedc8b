"""The evidence bundle: a ZIP of files that says nothing about when it was made, and how to check one without a server.

The same entries and the same question give the same bytes: members are sorted by name, carry one fixed time, and
everything is cut at the end of the period asked for.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from tocsin.audit.chain import Line, Verdict, canonical, chained_line, check
from tocsin.core.hash_chain import GENESIS

FORMAT = "tocsin-evidence/1"
ENTRIES = "entries.jsonl"
VERIFICATION = "chain_verification.txt"
MANIFEST = "manifest.json"
_MADE_AT = (1980, 1, 1, 0, 0, 0)  # the earliest time a ZIP can hold
_CHUNK = 1 << 20
_MANIFEST_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of the chain that goes into a bundle: `lines` begin at `first_seq`, after the hash `before`."""

    lines: Iterable[Line]
    first_seq: int = 1
    before: str = GENESIS


@dataclass(slots=True)
class _Written:
    name: str
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def row(self) -> dict[str, Any]:
        return {"file": self.name, "bytes": self.size, "sha256": self.digest.hexdigest()}


def write_bundle(
    out: IO[bytes],
    part: Part,
    *,
    query: Mapping[str, Any],
    generator: str = "tocsin",
    more: Mapping[str, bytes] | None = None,
) -> Verdict:
    """Write a bundle of `part` and of the files `more` (name to content) to `out`; returns what checking `part` found.

    A chain that does not fit is exported all the same, and says so: evidence of a fault is evidence.
    """
    files: dict[str, bytes] = dict(more or {})
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        entries, verdict = _write_entries(archive, part)
        files[VERIFICATION] = _verification(part, verdict).encode()
        rows = [entries.row(), *(_write_file(archive, name, files[name]).row() for name in sorted(files))]
        manifest = {
            "format": FORMAT,
            "generator": generator,
            "query": dict(query),
            "chain": {
                "first_seq": part.first_seq,
                "count": verdict.count,
                "before": part.before,
                "head": verdict.head,
                "intact": verdict.ok,
            },
            "files": sorted(rows, key=lambda row: row["file"]),
        }
        _write_file(archive, MANIFEST, canonical(manifest) + b"\n")
    return verdict


def _write_entries(archive: zipfile.ZipFile, part: Part) -> tuple[_Written, Verdict]:
    written = _Written(ENTRIES)
    with archive.open(_member(ENTRIES), "w", force_zip64=True) as sink:

        def told() -> Iterator[Line]:
            for line in part.lines:
                _put(sink, written, entry_text(line))
                yield line

        lines = told()
        verdict = check(lines, previous=part.before, first_seq=part.first_seq)
        for _ in lines:  # the check stops at the first fault, the bundle does not
            pass
    return written, verdict


def _write_file(archive: zipfile.ZipFile, name: str, content: bytes) -> _Written:
    written = _Written(name)
    with archive.open(_member(name), "w") as sink:
        _put(sink, written, content)
    return written


def _put(sink: IO[bytes], written: _Written, content: bytes) -> None:
    sink.write(content)
    written.size += len(content)
    written.digest.update(content)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _MADE_AT)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o644 << 16
    return member


def entry_text(line: Line) -> bytes:
    """One line of the entries file: what the hash covers, the hash, the former hash, and the data unless redacted."""
    document: dict[str, Any] = {**chained_line(line), "previous_hash": line.previous_hash, "hash": line.hash}
    document["data"] = None if line.data is None else _data(line.data)
    try:
        return canonical(document) + b"\n"
    except ValueError:  # no data of ours; as somebody wrote it
        return json.dumps(document, sort_keys=True).encode() + b"\n"


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _verification(part: Part, verdict: Verdict) -> str:
    last = part.first_seq + verdict.count - 1
    found = (
        f"The chain fits: {verdict.count} entries, numbers {part.first_seq} to {last}."
        if verdict.ok and verdict.count
        else "The period holds no entries."
        if verdict.ok
        else f"THE CHAIN DOES NOT FIT. {verdict.why}"
    )
    return (
        f"{found}\n"
        f"Hash before the first entry: {part.before}\n"
        f"Hash of the last entry that fits: {verdict.head}\n\n"
        "How to check it by hand: for each line of entries.jsonl leave out data, hash and previous_hash, write the rest\n"
        "as canonical JSON (RFC 8785), and take SHA-256 of the hash before it, a line feed, and that text. The result is\n"
        "the hash of the line. data_sha256 is SHA-256 of the canonical data. Data that is null was removed later; its\n"
        "hash stayed.\n"
    )


def verify_bundle(path: str | Path) -> Verdict:
    """Check a bundle without database or network: every file against the manifest, then the chain of entries."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _verify(archive)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        return _wrong(f"This is no readable bundle: {error}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return _wrong(f"The bundle's manifest or entries cannot be read: {error}")


def _wrong(why: str) -> Verdict:
    return Verdict(False, 0, GENESIS, None, why)


def _verify(archive: zipfile.ZipFile) -> Verdict:
    names = archive.namelist()
    if MANIFEST not in names:
        return _wrong(f"There is no {MANIFEST} in it.")
    with archive.open(MANIFEST) as source:
        manifest = json.loads(source.read(_MANIFEST_LIMIT))
    if manifest["format"] != FORMAT:
        return _wrong(f"The format {manifest['format']!r} is not known here; this program reads {FORMAT}.")
    listed = {row["file"]: row for row in manifest["files"]}
    if len(names) != len(set(names)) or set(names) != listed.keys() | {MANIFEST}:
        odd = sorted(set(names) ^ (listed.keys() | {MANIFEST})) or sorted(names)
        return _wrong(f"Files and manifest disagree about {odd[0]}.")
    for name in sorted(listed):
        if why := _file_fault(archive, name, listed[name]):
            return (
                _first_wrong(archive, manifest["chain"], row=listed[name], why=why) if name == ENTRIES else _wrong(why)
            )
    return _verify_chain(archive, manifest["chain"])


def _file_fault(archive: zipfile.ZipFile, name: str, row: Mapping[str, Any]) -> str:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as source:
        # A member that unpacks to more than the manifest says is not read to its end.
        while size <= row["bytes"] and (chunk := source.read(_CHUNK)):
            size += len(chunk)
            digest.update(chunk)
    if size != row["bytes"] or digest.hexdigest() != row["sha256"]:
        return f"{name} is not the file that the manifest names."
    return ""


def _first_wrong(archive: zipfile.ZipFile, chain: Mapping[str, Any], *, row: Mapping[str, Any], why: str) -> Verdict:
    """The fault `why` of the entries' file, with the entry where it begins unless reading on is unsafe or no use."""
    if archive.getinfo(ENTRIES).file_size > row["bytes"] + _CHUNK:
        return _wrong(why)
    try:
        found = _verify_chain(archive, chain)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _wrong(why)
    return _wrong(why) if found.ok else replace(found, why=f"{why} {found.why}")


def _verify_chain(archive: zipfile.ZipFile, chain: Mapping[str, Any]) -> Verdict:
    if chain["first_seq"] == 1 and chain["before"] != GENESIS:
        return _wrong("The first entry of the log has nothing before it.")
    with archive.open(ENTRIES) as source:
        lines = (_line(json.loads(text)) for text in source)
        verdict = check(lines, previous=chain["before"], first_seq=chain["first_seq"])
    if verdict.ok and (verdict.head, verdict.count) != (chain["head"], chain["count"]):
        why = f"The entries end at {verdict.count} with another hash than the manifest says."
        return Verdict(False, verdict.count, verdict.head, chain["first_seq"] + verdict.count, why)
    return verdict


def _line(document: Mapping[str, Any]) -> Line:
    data = document["data"]
    return Line(
        seq=document["seq"],
        ts=document["ts"],
        actor=document["actor"],
        kind=document["kind"],
        incident=document.get("incident", ""),
        occurred_at=document.get("occurred_at", ""),
        source_id=document.get("source_id", ""),
        data=None if data is None else json.dumps(data),
        data_sha256=document["data_sha256"],
        previous_hash=document["previous_hash"],
        hash=document["hash"],
    )
