"""Tensions between people of a response: that there are some, and, for the few who may, what they are about."""

from __future__ import annotations

from tocsin.core.access import Actor, Right, require
from tocsin.core.postmortem_checklist import Gate
from tocsin.incidents import people_queries
from tocsin.incidents.models import Incident, PeopleIssue


def gate(incident: Incident) -> Gate:
    """Whether open tensions hold the postmortem meeting up."""
    rows = PeopleIssue.objects.filter(incident=incident, settled_at=None)
    said = list(rows.values_list("objects_to_start", flat=True))
    return Gate(len(said), any(said))


def readable(actor: Actor, incident: Incident) -> list[PeopleIssue]:
    """Those whose words `actor` may read, oldest first; nobody's standing in the installation opens more."""
    require(actor, Right.INCIDENT_READ)
    related = ("noted_by", "shared_with", "settled_by")
    rows = PeopleIssue.objects.filter(incident=incident).select_related(*related).order_by("noted_at", "pk")
    return [row for row in rows if may_read(row, actor.ident)]


def may_read(row: PeopleIssue, username: str) -> bool:
    """Whether the words are for that person: who noted it, whom it was shared with, whoever coordinates or did last."""
    named = {row.noted_by.username} | ({row.shared_with.username} if row.shared_with else set())
    return username in named or people_queries.coordinated_last(row.incident, username)
