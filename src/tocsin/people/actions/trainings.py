"""Who learnt what, and until when it holds."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.facts import Kind
from tocsin.people import queries
from tocsin.people.models import Training
from tocsin.platform.text import clean, one_line


def record_training(
    actor: Actor,
    *,
    username: str,
    subject: str,
    on: date,
    valid_until: date | None = None,
    note: str = "",
    team: str | None = None,
    now: datetime,
) -> Training:
    """Write down that a person was trained in `subject`, a skill or a role by its word in the process.

    An owner of `team`, one of the person's teams, may, and whoever may change persons. Raises Invalid for days that do
    not fit together, NotFound for an unknown person.
    """
    person = queries.person(username)
    if team is None or not person.memberships.filter(team__name=team).exists() or team not in actor.owned_teams:
        require(actor, Right.PEOPLE_WRITE)
    learnt = one_line(clean(subject), limit=63)
    if not learnt:
        raise Invalid({"subject": "Name the skill or the role, as the process does."})
    if on > now.date():
        raise Invalid({"on": "That day is still to come."})
    if valid_until is not None and valid_until <= on:
        raise Invalid({"valid_until": "It has to hold for at least a day."})
    with transaction.atomic():
        row = Training.objects.create(
            person=person,
            subject=learnt,
            on=on,
            valid_until=valid_until,
            note=one_line(clean(note), limit=300),
            recorded_by=actor.ident,
            recorded_at=now,
        )
        data = {
            "person": person.label,
            "username": person.username,
            "subject": learnt,
            "on": on.isoformat(),
            "valid_until": valid_until.isoformat() if valid_until else None,
        }
        audit.record(actor, [Fact(kind=Kind.TRAINING_RECORDED, data=data)], now=now)
    return row


def remove_training(actor: Actor, training: int, *, reason: str, now: datetime) -> None:
    """Take an entry back that was wrong; the log keeps it. Raises NotFound, Invalid without a reason."""
    require(actor, Right.PEOPLE_WRITE)
    if not reason.strip():
        raise Invalid({"reason": "Say in a few words what was wrong with it."})
    with transaction.atomic():
        row = Training.objects.select_related("person").filter(pk=training).first()
        if row is None:
            raise NotFound(f"There is no training {training}.")
        data = {"person": row.person.label, "subject": row.subject, "reason": clean(reason.strip())}
        row.delete()
        audit.record(actor, [Fact(kind=Kind.TRAINING_REMOVED, data=data)], now=now)
