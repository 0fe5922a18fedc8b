"""Note a tension between people in confidence, and settle it.

The log says that there was one and that it was settled; who noted it and what it is about stays outside of the chain.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents import tensions
from tocsin.incidents.actions.incident_row import fact, held, person_behind, save
from tocsin.incidents.models import PeopleIssue
from tocsin.people import queries as people
from tocsin.platform.text import clean

_LONGEST = 2000


def note_people_issue(
    actor: Actor, ref: str | int, *, text: str, shared_with: str = "", objects: bool = False, now: datetime
) -> PeopleIssue:
    """Note that something stands between people. Whoever coordinates reads it, and `shared_with` (a coach, say).

    `objects` says that the postmortem meeting must not start before it is settled. For whoever may take part; an auditor
    only reads. Raises Invalid without words, Refused for somebody who is no person, NotFound for an unknown person.
    """
    require(actor, Right.INCIDENT_JOIN)
    said = clean(text).strip()[:_LONGEST]
    if not said:
        raise Invalid({"text": "Say in a few words what stands between people."})
    with transaction.atomic():
        incident = held(ref)
        person = person_behind(actor)
        if person is None:
            raise Refused("Only a person notes a tension.", reason="no_person")
        row = PeopleIssue.objects.create(
            incident=incident,
            text=said,
            noted_by=person,
            shared_with=people.person(shared_with) if shared_with else None,
            objects_to_start=objects,
            noted_at=now,
        )
        # The actor's name would show who is in it.
        audit.record(SYSTEM, [fact(incident, Kind.PEOPLE_ISSUE_NOTED)], now=now)
        save(incident, now=now)
    return row


def settle_people_issue(actor: Actor, ref: str | int, issue_id: int, *, now: datetime) -> PeopleIssue:
    """Say that it is settled: who noted it, whoever coordinates, and whom it was shared with may.

    Where who noted it objects to the start of the meeting, only that person may. Raises NotFound, NotAllowed, and
    Refused when it is settled already.
    """
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_READ)
        rows = PeopleIssue.objects.select_related("incident", "noted_by", "shared_with")
        row = rows.filter(incident=incident, pk=issue_id).first()
        if row is None or not tensions.may_read(row, actor.ident):
            # Whoever may not read it does not learn whether it is there.
            raise NotFound(f"There is no such tension in {incident.ref}.")
        if row.objects_to_start and row.noted_by.username != actor.ident:
            raise NotAllowed("Who noted it wants it settled first and says when it is.", remedy="Talk to each other.")
        if row.settled_at is not None:
            raise Refused("It is settled already.", reason="already_settled")
        row.settled_at, row.settled_by = now, person_behind(actor)
        row.save(update_fields=["settled_at", "settled_by"])
        audit.record(SYSTEM, [fact(incident, Kind.PEOPLE_ISSUE_SETTLED)], now=now)
        save(incident, now=now)
    return row
