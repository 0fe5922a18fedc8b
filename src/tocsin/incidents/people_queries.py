"""Who coordinates, who takes part, what was answered and what is being handed over in a response."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from tocsin.core.access import Actor, Right, require
from tocsin.core.process_parts import Area
from tocsin.core.rank import rights_of_role
from tocsin.core.wellbeing import Answer, AnswerState
from tocsin.incidents import snapshots
from tocsin.incidents.models import CareAnswer, HandOver, Incident, ResponseTeam, RoleHeld, TakeOver


def coordinating_roles(incident: Incident) -> list[str]:
    """The roles of its process that coordinate."""
    roles = snapshots.process_of(incident).roles.roles
    return [role.code for role in roles if Area.COORDINATION in role.areas]


def coordinates(incident: Incident, username: str) -> bool:
    """Whether that person coordinates the incident now; after its end nobody does."""
    held = RoleHeld.objects.filter(incident=incident, until_at=None, person__username=username)
    return incident.is_open and held.filter(role__in=coordinating_roles(incident)).exists()


def coordinated_last(incident: Incident, username: str) -> bool:
    """Whether that person coordinates the incident, or was the last to do so: who thanks, when it is over."""
    held = RoleHeld.objects.filter(incident=incident, role__in=coordinating_roles(incident))
    last = held.select_related("person").order_by("-from_at", "-pk").first()
    return last is not None and last.person.username == username


def answers(incident: Incident) -> dict[str, Answer]:
    """The latest answer to each prompt, by its key."""
    rows = CareAnswer.objects.filter(incident=incident).order_by("at", "pk")
    return {row.key: Answer(AnswerState(row.answer), row.at, row.until) for row in rows}


def breaks(incident: Incident) -> dict[int, CareAnswer]:
    """The last break of each person, by primary key."""
    rows = CareAnswer.objects.filter(incident=incident, is_break=True, answer=AnswerState.DONE.value)
    return {row.about_id: row for row in rows.order_by("at", "pk") if row.about_id}


def held_in(incidents: Iterable[int], persons: Iterable[int]) -> list[RoleHeld]:
    """The roles these people held, in these incidents or, when none is named, in any."""
    rows = RoleHeld.objects.filter(person_id__in=list(persons)).select_related("person", "incident")
    numbers = list(incidents)
    return list((rows.filter(incident_id__in=numbers) if numbers else rows).order_by("from_at", "pk"))


def offered(actor: Actor, incident: Incident) -> list[HandOver]:
    """Hand-overs that wait for the next person, oldest first."""
    require(actor, Right.INCIDENT_READ)
    rows = HandOver.objects.filter(incident=incident, accepted_at=None, withdrawn_at=None)
    return list(rows.select_related("giver", "taker").order_by("offered_at", "pk"))


def asked_for(actor: Actor, incident: Incident) -> list[TakeOver]:
    """Requests for a role that wait for whoever holds it, oldest first."""
    require(actor, Right.INCIDENT_READ)
    rows = TakeOver.objects.filter(incident=incident, answered_at=None)
    return list(rows.select_related("giver", "taker").order_by("asked_at", "pk"))


def looking_on_role(incident: Incident) -> str:
    """The role of its process in which one joins to look on: the optional one that gives least."""
    optional = [role for role in snapshots.process_of(incident).roles.roles if role.optional]
    return min(optional, key=lambda role: len(rights_of_role(role))).code if optional else ""


def looks_on(incident: Incident, held: Iterable[RoleHeld]) -> bool:
    """Whether somebody who holds these roles takes part in it only to look on or to advise."""
    optional = {role.code for role in snapshots.process_of(incident).roles.roles if role.optional}
    own = [row.role for row in held]
    return bool(own) and set(own) <= optional


def own_roles(incident: Incident, username: str) -> list[RoleHeld]:
    """What a person holds in an incident now."""
    rows = RoleHeld.objects.filter(incident=incident, until_at=None, person__username=username)
    return list(rows.order_by("from_at", "pk"))


def team_record(incident: Incident) -> ResponseTeam | None:
    """The team of that incident, once it was dissolved."""
    return ResponseTeam.objects.filter(incident=incident).first()


def met_before(incident: Incident, persons: Iterable[int]) -> frozenset[frozenset[str]]:
    """The pairs of these people who held roles in the same earlier incident."""
    earlier = Q(incident__created_at__lt=incident.created_at)
    rows = RoleHeld.objects.filter(earlier, person_id__in=list(persons)).exclude(incident=incident)
    together: dict[int, set[str]] = {}
    for pk, username in rows.values_list("incident_id", "person__username").distinct():
        together.setdefault(pk, set()).add(username)
    return frozenset(
        frozenset({one, other}) for group in together.values() for one in group for other in group if one < other
    )
