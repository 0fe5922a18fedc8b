"""Verdicts as files for auditors, computed from entries and process documents alone.

Nothing here asks the database, so that whoever has an evidence bundle can compute the same files again, far from the
server: `files` makes them, `verify` compares those of a bundle with what its entries say.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from tocsin.audit.bundle import ENTRIES, MANIFEST
from tocsin.audit.chain import canonical, stamp
from tocsin.core.adherence import CHECKS, READ_KINDS, judge
from tocsin.core.adherence_outcomes import Outcome, Verdict
from tocsin.core.adherence_record import BEGINNINGS, Event
from tocsin.core.process_definition import ProcessDefinition, parse_process

TABLE = "adherence.csv"
SUMMARY = "adherence.md"
BASIS = "adherence.json"
"""What the verdicts rest on beside the entries: the moment they hold for, and the process versions in full."""
COLUMNS = (
    "incident",
    "opened_at",
    "process_version",
    "exercise",
    "check",
    "title",
    "verdict",
    "why",
    "remark",
    "entries",
    "waived_by",
    "waiver_reason",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would reckon with instead of showing it."""
_HEADS = ("passed", "failed", "excused", "does not apply", "not due", "not checked")
_ORDER = (
    Verdict.PASSED,
    Verdict.FAILED,
    Verdict.WAIVED,
    Verdict.NOT_APPLICABLE,
    Verdict.NOT_DUE,
    Verdict.NOT_CHECKED,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One incident with the outcome of each check."""

    ref: str
    began: Event
    outcomes: Mapping[str, Outcome]

    @property
    def version(self) -> int:
        found = self.began.get("process_version")
        return found if isinstance(found, int) else 0

    @property
    def exercise(self) -> bool:
        return self.began.get("exercise") is True


def incidents(
    events: Iterable[tuple[str, Event]],
    processes: Mapping[int, ProcessDefinition],
    *,
    start: datetime,
    end: datetime,
    as_of: datetime,
) -> Iterator[Judged]:
    """The incidents that began in [start, end), judged by their entries before `end` as things stood at `as_of`.

    `events` are pairs of an incident's name and an entry, those of one incident together and in order.
    """
    for ref, group in groupby(events, key=lambda pair: pair[0]):
        own = [event for _, event in group if event.at < end]
        began = next((event for event in own if event.kind in BEGINNINGS), None)
        if began is None or not start <= began.at:
            continue
        definition = processes.get(began.get("process_version") or 0)
        if definition is not None:
            yield Judged(ref, began, judge(ref, own, definition, as_of=as_of))


def rows(judged: Judged) -> Iterator[dict[str, str]]:
    """The lines of the table for one incident, one for each check."""
    for code, outcome in judged.outcomes.items():
        waiver = outcome.waiver
        yield {
            "incident": judged.ref,
            "opened_at": stamp(judged.began.at),
            "process_version": str(judged.version),
            "exercise": "yes" if judged.exercise else "",
            "check": code,
            "title": CHECKS[code].title,
            "verdict": outcome.verdict.value,
            "why": outcome.why,
            "remark": outcome.remark,
            "entries": " ".join(map(str, outcome.evidence)),
            "waived_by": waiver.by if waiver else "",
            "waiver_reason": waiver.reason if waiver else "",
        }


def as_csv(found: Iterable[Judged]) -> Iterator[str]:
    """The table, line by line."""
    sink = io.StringIO()
    writer = csv.DictWriter(sink, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for judged in found:
        writer.writerows({name: _cell(text) for name, text in row.items()} for row in rows(judged))
        yield sink.getvalue()
        sink.seek(0)
        sink.truncate()
    yield sink.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


@dataclass(slots=True)
class Tally:
    """How many incidents got which verdict, for each check; exercises are counted apart."""

    counts: dict[str, Counter[Verdict]]
    incidents: int = 0
    exercises: int = 0

    @classmethod
    def empty(cls) -> Tally:
        return cls({code: Counter() for code in CHECKS})

    def add(self, verdicts: Mapping[str, Verdict], *, exercise: bool) -> None:
        if exercise:
            self.exercises += 1
            return
        self.incidents += 1
        for code, verdict in verdicts.items():
            self.counts[code][verdict] += 1


def summary(tally: Tally, *, start: datetime, end: datetime, as_of: datetime) -> str:
    """What the table says, as a page of Markdown: x of y for each check, never a total over all of them."""
    lines = [
        "# Was the process followed?",
        "",
        f"Incidents that began from {stamp(start)} to {stamp(end)} (left out): {tally.incidents}.",
        f"As things stood at {stamp(as_of)}.",
        f"Exercises, counted apart and not in the table below: {tally.exercises}.",
        "",
        "| check | statement | passed of judged | " + " | ".join(_HEADS[1:]) + " |",
        "|---" * (len(_HEADS) + 2) + "|",
    ]
    for code, check in CHECKS.items():
        counts = tally.counts[code]
        judged = counts[Verdict.PASSED] + counts[Verdict.FAILED]
        share = f"{counts[Verdict.PASSED]} of {judged}" if judged else "none"
        others = " | ".join(str(counts[verdict]) for verdict in _ORDER[1:])
        lines.append(f"| {code} | {check.title} | {share} | {others} |")
    lines += [
        "",
        "Judged means passed or failed. Excused: the owner of the process decided that a miss is not held against the",
        "incident; who and why stand in the table. Not checked: nothing that is recorded could show it.",
        "",
    ]
    return "\n".join(lines)


def files(
    events: Iterable[tuple[str, Event]],
    documents: Mapping[int, Mapping[str, Any]],
    *,
    start: datetime,
    end: datetime,
    as_of: datetime,
) -> dict[str, bytes]:
    """The files of a bundle about adherence: table, summary, and what they were judged by."""
    processes = {number: parse_process(document) for number, document in documents.items()}
    tally = Tally.empty()

    def counted() -> Iterator[Judged]:
        for judged in incidents(events, processes, start=start, end=end, as_of=as_of):
            verdicts = {code: outcome.verdict for code, outcome in judged.outcomes.items()}
            tally.add(verdicts, exercise=judged.exercise)
            yield judged

    table = "".join(as_csv(counted()))
    known = {str(number): dict(document) for number, document in sorted(documents.items())}
    basis = {"as_of": stamp(as_of), "process_versions": known}
    return {
        TABLE: table.encode(),
        SUMMARY: summary(tally, start=start, end=end, as_of=as_of).encode(),
        BASIS: canonical(basis) + b"\n",
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a bundle's verdicts follow from its entries; `why` names the first difference. None: it has none."""

    ok: bool
    verdicts: int = 0
    why: str = ""


def verify(path: Path) -> Comparison | None:
    """Compute the verdicts of a bundle again from its entries and compare. None for a bundle without verdicts.

    The chain and the digests of the files are another check (`audit.bundle.verify_bundle`), to be made first.
    """
    with zipfile.ZipFile(path) as archive:
        if TABLE not in archive.namelist():
            return None
        query = json.loads(archive.read(MANIFEST))["query"]
        start, end = datetime.fromisoformat(query["from"]), datetime.fromisoformat(query["to"])
        basis = json.loads(archive.read(BASIS))
        documents = {int(number): document for number, document in basis["process_versions"].items()}
        as_of = datetime.fromisoformat(basis["as_of"])
        found = files(_entries(archive), documents, start=start, end=end, as_of=as_of)
        for name in (TABLE, SUMMARY):
            said = archive.read(name)
            if said != found[name]:
                return Comparison(False, why=f"{name}: {_difference(said, found[name])}")
        lines = found[TABLE].count(b"\r\n") - 1
        return Comparison(True, verdicts=lines)


def _difference(said: bytes, found: bytes) -> str:
    pairs = zip(said.splitlines(), found.splitlines(), strict=False)
    line = next((number for number, (one, other) in enumerate(pairs, 1) if one != other), None)
    place = f"line {line}" if line else "its length"
    return f"{place} is not what the entries say."


def _entries(archive: zipfile.ZipFile) -> list[tuple[str, Event]]:
    """The entries that verdicts depend on, those of one incident together."""
    found = []
    with archive.open(ENTRIES) as source:
        for text in source:
            line = json.loads(text)
            if line.get("incident") and line["kind"] in READ_KINDS:
                at = datetime.fromisoformat(line["ts"])
                found.append((line["incident"], Event(line["seq"], at, line["kind"], line["actor"], line["data"])))
    return sorted(found, key=lambda pair: (order_of(pair[0]), pair[1].seq))


def order_of(ref: str) -> tuple[int, str]:
    """INC-9 comes before INC-10."""
    digits = ref.rpartition("-")[2]
    return (int(digits) if digits.isdecimal() else 0, ref)
