"""Saving data sources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.slo import connecting
from tocsin.slo.actions.naming import checked_name
from tocsin.slo.models import DataSource
from tocsin.slo.specs import PROMETHEUS, PUSH, SourceSpec

_SHORTEST = timedelta(seconds=1)


def save_source(
    actor: Actor,
    *,
    name: str,
    kind: str = PROMETHEUS,
    url: str = "",
    every: timedelta = timedelta(seconds=15),
    headers: Mapping[str, str] | None = None,
    connection: Mapping[str, str] | None = None,
    now: datetime,
) -> DataSource:
    """Make the source `name` be as given; the same again writes nothing. Raises Invalid for wrong fields."""
    spec = SourceSpec(
        name=checked_name(name),
        kind=kind,
        url=url.strip(),
        every=every,
        headers=dict(headers or {}),
        connection=dict(connection or {}),
    )
    _check(spec)
    with transaction.atomic():
        require(actor, Right.SLO_WRITE)
        found = db.lock(DataSource.objects.filter(name=spec.name)).first()
        changed = source_changes(found, spec)
        if found is not None and not changed:
            return found
        source = found or DataSource(name=spec.name, created_at=now)
        for field, value in {**changed, "next_at": _first_look(spec, now)}.items():
            setattr(source, field, value)
        source.save()
        _tell(actor, source, changed, now=now)
    return source


def source_changes(found: DataSource | None, spec: SourceSpec) -> dict[str, Any]:
    """The fields of a source that a spec changes; all of them when there is no source yet."""
    wanted = {
        "kind": spec.kind,
        "url": clean(spec.url),
        "every": spec.every,
        "headers": dict(spec.headers),
        "connection": dict(spec.connection),
    }
    return {key: value for key, value in wanted.items() if found is None or getattr(found, key) != value}


def _first_look(spec: SourceSpec, now: datetime) -> datetime | None:
    return now if spec.kind == PROMETHEUS else None


def _check(spec: SourceSpec) -> None:
    problems: dict[str, str] = {}
    if spec.kind not in (PROMETHEUS, PUSH):
        problems["kind"] = f"must be {PROMETHEUS} or {PUSH}"
    parts = urlsplit(spec.url)
    if spec.kind == PROMETHEUS and (parts.scheme not in ("http", "https") or not parts.hostname):
        problems["url"] = "give the whole address of the server, for example http://prometheus:9090"
    if parts.username or parts.password:
        problems["url"] = "put credentials into connectionDetails, not into the address"
    if spec.every < _SHORTEST:
        problems["every"] = "must be at least a second"
    problems |= connecting.problems(spec.connection, spec.headers, url=spec.url)
    if problems:
        raise Invalid(problems)


def _tell(actor: Actor, source: DataSource, changed: dict[str, Any], *, now: datetime) -> None:
    # Header values are secrets more often than not: the log says that they changed, not what they are.
    data = {"source": source.name, "kind": source.kind, "url": source.url, "changed": sorted(changed)}
    audit.record(actor, [Fact(kind=Kind.SOURCE_SAVED, data=data)], now=now)
