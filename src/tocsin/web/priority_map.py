"""SLO to priority: what the breach of each SLO means, the undecided ones first, decided in bulk by keyboard or pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.adoption import queries as adopted
from tocsin.config import priority_maps
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Conflict, Invalid, NotAllowed, Refused
from tocsin.process import queries as process
from tocsin.slo import actions, queries
from tocsin.slo.models import Objective, PriorityAssignment
from tocsin.web import asking, map_form
from tocsin.web.slo_words import Shown, shown

COUNTED_OVER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class MapRow:
    """One SLO: its decision, what is chosen for it in the form, and (rank, state, runs) of breaches by the priority they
    had at their moment. `planned` is a decision that begins later.
    """

    objective: Objective
    priority: Shown
    chosen: str
    may_assign: bool
    breaches: tuple[tuple[int | None, str, int], ...]
    raised: PriorityAssignment | None
    planned: PriorityAssignment | None

    @property
    def undecided(self) -> bool:
        return self.priority.state == "unset"

    @property
    def held(self) -> str:
        """The value of the choice that holds: a rank, none or unset."""
        return map_form.value_of(self.priority.rank, self.priority.state)


@require_GET
def priority_map(request: HttpRequest) -> HttpResponse:
    """Rows by team, a mark in the column of the priority; nobody decided means striped and first."""
    return _page(request, team=request.GET.get("team", ""))


def _page(
    request: HttpRequest,
    *,
    team: str,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> HttpResponse:
    actor, now = asking.actor(request), asking.now(request)
    everything = queries.objectives(actor)
    decided = queries.assignments_at([one.pk for one in everything], now)
    planned = queries.planned_assignments([one.pk for one in everything], now)
    runs = queries.breach_runs(actor, since=now - COUNTED_OVER)
    chosen: Mapping[str, str] = typed["chosen"] if typed else {}
    rows = [
        _row(one, decided.get(one.pk), planned.get(one.pk), runs.get(one.pk, []), chosen.get(one.name), actor)
        for one in everything
        if not team or _is_of(one, team)
    ]
    teams = {one.service.team.name: one.service.team.label for one in everything if one.service.team}
    context = {
        "rows": sorted(rows, key=_order),
        "undecided": sum(row.undecided for row in rows),
        "may_assign": any(row.may_assign for row in rows),
        "columns": process.current().catalogue.priorities,
        "groups": process.groups(actor),
        "teams": [("", "Every team"), *sorted(teams.items(), key=lambda pair: pair[1])],
        "team": team,
        "days": COUNTED_OVER.days,
        "given": typed or map_form.EMPTY,
        "errors": errors or {},
        "undo": map_form.undoable(request),
        **_alerts(request, team),
    }
    return render(request, "web/priorities_map.html", context, status=422 if errors else 200)


def _alerts(request: HttpRequest, team: str) -> dict[str, Any]:
    """The resource alerts in use, with what each means and the SLI that could replace it."""
    rows = queries.resource_alerts(asking.actor(request), team=team or None, in_use=True)
    decided = queries.alert_assignments_at([one.pk for one in rows], asking.now(request))
    return {"alerts": [{"row": one, "decided": decided.get(one.pk), "sli": adopted.sli_for(one)} for one in rows]}


def _is_of(objective: Objective, team: str) -> bool:
    return objective.service.team is not None and objective.service.team.name == team


def _row(
    objective: Objective,
    assignment: PriorityAssignment | None,
    planned: PriorityAssignment | None,
    runs: list[tuple[int | None, str, int]],
    chosen: str | None,
    actor: Actor,
) -> MapRow:
    team = objective.service.team
    may = actor.may(Right.PRIORITY_ASSIGN, team=team.name if team else None)
    raised = assignment if assignment is not None and assignment.raise_rule else None
    held = shown(assignment)
    choice = chosen if chosen is not None else map_form.value_of(held.rank, held.state)
    return MapRow(objective, held, choice, may, tuple(runs), raised, planned)


def _order(row: MapRow) -> tuple[bool, str, str]:
    team = row.objective.service.team
    return not row.undecided, team.label if team else "", row.objective.label


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Decide on every SLO whose choice was changed, for one reason; all or none."""
    typed = map_form.typed(request)
    team, now = request.POST.get("team", ""), asking.now(request)
    try:
        begins = map_form.begins(typed, request)
        decisions = _changes(request, typed)
        changed = actions.decide_many(
            asking.actor(request),
            decisions,
            groups=map_form.groups(typed),
            reason=typed["reason"],
            valid_from=begins,
            now=now,
        )
    except Invalid as refusal:
        return _page(request, team=team, typed=typed, errors=refusal.fields)
    except (Refused, Conflict, NotAllowed) as refusal:
        return _page(request, team=team, typed=typed, errors={"": refusal.message})
    if changed:
        map_form.remember(request, changed, begins or now)
        messages.success(request, map_form.decided_words(len(changed), begins, request))
        for warning in adopted.priority_warnings(changed, now=now):
            messages.warning(request, warning)
    else:
        messages.info(request, "Nothing was changed, so nothing was decided.")
    return map_form.back_to_map(team)


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Put back what held before the last decisions made on the map."""
    last = map_form.undoable(request)
    if last is None:
        messages.info(request, "There is nothing to take back.")
        return map_form.back_to_map(request.POST.get("team", ""))
    try:
        back = actions.undo_decisions(
            asking.actor(request), last.names, decided_at=last.decided_at, now=asking.now(request)
        )
    except (Conflict, Invalid, Refused) as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"Taken back for {len(back)} SLO{'' if len(back) == 1 else 's'}.")
    map_form.forget(request)
    return map_form.back_to_map(request.POST.get("team", ""))


@require_POST
def as_change(request: HttpRequest) -> HttpResponse:
    """The same decisions as a file for version control, with its difference; nothing is decided."""
    typed = map_form.typed(request)
    try:
        decisions = _changes(request, typed)
        if not decisions:
            raise Invalid({"": "Choose a priority for at least one SLO; then its file can be shown."})
    except Invalid as refusal:
        return _page(request, team=request.POST.get("team", ""), typed=typed, errors=refusal.fields)
    files = priority_maps.map_files(
        asking.actor(request),
        decisions,
        groups=map_form.groups(typed),
        reason=typed["reason"],
        now=asking.now(request),
    )
    return render(request, "web/priorities_change.html", {"files": files, "team": request.POST.get("team", "")})


def _changes(request: HttpRequest, typed: Mapping[str, Any]) -> list[actions.Decided]:
    """What differs from the decisions in force; with groups chosen, every SLO that was picked."""
    everything = queries.objectives(asking.actor(request))
    held = queries.assignments_at([one.pk for one in everything], asking.now(request))
    values = {one.name: _held_value(held.get(one.pk)) for one in everything}
    return _decisions(typed["chosen"], values, picked=typed["picked"] if map_form.groups(typed) is not None else ())


def _held_value(row: PriorityAssignment | None) -> str:
    said = shown(row)
    return map_form.value_of(said.rank, said.state)


def _decisions(chosen: Mapping[str, str], held: Mapping[str, str], *, picked: Sequence[str]) -> list[actions.Decided]:
    return [
        map_form.decided(name, value)
        for name, value in chosen.items()
        if value != held.get(name) or (name in picked and value != map_form.UNSET)
    ]


urlpatterns = [
    path("priorities/map", priority_map, name="priority-map"),
    path("priorities/map/decide", decide, name="priority-map-decide"),
    path("priorities/map/undo", undo, name="priority-map-undo"),
    path("priorities/map/change", as_change, name="priority-map-change"),
]
