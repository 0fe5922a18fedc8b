"""Mails about the process to those who work by it: an invitation to review, a new version to read, a review that is due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tocsin.people.models import Person
from tocsin.platform import outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.outbox import Outgoing
from tocsin.process import queries
from tocsin.process.models import ProcessNotice, ProcessVersion, ReviewInvitation, Survey, SurveyReply

NOTICE = "process"


def invite(version: ProcessVersion, people: Sequence[Person], *, now: datetime) -> None:
    """Ask people for their view of a proposal. Part of the caller's change."""
    rows = [ReviewInvitation(version=version, person=person, invited_at=now) for person in people]
    ReviewInvitation.objects.bulk_create(rows, ignore_conflicts=True)
    ends = f" You have until {version.review_ends_at:%Y-%m-%d %H:%M} UTC." if version.review_ends_at else ""
    author = queries.called([version.author])[version.author]
    text = (
        f"{author} proposes a change of how we respond to incidents: {version.note}\n\n"
        f"You have been on call, so you are asked what you think of it.{ends}\n\n{_address(version)}\n"
    )
    _send(people, f"review-{version.number}", f"Please review version {version.number} of our process", text, now=now)


def tell(version: ProcessVersion, usernames: Iterable[str], *, now: datetime) -> None:
    """Make a published version known to those who respond. Part of the caller's change."""
    people = list(Person.objects.filter(username__in=usernames, is_active=True).order_by("username"))
    rows = [ProcessNotice(version=version, person=person, told_at=now) for person in people]
    ProcessNotice.objects.bulk_create(rows, ignore_conflicts=True)
    since = f"{version.effective_at:%Y-%m-%d %H:%M} UTC" if version.effective_at else "now"
    text = (
        f"From {since} on we respond to incidents by version {version.number} of our process: {version.note}\n\n"
        f"Read what changes, and say there that you have:\n{_address(version)}\n"
    )
    _send(people, f"notice-{version.number}", f"Version {version.number} of our process, from {since}", text, now=now)


def ask(survey: Survey, people: Sequence[Person], *, now: datetime) -> None:
    """Ask people how it went so far. Part of the caller's change."""
    rows = [SurveyReply(survey=survey, person=person, asked_at=now) for person in people]
    SurveyReply.objects.bulk_create(rows, ignore_conflicts=True)
    text = (
        "Before our way of responding to incidents is written down, we ask everyone who has been on call how it went "
        f"so far. It takes some minutes; you have until {survey.closes_at:%Y-%m-%d %H:%M} UTC.\n\n"
        f"{public_url()}/process/surveys/{survey.pk}\n"
    )
    _send(people, f"survey-{survey.pk}", "How did incidents go so far?", text, now=now)


def remind(version: ProcessVersion, people: Sequence[Person], *, now: datetime) -> None:
    """Say that a version in force is due for its yearly look. Part of the caller's change."""
    text = (
        f"Version {version.number} of our process has been in force for a year without anybody saying that it still "
        f"fits. Look through it, then say so there, or propose a change:\n{_address(version)}\n"
    )
    day = f"{version.review_due_at:%Y%m%d}" if version.review_due_at else ""
    key = f"review-due-{version.number}-{day}"
    _send(people, key, f"Our process is due for its yearly review (version {version.number})", text, now=now)


def _address(version: ProcessVersion) -> str:
    return f"{public_url()}/process/versions/{version.number}"


def _send(people: Iterable[Person], key: str, subject: str, text: str, *, now: datetime) -> None:
    messages = [
        Outgoing(
            key=f"process-{key}-{person.pk}",
            kind=NOTICE,
            channel="email",
            address=person.email,
            payload={"subject": subject, "text": text, "to_name": person.label},
            subject_kind="process_version",
        )
        for person in people
        if person.email
    ]
    if messages:
        outbox.enqueue(messages, now=now)
