"""Keep the process alive: read what was published, look at it again every year, and be reminded."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import SYSTEM, Actor, Right, Role, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people.models import Person
from tocsin.platform import db
from tocsin.platform.questions import Question
from tocsin.platform.text import clean
from tocsin.process import notices, queries
from tocsin.process.actions import REVIEWED_EVERY
from tocsin.process.models import ProcessNotice, ProcessVersion, StandingReview, VersionState

_REMINDED = (Role.PROCESS_OWNER.value, Role.COACH.value)


def acknowledge(actor: Actor, number: int, *, now: datetime) -> ProcessNotice:
    """Say that one has read a version one was told about. Saying it twice keeps the first time."""
    require(actor, Right.PROCESS_READ)
    with transaction.atomic():
        found = queries.notice_for(actor, queries.version(actor, number))
        if found is None:
            raise NotFound(f"You were not asked to read version {number} of the process.")
        if found.acknowledged_at is None:
            found.acknowledged_at = now
            found.save(update_fields=["acknowledged_at"])
            data = {"number": number, "person": actor.display_name or actor.ident}
            audit.record(actor, [Fact(kind=Kind.PROCESS_ACKNOWLEDGED, data=data)], now=now)
    return found


def look_again(actor: Actor, *, note: str, now: datetime) -> StandingReview:
    """Say that one went through the process in force and what one found; the next look is due in a year."""
    require(actor, Right.PROCESS_WRITE)
    said = clean(note).strip()
    if not said:
        raise Invalid({"note": "Say in a sentence what you looked at and whether it still fits."})
    with transaction.atomic():
        row = db.lock(ProcessVersion.objects.filter(state=VersionState.PUBLISHED)).first()
        if row is None:
            raise Refused("No process is published yet.", reason="nothing_in_force")
        row.review_due_at, row.review_told_at = now + REVIEWED_EVERY, None
        row.save(update_fields=["review_due_at", "review_told_at"])
        looked = StandingReview.objects.create(version=row, by=actor.ident, note=said, at=now)
        audit.record(actor, [Fact(kind=Kind.PROCESS_REVIEWED, data={"number": row.number, "note": said})], now=now)
    return looked


def remind_of_reviews(*, now: datetime) -> int:
    """Tell those who own the process that a year has passed since anybody looked at it. Returns how many were due."""
    if not _anything_due(now=now):
        return 0
    with transaction.atomic():
        rows = db.lock_due(_due(now).order_by("number"), limit=1)
        for row in rows:
            owners = Person.objects.filter(is_active=True, role__in=_REMINDED).order_by("username")
            people = list(owners) or list(Person.objects.filter(is_active=True, role=Role.ADMIN.value))
            notices.remind(row, people, now=now)
            row.review_told_at = now
            row.save(update_fields=["review_told_at"])
            audit.record(SYSTEM, [Fact(kind=Kind.PROCESS_REVIEW_DUE, data={"number": row.number})], now=now)
    return len(rows)


def _due(now: datetime) -> QuerySet[ProcessVersion]:
    return ProcessVersion.objects.filter(
        state=VersionState.PUBLISHED, review_told_at__isnull=True, review_due_at__lte=now
    )


_anything_due = Question(_due)
