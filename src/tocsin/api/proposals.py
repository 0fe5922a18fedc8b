"""Changes of the process over JSON: propose, review, publish with a time of effect, withdraw."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.insights import process_people
from tocsin.platform import clock
from tocsin.process import proposal_actions as actions
from tocsin.process import queries
from tocsin.process.models import ProcessRemark, ProcessVersion

router = Router(tags=["process"])


class Proposal(Schema):
    sections: dict[str, Any]
    note: str
    number: int | None = None


class Remark(Schema):
    text: str = ""
    agrees: bool | None = None


class Review(Schema):
    ends_at: datetime | None = None


class Publication(Schema):
    effective_at: datetime | None = None


class Withdrawal(Schema):
    reason: str


@router.get("/process/versions")
def versions(request: HttpRequest) -> dict[str, Any]:
    """Every version, newest first: drafts, those in review or waiting, the one in force, and those before it."""
    return listing(queries.versions(actor(request)), _short)


@router.get("/process/versions/{number}")
def version(request: HttpRequest, number: int) -> dict[str, Any]:
    """One version with its document, what it changes, what is advised, and what was said about it."""
    row = queries.version(actor(request), number)
    changes = queries.version_changes(actor(request), row.based_on, number) if row.based_on else ()
    return {
        **_short(row),
        "document": row.document,
        "changes": [
            {"path": one.path, "change": one.change.value, "before": one.before, "after": one.after} for one in changes
        ],
        "advice": [{"where": one.where, "message": one.message} for one in queries.advice(row)],
        "remarks": [_remark(one) for one in queries.remarks(actor(request), row)],
    }


@router.post("/process/proposals")
def propose(request: HttpRequest, body: Proposal) -> dict[str, Any]:
    """Draft a change of some sections of the process."""
    row = actions.propose(actor(request), body.sections, note=body.note, number=body.number, now=clock.now())
    return {**_short(row), "advice": [{"where": one.where, "message": one.message} for one in queries.advice(row)]}


@router.post("/process/proposals/{number}/review")
def review(request: HttpRequest, number: int, body: Review | None = None) -> dict[str, Any]:
    """Lay a draft open; everyone who has been on call is invited and has until `ends_at` (a week when left out)."""
    who, now = actor(request), clock.now()
    reviewers = process_people.ever_on_call(who, now=now)
    ends_at = body.ends_at if body else None
    return _short(actions.ask_for_review(who, number, reviewers=reviewers, ends_at=ends_at, now=now))


@router.post("/process/proposals/{number}/remarks")
def remark(request: HttpRequest, number: int, body: Remark) -> dict[str, Any]:
    """For it (`agrees` true), against it (false), or neither (null)."""
    return _remark(actions.remark(actor(request), number, text=body.text, agrees=body.agrees, now=clock.now()))


@router.post("/process/proposals/{number}/publish")
def publish(request: HttpRequest, number: int, body: Publication) -> dict[str, Any]:
    """Put a reviewed proposal in force, now or at a moment to come."""
    who, now = actor(request), clock.now()
    told = process_people.responders(who, now=now)
    return _short(actions.publish(who, number, effective_at=body.effective_at, responders=told, now=now))


@router.post("/process/proposals/{number}/withdraw")
def withdraw(request: HttpRequest, number: int, body: Withdrawal) -> dict[str, Any]:
    return _short(actions.withdraw(actor(request), number, reason=body.reason, now=clock.now()))


def _short(row: ProcessVersion) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state,
        "author": row.author,
        "note": row.note,
        "based_on": row.based_on,
        "created_at": shapes.at(row.created_at),
        "published_at": shapes.at(row.published_at),
        "effective_at": shapes.at(row.effective_at),
        "review_due_at": shapes.at(row.review_due_at),
    }


def _remark(row: ProcessRemark) -> dict[str, Any]:
    return {"author": row.author, "agrees": row.agrees, "text": row.text or None, "at": shapes.at(row.at)}
