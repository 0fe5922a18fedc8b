"""Wishes, discovery walks, coverage and coaching sessions over JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status

from tocsin.adoption import actions, queries
from tocsin.adoption.models import Session, Walk, WalkedCase, Wish
from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.incidents import rank_of
from tocsin.api.listing import listing
from tocsin.core.errors import Invalid
from tocsin.platform import clock

router = Router(tags=["backlog"])


class NewWish(Schema):
    kind: str
    text: str
    team: str = ""
    slo: str = ""
    resource_alert: str = ""


class Place(Schema):
    place: int


class WishChange(Schema):
    status: str | None = None
    owner: str | None = None
    reference: str | None = None
    note: str | None = None


class NewWalk(Schema):
    priority: int | str


class UseCases(Schema):
    use_cases: list[str]


class Seen(Schema):
    slo: str = ""
    resource_alert: str = ""


class FindAnswer(Schema):
    existing_sli: bool = False
    new_sli: bool = False
    resource_alert: bool = False
    service: str = ""
    sli_kind: str = ""
    alert_name: str = ""


class SloDecision(Schema):
    slo: str
    priority: int | str | None = None
    groups: list[str] = []
    note: str = ""
    later: bool = False


class NewSession(Schema):
    held_on: date | None = None
    participants: list[str]
    decisions: list[SloDecision] = []
    note: str = ""


def wish(row: Wish) -> dict[str, Any]:
    return {
        **queries.as_row(row),
        "text": row.text,
        "note": row.note or None,
        "created_at": shapes.at(row.created_at),
        "closed_at": shapes.at(row.closed_at),
    }


def case(row: WalkedCase) -> dict[str, Any]:
    watching = row.watched_by_slo or row.watched_by_alert
    return {
        "id": row.pk,
        "use_case": row.text,
        "seen": row.seen_at is not None,
        "find": row.is_find,
        "watched_by": watching.name if watching else None,
        "answer": row.answer or None,
        "draft": row.draft or None,
        "wish": row.wish_id,
        "alert": row.alert.name if row.alert else None,
        "interim": row.alert.interim if row.alert else None,
    }


def walk(row: Walk) -> dict[str, Any]:
    return {
        "id": row.pk,
        "team": row.team.name,
        "priority": row.priority,
        "begun_by": row.begun_by,
        "begun_at": shapes.at(row.begun_at),
        "named_at": shapes.at(row.named_at),
        "finished_at": shapes.at(row.finished_at),
        "use_cases": [case(one) for one in queries.cases(row)],
    }


def session(row: Session) -> dict[str, Any]:
    return {
        "id": row.pk,
        "team": row.team.name,
        "held_on": row.held_on.isoformat(),
        "participants": row.participants,
        "note": row.note or None,
        "recorded_by": row.recorded_by,
        "decisions": [
            {"slo": one.objective.name, "decision": one.decision, "priority": one.priority, "note": one.note or None}
            for one in row.decisions.select_related("objective").order_by("pk")
        ],
    }


@router.get("/wishes")
def wishes(request: HttpRequest, team: str = "", status: str = "", everything: bool = False) -> dict[str, Any]:
    """The backlog by its places; with `everything` also what is over."""
    return listing(queries.wishes(actor(request), team=team, status=status, everything=everything), wish)


@router.get("/wishes.csv")
def wishes_csv(request: HttpRequest, team: str = "", everything: bool = False) -> HttpResponse:
    """The backlog as a table for a work-item tool."""
    text = queries.as_csv(queries.wishes(actor(request), team=team, everything=everything))
    return HttpResponse(text, content_type="text/csv; charset=utf-8")


@router.post("/wishes", response={201: dict[str, Any]})
def add(request: HttpRequest, body: NewWish) -> Status[dict[str, Any]]:
    return Status(201, wish(actions.add_wish(actor(request), **body.dict(), now=clock.now())))


@router.put("/wishes/{number}/place")
def rank(request: HttpRequest, number: int, body: Place) -> dict[str, Any]:
    """Move a wish to a place of the backlog; 1 is first."""
    return wish(actions.rank_wish(actor(request), number, place=body.place, now=clock.now()))


@router.patch("/wishes/{number}")
def change(request: HttpRequest, number: int, body: WishChange) -> dict[str, Any]:
    return wish(actions.change_wish(actor(request), number, **body.dict(), now=clock.now()))


@router.get("/teams/{name}/walks")
def walks(request: HttpRequest, name: str) -> dict[str, Any]:
    return listing(queries.walks(actor(request), team=name), walk)


@router.post("/teams/{name}/walks", response={201: dict[str, Any]})
def begin(request: HttpRequest, name: str, body: NewWalk) -> Status[dict[str, Any]]:
    """Step one of a discovery walk: the priority whose actions the team reads."""
    chosen = rank_of(body.priority)
    if chosen is None:
        raise Invalid({"priority": "Choose a priority of the catalogue."})
    return Status(201, walk(actions.begin_walk(actor(request), name, priority=chosen, now=clock.now())))


@router.post("/walks/{number}/use-cases")
def name_cases(request: HttpRequest, number: int, body: UseCases) -> dict[str, Any]:
    """Step two: the use cases whose failure deserves these actions."""
    return walk(actions.name_use_cases(actor(request), number, body.use_cases, now=clock.now()))


@router.put("/use-cases/{number}/seen")
def see(request: HttpRequest, number: int, body: Seen) -> dict[str, Any]:
    """Step three: what watches the use case today; nothing makes it a find."""
    row = actions.see_use_case(
        actor(request), number, slo=body.slo, resource_alert=body.resource_alert, now=clock.now()
    )
    return case(row)


@router.put("/use-cases/{number}/answer")
def answer(request: HttpRequest, number: int, body: FindAnswer) -> dict[str, Any]:
    """What becomes of a find; the first yes counts."""
    return case(actions.answer_find(actor(request), number, **body.dict(), now=clock.now()))


@router.get("/teams/{name}/coverage")
def coverage(request: HttpRequest, name: str) -> dict[str, Any]:
    """Priorities by how their use cases are watched, and the use cases themselves."""
    asking, now = actor(request), clock.now()
    cases = queries.use_cases(asking, team=name, now=now)
    lines = queries.coverage(asking, team=name, now=now)
    return {
        "team": name,
        "priorities": [
            {
                "priority": one.rank,
                "priority_state": one.state,
                "slo": one.slo,
                "resource_alert": one.resource_alert,
                "interim": one.interim,
                "not_yet": one.not_yet,
            }
            for one in lines
        ],
        "use_cases": [
            {
                "use_case": one.text,
                "priority": one.rank,
                "priority_state": one.state,
                "watched": one.watched.value,
                "by": one.by or None,
            }
            for one in cases
        ],
    }


@router.get("/teams/{name}/agenda")
def agenda(request: HttpRequest, name: str) -> dict[str, Any]:
    """What a coaching session of the team goes through: its SLOs without a decision, in order."""
    return listing(queries.agenda(actor(request), team=name, now=clock.now()), shapes.objective)


@router.get("/teams/{name}/sessions")
def sessions(request: HttpRequest, name: str) -> dict[str, Any]:
    return listing(queries.sessions(actor(request), team=name), session)


@router.post("/teams/{name}/sessions", response={201: dict[str, Any]})
def record(request: HttpRequest, name: str, body: NewSession) -> Status[dict[str, Any]]:
    """Keep a coaching session and carry out what it decided."""
    now = clock.now()
    row = actions.record_session(
        actor(request),
        name,
        held_on=body.held_on or now.date(),
        participants=body.participants,
        decisions=[_decision(one) for one in body.decisions],
        note=body.note,
        now=now,
    )
    return Status(201, session(row))


def _decision(one: SloDecision) -> dict[str, Any]:
    rank = None if one.later else rank_of(one.priority)
    decision = "later" if one.later else "set" if rank is not None else "none"
    return {"slo": one.slo, "decision": decision, "priority": rank, "groups": one.groups, "note": one.note}
