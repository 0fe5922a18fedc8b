"""Append to the event log; the only writer of the hash chain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785
from django.db import connection, transaction

from tocsin.audit.models import Entry
from tocsin.core.access import Actor
from tocsin.platform import db
from tocsin.platform.crashpoints import CrashPoint, crashpoint

GENESIS = "0" * 64


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


def canonical(document: Any) -> bytes:
    """RFC 8785 text of `document`."""
    return rfc8785.dumps(document)


def data_digest(data: Any) -> str:
    return hashlib.sha256(canonical(data)).hexdigest()


def chained(entry: Entry) -> dict[str, Any]:
    """What the chain's hash covers of `entry`: its data by digest, so that data may be redacted later."""
    document: dict[str, Any] = {
        "seq": entry.seq,
        "ts": stamp(entry.at),
        "actor": entry.actor,
        "kind": entry.kind,
        "data_sha256": entry.data_sha256,
    }
    if entry.incident:
        document["incident"] = entry.incident
    if entry.occurred_at != entry.at:
        document["occurred_at"] = stamp(entry.occurred_at)
    if entry.source_id:
        document["source_id"] = entry.source_id
    return document


def stamp(instant: datetime) -> str:
    """RFC 3339 UTC with Z; microseconds only when there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def link(previous: str, document: Any) -> str:
    """h_n = sha256(h_(n-1) + newline + canonical JSON), hexadecimal."""
    return hashlib.sha256(previous.encode() + b"\n" + canonical(document)).hexdigest()


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
    crashpoint(CrashPoint.DURING_AUDIT_APPEND)
    return entries


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
    entry.hash = link(previous, chained(entry))
    return entry


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
