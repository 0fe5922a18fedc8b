"""Keep matching alerts quiet for a stated time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from tocsin.alerts import queries
from tocsin.alerts.models import Silence
from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.core.matchers import Matcher, api_of_matcher, matcher_of_api
from tocsin.core.silences import check_silence
from tocsin.platform import text


def add_silence(
    actor: Actor,
    *,
    matchers: Sequence[Mapping[str, Any]],
    starts_at: datetime,
    ends_at: datetime,
    created_by: str = "",
    comment: str = "",
    replaces: str = "",
    now: datetime,
) -> Silence:
    """A silence over [starts_at, ends_at), with matchers as Alertmanager's API writes them.

    `replaces` is the id of a silence that this one takes the place of. A start in the past counts as now. Raises
    Invalid for matchers that silence everything or a time that has passed, NotFound for an unknown silence to replace.
    """
    require(actor, Right.SILENCE_WRITE)
    read = _matchers(matchers)
    check_silence(read, starts_at=starts_at, ends_at=ends_at, now=now)
    with transaction.atomic():
        if replaces:
            expire_silence(actor, replaces, now=now)
        row = Silence.objects.create(
            uuid=uuid4(),
            matchers=[api_of_matcher(one) for one in read],
            starts_at=max(starts_at, now),
            ends_at=ends_at,
            created_by=text.one_line(text.clean(created_by), limit=150) or actor.ident,
            comment=text.clean(comment)[:2000],
            created_at=now,
            updated_at=now,
        )
        audit.record(actor, [audit.Fact(kind=Kind.SILENCE_SAVED, data=_told(row))], now=now)
    return row


def expire_silence(actor: Actor, uuid: str, *, now: datetime) -> Silence:
    """End a silence now; one that has ended stays as it is. Raises NotFound."""
    require(actor, Right.SILENCE_WRITE)
    with transaction.atomic():
        row = queries.known_silence(uuid)
        if row.ends_at > now:
            row.ends_at = now
            row.starts_at = min(row.starts_at, now)
            row.updated_at = now
            row.save(update_fields=["starts_at", "ends_at", "updated_at"])
            audit.record(actor, [audit.Fact(kind=Kind.SILENCE_EXPIRED, data=_told(row))], now=now)
    return row


def _matchers(documents: Sequence[Mapping[str, Any]]) -> list[Matcher]:
    """Raises Invalid with the path of the matcher that is wrong."""
    read: list[Matcher] = []
    problems: dict[str, str] = {}
    for index, document in enumerate(documents):
        try:
            read.append(matcher_of_api(document))
        except Invalid as error:
            problems |= {f"matchers.{index}.{path}".rstrip("."): said for path, said in error.fields.items()}
    if problems:
        raise Invalid(problems)
    return read


def _told(row: Silence) -> dict[str, Any]:
    return {
        "silence": str(row.uuid),
        "matchers": row.matchers,
        "starts": audit.stamp(row.starts_at),
        "ends": audit.stamp(row.ends_at),
        "created_by": row.created_by,
        "comment": row.comment,
    }
