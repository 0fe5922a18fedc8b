"""Before somebody is released, what they owe goes to whoever has that duty then; it is written down first (R-9.3.8-3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tocsin.audit import actions as audit
from tocsin.core import obligations as core
from tocsin.core.access import Actor
from tocsin.core.classification_effects import without_released
from tocsin.core.facts import Kind
from tocsin.core.process_parts import NAMED_PERSON
from tocsin.incidents import snapshots
from tocsin.incidents.actions import duties
from tocsin.incidents.actions.incident_row import fact
from tocsin.incidents.models import Incident, Obligation, ObligationState, RoleHeld
from tocsin.incidents.obligation_words import words


def pass_on(actor: Actor, incident: Incident, gone: Sequence[RoleHeld], *, now: datetime) -> list[RoleHeld]:
    """Give what these holdings owe to others; returns those that may be released. Part of the caller's change.

    A holding whose duty would be nobody's stays until somebody is there to take it.
    """
    if not gone:
        return []
    owners = _owners_without(incident, {row.role for row in gone}, now=now)
    staying = RoleHeld.objects.filter(incident=incident, until_at=None).exclude(pk__in=[row.pk for row in gone])
    takers = {row.role: row for row in staying.select_related("person").order_by("-from_at", "-pk")}
    free = []
    for row in gone:
        owed = Obligation.objects.filter(
            incident=incident, state=ObligationState.OPEN, owner_role=row.role, key__in=list(owners)
        )
        moving = [
            (one, takers.get(owners[one.key]))
            for one in owed.order_by("due_at", "pk")
            if owners[one.key] != NAMED_PERSON  # that one is named when the time has come
        ]
        if all(taker is not None for _, taker in moving):
            free.append(row)
            for one, taker in moving:
                if taker is not None:
                    _reassign(actor, incident, one, row, taker, now=now)
    return free


def _owners_without(incident: Incident, roles: set[str], *, now: datetime) -> dict[str, str]:
    """The role that each open duty falls to once `roles` are held no more, by the key of the duty."""
    definition = snapshots.process_of(incident)
    facts = without_released(snapshots.obligation_facts(incident, duties.latest_rows(incident), definition), roles)
    required = core.obligations(facts, definition, now=now, calendar=snapshots.business_days(incident.team))
    return {one.key: one.owner_role for one in required}


def _reassign(
    actor: Actor, incident: Incident, owed: Obligation, giver: RoleHeld, taker: RoleHeld, *, now: datetime
) -> None:
    definition = snapshots.process_of(incident)
    names = {role.code: role.display_name for role in definition.roles.roles}
    told = fact(
        incident,
        Kind.OBLIGATION_REASSIGNED,
        obligation=words(owed),
        key=owed.key,
        giver=giver.person.label,
        taker=taker.person.label,
        from_role=giver.role,
        to_role=taker.role,
        role=names.get(taker.role, taker.role),
    )
    audit.record(actor, [told], now=now)
    owed.owner_role, owed.owner = taker.role, taker.person
    owed.save(update_fields=["owner_role", "owner"])
