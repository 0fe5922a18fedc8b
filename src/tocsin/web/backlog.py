"""The backlog of wishes: add one, see their order, and, for operations, rank, own and finish them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from tocsin.adoption import actions, queries
from tocsin.adoption.models import WishKind, WishStatus
from tocsin.core.access import Right
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.people import queries as people
from tocsin.slo import queries as slos
from tocsin.web import asking

PER_PAGE = 50


@require_GET
def backlog(request: HttpRequest) -> HttpResponse:
    """Open wishes in their order; `?team=` narrows, `?all=yes` adds what is over."""
    return _page(request)


def _page(request: HttpRequest, *, failed: str = "", errors: dict[str, str] | None = None) -> HttpResponse:
    actor = asking.actor(request)
    asked = request.POST if request.method == "POST" else request.GET
    team, everything = asked.get("of", request.GET.get("team", "")), request.GET.get("all") == "yes"
    rows = queries.wishes(actor, team=team, everything=everything)
    number = request.GET.get("page", "")
    page = max(1, int(number)) if number.isdecimal() and len(number) < 6 else 1
    shown = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    teams = [(one.name, one.label) for one in people.teams(actor)]
    context = {
        "wishes": shown,
        "total": len(rows),
        "open": sum(one.is_open for one in rows),
        "page": page,
        "more": len(rows) > page * PER_PAGE,
        "team": team,
        "all": everything,
        "teams": [("", "Every team"), *teams],
        "of_teams": [("", "No team"), *teams],
        "forms": {one.pk: f"wish-{one.pk}" for one in shown},
        "kinds": WishKind.choices,
        "statuses": WishStatus.choices,
        "slos": [("", "No SLO"), *((one.name, one.label) for one in slos.objectives(actor, team=team or None))],
        "may_add": actor.may(Right.WISH_ADD, team=team or None),
        "may_rank": actor.may(Right.BACKLOG_RANK),
        "failed": failed,
        "errors": errors or {},
        "given": request.POST if failed else {},
    }
    return render(request, "web/backlog.html", context, status=422 if failed else 200)


def _act(request: HttpRequest, form: str, change: Callable[[], object], done: str) -> HttpResponse:
    try:
        change()
    except Invalid as refusal:
        return _page(request, failed=form, errors=refusal.fields)
    except (NotFound, Refused, Conflict) as refusal:
        return _page(request, failed=form, errors={"": refusal.message})
    messages.success(request, done)
    team = request.POST.get("of", "")
    return redirect(reverse("backlog") + (f"?{urlencode({'team': team})}" if team else ""))


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """A wish at the end of the backlog."""
    actor, now = asking.actor(request), asking.now(request)
    told = {key: request.POST.get(key, "") for key in ("kind", "text", "team", "slo")}
    return _act(request, "add", lambda: actions.add_wish(actor, now=now, **told), "Your wish is in the backlog.")


@require_POST
def rank(request: HttpRequest, number: int) -> HttpResponse:
    """To another place of the backlog."""
    actor, now, place = asking.actor(request), asking.now(request), request.POST.get("place", "")

    def change() -> object:
        return actions.rank_wish(actor, number, place=int(place) if place.isdecimal() else 0, now=now)

    return _act(request, f"wish-{number}", change, "Moved.")


@require_POST
def change_wish(request: HttpRequest, number: int) -> HttpResponse:
    """Status, owner, where the work is, and a note."""
    actor, now = asking.actor(request), asking.now(request)
    told = {key: request.POST.get(key, "") for key in ("status", "owner", "reference", "note")}
    return _act(
        request, f"wish-{number}", lambda: actions.change_wish(actor, number, now=now, **told), "The wish is changed."
    )


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The backlog as a file for a work-item tool."""
    rows = queries.wishes(asking.actor(request), team=request.GET.get("team", ""))
    answer = HttpResponse(queries.as_csv(rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="backlog.csv"'
    return answer


urlpatterns = [
    path("backlog", backlog, name="backlog"),
    path("backlog.csv", export, name="backlog-csv"),
    path("backlog/add", add, name="add-wish"),
    path("backlog/<int:number>/place", rank, name="rank-wish"),
    path("backlog/<int:number>/change", change_wish, name="change-wish"),
]
