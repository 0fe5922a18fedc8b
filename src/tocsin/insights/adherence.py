"""Was the process followed, incident by incident and over a time: reads entries, asks core, keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from tocsin.audit.models import Entry
from tocsin.audit.queries import of_kinds
from tocsin.core.access import Actor, Right, require
from tocsin.core.adherence import READ_KINDS, judge
from tocsin.core.adherence_outcomes import Outcome
from tocsin.core.adherence_record import BEGINNINGS, Event
from tocsin.core.process_definition import ProcessDefinition
from tocsin.incidents import queries as incidents
from tocsin.incidents.models import Incident
from tocsin.insights import adherence_evidence as evidence
from tocsin.insights.adherence_evidence import Judged
from tocsin.process import queries as process
from tocsin.process.models import ProcessVersion

Row = TypeVar("Row")

TOGETHER = 200
"""So many incidents are read at once: enough to be quick, and never the whole log in memory."""


@dataclass(frozen=True, slots=True)
class IncidentChecks:
    """One incident with the outcome of each check, as of `as_of`."""

    incident: Incident
    outcomes: Mapping[str, Outcome]
    as_of: datetime
    entries: Mapping[int, Entry]


def of_incident(actor: Actor, ref: str | int, *, now: datetime) -> IncidentChecks:
    """The checks of one incident, with the entries behind them. Raises NotFound."""
    row = incidents.incident(actor, ref)
    found = list(of_kinds([row.ref], READ_KINDS))
    events = [Event(one.seq, one.at, one.kind, one.actor, one.data) for one in found]
    outcomes = judge(row.ref, events, process.definition(row.process_version_id), as_of=now)
    named = {seq for outcome in outcomes.values() for seq in outcome.evidence}
    return IncidentChecks(row, outcomes, now, {one.seq: one for one in found if one.seq in named})


def outcomes_of(
    rows: Sequence[tuple[str, int]], definitions: Mapping[int, ProcessDefinition], *, as_of: datetime
) -> Iterator[tuple[str, dict[str, Outcome]]]:
    """The outcomes of incidents given as (ref, primary key of its process version), a few of them in memory at a time."""
    for some in batches(rows):
        versions = dict(some)
        own: dict[str, list[Event]] = {ref: [] for ref in versions}
        for ref, event in _events(Entry.objects.filter(incident__in=list(versions))):
            own[ref].append(event)
        for ref, events in own.items():
            yield ref, judge(ref, events, definitions[versions[ref]], as_of=as_of)


def definitions(version_ids: Iterable[int]) -> dict[int, ProcessDefinition]:
    """The process versions by primary key."""
    rows = ProcessVersion.objects.defer("document").filter(pk__in=set(version_ids))
    return {row.pk: process.definition(row) for row in rows}


def of_period(actor: Actor, *, start: datetime, end: datetime, now: datetime) -> Iterator[Judged]:
    """The incidents that began in [start, end), each as its log told it by then; oldest first."""
    require(actor, Right.INCIDENT_READ)
    processes = {number: process.definition(pk) for number, pk in _numbers().items()}
    return evidence.incidents(_of_period(start, end), processes, start=start, end=end, as_of=min(end, now))


def batches(rows: Iterable[Row], size: int = TOGETHER) -> Iterator[list[Row]]:
    """Rows, so many at a time."""
    ahead = iter(rows)
    while some := list(islice(ahead, size)):
        yield some


def _numbers() -> dict[int, int]:
    return dict(ProcessVersion.objects.values_list("number", "pk"))


def _of_period(start: datetime, end: datetime) -> Iterator[tuple[str, Event]]:
    begun = Entry.objects.filter(kind__in=BEGINNINGS, at__gte=start, at__lt=end).order_by("seq")
    # A name can begin only once; the numbers are in the order of the beginnings.
    refs = list(dict.fromkeys(begun.values_list("incident", flat=True)))
    for some in batches(sorted(refs, key=evidence.order_of)):
        own: dict[str, list[Event]] = {ref: [] for ref in some}
        for ref, event in _events(Entry.objects.filter(incident__in=some, at__lt=end)):
            own[ref].append(event)
        for ref, events in own.items():
            yield from ((ref, event) for event in events)


def _events(found: Any) -> Iterator[tuple[str, Event]]:
    columns = ("incident", "seq", "at", "kind", "actor", "data")
    rows = found.filter(kind__in=READ_KINDS).order_by("incident", "seq").values_list(*columns)
    for ref, seq, at, kind, actor, data in rows.iterator(chunk_size=2000):
        yield ref, Event(seq, at, kind, actor, data)


def bundle_files(actor: Actor, *, start: datetime, end: datetime, now: datetime) -> dict[str, bytes]:
    """What an evidence bundle tells about adherence; the same entries give the same bytes.

    A period that is over is judged as of its end. One that is not is judged as of the last entry there is, because the
    moment of asking must not show in the evidence.
    """
    require(actor, Right.AUDIT_READ)
    begun = Entry.objects.filter(kind__in=BEGINNINGS, at__gte=start, at__lt=end).values_list("data", flat=True)
    numbers = {data["process_version"] for data in begun.iterator() if data and data.get("process_version")}
    last = Entry.objects.order_by("-seq").values_list("at", flat=True).first()
    as_of = end if end <= now or last is None else min(end, last)
    rows = ProcessVersion.objects.filter(number__in=numbers).values_list("number", "document")
    return evidence.files(_of_period(start, end), dict(rows), start=start, end=end, as_of=as_of)
