"""How consumers see the priorities of providers' SLOs, and what the providers decided, over JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.incidents import CODE_OR_RANK, rank_of
from tocsin.api.listing import listing
from tocsin.core import consumer_views as core
from tocsin.core.consumer_views import ORIENTATIONAL, Divergence
from tocsin.platform import clock
from tocsin.slo import actions, queries
from tocsin.slo.actions import Said
from tocsin.slo.models import ConsumerView, FeedbackSession, ViewRound
from tocsin.slo.queries import FeedbackRow

router = Router(tags=["consumer views"])

CONSUMER = "service:NAME, team:NAME or group:CODE; a bare name where it is plain."


class ViewBody(Schema):
    consumer: str = Field(..., description=CONSUMER)
    priority: int | str | None = Field(..., description=CODE_OR_RANK)
    reason: str
    strategy: str = Field("", description="adaptive_capacity, own_group, or nothing yet.")
    degrades_to: str = ""
    notify: str = Field("", description="The code of its own group; one of its team when empty.")


class Asked(Schema):
    consumer: str = Field(..., description=CONSUMER)


class RoundBody(Schema):
    rationale: str
    answers: dict[str, str] = Field({}, description="The provider's word to each consumer that sees it otherwise.")
    priority: int | str | None = Field("keep", description=f'{CODE_OR_RANK} "keep" leaves it as it is.')


class SessionBody(Schema):
    team: str
    held_at: datetime
    invited: list[str]
    attended: list[str] = []
    outcomes: dict[str, str] = Field(..., description="What came out, by SLO.")


@router.get("/priorities/views")
def views(request: HttpRequest, team: str = "", slo: str = "") -> dict[str, Any]:
    """SLOs that consumers spoke of, those with the largest difference first; `team` is the provider."""
    found = queries.feedback(actor(request), team=team or None, slo=slo or None, at=clock.now())
    return {"note": ORIENTATIONAL, **listing(found, _row)}


@router.get("/priorities/gaps")
def gaps(request: HttpRequest, team: str = "") -> dict[str, Any]:
    """Every difference, largest first, with the strategies a consumer that sees it as more urgent is offered."""
    report = queries.gaps(actor(request), team=team or None, at=clock.now())
    found = [one for rows in report.by_provider.values() for one in rows]
    first = report.talk_first
    return {
        "note": ORIENTATIONAL,
        "talk_first": _gap(first) if first else None,
        "undecided": [case.slo for case in report.undecided],
        **listing(sorted(found, key=core.order), _gap),
    }


@router.get("/priorities/views/{slo}")
def one(request: HttpRequest, slo: str) -> dict[str, Any]:
    """One SLO: the views that stand, those before, and the rounds that were closed."""
    who = actor(request)
    objective = queries.objective(who, slo)
    found = queries.feedback(who, slo=slo, at=clock.now())
    history = [one for one in queries.view_history(who, objective) if one.valid_until is not None]
    return {
        "note": ORIENTATIONAL,
        **(_row(found[0]) if found else {"slo": objective.name, "views": []}),
        "history": [_view(row) for row in history],
        "rounds": [_round(row) for row in queries.rounds(who, objective)],
    }


@router.put("/priorities/views/{slo}")
def say(request: HttpRequest, slo: str, body: ViewBody) -> dict[str, Any]:
    """Say how a consumer sees the priority of an SLO, and how it copes."""
    rank = rank_of(body.priority)
    said = Said(
        decision="set" if rank is not None else "none",
        priority=rank,
        reason=body.reason,
        strategy=body.strategy,
        degrades_to=body.degrades_to,
        notify=body.notify,
    )
    return _view(actions.state_view(actor(request), slo=slo, consumer=body.consumer, said=said, now=clock.now()))


@router.delete("/priorities/views/{slo}")
def withdraw(request: HttpRequest, slo: str, consumer: str) -> dict[str, Any]:
    """Take a view back; it stays in the history."""
    actions.withdraw_view(actor(request), slo=slo, consumer=consumer, now=clock.now())
    return one(request, slo)


@router.post("/priorities/views/{slo}/ask")
def ask(request: HttpRequest, slo: str, body: Asked) -> dict[str, Any]:
    """Ask a consumer how it sees the SLO."""
    return _view(actions.ask_view(actor(request), slo=slo, consumer=body.consumer, now=clock.now()))


@router.post("/priorities/views/{slo}/rounds")
def close(request: HttpRequest, slo: str, body: RoundBody) -> dict[str, Any]:
    """Close the round: only a member of the provider's team does, with a reason and an answer to each that differs."""
    decided: dict[str, Any] = {}
    if body.priority != "keep":
        rank = rank_of(body.priority)
        decided = {"decision": "set" if rank is not None else "none", "priority": rank}
    row = actions.close_round(
        actor(request), slo=slo, rationale=body.rationale, answers=body.answers, now=clock.now(), **decided
    )
    return _round(row)


