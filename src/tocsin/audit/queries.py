"""Reads of the event log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F, QuerySet
from django.db.models.functions import TruncDate

from tocsin.audit import snapshots
from tocsin.audit.chain import Verdict, check
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.facts import Kind
from tocsin.core.hash_chain import GENESIS
from tocsin.platform.models import Counter

WRITTEN = "audit.entries"
"""The counter that holds the number of the last entry, apart from the log."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What one incident's log has of some kinds, in order, read once for everybody who looks at some of them."""

    kinds: frozenset[str]
    entries: tuple[Entry, ...]

    def of(self, *kinds: str) -> list[Entry]:
        """The entries of these kinds, in order. Raises LookupError for a kind that was not read."""
        wanted = frozenset(kinds)
        if not wanted <= self.kinds:
            raise LookupError(f"not read of the log: {', '.join(sorted(wanted - self.kinds))}")
        return [entry for entry in self.entries if entry.kind in wanted]

    def last(self, kind: str) -> datetime | None:
        """When something of that kind was written for the last time."""
        found = self.of(kind)
        return found[-1].at if found else None


def timeline_entries(incident_ref: str, after: int = 0, limit: int | None = None) -> list[Entry]:
    """The entries of one incident ("INC-7") with numbers above `after`, in order; the caller has authorised."""
    rows = Entry.objects.filter(incident=incident_ref, seq__gt=after).order_by("seq")
    return list(rows if limit is None else rows[:limit])


def of_kinds(incident_refs: Iterable[str], kinds: Iterable[str]) -> QuerySet[Entry]:
    """What some incidents' logs have of these kinds, in order; the caller has authorised.

    Sorted by a sum: for the bare number SQLite would walk all that happened in the order of the log, the few entries
    of these kinds among the thousands of a long night.
    """
    rows = Entry.objects.filter(incident__in=list(incident_refs), kind__in=list(kinds))
    return rows.order_by(F("seq") + 0)


def excerpt(incident_ref: str, kinds: Iterable[str]) -> Excerpt:
    """What one incident's log has of these kinds; the caller has authorised."""
    read = frozenset(kinds)
    return Excerpt(read, tuple(of_kinds([incident_ref], sorted(read))))


def entries(
    actor: Actor,
    *,
    kind: str = "",
    incident: str = "",
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The newest entries first, for auditors. `kind` may be a beginning ("slo."), `before` is a number to go on from."""
    require(actor, Right.AUDIT_READ)
    rows = Entry.objects.filter(kind__startswith=kind) if kind else Entry.objects.all()
    if incident:
        rows = rows.filter(incident=incident)
    return list(_between(rows, from_at, to_at, before).order_by("-seq")[:limit])


def _between(
    rows: QuerySet[Entry], from_at: datetime | None, to_at: datetime | None, before: int | None
) -> QuerySet[Entry]:
    if from_at is not None:
        rows = rows.filter(at__gte=from_at)
    if to_at is not None:
        rows = rows.filter(at__lt=to_at)
    return rows if before is None else rows.filter(seq__lt=before)


def count_by(kinds: Sequence[str], *, actors: Sequence[str], since: datetime) -> int:
    """How often one of `actors` did one of `kinds` since then, for rooms that judge by what happened."""
    return Entry.objects.filter(kind__in=kinds, actor__in=actors, at__gte=since).count()


def days_of(kind: str, *, field: str, values: Sequence[str]) -> int:
    """On how many days (UTC) something of that kind happened to one of `values`, which stand under `field` of the data."""
    rows = Entry.objects.filter(kind=kind, **{f"data__{field}__in": list(values)})
    return len(set(rows.annotate(day=TruncDate("at", tzinfo=UTC)).values_list("day", flat=True)))


def head() -> tuple[int, str]:
    """Number and hash of the last entry; noted elsewhere, they prove later what was there by then."""
    last = Entry.objects.order_by("-seq").values_list("seq", "hash").first()
    return last or (0, GENESIS)


def verify(*, upto: int | None = None) -> Verdict:
    """Check the chain from its beginning, to the entry `upto` when given. Reads in batches; others may write meanwhile.

    Finds an entry that was edited, removed (at the end as well), added, put elsewhere, or emptied without a record.
    """
    written_before = _written()
    verdict = check(snapshots.lines(last=upto))
    if not verdict.ok:
        return verdict
    if upto is None and not written_before <= verdict.count <= _written():
        why = (
            f"The log has {verdict.count} entries, but {written_before} were written: the end was cut off or added to."
        )
        return Verdict(False, verdict.count, verdict.head, min(verdict.count, written_before) + 1, why)
    return _all_removals_recorded(verdict, upto)


def _written() -> int:
    return Counter.objects.filter(name=WRITTEN).values_list("value", flat=True).first() or 0


def _all_removals_recorded(verdict: Verdict, upto: int | None) -> Verdict:
    emptied = Entry.objects.filter(data__isnull=True).order_by("seq").values_list("seq", flat=True)
    if upto is not None:
        emptied = emptied.filter(seq__lte=upto)
    recorded = {
        data["entry"] for data in Entry.objects.filter(kind=Kind.ENTRY_REDACTED).values_list("data", flat=True) if data
    }
    for seq in emptied:
        if seq not in recorded:
            why = f"Entry {seq}: Its data was removed, and no entry says by whom and why."
            return Verdict(False, seq - 1, verdict.head, seq, why)
    return verdict
