"""Append to the event log; the only writer of the hash chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from tocsin.audit.chain import canonical, canonical_flat, chained, data_digest, stamp
from tocsin.audit.models import Entry
from tocsin.audit.queries import WRITTEN
from tocsin.core import hash_chain
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.hash_chain import GENESIS
from tocsin.platform import db
from tocsin.platform.crashpoints import CrashPoint, crashpoint
from tocsin.platform.models import Counter
from tocsin.platform.text import clean

__all__ = ["GENESIS", "Fact", "canonical", "correct_entry", "data_digest", "record", "redact", "stamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened: `kind` in the past tense ("incident.acknowledged"), `data` JSON without floats of doubt.

    `source_id` names an outside event; a second one of the same incident is passed over (told once).
    """

    kind: str
    incident: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None
    source_id: str = ""


def record(actor: Actor, facts: Sequence[Fact], *, now: datetime) -> list[Entry]:
    """Append `facts` to the chain, in order, inside the caller's transaction. Returns the entries written.

    A fact whose source was told already is left out. Raises TransactionManagementError outside a transaction, because
    a change and its entry stand or fall together.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("the log is written in the transaction of the change it records")
    if not facts:
        return []
    db.advisory_lock("tocsin.audit.chain")
    fresh = _not_told(facts)
    last = Entry.objects.order_by("-seq").only("seq", "hash").first()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    entries = []
    for fact in fresh:
        seq += 1
        entry = _entry(actor, fact, seq=seq, previous=previous, now=now)
        previous = entry.hash
        entries.append(entry)
    Entry.objects.bulk_create(entries)
    if entries:
        _keep_count(seq)
    crashpoint(CrashPoint.DURING_AUDIT_APPEND)
    return entries


def _keep_count(seq: int) -> None:
    """Write the last number elsewhere too: entries cut off at the end leave a chain that fits."""
    if not Counter.objects.filter(name=WRITTEN).update(value=seq):
        Counter.objects.create(name=WRITTEN, value=seq)


def _entry(actor: Actor, fact: Fact, *, seq: int, previous: str, now: datetime) -> Entry:
    data = dict(fact.data)
    if actor.on_behalf_of:
        data["on_behalf_of"] = actor.on_behalf_of
    entry = Entry(
        seq=seq,
        at=now,
        occurred_at=fact.occurred_at or now,
        actor=actor.ident,
        kind=fact.kind,
        incident=fact.incident,
        source_id=fact.source_id,
        data=data,
        data_sha256=data_digest(data),
        previous_hash=previous,
    )
    entry.hash = hash_chain.link(previous, canonical_flat(_chained(entry)))
    return entry


def _chained(entry: Entry) -> dict[str, str | int]:
    return chained(
        seq=entry.seq,
        ts=stamp(entry.at),
        actor=entry.actor,
        kind=entry.kind,
        data_sha256=entry.data_sha256,
        incident=entry.incident,
        occurred_at=stamp(entry.occurred_at) if entry.occurred_at != entry.at else "",
        source_id=entry.source_id,
    )


def _not_told(facts: Sequence[Fact]) -> list[Fact]:
    named = {(fact.incident, fact.source_id) for fact in facts if fact.source_id}
    if not named:
        return list(facts)
    told = set(Entry.objects.filter(source_id__in=[source for _, source in named]).values_list("incident", "source_id"))
    fresh = []
    for fact in facts:
        mark = (fact.incident, fact.source_id)
        if fact.source_id and mark in told:
            continue
        told.add(mark)
        fresh.append(fact)
    return fresh


def redact(actor: Actor, seq: int, reason: str, *, now: datetime) -> Entry:
    """Remove the data of entry `seq` for good and write down who did so and why; the chain still fits.

    Raises Refused when it is gone already or when the entry is itself the record of a removal.
    """
    require(actor, Right.AUDIT_REDACT)
    why = _sentence(reason, "reason")
    with transaction.atomic():
        entry = _existing(seq)
        if entry.kind == Kind.ENTRY_REDACTED:
            raise Refused("Who removed what, and why, stays in the log.", reason="record_of_removal")
        if entry.data is None:
            raise Refused("The data of this entry was removed already.", reason="redacted_already")
        Entry.objects.filter(seq=seq).update(data=None)
        data = {"entry": seq, "reason": why, "data_sha256": entry.data_sha256}
        [removal] = record(actor, [Fact(kind=Kind.ENTRY_REDACTED, incident=entry.incident, data=data)], now=now)
    return removal


def correct_entry(actor: Actor, seq: int, text: str, *, now: datetime) -> Entry:
    """Say what was wrong about entry `seq` in a new entry that names it; the wrong one stays as it is."""
    what = _sentence(text, "text")
    with transaction.atomic():
        entry = _existing(seq)
        require(actor, Right.INCIDENT_ANNOTATE if entry.incident else Right.AUDIT_REDACT)
        fact = Fact(kind=Kind.INCIDENT_CORRECTED, incident=entry.incident, data={"corrects": seq, "text": what})
        [correction] = record(actor, [fact], now=now)
    return correction


def _existing(seq: int) -> Entry:
    entry = Entry.objects.filter(seq=seq).first()
    if entry is None:
        raise NotFound(f"The log has no entry {seq}.")
    return entry


def _sentence(text: str, field_name: str) -> str:
    stripped = clean(text).strip()
    if not stripped:
        raise Invalid({field_name: "Say it in a sentence; the log keeps it."})
    return stripped
