"""SLO, priority, team, since when, by whom: the public listing, and a team's own table of use cases."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.core.errors import Invalid
from tocsin.insights import priority_listing as listing
from tocsin.insights.priority_listing import Wanted
from tocsin.people import queries as people
from tocsin.process import queries as process
from tocsin.web import asking

SHOWN = 50
LONGEST = 100
UNDECIDED_WORDS = (("none", "none, on purpose"), ("unset", "undecided"))


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """Every SLO with its priority, narrowed by team, service, priority and words, a page at a time."""
    actor, now = asking.actor(request), asking.now(request)
    asked = {name: request.GET.get(name, "").strip()[:LONGEST] for name in ("team", "service", "priority", "q")}
    everything = listing.lines(actor, Wanted(), now=now)
    found, problem = everything, ""
    if any(asked.values()):
        try:
            found = listing.lines(actor, _wanted(asked), now=now)
        except Invalid as wrong:  # an address somebody wrote by hand: the page says what there is
            found, problem = [], wrong.message
    page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "filtered": any(asked.values()),
        "any": bool(everything),
        "problem": problem,
        "counts": listing.counts(everything, process.current().catalogue),
        **_choices(everything),
    }
    return render(request, "web/priorities_slos.html", context)


@require_GET
def listed_csv(request: HttpRequest) -> HttpResponse:
    """The same, narrowed in the same way, as a file for a spreadsheet."""
    asked = {name: request.GET.get(name, "").strip()[:LONGEST] for name in ("team", "service", "priority", "q")}
    found = listing.lines(asking.actor(request), _wanted(asked), now=asking.now(request))
    answer = HttpResponse(listing.as_csv(found), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="slo-priorities.csv"'
    return answer


@require_GET
def of_team(request: HttpRequest, name: str) -> HttpResponse:
    """What the users of one team do, how it is measured, and what its failure means."""
    actor, now = asking.actor(request), asking.now(request)
    team = people.team(name)
    found = listing.lines(actor, Wanted(team=team.name), now=now)
    context = {
        "team": team,
        "lines": found,
        "undecided": sum(line.state == "unset" for line in found),
        "counts": listing.counts(found, process.current().catalogue),
    }
    return render(request, "web/team_slos.html", context)


def _wanted(asked: dict[str, str]) -> Wanted:
    return Wanted(team=asked["team"], service=asked["service"], priority=asked["priority"], words=asked["q"])


def _choices(found: list[listing.Line]) -> dict[str, Any]:
    """What each filter offers: only what there is, and every priority of the catalogue."""
    teams = {line.team: line.objective.service.team.label for line in found if line.objective.service.team}
    services = {line.objective.service.name: line.objective.service.label for line in found}
    ranked = [(one.code, f"{one.code} {one.name}") for one in process.current().catalogue.priorities]
    return {
        "teams": [("", "Every team"), *sorted(teams.items(), key=lambda pair: pair[1])],
        "services": [("", "Every service"), *sorted(services.items(), key=lambda pair: pair[1])],
        "priorities": [("", "Any"), *ranked, *UNDECIDED_WORDS],
    }


urlpatterns = [
    path("priorities/slos", listed, name="priority-slos"),
    path("priorities/slos.csv", listed_csv, name="priority-slos-csv"),
    path("teams/<slug:name>/slos", of_team, name="team-slos"),
]
