"""Teams on their way to SLOs: how far each has come, its policy, what is watched, and what it still wishes for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.adoption import actions, queries
from tocsin.adoption.queries import Progress
from tocsin.catalog import queries as catalog
from tocsin.core.access import Right
from tocsin.core.discovery import Watched
from tocsin.core.errors import Conflict, Invalid, Refused
from tocsin.core.team_readiness import SAID_BY_THE_TEAM, Prerequisite, Stage
from tocsin.people import actions as people_actions
from tocsin.people import queries as people
from tocsin.process import queries as process
from tocsin.slo import queries as slos
from tocsin.web import asking

RATIO_SINCE = timedelta(weeks=13)
TEAMS_A_PAGE = 25
WISHES_SHOWN = 5
SESSIONS_SHOWN = 3
STAGES = {Stage.INITIAL.value: "SLOs first", Stage.MATURE.value: "Mature"}
WAYS = {
    Prerequisite.OWNING_TEAM: ("A service that belongs to the team, with people in it", "setup"),
    Prerequisite.SLO: ("An SLO of one of its services", "slos"),
    Prerequisite.ROTATION: ("A rotation in which somebody of the team stands now", "oncall"),
    Prerequisite.STAKEHOLDER_GROUP: ("A stakeholder group that would hear", "process"),
}


@dataclass(frozen=True, slots=True)
class Needed:
    """One record that a policy needs: whether it is there, in words, and the page where it is made."""

    code: str
    there: bool
    words: str
    url_name: str


@require_GET
def teams(request: HttpRequest) -> HttpResponse:
    """Every team: its stage, how ready it is, whether its policy is in force, what is not finished."""
    actor, count = asking.actor(request), len(people.teams(asking.actor(request)))
    asked = request.GET.get("page", "")
    page_number = max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    rows = queries.all_progress(
        actor, now=asking.now(request), start=(page_number - 1) * TEAMS_A_PAGE, count=TEAMS_A_PAGE
    )
    wishes = queries.wishes(actor)
    context = {
        "rows": [
            {"of": row, "stage": STAGES[row.team.stage], "wishes": sum(one.team_id == row.team.pk for one in wishes)}
            for row in rows
        ],
        "in_force": queries.in_force(),
        "count": count,
        "before": page_number - 1,
        "further": page_number + 1 if count > page_number * TEAMS_A_PAGE else 0,
    }
    return render(request, "web/teams.html", context)


@require_GET
def team(request: HttpRequest, name: str) -> HttpResponse:
    """One team."""
    return page(request, name)


def page(
    request: HttpRequest, name: str, *, failed: str = "", errors: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """The page of a team; `failed` names the form that was refused, `errors` say why, what was typed is kept."""
    actor, now = asking.actor(request), asking.now(request)
    found = queries.progress(actor, name, now=now)
    context = {
        "of": found,
        "team": found.team,
        "stage": STAGES[found.team.stage],
        "stages": list(STAGES.items()),
        "needed": needed(found),
        "askable": [point.value for point in SAID_BY_THE_TEAM],
        "may_write": actor.may(Right.TEAM_WRITE, team=name),
        "may_wish": actor.may(Right.WISH_ADD, team=name),
        "may_record": actor.may(Right.SESSION_RECORD, team=name),
        "may_register": actor.may(Right.SLO_WRITE, team=name),
        "failed": failed,
        "errors": errors or {},
        "given": request.POST if failed else {},
        **_watched(request, name),
        **_alerts(request, name),
        "wishes": queries.wishes(actor, team=name)[:WISHES_SHOWN],
        "agenda": queries.agenda(actor, team=name, now=now),
        "sessions": queries.sessions(actor, team=name)[:SESSIONS_SHOWN],
    }
    return render(request, "web/team.html", context, status=status)


def needed(found: Progress) -> list[Needed]:
    """What the team's policy needs, each with where it is made."""
    return [Needed(one.value, one not in found.missing, *WAYS[one]) for one in Prerequisite]


