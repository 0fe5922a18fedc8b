"""The pictures of an error budget policy: each budget against the agreed lines, and which clause holds since when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from tocsin.core.access import Actor
from tocsin.core.error_budget_policy import ConditionKind
from tocsin.core.errors import NotFound
from tocsin.core.wall_time import wall_of, zone
from tocsin.insights import budget_policies as insights
from tocsin.insights.budget_policies import PolicyView
from tocsin.slo import queries as slo
from tocsin.slo.models import Objective, PolicyConsequence
from tocsin.slo.queries.series import BudgetLevel
from tocsin.web import asking, slo_pictures
from tocsin.web.instants import clock_text
from tocsin.web.pictures import policy_budgets as small
from tocsin.web.pictures import policy_decisions as strip
from tocsin.web.pictures.burn_down import Level
from tocsin.web.pictures.drawing import Picture

DRAWN = small.DETAIL[0][0]
WITHOUT_SLO = timedelta(days=28)


def budgets_of(request: HttpRequest, actor: Actor, view: PolicyView) -> Picture | None:
    """A burn-down for each SLO of the team, what needs a decision first; None while it has no SLO."""
    now = asking.now(request)
    objectives = slo.objectives(actor, team=view.row.team.name)
    known = {pk: one.left for pk, one in slo.budgets(objectives, now=now).items()}
    waiting = {one.objective_id for one in view.waiting}

    def urgency(one: Objective) -> tuple[bool, float, str]:
        left = known.get(one.pk)
        return one.pk not in waiting, 0.0 if left is None else float(left), one.name

    ordered = sorted(objectives, key=urgency)
    if not ordered:
        return None
    facts = small.PolicyBudgets(
        budgets=[_budget(request, actor, view, one, drawn=place < DRAWN) for place, one in enumerate(ordered)],
        lines=[
            small.Line(float(one.clause.condition.share), one.clause.code)
            for one in view.clauses
            if one.clause.condition.kind is ConditionKind.REMAINING_AT_MOST
        ],
        now=now,
        zone=asking.zone(request),
    )
    return small.policy_budgets(facts)


def _budget(request: HttpRequest, actor: Actor, view: PolicyView, one: Objective, *, drawn: bool) -> small.Budget:
    now = asking.now(request)
    budget = slo.budget(actor, one, now=now)
    own = [row for row in view.consequences if row.objective_id == one.pk]
    levels = slo.burn_down(one, budget, now=now) if drawn else []
    return small.Budget(
        label=one.label,
        starts_at=budget.span.starts_at,
        left=None if budget.left is None else float(budget.left),
        levels=_levels(levels, budget.last_data_at, known=budget.left is not None, now=now),
        turns=[turn for row in own for turn in _turns(request, row)],
        in_force=[row.clause for row in own if row.ended_at is None],
    )


def _levels(levels: Sequence[BudgetLevel], last: datetime | None, *, known: bool, now: datetime) -> list[Level]:
    """What was left; after the last data nothing is known, whatever was left then."""
    if known or not levels:
        return [Level(one.at, one.left) for one in levels]
    until = last or levels[0].at
    return [
        *(Level(one.at, one.left) for one in levels if one.at <= until),
        Level(min(until, now), None),
        Level(now, None),
    ]


def _turns(request: HttpRequest, row: PolicyConsequence) -> list[small.Turn]:
    now, here = asking.now(request), asking.zone(request)
    turns = [(row.began_at, True, "began"), *([(row.ended_at, False, "ended")] if row.ended_at else [])]
    return [
        small.Turn(at, row.clause, began, f"{row.clause} {word} {clock_text(at, here, now=now)}")
        for at, began, word in turns
    ]


def decisions_of(request: HttpRequest, actor: Actor, view: PolicyView) -> Picture:
    """A lane for each clause over the longest running period of the team's SLOs."""
    now = asking.now(request)
    periods = [one.period for one in slo.objectives(actor, team=view.row.team.name)]
    longest = max(periods, default=WITHOUT_SLO)
    by_clause: dict[str, list[strip.Span]] = {}
    for row in view.consequences:
        by_clause.setdefault(row.clause, []).append(strip.Span(row.objective.label, row.began_at, row.ended_at))
    lanes = [
        strip.Lane(
            code=one.clause.code,
            consequence=one.clause.consequence,
            verdict=one.verdict,
            spans=by_clause.get(one.clause.code, ()),
        )
        for one in view.clauses
    ]
    facts = strip.PolicyDecisions(
        lanes=lanes,
        starts_at=now - longest,
        now=now,
        zone=asking.zone(request),
        next_review=view.policy.next_review,
        today=wall_of(now, zone(view.row.team.time_zone)).date(),
    )
    return strip.policy_decisions(facts)


_PICTURES: Mapping[str, Callable[[HttpRequest, Actor, PolicyView], Picture | None]] = {
    "budgets": budgets_of,
    "decisions": decisions_of,
}


def addresses(team: str) -> Mapping[str, str]:
    """Where each picture stands alone, without the ending."""
    return {name: reverse("team-policy-picture", args=[team, name, "svg"]).removesuffix(".svg") for name in _PICTURES}


@require_safe
def picture(request: HttpRequest, name: str, picture: str, form: str) -> HttpResponse:
    """A picture of a team's policy as a file."""
    actor = asking.actor(request)
    view = insights.view(actor, name, now=asking.now(request))
    known = picture in _PICTURES and form in slo_pictures.KINDS and view.row.ended_at is None
    drawn = _PICTURES[picture](request, actor, view) if known else None
    if drawn is None:
        raise NotFound(
            "There is no such picture: a policy in force has budgets (with SLOs) and decisions, as .svg or .png."
        )
    return slo_pictures.answer_picture(request, drawn, f"{view.row.team.label}: {drawn.finding}", form)


urlpatterns = [
    path("teams/<slug:name>/policy/<slug:picture>.<slug:form>", picture, name="team-policy-picture"),
]
