"""Open questions: what nobody knows yet, who finds out, and the answer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right
from tocsin.core.errors import NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.desk_parts import ahead, due, for_whom, meant, next_number, words
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import Question


@rank.protected
def ask_question(
    actor: Actor, ref: str | int, *, text: str, owner: str = "", due_at: datetime | None = None, now: datetime
) -> Question:
    """Write down what nobody knows yet. `owner` finds out: a user name, a role, a team or a plain name."""
    said = words(text, "text", missing="Say what is asked.")
    ahead(due_at, "due_at", now=now)
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        found = next(iter(meant(incident, [owner])), None)
        row = Question.objects.create(
            incident=incident,
            number=next_number(Question.objects.filter(incident=incident)),
            text=said,
            owner_name=found.name if found else "",
            owner=found.person if found else None,
            due_at=due_at,
            asked_by=actor.ident,
            asked_at=now,
        )
        told = fact(
            incident,
            Kind.QUESTION_ASKED,
            number=row.number,
            text=said,
            owner=row.owner_name,
            for_whom=for_whom(row.owner_name),
            **due(due_at),
        )
        audit.record(actor, [told], now=now)
        save(incident, now=now)
    return row


@rank.protected
def answer_question(actor: Actor, ref: str | int, number: int, *, answer: str, now: datetime) -> Question:
    """Answer an open question. Raises Refused for one that was answered already with other words."""
    said = words(answer, "answer", missing="Say what the answer is.")
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        row = Question.objects.filter(incident=incident, number=number).first()
        if row is None:
            raise NotFound(f"{incident.ref} has no question {number}.")
        if row.answered_at is not None and row.answer == said:
            return row
        if row.answered_at is not None:
            remedy = "Add a note, or ask anew."
            raise Refused(f"Question {number} was answered already.", reason="answered_already", remedy=remedy)
        row.answer, row.answered_by, row.answered_at = said, actor.ident, now
        row.save(update_fields=["answer", "answered_by", "answered_at"])
        audit.record(actor, [fact(incident, Kind.QUESTION_ANSWERED, number=number, answer=said)], now=now)
        save(incident, now=now)
    return row
