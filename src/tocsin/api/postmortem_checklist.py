"""The checklists around a postmortem, reviews of action items, and tensions between people, over JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.core.postmortem_checklist import ChecklistLine
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries as incident_queries
from tocsin.incidents import tensions
from tocsin.incidents.models import PeopleIssue
from tocsin.platform import clock
from tocsin.postmortems import actions, queries

router = Router(tags=["postmortems"])


class ItemMark(Schema):
    state: str = Field("done", description="done, explained (left out for a reason) or open.")
    reason: str = ""


class ItemReview(Schema):
    verdict: str = Field(..., description="done, not_done or dropped.")
    participants: list[str] = Field([], description="User names; whoever asks took part, too.")
    next_review: date | None = Field(None, description="Asked when it is not done.")
    note: str = ""


class Tension(Schema):
    text: str
    shared_with: str = Field("", description="Somebody else who may read it: a coach, say.")
    objects: bool = Field(False, description="The postmortem meeting must not start before it is settled.")


@router.get("/incidents/{ref}/postmortem/checklist")
def checklist(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Every item before, during and after the meeting, with what was said of it."""
    return listing(queries.checklist(queries.postmortem(actor(request), ref)), shown)


@router.post("/incidents/{ref}/postmortem/checklist/{code}")
def mark(request: HttpRequest, ref: str, code: str, body: ItemMark) -> dict[str, Any]:
    """Say that an item is done, why it is left out, or that it is open again."""
    actions.mark_item(actor(request), ref, code, state=body.state, reason=body.reason, now=clock.now())
    return checklist(request, ref)


@router.post("/actions/{action_id}/review")
def review(request: HttpRequest, action_id: int, body: ItemReview) -> dict[str, Any]:
    """People looked at an action item together; what is not done gets another date."""
    row = actions.review_action(
        actor(request),
        action_id,
        verdict=body.verdict,
        participants=body.participants,
        next_review=body.next_review,
        note=body.note,
        now=clock.now(),
    )
    return {**shapes.action(row), "postponements": row.postponements}


@router.get("/incidents/{ref}/people/issues")
def issues(request: HttpRequest, ref: str) -> dict[str, Any]:
    """How many tensions are open; the words of those that the reader noted, shares, or settles as coordinator."""
    incident = incident_queries.incident(actor(request), ref)
    found = listing(tensions.readable(actor(request), incident), issue)
    return {"open": tensions.gate(incident).open_issues, **found}


@router.post("/incidents/{ref}/people/issues", response={201: dict[str, Any]})
def note_issue(request: HttpRequest, ref: str, body: Tension) -> Status[dict[str, Any]]:
    """Note a tension in confidence. The log says only that there is one."""
    row = incidents.note_people_issue(
        actor(request), ref, text=body.text, shared_with=body.shared_with, objects=body.objects, now=clock.now()
    )
    return Status(201, issue(row))


@router.post("/incidents/{ref}/people/issues/{issue_id}/settle")
def settle_issue(request: HttpRequest, ref: str, issue_id: int) -> dict[str, Any]:
    """Say that a tension is settled."""
    return issue(incidents.settle_people_issue(actor(request), ref, issue_id, now=clock.now()))


def shown(line: ChecklistLine) -> dict[str, Any]:
    mark_of = line.mark
    return {
        "item": line.item.code,
        "phase": line.item.phase,
        "do": line.item.do,
        "who": line.item.who,
        "state": line.state.value,
        "reason": mark_of.reason or None if mark_of else None,
        "by": mark_of.by if mark_of else None,
        "at": shapes.at(mark_of.at) if mark_of else None,
    }


def issue(row: PeopleIssue) -> dict[str, Any]:
    return {
        "id": row.pk,
        "text": row.text,
        "noted_by": row.noted_by.username,
        "shared_with": row.shared_with.username if row.shared_with else None,
        "objects": row.objects_to_start,
        "noted_at": shapes.at(row.noted_at),
        "settled_at": shapes.at(row.settled_at),
        "settled_by": row.settled_by.username if row.settled_by else None,
    }
