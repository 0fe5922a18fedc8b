"""Before answers are fixed: ask how it went so far, and write down what the organisation is like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact, stamp
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.people.models import Person
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.process import notices
from tocsin.process.defaults import SCHEMES, sizing_questions, survey_questions
from tocsin.process.models import ProcessVersion, Survey, SurveyReply, VersionState

LONGEST = 2000
_NOT_FIXED = (VersionState.DRAFT, VersionState.IN_REVIEW)


def open_survey(actor: Actor, number: int, *, respondents: Iterable[str], closes_at: datetime, now: datetime) -> Survey:
    """Ask `respondents` (user names of everyone who has been on call) for the draft `number`, once for a draft.

    Raises Refused when its answers are fixed already or nobody has been on call yet.
    """
    require(actor, Right.PROCESS_WRITE)
    if closes_at <= now:
        raise Invalid({"closes_at": "Give people some time; choose a moment that is still to come."})
    with transaction.atomic():
        row = _unfixed(number)
        if row.surveys.exists():
            raise Refused(f"People were asked for version {number} already.", reason="asked_already")
        people = list(Person.objects.filter(username__in=respondents, is_active=True).order_by("username"))
        if not people:
            remedy = "A rotation has to have had somebody on call first."
            raise Refused("Nobody has been on call so far, so there is nobody to ask.", reason="nobody", remedy=remedy)
        survey = Survey.objects.create(
            version=row, questions=survey_questions(), opened_by=actor.ident, opened_at=now, closes_at=closes_at
        )
        notices.ask(survey, people, now=now)
        names = [person.username for person in people]
        data = {"number": number, "count": len(names), "asked": names, "until": stamp(closes_at)}
        audit.record(actor, [Fact(kind=Kind.SURVEY_OPENED, data=data)], now=now)
    return survey


def answer_survey(actor: Actor, survey: int, *, answers: Mapping[str, str], now: datetime) -> SurveyReply:
    """What one of those asked says; may be changed until the survey closes. The words stay out of the log."""
    require(actor, Right.PROCESS_READ)
    with transaction.atomic():
        mine = SurveyReply.objects.select_related("survey__version", "person")
        reply = mine.filter(survey_id=survey, person__username=actor.ident).first()
        if reply is None:
            raise NotFound("There is no such survey, or you were not asked.")
        if now >= reply.survey.closes_at:
            raise Refused("This survey is closed.", reason="closed")
        known = {str(one["code"]) for one in reply.survey.questions}
        if unknown := sorted(answers.keys() - known):
            raise Invalid({unknown[0]: "There is no such question."})
        if any(len(text) > LONGEST for text in answers.values()):
            raise Invalid({"answers": f"Keep each answer below {LONGEST} characters."})
        said = {code: clean(text).strip() for code, text in answers.items() if text.strip()}
        if not said:
            raise Invalid({"answers": "Answer at least one question."})
        reply.answers, reply.answered_at = said, now
        reply.save(update_fields=["answers", "answered_at"])
        data = {"number": reply.survey.version.number, "person": reply.person.label, "answers": len(said)}
        audit.record(actor, [Fact(kind=Kind.SURVEY_ANSWERED, data=data)], now=now)
    return reply


def save_sizing(
    actor: Actor, number: int, *, answers: Mapping[str, Any], scheme: str, reason: str, now: datetime
) -> ProcessVersion:
    """Keep with a draft what the organisation is like, which role scheme was chosen, and why it fits.

    Raises Invalid without a reason, for an unknown scheme or question, and for a number that is none.
    """
    require(actor, Right.PROCESS_WRITE)
    why = clean(reason).strip()
    if not why:
        raise Invalid({"reason": "Say why these roles fit the organisation; later readers will ask."})
    if scheme not in SCHEMES and scheme != "own":
        raise Invalid({"scheme": f"Choose {', '.join(SCHEMES)}, or own."})
    kept = _sizing(answers)
    with transaction.atomic():
        row = _unfixed(number)
        row.sizing = {"answers": kept, "scheme": scheme, "reason": why, "by": actor.ident, "at": stamp(now)}
        row.save(update_fields=["sizing"])
        data = {"number": number, "scheme": scheme, "reason": why, "answers": kept}
        audit.record(actor, [Fact(kind=Kind.PROCESS_SIZED, data=data)], now=now)
    return row


def _sizing(answers: Mapping[str, Any]) -> dict[str, str]:
    kinds = {one["code"]: one["kind"] for one in sizing_questions()}
    if unknown := sorted(answers.keys() - kinds.keys()):
        raise Invalid({unknown[0]: f"There is no such question; there are {', '.join(kinds)}."})
    kept = {code: clean(str(text)).strip() for code, text in answers.items() if str(text).strip()}
    for code, text in kept.items():
        if kinds[code] == "number" and not (text.isascii() and text.isdigit() and len(text) < 7):
            raise Invalid({code: "Write a whole number."})
        if len(text) > LONGEST:
            raise Invalid({code: f"Keep it below {LONGEST} characters."})
    return kept


def _unfixed(number: int) -> ProcessVersion:
    row = db.lock(ProcessVersion.objects.filter(number=number)).first()
    if row is None:
        raise NotFound(f"There is no version {number} of the process.")
    if row.state not in _NOT_FIXED:
        text = f"The answers of version {number} are fixed; it is {row.state.replace('_', ' ')}."
        raise Refused(text, reason="wrong_state", remedy="Propose a change first.")
    return row