@router.get("/priorities/sessions")
def sessions(request: HttpRequest, team: str = "") -> dict[str, Any]:
    """Feedback sessions, newest first."""
    return listing(queries.sessions(actor(request), team=team or None, limit=200), _session)


@router.post("/priorities/sessions")
def record(request: HttpRequest, body: SessionBody) -> dict[str, Any]:
    """Keep the record of a session that was held."""
    return _session(actions.record_session(actor(request), now=clock.now(), **body.dict()))


def _row(row: FeedbackRow) -> dict[str, Any]:
    held, team = row.assignment, row.objective.service.team
    levels = {one.view.key: one.levels for one in row.divergences}
    return {
        "slo": row.objective.name,
        "display_name": row.objective.label,
        "service": row.objective.service.name,
        "provider": team.name if team else None,
        "priority": held.priority if held else None,
        "priority_state": held.decision if held else "unset",
        "spread": row.spread,
        "round": row.round_number,
        "views": [{**_view(view), "levels": levels.get(view.consumer, 0)} for view in row.views],
    }


def _view(row: ConsumerView) -> dict[str, Any]:
    return {
        "consumer": row.consumer,
        "display_name": row.consumer_label,
        "decision": row.decision,
        "priority": row.priority,
        "reason": row.reason,
        "strategy": row.strategy or None,
        "degrades_to": row.degrades_to or None,
        "notify": row.notify.code if row.notify else None,
        "by": row.stated_by,
        "from": shapes.at(row.valid_from),
        "until": shapes.at(row.valid_until),
    }


def _gap(one: Divergence) -> dict[str, Any]:
    """`levels` above zero: the consumer sees it as more urgent, and is `flagged`."""
    return {
        "slo": one.slo,
        "provider": one.provider or None,
        "decided": one.decided.rank if one.decided.rank is not None else one.decided.state,
        "consumer": one.view.key,
        "sees": one.view.opinion.rank if one.view.opinion.rank is not None else one.view.opinion.state,
        "levels": one.levels,
        "flagged": one.flagged,
        "strategy": one.view.strategy,
        "offers": list(one.offers),
    }


def _round(row: ViewRound) -> dict[str, Any]:
    return {
        "slo": row.objective.name,
        "round": row.number,
        "decision": row.decision,
        "priority": row.priority,
        "rationale": row.rationale,
        "answers": {answer.view.consumer: answer.text for answer in row.answers.select_related("view")},
        "closed_by": row.closed_by,
        "closed_at": shapes.at(row.closed_at),
    }


def _session(row: FeedbackSession) -> dict[str, Any]:
    return {
        "id": row.pk,
        "team": row.team.name,
        "held_at": shapes.at(row.held_at),
        "invited": row.invited,
        "attended": row.attended,
        "outcomes": {one.objective.name: one.text for one in row.outcomes.select_related("objective")},
        "recorded_by": row.recorded_by,
    }
