"""How the process changes: a proposal, a review that everybody can see, and a publication with a time of effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people.models import Person
from tocsin.platform import db, ids
from tocsin.platform.questions import Question
from tocsin.platform.text import clean
from tocsin.process import notices, queries
from tocsin.process.actions import LOCK, checked, enter_force
from tocsin.process.models import ProcessRemark, ProcessVersion, VersionState
from tocsin.process.snapshots import document_digest

TIME_TO_REVIEW = timedelta(days=7)
_NAMED = 5
SIDES = {True: "Agreement", False: "Objection", None: "Remark"}


def propose(
    actor: Actor, sections: Mapping[str, Any], *, note: str, now: datetime, number: int | None = None
) -> ProcessVersion:
    """Draft a change: `sections` of the process document replace those in force. `number` changes a draft
    or a proposal in review, which is a draft again then and wants new agreement.

    Raises Invalid with a sentence for each faulty place, Refused when nothing would change.
    """
    require(actor, Right.PROCESS_WRITE)
    if not note.strip():
        raise Invalid({"note": "Say in a sentence why the process should change; those who review it will ask."})
    with transaction.atomic():
        db.advisory_lock(LOCK)
        current = queries.version(actor, queries.current_version().number)
        if unknown := sorted(sections.keys() - current.document.keys()):
            raise Invalid({unknown[0]: f"There is no such section; there are {', '.join(current.document)}."})
        row = _proposal(actor, number, VersionState.DRAFT, VersionState.IN_REVIEW) if number is not None else None
        basis = row.document if row is not None else current.document
        document = checked({**basis, **sections})
        if document == current.document:
            raise Refused("This says what is in force already; nothing was proposed.", reason="unchanged")
        row = row or ProcessVersion(number=ids.next_number("process_version"), author=actor.ident, created_at=now)
        row.based_on = current.number if row.based_on is None else row.based_on
        row.document, row.sha256, row.note = document, document_digest(document), clean(note.strip())
        row.state = VersionState.DRAFT
        row.save()
        _tell(actor, Kind.PROCESS_PROPOSED, row, now=now, note=row.note, based_on=row.based_on, sha256=row.sha256)
    return row


def ask_for_review(
    actor: Actor,
    number: int,
    *,
    reviewers: Iterable[str] = (),
    ends_at: datetime | None = None,
    now: datetime,
) -> ProcessVersion:
    """Lay a draft open: from now on anybody may say what they think of it.

    `reviewers` (user names, everyone who has been on call) are invited and have until `ends_at`, a week when None.
    """
    require(actor, Right.PROCESS_WRITE)
    if ends_at is not None and ends_at <= now:
        raise Invalid({"ends_at": "Give those invited some time; choose a moment that is still to come."})
    with transaction.atomic():
        row = _proposal(actor, number, VersionState.DRAFT)
        people = list(Person.objects.filter(username__in=reviewers, is_active=True).exclude(username=row.author))
        row.state = VersionState.IN_REVIEW
        row.review_ends_at = (ends_at or now + TIME_TO_REVIEW) if people else ends_at
        row.save(update_fields=["state", "review_ends_at"])
        notices.invite(row, people, now=now)
        names = sorted(person.username for person in people)
        until = stamp(row.review_ends_at) if row.review_ends_at else None
        _tell(actor, Kind.PROCESS_REVIEW_ASKED, row, now=now, invited=names, until=until)
    return row


def remark(actor: Actor, number: int, *, text: str, agrees: bool | None, now: datetime) -> ProcessRemark:
    """Say what one thinks of a proposal in review: for it, against it, or neither. An objection needs its reason.

    Not for an auditor, who only reads: an agreement lets it be published and an objection holds it back.
    """
    require(actor, Right.PROCESS_REMARK)
    if not text.strip() and agrees is not True:
        raise Invalid({"text": "Say what you think; an agreement alone may go without words."})
    with transaction.atomic():
        row = _proposal(actor, number, VersionState.IN_REVIEW)
        if agrees and actor.ident == row.author:
            raise Refused("Your own proposal needs the agreement of somebody else.", reason="own_proposal")
        said = ProcessRemark.objects.create(
            version=row, author=actor.ident, text=clean(text.strip()), agrees=agrees, sha256=row.sha256, at=now
        )
        _tell(actor, Kind.PROCESS_REMARKED, row, now=now, text=said.text, side=SIDES[agrees])
    return said


def publish(
    actor: Actor,
    number: int,
    *,
    effective_at: datetime | None = None,
    responders: Iterable[str] = (),
    now: datetime,
) -> ProcessVersion:
    """Put a reviewed proposal in force, now or at `effective_at`; `responders` (user names) are told and asked to read.

    Raises Refused while nobody else has agreed to this very text or an objection stands, Conflict when another version
    came into force since the proposal was made, Invalid for a time that has passed.
    """
    require(actor, Right.PROCESS_WRITE)
    if effective_at is not None and effective_at < now:
        raise Invalid({"effective_at": "Choose a moment that is still to come, or publish at once."})
    with transaction.atomic():
        db.advisory_lock(LOCK)
        row = _proposal(actor, number, VersionState.IN_REVIEW)
        _check_review(row)
        _check_invited(row, now=now)
        _check_basis(row)
        row.published_at, row.effective_at = now, effective_at or now
        notices.tell(row, responders, now=now)
        if effective_at is None or effective_at == now:
            return enter_force(actor, row, former=_in_force(), now=now)
        row.state = VersionState.SCHEDULED
        row.save()
        _tell(actor, Kind.PROCESS_SCHEDULED, row, now=now, effective_at=stamp(effective_at))
    return row


def withdraw(actor: Actor, number: int, *, reason: str, now: datetime) -> ProcessVersion:
    """Give a proposal up, also one that waits for its time. It stays readable with its reason."""
    require(actor, Right.PROCESS_WRITE)
    if not reason.strip():
        raise Invalid({"reason": "Say in a sentence why it is given up."})
    with transaction.atomic():
        row = _proposal(actor, number, *queries.PROPOSED)
        row.state, row.effective_at = VersionState.WITHDRAWN, None
        row.save(update_fields=["state", "effective_at"])
        _tell(actor, Kind.PROCESS_WITHDRAWN, row, now=now, reason=clean(reason.strip()))
    return row


def enter_scheduled(*, now: datetime) -> int:
    """Put in force what has reached its time, the earliest first. Returns how many."""
    if not _anything_due(now=now):
        return 0
    due = _due(now)
    with transaction.atomic():
        db.advisory_lock(LOCK)
        rows = list(db.lock(due.order_by("effective_at", "number")))
        for row in rows:
            enter_force(SYSTEM, row, former=_in_force(), now=now)
    return len(rows)


def _due(now: datetime) -> QuerySet[ProcessVersion]:
    return ProcessVersion.objects.filter(state=VersionState.SCHEDULED, effective_at__lte=now)


_anything_due = Question(_due)


def _in_force() -> ProcessVersion | None:
    return ProcessVersion.objects.filter(state=VersionState.PUBLISHED).first()


def _proposal(actor: Actor, number: int, *states: str) -> ProcessVersion:
    """The proposal of that number, held by this transaction. Raises NotFound, Refused in any other state."""
    require(actor, Right.PROCESS_READ)
    row = db.lock(ProcessVersion.objects.filter(number=number)).first()
    if row is None:
        raise NotFound(f"There is no version {number} of the process.")
    if row.state not in states:
        wanted = " or ".join(state.replace("_", " ") for state in states)
        raise Refused(f"Version {number} is {row.state.replace('_', ' ')}, not {wanted}.", reason="wrong_state")
    return row


def _check_review(row: ProcessVersion) -> None:
    latest = {
        said.author: said.agrees
        for said in row.remarks.filter(sha256=row.sha256).order_by("at", "pk")
        if said.agrees is not None
    }
    if against := sorted(author for author, agrees in latest.items() if not agrees):
        raise Refused(f"{', '.join(against)} objects. Talk, change the proposal, or withdraw it.", reason="objection")
    if not any(latest.values()):
        raise Refused("Nobody else has agreed to it yet; ask an operations team to review it.", reason="not_reviewed")


def _check_invited(row: ProcessVersion, *, now: datetime) -> None:
    """Everybody invited has answered, or has had the time to."""
    waiting = queries.not_answered(row)
    if waiting and (row.review_ends_at is None or now < row.review_ends_at):
        until = f" They have until {row.review_ends_at:%Y-%m-%d %H:%M} UTC." if row.review_ends_at else ""
        names = ", ".join(person.label for person in waiting[:_NAMED])
        more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
        raise Refused(f"{names}{more} have not answered yet.{until}", reason="review_not_over")


def _check_basis(row: ProcessVersion) -> None:
    """What was reviewed is the change from its basis; on another basis it would be another change."""
    current = _in_force()
    waiting = ProcessVersion.objects.filter(state=VersionState.SCHEDULED).first()
    if waiting is not None:
        raise Conflict(f"Version {waiting.number} waits for its time already. Withdraw it, or propose again after it.")
    if current is not None and row.based_on != current.number:
        raise Conflict(f"Version {current.number} came into force meanwhile. Propose your change on top of it.")


def _tell(actor: Actor, kind: Kind, row: ProcessVersion, *, now: datetime, **data: Any) -> None:
    audit.record(actor, [Fact(kind=kind, data={"number": row.number, **data})], now=now)
