"""What management needs of an incident: how it stands, what was said, when the next word comes, who coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.comms.models import Subscriber, Update
from tocsin.core.access import Actor
from tocsin.incidents import people_queries, queries, snapshots
from tocsin.incidents.models import Incident, Obligation, ObligationState, RoleHeld
from tocsin.people.models import Person


@dataclass(frozen=True, slots=True)
class Summary:
    """Read-only; the updates come newest first. `next_due` is the next promised word, `late` when it is overdue."""

    incident: Incident
    roles: list[tuple[str, list[str]]]
    updates: list[Update]
    next_due: datetime | None
    late: bool
    address: str
    subscribed: bool

    @property
    def latest(self) -> Update | None:
        return self.updates[0] if self.updates else None


def summary(actor: Actor, ref: str | int, *, now: datetime) -> Summary:
    """The summary of one incident for whoever may read it. Raises NotFound."""
    incident = queries.incident(actor, ref)
    definition = snapshots.process_of(incident)
    kinds = [kind.value for kind in snapshots.UPDATE_KINDS]
    owed = Obligation.objects.filter(incident=incident, kind__in=kinds, state=ObligationState.OPEN)
    soonest = owed.exclude(due_at=None).order_by("due_at").first()
    person = Person.objects.filter(username=actor.ident).first()
    address = person.email if person else ""
    return Summary(
        incident=incident,
        roles=_roles(incident),
        updates=list(incident.updates.order_by("-sent_at", "-pk")),
        next_due=soonest.due_at if soonest else None,
        late=soonest is not None and snapshots.obligation_is_late(soonest, definition, now=now),
        address=address,
        subscribed=_subscribed(incident, address),
    )


def _roles(incident: Incident) -> list[tuple[str, list[str]]]:
    """The working roles and who holds them, in the order of the process."""
    held: dict[str, list[str]] = {}
    rows = RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person").order_by("from_at", "pk")
    for row in rows:
        held.setdefault(row.role, []).append(row.person.label)
    roles = [one for one in snapshots.process_of(incident).roles.roles if not one.optional]
    leading = set(people_queries.coordinating_roles(incident))
    return [(one.display_name, held.get(one.code, [])) for one in roles if one.code in held or one.code in leading]


def _subscribed(incident: Incident, address: str) -> bool:
    rows = Subscriber.objects.filter(service=incident.service, email=address.lower(), ended_at=None)
    return bool(address) and incident.service is not None and rows.exists()
