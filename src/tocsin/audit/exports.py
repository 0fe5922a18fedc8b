"""Take the log out of the database as an evidence bundle."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import IO

from django.db.models import Max, Min

from tocsin.audit import snapshots
from tocsin.audit.bundle import Part, write_bundle
from tocsin.audit.chain import Verdict, stamp
from tocsin.audit.models import Entry
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.hash_chain import GENESIS


def write_export(
    actor: Actor,
    out: IO[bytes],
    *,
    from_at: datetime,
    to_at: datetime,
    more: Mapping[str, bytes] | None = None,
) -> Verdict:
    """Write the bundle of the entries written from `from_at` (included) to `to_at` (left out) to `out`.

    The part is a run of numbers without gaps, because only such a run can be checked: where two nodes wrote at the
    same moment, an entry that is milliseconds outside the period may come along. `more` are further files by name.
    """
    require(actor, Right.AUDIT_READ)
    if to_at <= from_at:
        raise Invalid({"to": "The end lies at or before the beginning."})
    query = {"from": stamp(from_at), "to": stamp(to_at)}
    return write_bundle(out, _part(from_at, to_at), query=query, generator=_generator(), more=more)


def export_bundle(
    actor: Actor, *, from_at: datetime, to_at: datetime, more: Mapping[str, bytes] | None = None
) -> bytes:
    """The same as bytes, for periods that fit into memory."""
    out = io.BytesIO()
    write_export(actor, out, from_at=from_at, to_at=to_at, more=more)
    return out.getvalue()


def _part(from_at: datetime, to_at: datetime) -> Part:
    span = Entry.objects.filter(at__gte=from_at, at__lt=to_at).aggregate(first=Min("seq"), last=Max("seq"))
    if span["first"] is None:
        earlier = Entry.objects.filter(at__lt=from_at).order_by("-seq").values_list("seq", "hash").first()
        seq, last_hash = earlier or (0, GENESIS)
        return Part(lines=(), first_seq=seq + 1, before=last_hash)
    before = Entry.objects.filter(seq=span["first"] - 1).values_list("hash", flat=True).first()
    lines = snapshots.lines(first=span["first"], last=span["last"])
    return Part(lines=lines, first_seq=span["first"], before=before or GENESIS)


def _generator() -> str:
    try:
        return f"tocsin {version('tocsin')}"
    except PackageNotFoundError:
        return "tocsin"
