"""Who coordinates, who takes part, what was answered and what is being handed over in a response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import F, Q

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


def roles_of(incident: Incident) -> list[RoleHeld]:
    """Every role that somebody holds or held in an incident, with person and team, in the order of their beginning."""
    rows = list(RoleHeld.objects.filter(incident=incident).select_related("person", "team"))
    for row in rows:
        row.incident = incident
    return sorted(rows, key=lambda row: (row.from_at, row.pk))


def coordinates(incident: Incident, username: str, *, held: Iterable[RoleHeld] | None = None) -> bool:
    """Whether that person coordinates the incident now; after its end nobody does. `held` if the roles are at hand."""
    if not incident.is_open:
        return False
    coordinating = set(coordinating_roles(incident))
    return any(row.role in coordinating for row in own_roles(incident, username, held=held))


def coordinated_last(incident: Incident, username: str, *, held: Iterable[RoleHeld] | None = None) -> bool:
    """Whether that person coordinates the incident, or was the last to do so: who thanks, when it is over."""
    coordinating = set(coordinating_roles(incident))
    rows = [row for row in (roles_of(incident) if held is None else held) if row.role in coordinating]
    return bool(rows) and rows[-1].person.username == username


def care_answers(incident: Incident) -> list[CareAnswer]:
    """Every answer to a prompt, in the order in which they were given."""
    return list(CareAnswer.objects.filter(incident=incident).order_by("at", "pk"))


def latest_answers(rows: Iterable[CareAnswer]) -> dict[str, Answer]:
    """The latest answer to each prompt, by its key."""
    return {row.key: Answer(AnswerState(row.answer), row.at, row.until) for row in rows}


def breaks(rows: Iterable[CareAnswer]) -> dict[int, CareAnswer]:
    """The last break of each person, by primary key."""
    return {row.about_id: row for row in rows if row.about_id and row.is_break and row.answer == AnswerState.DONE}


def held_in(incidents: Iterable[int], persons: Iterable[int]) -> list[RoleHeld]:
    """The roles these people held, in these incidents or, when none is named, in any."""
    rows = RoleHeld.objects.filter(person_id__in=list(persons)).select_related("person", "incident")
    numbers = list(incidents)
    return list((rows.filter(incident_id__in=numbers) if numbers else rows).order_by("from_at", "pk"))


def offered(actor: Actor, incident: Incident) -> list[HandOver]:
    """Hand-overs that wait for the next person, oldest first."""
    require(actor, Right.INCIDENT_READ)
    rows = HandOver.objects.filter(incident=incident, accepted_at=None, withdrawn_at=None)
    return list(rows.prefetch_related("giver", "taker").order_by("offered_at", "pk"))


def asked_for(actor: Actor, incident: Incident) -> list[TakeOver]:
    """Requests for a role that wait for whoever holds it, oldest first."""
    require(actor, Right.INCIDENT_READ)
    rows = TakeOver.objects.filter(incident=incident, answered_at=None)
    return list(rows.prefetch_related("giver", "taker").order_by("asked_at", "pk"))


def looking_on_role(incident: Incident) -> str:
    """The role of its process in which one joins to look on: the optional one that gives least."""
    optional = [role for role in snapshots.process_of(incident).roles.roles if role.optional]
    return min(optional, key=lambda role: len(rights_of_role(role))).code if optional else ""


def looks_on(incident: Incident, held: Iterable[RoleHeld]) -> bool:
    """Whether somebody who holds these roles takes part in it only to look on or to advise."""
    optional = {role.code for role in snapshots.process_of(incident).roles.roles if role.optional}
    own = [row.role for row in held]
    return bool(own) and set(own) <= optional


def own_roles(incident: Incident, username: str, *, held: Iterable[RoleHeld] | None = None) -> list[RoleHeld]:
    """What a person holds in an incident now; `held` if all its roles are at hand."""
    if held is not None:
        return [row for row in held if row.until_at is None and row.person.username == username]
    rows = RoleHeld.objects.filter(incident=incident, until_at=None, person__username=username)
    return list(rows.order_by("from_at", "pk"))


def team_record(incident: Incident) -> ResponseTeam | None:
    """The team of that incident, once it was dissolved."""
    return next(iter(ResponseTeam.objects.filter(incident=incident)), None)


def met_before(incident: Incident, names: Mapping[int, str]) -> frozenset[frozenset[str]]:
    """The pairs of these people, user names by primary key, who held roles in the same earlier incident."""
    earlier = Q(incident__created_at__lt=incident.created_at)
    rows = RoleHeld.objects.filter(earlier, person_id__in=names).exclude(incident=incident)
    # Paired by the database: of two who meet each week it tells one line and not one for each of their incidents.
    pairs = rows.filter(incident__roles_held__person_id__in=names, incident__roles_held__person_id__gt=F("person_id"))
    return frozenset(
        frozenset({names[one], names[other]})
        for one, other in pairs.values_list("person_id", "incident__roles_held__person_id").distinct()
    )
