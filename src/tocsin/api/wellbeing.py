"""The people of a response over JSON: cards to all, hours and prompts to oneself and to whoever coordinates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.core.errors import Invalid
from tocsin.core.wellbeing import DEFER_FOR, AnswerState, Prompt
from tocsin.incidents import actions
from tocsin.incidents.models import HandOver
from tocsin.insights import wellbeing
from tocsin.insights.wellbeing import PeopleView, PersonLine
from tocsin.platform import clock

router = Router(tags=["people of a response"])


class PromptAnswer(Schema):
    key: str
    answer: str = Field("done", description="done or deferred")
    wait_minutes: int | None = Field(None, description="How long a deferred prompt is quiet; 30 unless said.")


class Introduction(Schema):
    text: str = ""


class HandOverOffer(Schema):
    role: str
    to: str
    done: str = ""
    open: str = ""
    risks: str = ""
    next_update: str = ""


class Thanks(Schema):
    thanks: str = ""


class ConflictOf(Schema):
    one: int
    other: int


class Settlement(Schema):
    entries: str
    settled: str = ""


@router.get("/incidents/{ref}/people")
def people(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Who takes part. `hours` and `prompts` hold what the reader may see: one's own, or all for the coordinator."""
    return shown(wellbeing.people_of(actor(request), ref, now=clock.now()))


@router.post("/incidents/{ref}/people/prompts")
def answer(request: HttpRequest, ref: str, body: PromptAnswer) -> dict[str, Any]:
    """Say that a prompt is done, or defer it. The log says only that a prompt was answered."""
    now, asking = clock.now(), actor(request)
    if body.answer not in {AnswerState.DONE, AnswerState.DEFERRED}:
        raise Invalid({"answer": "It is done or deferred."})
    wait = DEFER_FOR if body.wait_minutes is None else timedelta(minutes=min(body.wait_minutes, 10_000))
    prompt = wellbeing.prompt_named(asking, ref, body.key, now=now)
    actions.answer_prompt(asking, ref, prompt, answer=AnswerState(body.answer), wait=wait, now=now)
    return shown(wellbeing.people_of(asking, ref, now=now))


@router.post("/incidents/{ref}/people/introduce")
def introduce(request: HttpRequest, ref: str, body: Introduction) -> dict[str, Any]:
    """Post one's joining card: name, team, role, time zone."""
    actions.introduce(actor(request), ref, text=body.text, now=clock.now())
    return people(request, ref)


@router.post("/incidents/{ref}/people/ground-rules")
def ground_rules(request: HttpRequest, ref: str) -> dict[str, Any]:
    """Put the ground rules of the process on the timeline."""
    actions.post_ground_rules(actor(request), ref, now=clock.now())
    return people(request, ref)


@router.post("/incidents/{ref}/people/conflicts")
def note_conflict(request: HttpRequest, ref: str, body: ConflictOf) -> dict[str, Any]:
    """Say that two entries of the log contradict each other."""
    entries = actions.note_conflict(actor(request), ref, one=body.one, other=body.other, now=clock.now())
    return {"entries": entries}


@router.post("/incidents/{ref}/people/conflicts/settle")
def settle_conflict(request: HttpRequest, ref: str, body: Settlement) -> dict[str, Any]:
    """Say which of the two holds."""
    actions.settle_conflict(actor(request), ref, entries=body.entries, settled=body.settled, now=clock.now())
    return people(request, ref)


@router.post("/incidents/{ref}/hand-overs", response={201: dict[str, Any]})
def offer(request: HttpRequest, ref: str, body: HandOverOffer) -> Status[dict[str, Any]]:
    """Offer one's role to somebody, with done, open, risks and next update; it changes hands when they accept."""
    said = {"done": body.done, "open": body.open, "risks": body.risks, "next_update": body.next_update}
    row = actions.offer_hand_over(actor(request), ref, role=body.role, to=body.to, now=clock.now(), **said)
    return Status(201, hand_over(row))


@router.post("/hand-overs/{hand_over_id}/accept")
def accept(request: HttpRequest, hand_over_id: int) -> dict[str, Any]:
    """Take the role over."""
    return hand_over(actions.accept_hand_over(actor(request), hand_over_id, now=clock.now()))


@router.post("/hand-overs/{hand_over_id}/withdraw")
def withdraw(request: HttpRequest, hand_over_id: int) -> dict[str, Any]:
    """Take the offer back, or turn it down."""
    return hand_over(actions.withdraw_hand_over(actor(request), hand_over_id, now=clock.now()))


@router.post("/incidents/{ref}/people/dissolve")
def dissolve(request: HttpRequest, ref: str, body: Thanks) -> dict[str, Any]:
    """Thank everybody and dissolve the team; refused while something is owed."""
    actions.dissolve_team(actor(request), ref, thanks=body.thanks, now=clock.now())
    return people(request, ref)


def shown(view: PeopleView) -> dict[str, Any]:
    """The view as JSON; what the reader may not see is null or left out, and not hinted at."""
    team = view.team
    return {
        "incident": view.incident.ref,
        "limits_defined": view.limits is not None,
        "list_open": view.list_open,
        "coordinates": view.coordinates,
        "people": [_person(line) for line in view.lines],
        "prompts": [_prompt(one) for one in view.prompts],
        "first_time_together": [list(pair) for pair in view.strangers],
        "relief": [{"person": one.username, "name": one.name, "time_zone": one.time_zone} for one in view.relief],
        "hand_overs": [hand_over(one) for one in view.offers],
        "team": {
            "formed_at": shapes.at(view.formed_at),
            "dissolved_at": shapes.at(team.dissolved_at) if team else None,
            "thanks": team.thanks if team else None,
        },
    }


def _person(line: PersonLine) -> dict[str, Any]:
    private = line.hours
    return {
        "person": line.username,
        "name": line.name,
        "team": line.team or None,
        "roles": list(line.roles),
        "time_zone": line.time_zone,
        "joined_at": shapes.at(line.joined_at),
        "present": line.present,
        "introduced": line.introduced,
        "night_there": line.night,
        "hours": {
            "since": shapes.at(private.since),
            "minutes": int(private.spent.total_seconds()) // 60,
            "minutes_without_break": int(private.without_break.total_seconds()) // 60,
            "over": private.over or None,
        }
        if private
        else None,
    }


def _prompt(one: Prompt) -> dict[str, Any]:
    return {
        "key": one.key,
        "aspect": one.aspect.value,
        "check": one.check or None,
        "weight": one.weight.value,
        "text": one.text,
        "about": one.about or None,
        "state": one.state.value,
        "until": shapes.at(one.until),
    }


def hand_over(row: HandOver) -> dict[str, Any]:
    """An offer and what became of it."""
    return {
        "id": row.pk,
        "role": row.role,
        "from": row.giver.username,
        "to": row.taker.username,
        "done": row.done,
        "open": row.open,
        "risks": row.risks,
        "next_update": row.next_update,
        "offered_at": shapes.at(row.offered_at),
        "accepted_at": shapes.at(row.accepted_at),
        "withdrawn_at": shapes.at(row.withdrawn_at),
    }
