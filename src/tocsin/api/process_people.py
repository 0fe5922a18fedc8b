"""The people of the process over JSON: reviews, notices, surveys, sizing, role schemes, trainings, briefings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.insights import process_people
from tocsin.people import actions as people
from tocsin.people import queries as persons
from tocsin.people.models import Training
from tocsin.platform import clock
from tocsin.process import briefing_actions, queries, review_actions, role_schemes, survey_actions
from tocsin.process.briefing_actions import Leader
from tocsin.process.models import Survey

router = Router(tags=["process"])


class Look(Schema):
    note: str


class NewSurvey(Schema):
    closes_at: datetime


class Reply(Schema):
    answers: dict[str, str]


class Sizing(Schema):
    answers: dict[str, Any] = {}
    scheme: str
    reason: str


class NewTraining(Schema):
    person: str
    subject: str
    on: date
    valid_until: date | None = None
    note: str = ""
    team: str | None = None


class Removal(Schema):
    reason: str


class Briefing(Schema):
    email: str


class BriefingAnswer(Schema):
    email: str
    at: datetime | None = None


@router.get("/process/versions/{number}/people")
def people_of_a_version(request: HttpRequest, number: int) -> dict[str, Any]:
    """Who was invited to review it and answered, who agreed, and who has read it."""
    who = actor(request)
    row = queries.version(who, number)
    waiting = {person.username for person in queries.not_answered(row)}
    invited = row.invitations.select_related("person").order_by("person__username")
    told = row.notices.select_related("person").order_by("person__username")
    return {
        "number": number,
        "review_ends_at": shapes.at(row.review_ends_at),
        "invited": [{"person": one.person.username, "answered": one.person.username not in waiting} for one in invited],
        "approved_by": [{"person": name, "at": shapes.at(at)} for name, at in queries.approvers(row)],
        "notices": [
            {
                "person": one.person.username,
                "told_at": shapes.at(one.told_at),
                "read_at": shapes.at(one.acknowledged_at),
            }
            for one in told
        ],
        "sizing": row.sizing or None,
    }


@router.post("/process/versions/{number}/acknowledge")
def acknowledge(request: HttpRequest, number: int) -> dict[str, Any]:
    """I have read this version."""
    found = review_actions.acknowledge(actor(request), number, now=clock.now())
    return {"number": number, "read_at": shapes.at(found.acknowledged_at)}


@router.post("/process/look")
def look_again(request: HttpRequest, body: Look) -> dict[str, Any]:
    """The process in force was looked at as a whole; the next look is due in a year."""
    found = review_actions.look_again(actor(request), note=body.note, now=clock.now())
    due = found.version.review_due_at
    return {"number": found.version.number, "by": found.by, "at": shapes.at(found.at), "next_due_at": shapes.at(due)}


@router.post("/process/proposals/{number}/survey")
def open_survey(request: HttpRequest, number: int, body: NewSurvey) -> dict[str, Any]:
    """Ask everyone who has been on call how it went so far, before the answers of this draft are fixed."""
    who, now = actor(request), clock.now()
    asked = process_people.ever_on_call(who, now=now)
    found = survey_actions.open_survey(who, number, respondents=asked, closes_at=body.closes_at, now=now)
    return _survey(found)


@router.get("/process/proposals/{number}/survey")
def survey_of(request: HttpRequest, number: int) -> dict[str, Any]:
    """The survey linked to a draft, with what was answered."""
    return _survey(queries.survey_of(actor(request), number))


@router.post("/process/surveys/{survey}")
def answer_survey(request: HttpRequest, survey: int, body: Reply) -> dict[str, Any]:
    """What one of those asked says."""
    found = survey_actions.answer_survey(actor(request), survey, answers=body.answers, now=clock.now())
    return {"survey": survey, "answered_at": shapes.at(found.answered_at), "answers": found.answers}


def _survey(row: Survey) -> dict[str, Any]:
    replies = list(row.replies.select_related("person").order_by("person__username"))
    return {
        "id": row.pk,
        "number": row.version.number,
        "closes_at": shapes.at(row.closes_at),
        "questions": row.questions,
        "asked": [one.person.username for one in replies],
        "replies": [
            {"person": one.person.username, "answered_at": shapes.at(one.answered_at), "answers": one.answers}
            for one in replies
            if one.answered_at
        ],
    }


@router.put("/process/proposals/{number}/sizing")
def save_sizing(request: HttpRequest, number: int, body: Sizing) -> dict[str, Any]:
    """What the organisation is like, the role scheme chosen, and why it fits."""
    row = survey_actions.save_sizing(
        actor(request), number, answers=body.answers, scheme=body.scheme, reason=body.reason, now=clock.now()
    )
    return {"number": number, **row.sizing}


@router.get("/process/role-schemes")
def schemes(request: HttpRequest) -> dict[str, Any]:
    """The role schemes that ship, and how the six roles map onto each."""
    queries.versions(actor(request))
    items = [
        {
            "code": one.code,
            "name": one.name,
            "fits": one.fits,
            "roles": [{"code": code, "name": name} for code, name in one.roles],
            "six_roles": dict(one.mapping),
        }
        for one in role_schemes.schemes()
    ]
    return {"items": items, "next": None}


@router.get("/process/role-schemes/{code}")
def scheme(request: HttpRequest, code: str) -> dict[str, Any]:
    """A scheme as sections to propose, on top of the process in force."""
    who = actor(request)
    current = queries.version(who, queries.current_version().number)
    return role_schemes.sections(code, current.document)


@router.get("/trainings")
def trainings(request: HttpRequest, person: str = "") -> dict[str, Any]:
    """Who learnt what, latest first."""
    rows = persons.trainings(actor(request), username=person)
    return {"items": [_training(one) for one in rows], "next": None}


@router.get("/trainings/gaps")
def training_gaps(request: HttpRequest) -> dict[str, Any]:
    """Of each rotation for a role: who in it lacks a skill or a training date."""
    items = [
        {
            "rotation": row.rotation.name,
            "role": row.role.code,
            "person": one.person,
            "says": one.sentence(row.role.display_name),
        }
        for row in process_people.training_gaps(actor(request), now=clock.now())
        for one in row.gaps
    ]
    return {"items": items, "next": None}


@router.post("/trainings")
def record_training(request: HttpRequest, body: NewTraining) -> dict[str, Any]:
    row = people.record_training(
        actor(request),
        username=body.person,
        subject=body.subject,
        on=body.on,
        valid_until=body.valid_until,
        note=body.note,
        team=body.team,
        now=clock.now(),
    )
    return _training(row)


@router.post("/trainings/{training}/remove")
def remove_training(request: HttpRequest, training: int, body: Removal) -> dict[str, Any]:
    people.remove_training(actor(request), training, reason=body.reason, now=clock.now())
    return {"removed": training}


def _training(row: Training) -> dict[str, Any]:
    return {
        "id": row.pk,
        "person": row.person.username,
        "subject": row.subject,
        "on": row.on.isoformat(),
        "valid_until": row.valid_until.isoformat() if row.valid_until else None,
        "note": row.note or None,
        "recorded_by": row.recorded_by,
    }


@router.get("/process/briefings")
def briefings(request: HttpRequest) -> dict[str, Any]:
    """Every leader with the dates of briefing and acknowledgement; those who miss one come first."""
    rows = briefing_actions.leaders(actor(request))
    missing = [one.email for one in rows if one.acknowledged_at is None]
    return {"items": [_leader(one) for one in rows], "missing": missing, "next": None}


@router.post("/process/briefings")
def brief(request: HttpRequest, body: Briefing) -> dict[str, Any]:
    row = briefing_actions.brief(actor(request), email=body.email, now=clock.now())
    return _leader(Leader(row.email, row.name, row.briefed_at, row.acknowledged_at))


@router.post("/process/briefings/acknowledge")
def acknowledge_briefing(request: HttpRequest, body: BriefingAnswer) -> dict[str, Any]:
    row = briefing_actions.acknowledge_briefing(actor(request), email=body.email, at=body.at, now=clock.now())
    return _leader(Leader(row.email, row.name, row.briefed_at, row.acknowledged_at))


def _leader(one: Leader) -> dict[str, Any]:
    return {
        "email": one.email,
        "name": one.name,
        "briefed_at": shapes.at(one.briefed_at),
        "acknowledged_at": shapes.at(one.acknowledged_at),
    }
