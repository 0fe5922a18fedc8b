"""A discovery walk on a page: read what a priority asks for, name use cases, look at each, answer each find."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tocsin.adoption import actions, queries
from tocsin.adoption.models import Walk
from tocsin.catalog import queries as catalog
from tocsin.core.access import Right
from tocsin.core.discovery import ASKED, Answer
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.process import queries as process
from tocsin.process.sentences import consequences
from tocsin.slo import queries as slos
from tocsin.web import asking, teams


@require_POST
def begin(request: HttpRequest, name: str) -> HttpResponse:
    """Step one: the priority whose actions the team reads."""
    rank = request.POST.get("priority", "")
    try:
        made = actions.begin_walk(
            asking.actor(request), name, priority=int(rank) if rank.isdecimal() else 0, now=asking.now(request)
        )
    except Invalid as refusal:
        return teams.page(request, name, failed="walk", errors=refusal.fields, status=422)
    return redirect("walk", number=made.pk)


@require_GET
def walk(request: HttpRequest, number: int) -> HttpResponse:
    return _page(request, number)


def _page(request: HttpRequest, number: int, *, failed: str = "", errors: dict[str, str] | None = None) -> HttpResponse:
    actor = asking.actor(request)
    found = queries.walk(actor, number)
    priority = process.current().catalogue.by_rank(found.priority)
    team = found.team.name
    services = [one for one in catalog.services(actor) if one.team is not None and one.team.name == team]
    watching = [(f"slo:{one.name}", one.label) for one in slos.objectives(actor, team=team)]
    watching += [
        (f"alert:{one.name}", f"{one.label} (resource alert)")
        for one in slos.resource_alerts(actor, team=team, in_use=True)
    ]
    context = {
        "walk": found,
        "team": found.team,
        "priority": priority,
        "effects": [text for holds, text in consequences(priority) if holds] if priority else [],
        "cases": queries.cases(found),
        "may_walk": found.finished_at is None and actor.may(Right.WISH_ADD, team=team),
        "watching": [("", "Nothing watches it"), *watching],
        "services": [(one.name, one.label) for one in services],
        "kinds": [(one.code, f"{one.name}: {one.question}") for one in queries.capabilities()],
        "forms": {one.pk: f"case-{one.pk}" for one in found.cases.all()},
        "questions": [(one.value, one.text) for one in ASKED],
        "failed": failed,
        "errors": errors or {},
        "given": request.POST if failed else {},
    }
    return render(request, "web/walk.html", context, status=422 if failed else 200)


def _act(request: HttpRequest, number: int, form: str, change: Callable[[], object], done: str) -> HttpResponse:
    try:
        change()
    except Invalid as refusal:
        return _page(request, number, failed=form, errors=refusal.fields)
    except (Refused, Conflict) as refusal:
        return _page(request, number, failed=form, errors={"": refusal.message})
    messages.success(request, done)
    return redirect("walk", number=number)


@require_POST
def name_cases(request: HttpRequest, number: int) -> HttpResponse:
    """Step two: one use case a line."""
    actor, now, texts = asking.actor(request), asking.now(request), request.POST.get("use_cases", "").splitlines()
    return _act(request, number, "name", lambda: actions.name_use_cases(actor, number, texts, now=now), "Named.")


@require_POST
def see(request: HttpRequest, number: int, case: int) -> HttpResponse:
    """Step three for one use case: what watches it today."""
    actor, now = asking.actor(request), asking.now(request)
    _must_belong(queries.walk(actor, number), case)
    kind, _, name = request.POST.get("watched_by", "").partition(":")

    def change() -> object:
        return actions.see_use_case(
            actor,
            case,
            slo=name if kind == "slo" else "",
            resource_alert=name if kind == "alert" else "",
            now=now,
        )

    return _act(request, number, f"case-{case}", change, "Kept.")


@require_POST
def answer(request: HttpRequest, number: int, case: int) -> HttpResponse:
    """What becomes of a find; the first yes counts."""
    actor, now = asking.actor(request), asking.now(request)
    _must_belong(queries.walk(actor, number), case)
    chosen = request.POST.get("answer", "")
    told = {key: request.POST.get(key, "") for key in ("service", "sli_kind", "alert_name")}

    def change() -> object:
        if chosen not in set(Answer):
            raise Invalid({"answer": "Choose the first question whose answer is yes."})
        return actions.answer_find(
            actor,
            case,
            existing_sli=chosen == Answer.EXISTING_SLI,
            new_sli=chosen == Answer.NEW_SLI,
            resource_alert=chosen == Answer.RESOURCE_ALERT,
            now=now,
            **told,
        )

    return _act(request, number, f"case-{case}", change, "Answered.")


def _must_belong(walk: Walk, case: int) -> None:
    if not walk.cases.filter(pk=case).exists():
        raise NotFound(f"There is no use case {case} in this walk.")


urlpatterns = [
    path("teams/<slug:name>/walks", begin, name="begin-walk"),
    path("walks/<int:number>", walk, name="walk"),
    path("walks/<int:number>/name", name_cases, name="walk-name"),
    path("walks/<int:number>/<int:case>/see", see, name="walk-see"),
    path("walks/<int:number>/<int:case>/answer", answer, name="walk-answer"),
]
