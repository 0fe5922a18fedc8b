"""Error budget policies over JSON: what was agreed, what holds now, what followed, what was done."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from tocsin.api import shapes
from tocsin.api.auth import actor
from tocsin.api.listing import listing
from tocsin.insights import budget_policies as insights
from tocsin.platform import clock
from tocsin.slo import actions, queries
from tocsin.slo.models import ErrorBudgetPolicy

router = Router(tags=["error budget policies"])


class Policy(Schema):
    policy: dict[str, Any]
    based_on: int | None = None


class Ending(Schema):
    reason: str


class Judgement(Schema):
    clause: str
    slo: str
    why: str


class Over(Schema):
    why: str


class Answer(Schema):
    note: str
    url: str = ""


@router.get("/budget-policies")
def policies(request: HttpRequest) -> dict[str, Any]:
    """The teams that have one, with the date of the next review."""
    return listing(queries.budget_policies(actor(request)), _short)


def _short(row: ErrorBudgetPolicy) -> dict[str, Any]:
    return {
        "team": row.team.name,
        "revision": row.revision,
        "saved_by": row.saved_by,
        "saved_at": shapes.at(row.saved_at),
        "next_review": row.document["next_review"],
        "judged_at": shapes.at(row.judged_at),
        "ended_at": shapes.at(row.ended_at),
    }


@router.get("/teams/{name}/budget-policy")
def policy(request: HttpRequest, name: str) -> dict[str, Any]:
    """A team's policy, judged now, with everything that followed from it."""
    return insights.document(insights.view(actor(request), name, now=clock.now()))


@router.put("/teams/{name}/budget-policy")
def save(request: HttpRequest, name: str, body: Policy) -> dict[str, Any]:
    """Put a policy in force; every wrong place is named."""
    row = actions.save_budget_policy(
        actor(request), team=name, document=body.policy, based_on=body.based_on, now=clock.now()
    )
    return _short(row)


@router.post("/budget-policies/consequences/{consequence}/answer")
def answer(request: HttpRequest, consequence: int, body: Answer) -> dict[str, Any]:
    """Say what was done about a consequence."""
    row = actions.answer_consequence(actor(request), consequence, note=body.note, url=body.url, now=clock.now())
    return insights.consequence(row)


@router.post("/teams/{name}/budget-policy/end")
def end(request: HttpRequest, name: str, body: Ending) -> dict[str, Any]:
    """Take a policy out of force, and with it every consequence. Saving it again puts it back."""
    return _short(actions.end_budget_policy(actor(request), team=name, reason=body.reason, now=clock.now()))


@router.post("/teams/{name}/budget-policy/begin")
def begin(request: HttpRequest, name: str, body: Judgement) -> dict[str, Any]:
    """Say that a clause which people judge holds for an SLO."""
    row = actions.begin_clause(
        actor(request), team=name, clause=body.clause, slo=body.slo, why=body.why, now=clock.now()
    )
    return insights.consequence(row)


@router.post("/budget-policies/consequences/{consequence}/end")
def over(request: HttpRequest, consequence: int, body: Over) -> dict[str, Any]:
    """Say that a consequence which people began is over."""
    return insights.consequence(actions.end_clause(actor(request), consequence, why=body.why, now=clock.now()))
