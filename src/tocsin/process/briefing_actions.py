"""Leaders are briefed before the first grave incident: what a response expects of them, and that they know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.process import queries
from tocsin.process.models import LeaderBriefing


@dataclass(frozen=True, slots=True)
class Leader:
    """Somebody of a management group, and where their briefing stands. None is not yet."""

    email: str
    name: str
    briefed_at: datetime | None
    acknowledged_at: datetime | None


def leaders(actor: Actor) -> list[Leader]:
    """Everybody in a management group with date of briefing and acknowledgement; those missing it first."""
    require(actor, Right.PROCESS_READ)
    kept = {row.email.lower(): row for row in LeaderBriefing.objects.all()}
    named = {one.email.lower(): one for group in queries.management_groups() for one in group.members.all()}
    rows = [
        Leader(
            one.email,
            one.name or one.email,
            kept[address].briefed_at if address in kept else None,
            kept[address].acknowledged_at if address in kept else None,
        )
        for address, one in named.items()
    ]
    return sorted(rows, key=lambda one: (one.acknowledged_at is not None, one.briefed_at is not None, one.name))


def brief(actor: Actor, *, email: str, now: datetime) -> LeaderBriefing:
    """Write down that a leader was briefed. A new briefing wants a new acknowledgement. Raises NotFound for others."""
    require(actor, Right.PROCESS_WRITE)
    found = _leader(actor, email)
    with transaction.atomic():
        wanted = {"name": found.name, "briefed_by": actor.ident, "briefed_at": now, "acknowledged_at": None}
        row, _ = LeaderBriefing.objects.update_or_create(email=found.email, defaults=wanted)
        audit.record(actor, [Fact(kind=Kind.LEADER_BRIEFED, data={"leader": found.name})], now=now)
    return row


def acknowledge_briefing(actor: Actor, *, email: str, at: datetime | None = None, now: datetime) -> LeaderBriefing:
    """A leader says that they know, or the process owner writes down when they said so."""
    own = queries.address_of(actor).lower() == email.strip().lower()
    require(actor, Right.PROCESS_READ if own else Right.PROCESS_WRITE)
    if at is not None and at > now:
        raise Invalid({"at": "That moment is still to come."})
    with transaction.atomic():
        row = LeaderBriefing.objects.filter(email__iexact=email.strip()).first()
        if row is None:
            raise NotFound(f"{email.strip()} has not been briefed yet.")
        if at is not None and at < row.briefed_at:
            raise Invalid({"at": "That is before the briefing."})
        if row.acknowledged_at is None:
            row.acknowledged_at = at or now
            row.save(update_fields=["acknowledged_at"])
            audit.record(actor, [Fact(kind=Kind.BRIEFING_ACKNOWLEDGED, data={"leader": row.name})], now=now)
    return row


def _leader(actor: Actor, email: str) -> Leader:
    wanted = email.strip().lower()
    found = next((one for one in leaders(actor) if one.email.lower() == wanted), None)
    if found is None:
        raise NotFound(f"{email.strip()} is in no management group. Add them there first.")
    return found
