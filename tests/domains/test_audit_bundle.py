"""Evidence bundles: the same bytes for the same question, cut at the end asked for, checkable without a server."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from tests.domains import worlds
from tests.domains.test_audit_log import tamper
from tocsin.audit import actions, queries
from tocsin.audit.actions import Fact
from tocsin.audit.bundle import verify_bundle
from tocsin.audit.exports import export_bundle, write_export
from tocsin.core.access import SYSTEM, Role
from tocsin.core.errors import Invalid, NotAllowed

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 1, 5, tzinfo=UTC)
HALF_A_CHARACTER = (
    b'{"seq": 1, "ts": "\\ud800", "actor": "a", "kind": "k", "data": null, '
    b'"data_sha256": "", "previous_hash": "", "hash": ""}\n'
)


def written(count: int, *, start: datetime = DAY) -> None:
    """`count` entries, an hour apart, each in a transaction of its own."""
    for n in range(count):
        with transaction.atomic():
            fact = Fact(
                kind="incident.noted",
                incident=f"INC-{n % 3}",
                data={"n": n, "text": "Gleis Ü <b>"},
                occurred_at=start if n % 2 else None,
                source_id=f"s{n}" if n % 2 else "",
            )
            actions.record(SYSTEM, [fact], now=start + timedelta(hours=n))


def exported(folder: Path, *, hours: tuple[int, int] = (0, 100)) -> Path:
    path = folder / "evidence.zip"
    content = export_bundle(SYSTEM, from_at=DAY + timedelta(hours=hours[0]), to_at=DAY + timedelta(hours=hours[1]))
    path.write_bytes(content)
    return path


def entries_in(path: Path) -> list[dict[str, object]]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]


def manifest_of(path: Path) -> dict[str, object]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, object] = json.loads(archive.read("manifest.json"))
    return found


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], *, mend_manifest: bool) -> Path:
    """The bundle with its files changed; with a manifest that was made to agree when `mend_manifest`."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    if mend_manifest:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = [
            {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
            if name != "manifest.json"
        ]
        files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_the_same_question_gives_the_same_bytes(tmp_path: Path) -> None:
    written(5)
    first = exported(tmp_path).read_bytes()
    assert exported(tmp_path).read_bytes() == first


def test_what_is_written_later_does_not_change_a_bundle_that_was_cut_before_it(tmp_path: Path) -> None:
    written(5)
    first = exported(tmp_path, hours=(1, 4)).read_bytes()
    written(3, start=DAY + timedelta(days=2))
    path = exported(tmp_path, hours=(1, 4))
    assert path.read_bytes() == first
    assert [entry["seq"] for entry in entries_in(path)] == [2, 3, 4]


def test_a_bundle_tells_what_was_asked_and_names_every_file(tmp_path: Path) -> None:
    written(3)
    path = exported(tmp_path)
    manifest = manifest_of(path)
    assert manifest["query"] == {"from": "2026-01-05T00:00:00Z", "to": "2026-01-09T04:00:00Z"}
    with zipfile.ZipFile(path) as archive:
        assert {row["file"] for row in manifest["files"]} | {"manifest.json"} == set(archive.namelist())  # type: ignore[attr-defined]
        assert "3 entries, numbers 1 to 3" in archive.read("chain_verification.txt").decode()
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_bundle_fits_and_ends_at_the_head_of_its_period(tmp_path: Path) -> None:
    written(5)
    whole = verify_bundle(exported(tmp_path))
    assert (whole.ok, whole.count, whole.head) == (True, 5, queries.head()[1])
    part = verify_bundle(exported(tmp_path, hours=(2, 4)))
    assert (part.ok, part.count) == (True, 2)
    assert part.head == queries.verify(upto=4).head


def test_a_period_without_entries_still_names_the_head_before_it(tmp_path: Path) -> None:
    written(2)
    verdict = verify_bundle(exported(tmp_path, hours=(50, 60)))
    assert (verdict.ok, verdict.count, verdict.head) == (True, 0, queries.head()[1])


def test_redacted_entries_leave_their_hash_and_still_fit(tmp_path: Path) -> None:
    written(3)
    actions.redact(SYSTEM, 2, "private", now=DAY + timedelta(hours=5))
    path = exported(tmp_path, hours=(0, 3))
    assert entries_in(path)[1]["data"] is None
    assert verify_bundle(path).ok


def _edit_entry(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] = files["entries.jsonl"].replace(b'"n":1', b'"n":7')


def _edit_actor(files: dict[str, bytes]) -> None:
    lines = files["entries.jsonl"].splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"system"', b'"nobody"')
    files["entries.jsonl"] = b"".join(lines)


def _remove_middle(files: dict[str, bytes]) -> None:
    lines = files["entries.jsonl"].splitlines(keepends=True)
    files["entries.jsonl"] = b"".join(lines[:1] + lines[2:])


def _remove_last(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] = b"".join(files["entries.jsonl"].splitlines(keepends=True)[:-1])


