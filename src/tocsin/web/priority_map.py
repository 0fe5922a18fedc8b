"""SLO to priority: what the breach of each SLO means, the undecided ones first, with the breaches there have been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.core.access import Actor, Right
from tocsin.process import queries as process
from tocsin.slo import queries
from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.web import asking
from tocsin.web.slo_words import Shown, shown

COUNTED_OVER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class MapRow:
    """One SLO: its decision, and (rank, state, runs) of breaches by the priority they had at their moment."""

    objective: Objective
    priority: Shown
    may_assign: bool
    breaches: tuple[tuple[int | None, str, int], ...]

    @property
    def undecided(self) -> bool:
        return self.priority.state == "unset"


@require_GET
def priority_map(request: HttpRequest) -> HttpResponse:
    """Rows by team, a mark in the column of the priority; nobody decided means striped and first."""
    actor, now = asking.actor(request), asking.now(request)
    team = request.GET.get("team", "")
    everything = queries.objectives(actor)
    decided = queries.assignments_at([one.pk for one in everything], now)
    runs = queries.breach_runs(actor, since=now - COUNTED_OVER)
    rows = [
        _row(one, decided.get(one.pk), runs.get(one.pk, []), actor)
        for one in everything
        if not team or _is_of(one, team)
    ]
    teams = {one.service.team.name: one.service.team.label for one in everything if one.service.team}
    context = {
        "rows": sorted(rows, key=_order),
        "undecided": sum(row.undecided for row in rows),
        "columns": process.current().catalogue.priorities,
        "teams": [("", "Every team"), *sorted(teams.items(), key=lambda pair: pair[1])],
        "team": team,
        "days": COUNTED_OVER.days,
    }
    return render(request, "web/priorities_map.html", context)


def _is_of(objective: Objective, team: str) -> bool:
    return objective.service.team is not None and objective.service.team.name == team


def _row(
    objective: Objective,
    assignment: PriorityAssignment | None,
    runs: list[tuple[int | None, str, int]],
    actor: Actor,
) -> MapRow:
    team = objective.service.team
    may = actor.may(Right.PRIORITY_ASSIGN, team=team.name if team else None)
    return MapRow(objective, shown(assignment), may, tuple(runs))


def _order(row: MapRow) -> tuple[bool, str, str]:
    team = row.objective.service.team
    return not row.undecided, team.label if team else "", row.objective.label


urlpatterns = [path("priorities/map", priority_map, name="priority-map")]
