"""Asking for roles, asking people in, and the summary for management, over JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.api.wellbeing import hand_over
from tocsin.comms import actions as comms
from tocsin.comms import summary as summaries
from tocsin.incidents import actions, people_queries, queries
from tocsin.incidents.models import TakeOver
from tocsin.platform import clock

router = Router(tags=["roles of a response"])


class TakeOverAsked(Schema):
    role: str
    reason: str = ""


class HowItStands(Schema):
    done: str = ""
    open: str = ""
    risks: str = ""
    next_update: str = ""


class Declined(Schema):
    note: str = ""


class PulledIn(Schema):
    person: str
    reason: str = ""
    role: str = ""


class RoleLeft(Schema):
    role: str
    person: str = ""


@router.post("/incidents/{ref}/channel")
def open_channel(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Open the channel of a response where the process leaves that to people."""
    row = actions.open_channel(actor(request), ref, now=clock.now())
    return shapes.incident(queries.incident(actor(request), row.number))


@router.get("/incidents/{ref}/take-overs")
def take_overs(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Who asks whom for which role, as far as it is not answered."""
    asking = actor(request)
    return listing(people_queries.asked_for(asking, queries.incident(asking, ref)), _take_over)


@router.post("/incidents/{ref}/take-overs", response={201: dict[str, Any]})
def ask(request: HttpRequest, ref: str, body: TakeOverAsked) -> Status[dict[str, Any]]:
    """Ask whoever holds a role for it; it changes hands when that one accepts, or by the rule for silence."""
    row = actions.ask_take_over(actor(request), ref, role=body.role, reason=body.reason, now=clock.now())
    return Status(201, _take_over(row))


@router.post("/take-overs/{take_over_id}/accept")
def accept(request: HttpRequest, take_over_id: int, body: HowItStands) -> dict[str, Any]:
    """Give the role, with done, open, risks and next update."""
    said = {"done": body.done, "open": body.open, "risks": body.risks, "next_update": body.next_update}
    return hand_over(actions.accept_take_over(actor(request), take_over_id, now=clock.now(), **said))


@router.post("/take-overs/{take_over_id}/decline")
def decline(request: HttpRequest, take_over_id: int, body: Declined) -> dict[str, Any]:
    """Keep the role, or stop asking for it."""
    return _take_over(actions.decline_take_over(actor(request), take_over_id, note=body.note, now=clock.now()))


@router.post("/incidents/{ref}/pull-in", response={201: dict[str, Any]})
def pull_in(request: HttpRequest, ref: str, body: PulledIn) -> Status[dict[str, Any]]:
    """Page somebody to help, on call or not, with a reason."""
    page = actions.pull_in(actor(request), ref, person=body.person, reason=body.reason, role=body.role, now=clock.now())
    return Status(201, {"person": page.person.username if page.person else None, "role": page.reason})


@router.post("/incidents/{ref}/roles/release")
def release(request: HttpRequest, ref: str, body: RoleLeft) -> dict[str, Any]:
    """End that a person (everybody, when none is named) holds a role."""
    actions.release_role(actor(request), ref, role=body.role, username=body.person, now=clock.now())
    return shapes.incident(queries.incident(actor(request), ref))


@router.post("/incidents/{ref}/observe")
def observe(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Join to look on; that gives the rights of an observer only."""
    asking = actor(request)
    role = people_queries.looking_on_role(queries.incident(asking, ref))
    actions.assign_role(asking, ref, role=role, username=asking.ident, now=clock.now())
    return shapes.incident(queries.incident(asking, ref))


@router.post("/incidents/{ref}/observe/leave")
def stop_observing(request: HttpRequest, ref: str) -> dict[str, Any]:
    asking = actor(request)
    role = people_queries.looking_on_role(queries.incident(asking, ref))
    actions.release_role(asking, ref, role=role, username=asking.ident, now=clock.now())
    return shapes.incident(queries.incident(asking, ref))


@router.get("/incidents/{ref}/summary")
def summary(request: HttpRequest, ref: str) -> dict[str, Any]:
    """What management needs: how it stands, the latest word, when the next one comes, who has it in hand."""
    found = summaries.summary(actor(request), ref, now=clock.now())
    return {
        **shapes.incident(found.incident),
        "latest": shapes.update(found.latest) if found.latest else None,
        "next_update_due_at": shapes.at(found.next_due),
        "late": found.late,
        "roles": [{"role": name, "people": people} for name, people in found.roles],
        "subscribed": found.subscribed,
    }


@router.post("/incidents/{ref}/summary/subscribe", response={201: dict[str, Any]})
def subscribe(request: HttpRequest, ref: str) -> Status[dict[str, Any]]:
    """Hear of its service by mail, at one's own address."""
    return Status(201, shapes.subscriber(comms.subscribe_oneself(actor(request), ref, now=clock.now())))


def _take_over(row: TakeOver) -> dict[str, Any]:
    return {
        "id": row.pk,
        "role": row.role,
        "from": row.giver.username,
        "to": row.taker.username,
        "reason": row.reason,
        "asked_at": shapes.at(row.asked_at),
        "due_at": shapes.at(row.due_at),
        "answered_at": shapes.at(row.answered_at),
        "answer": row.answer or None,
    }