def _swap(files: dict[str, bytes]) -> None:
    lines = files["entries.jsonl"].splitlines(keepends=True)
    files["entries.jsonl"] = b"".join([lines[0], lines[2], lines[1], *lines[3:]])


@pytest.mark.req("R-9.1-14")
@pytest.mark.parametrize(
    ("change", "first_wrong"),
    [(_edit_entry, 2), (_edit_actor, 2), (_remove_middle, 3), (_remove_last, 4), (_swap, 3)],
)
@pytest.mark.parametrize("mend_manifest", [True, False])
def test_a_changed_bundle_is_found_even_with_a_mended_manifest(
    tmp_path: Path, change: Callable[[dict[str, bytes]], None], first_wrong: int, mend_manifest: bool
) -> None:
    written(4)
    verdict = verify_bundle(rewritten(exported(tmp_path), change, mend_manifest=mend_manifest))
    assert not verdict.ok
    assert verdict.first_wrong == first_wrong
    if not mend_manifest:
        assert "entries.jsonl is not the file" in verdict.why


@pytest.mark.parametrize("name", ["extra.txt", "entries.jsonl", "manifest.json", "chain_verification.txt"])
def test_a_file_too_many_or_too_few_is_found(tmp_path: Path, name: str) -> None:
    written(2)

    def change(files: dict[str, bytes]) -> None:
        if files.pop(name, None) is None:
            files[name] = b"x"

    assert not verify_bundle(rewritten(exported(tmp_path), change, mend_manifest=False)).ok


def test_a_first_entry_with_something_before_it_is_refused(tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        manifest["chain"]["before"] = "1" * 64
        files["manifest.json"] = json.dumps(manifest).encode()

    written(1)
    assert "nothing before it" in verify_bundle(rewritten(exported(tmp_path), change, mend_manifest=False)).why


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 no zip", b"\x00" * 100, b"{}"], ids=["empty", "cut", "zeros", "json"]
)
def test_what_is_no_bundle_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    verdict = verify_bundle(path)
    assert not verdict.ok
    assert verdict.why
    assert not verify_bundle(tmp_path / "absent.zip").ok


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", b"[]"),
        ("manifest.json", b'{"format": "other"}'),
        ("manifest.json", b'{"format": "tocsin-evidence/1", "files": 3}'),
        ("manifest.json", b"\xff"),
        ("entries.jsonl", b"{}\n"),
        ("entries.jsonl", b"no json\n"),
        ("entries.jsonl", HALF_A_CHARACTER),
    ],
)
def test_a_bundle_of_nonsense_is_refused_without_a_traceback(tmp_path: Path, name: str, content: bytes) -> None:
    written(1)
    path = rewritten(
        exported(tmp_path), lambda files: files.update({name: content}), mend_manifest=name != "manifest.json"
    )
    verdict = verify_bundle(path)
    assert not verdict.ok
    assert verdict.why


def test_a_log_that_does_not_fit_is_exported_and_says_so(tmp_path: Path) -> None:
    written(4)
    tamper("UPDATE audit_entry SET actor = 'mallory' WHERE seq = 2")
    path = exported(tmp_path)
    assert len(entries_in(path)) == 4
    assert manifest_of(path)["chain"]["intact"] is False  # type: ignore[index]
    with zipfile.ZipFile(path) as archive:
        assert b"DOES NOT FIT" in archive.read("chain_verification.txt")
    assert verify_bundle(path).first_wrong == 2


def test_further_files_travel_with_the_log(tmp_path: Path) -> None:
    written(1)
    out = io.BytesIO()
    verdict = write_export(
        SYSTEM, out, from_at=DAY, to_at=DAY + timedelta(days=1), more={"population.csv": b"id\r\n", "a.md": b"# A\n"}
    )
    assert verdict.ok
    path = tmp_path / "more.zip"
    path.write_bytes(out.getvalue())
    assert verify_bundle(path).ok
    with zipfile.ZipFile(path) as archive:
        assert archive.read("population.csv") == b"id\r\n"


def test_only_who_may_read_the_log_may_take_it_away() -> None:
    for role in (Role.READER, Role.RESPONDER, Role.COACH):
        with pytest.raises(NotAllowed):
            export_bundle(worlds.actor(role.value, role=role.value), from_at=DAY, to_at=DAY + timedelta(days=1))
    auditor = worlds.actor("otto", role=Role.AUDITOR.value)
    assert export_bundle(auditor, from_at=DAY, to_at=DAY + timedelta(days=1))
    with pytest.raises(Invalid):
        export_bundle(auditor, from_at=DAY, to_at=DAY)


def test_a_bundle_is_checked_where_there_is_no_django_at_all(tmp_path: Path) -> None:
    written(2)
    path = exported(tmp_path)
    program = (
        "import sys; from tocsin.audit.bundle import verify_bundle; verdict = verify_bundle(sys.argv[1]); "
        "assert 'django' not in sys.modules; print(verdict.ok, verdict.count)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(path)], env={"PATH": ""}, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "True 2\n"