def _watched(request: HttpRequest, name: str) -> dict[str, Any]:
    actor, now = asking.actor(request), asking.now(request)
    cases = queries.use_cases(actor, team=name, now=now)
    lines = queries.coverage(actor, team=name, now=now)
    return {
        "coverage": [line for line in lines if line.rank is not None or line.total],
        "not_yet": [one for one in cases if one.watched is Watched.NOT_YET],
        "use_case_count": len(cases),
        "walks": queries.walks(actor, team=name),
        "ranks": [(one.rank, f"{one.code} {one.name}") for one in process.current().catalogue.priorities],
    }


def _alerts(request: HttpRequest, name: str) -> dict[str, Any]:
    actor, now = asking.actor(request), asking.now(request)
    rows = slos.resource_alerts(actor, team=name)
    decided = slos.alert_assignments_at([row.pk for row in rows], now)
    before, today = slos.replacement_shares(actor, team=name, instants=[now - RATIO_SINCE, now])
    services = [one for one in catalog.services(actor) if one.team is not None and one.team.name == name]
    return {
        "alerts": [{"row": row, "decided": decided.get(row.pk), "sli": queries.sli_for(row)} for row in rows],
        "ratio": today,
        "ratio_before": before,
        "services": [(one.name, one.label) for one in services],
    }


def act(request: HttpRequest, name: str, form: str, change: Callable[[], object], done: str) -> HttpResponse:
    """Run a change of the page's form `form`; back to the page with `done`, or the page again with what was wrong."""
    try:
        change()
    except Invalid as refusal:
        return page(request, name, failed=form, errors=refusal.fields, status=422)
    except (Refused, Conflict) as refusal:
        return page(request, name, failed=form, errors={"": refusal.message}, status=422)
    messages.success(request, done)
    return redirect("team", name=name)


@require_POST
def activate(request: HttpRequest, name: str) -> HttpResponse:
    """Put the team's policy in force; refused with the name of each missing record."""
    actor, now = asking.actor(request), asking.now(request)
    done = "The incident policy is in force."
    return act(request, name, "policy", lambda: actions.activate_policy(actor, name, now=now), done)


@require_POST
def end_policy(request: HttpRequest, name: str) -> HttpResponse:
    actor, now, reason = asking.actor(request), asking.now(request), request.POST.get("reason", "")
    done = "The incident policy is no longer in force."
    return act(request, name, "policy", lambda: actions.end_policy(actor, name, reason=reason, now=now), done)


@require_POST
def stage(request: HttpRequest, name: str) -> HttpResponse:
    """Say at which stage the team is."""
    actor, now, wanted = asking.actor(request), asking.now(request), request.POST.get("stage", "")
    done = "The stage is changed."
    return act(
        request, name, "stage", lambda: people_actions.update_team(actor, name=name, stage=wanted, now=now), done
    )


@require_POST
def say(request: HttpRequest, name: str) -> HttpResponse:
    """The team's own answer to a point that no record shows."""
    actor, now, point = asking.actor(request), asking.now(request), request.POST.get("point", "")
    holds, reason = request.POST.get("answer") == "yes", request.POST.get("reason", "")

    def change() -> object:
        return actions.state_point(actor, name, point, holds=holds, reason=reason, now=now)

    return act(request, name, f"say-{point}", change, "Kept, with your name.")


@require_POST
def register_alert(request: HttpRequest, name: str) -> HttpResponse:
    """Register a resource alert of one of the team's services."""
    actor, now = asking.actor(request), asking.now(request)
    told = {key: request.POST.get(key, "") for key in ("alert_name", "service", "metric", "use_case")}

    def change() -> object:
        return actions.register_alert(actor, now=now, interim=request.POST.get("interim") == "yes", **told)

    return act(request, name, "alert", change, "Registered. Now decide what it means.")


urlpatterns = [
    path("teams", teams, name="teams"),
    path("teams/<slug:name>", team, name="team"),
    path("teams/<slug:name>/activate", activate, name="activate-team-policy"),
    path("teams/<slug:name>/end-policy", end_policy, name="end-team-policy"),
    path("teams/<slug:name>/stage", stage, name="team-stage"),
    path("teams/<slug:name>/say", say, name="team-say"),
    path("teams/<slug:name>/alerts", register_alert, name="register-alert"),
]
