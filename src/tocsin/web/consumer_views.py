"""Who sees the breach of an SLO differently from its provider, what they do about it, and what the provider decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from tocsin.core.access import Actor, Right
from tocsin.core.consumer_views import ORIENTATIONAL
from tocsin.core.errors import NotFound
from tocsin.people import queries as people
from tocsin.people.models import Team
from tocsin.process import queries as process
from tocsin.slo import actions, consumers, queries
from tocsin.slo.actions import Said
from tocsin.slo.models import Objective
from tocsin.slo.queries import FeedbackRow
from tocsin.web import asking, consumer_forms, form_pages, views_words
from tocsin.web.pictures import alone
from tocsin.web.pictures.views_map import views_map
from tocsin.web.slo_pictures import KINDS, answer_file, embedded_at, reader

SESSIONS = 20


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The heat map, every difference with its strategies, and the sessions that were held."""
    actor = asking.actor(request)
    team = request.GET.get("team", "")
    rows = queries.feedback(actor, team=team or None, at=asking.now(request))
    everything = queries.objectives(actor)
    teams = {one.service.team.name: one.service.team.label for one in everything if one.service.team}
    found = views_words.gaps(rows)
    context = {
        "rows": rows,
        "gaps": found,
        "finding": views_words.finding(rows, found),
        "talk_first": views_words.talk_first(rows),
        "undecided": [row for row in rows if row.assignment is None],
        "picture_of": views_map(views_words.map_facts(rows)) if rows else None,
        "files": reverse("consumer-views-picture", args=["svg"]).removesuffix(".svg"),
        "query": f"?team={team}" if team else "",
        "link": embedded_at(reverse("embed-consumer-views", args=["svg"]), _about(team), team=team),
        "teams": [("", "Every provider"), *sorted(teams.items(), key=lambda pair: pair[1])],
        "team": team,
        "slos": [("", "Choose an SLO"), *((one.name, f"{one.label} ({one.service.label})") for one in everything)],
        "sessions": queries.sessions(actor, team=team or None, limit=SESSIONS),
        "may_record": [one for one in people.teams(actor) if _may_record(actor, one)],
        "orientational": ORIENTATIONAL,
    }
    return render(request, "web/consumer_views.html", context)


@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """From the list of SLOs to the page of one."""
    return redirect("consumer-view", slo=queries.objective(asking.actor(request), request.GET.get("slo", "")).name)


@require_safe
def picture(request: HttpRequest, form: str) -> HttpResponse:
    """The heat map as a file, for people who may read it."""
    return _file(request, asking.actor(request), form)


@login_not_required
@require_safe
def embedded(request: HttpRequest, form: str) -> HttpResponse:
    """The same for whoever holds its secret, where that is switched on; else only for people who signed in."""
    return _file(request, reader(request, _about(request.GET.get("team", ""))), form)


def _about(team: str) -> str:
    """What a secret of the heat map is about; no SLO has such a name."""
    return f"consumer views:{team}"


def _file(request: HttpRequest, actor: Actor, form: str) -> HttpResponse:
    team = request.GET.get("team", "")
    rows = queries.feedback(actor, team=team or None, at=asking.now(request))
    if form not in KINDS or not rows:
        raise NotFound("There is no such picture yet: .svg or .png, once a consumer has said how it sees an SLO.")
    drawn = views_map(views_words.map_facts(rows))
    shape = drawn.phone if request.GET.get("size") == "phone" else drawn.desk
    return answer_file(request, alone.standalone(shape, drawn.finding, theme=request.GET.get("theme", "light")), form)


@require_GET
def one(request: HttpRequest, slo: str) -> HttpResponse:
    """One SLO: what each consumer said, the form for one's own view, and the provider's round."""
    return render(request, "web/consumer_view.html", _of(request, slo))


def _of(request: HttpRequest, slo: str) -> dict[str, Any]:
    actor, now = asking.actor(request), asking.now(request)
    objective = queries.objective(actor, slo)
    found = queries.feedback(actor, slo=slo, at=now)
    row = found[0] if found else None
    team = objective.service.team
    spoken_for = queries.consumers_spoken_for(actor, objective)
    shown = views_words.shown_views(row, lowest=queries.lowest_rank()) if row else []
    return {
        "objective": objective,
        "assignment": queries.assignment_at(objective, now),
        "row": row,
        "shown": shown,
        "round": row.round_number if row else 1,
        "rounds": queries.rounds(actor, objective),
        "history": [view for view in queries.view_history(actor, objective) if view.valid_until is not None],
        "needs": queries.not_asked(actor, objective),
        "to_ask": queries.consumers_to_ask(actor, objective),
        "spoken_for": spoken_for,
        "mine": {key for key, _ in spoken_for},
        "is_provider": team is not None and team.name in actor.teams,
        "owners": team.label if team else "a team, which it does not have yet",
        "say": _say_form(request, row, spoken_for),
        "close": _close_form(request, objective, row),
        "orientational": ORIENTATIONAL,
    }


def _priorities() -> list[tuple[str, str]]:
    return [(str(known.rank), f"{known.code} {known.name}") for known in process.current().catalogue.priorities]


def _say_form(request: HttpRequest, row: FeedbackRow | None, spoken_for: list[tuple[str, str]]) -> consumer_forms.Say:
    """What was typed, or the view that stands for whom one most likely speaks."""
    groups = [(group.code, group.name) for group in process.groups(asking.actor(request))]
    first = request.GET.get("consumer", spoken_for[0][0] if spoken_for else "")
    held = next((view for view in row.views if view.consumer == first), None) if row else None
    initial: dict[str, Any] = {"consumer": first}
    if held is not None and held.decision != "asked":
        initial |= {name: getattr(held, name) for name in ("reason", "strategy", "degrades_to")}
        initial["priority"] = str(held.priority) if held.priority is not None else consumer_forms.NONE
        initial["notify"] = held.notify.code if held.notify else ""
    return consumer_forms.Say(
        request.POST if request.path.endswith("/say") else None,
        consumers=spoken_for,
        priorities=_priorities(),
        groups=groups,
        initial=initial,
    )


def _close_form(request: HttpRequest, objective: Objective, row: FeedbackRow | None) -> consumer_forms.Close:
    held = row.assignment if row else queries.assignment_at(objective, asking.now(request))
    names = dict(_priorities())
    stays = "Choose a priority" if held is None else f"It stays {names.get(str(held.priority), 'none, on purpose')}"
    return consumer_forms.Close(
        request.POST if request.path.endswith("/close") else None,
        held=stays,
        priorities=_priorities(),
        differing=[(one.view.key, one.view.label) for one in row.divergences] if row else [],
    )


@require_POST
def say(request: HttpRequest, slo: str) -> HttpResponse:
    """How a consumer sees it, from now on."""
    context = _of(request, slo)

    def act(filled: dict[str, Any]) -> object:
        chosen = filled["priority"]
        none = chosen == consumer_forms.NONE
        said = Said(
            decision="none" if none else "set",
            priority=None if none else int(chosen),
            **{name: filled[name] for name in ("reason", "strategy", "degrades_to", "notify")},
        )
        return actions.state_view(
            asking.actor(request), slo=slo, consumer=filled["consumer"], said=said, now=asking.now(request)
        )

    def first() -> None:
        """The form offers only those one speaks for; another is no slip of the pen."""
        if named := request.POST.get("consumer", ""):
            consumers.require_speaker(asking.actor(request), consumers.consumer_of(named))

    return _answer(request, context, context["say"], act, slo, first=first)


@require_POST
def close(request: HttpRequest, slo: str) -> HttpResponse:
    """The provider decides, says why, and answers everybody who sees it otherwise."""
    context = _of(request, slo)
    form: consumer_forms.Close = context["close"]

    def act(filled: dict[str, Any]) -> object:
        chosen = filled["decision"]
        decided: dict[str, Any] = {}
        if chosen:
            none = chosen == consumer_forms.NONE
            decided = {"decision": "none" if none else "set", "priority": None if none else int(chosen)}
        return actions.close_round(
            asking.actor(request),
            slo=slo,
            rationale=filled["rationale"],
            answers=form.answers,
            now=asking.now(request),
            **decided,
        )

    return _answer(request, context, form, act, slo)


def _answer(
    request: HttpRequest,
    context: dict[str, Any],
    form: Any,
    act: form_pages.Act,
    slo: str,
    *,
    first: Callable[[], object] | None = None,
) -> HttpResponse:
    answer = form_pages.answer(
        request,
        form,
        act,
        template="web/consumer_view.html",
        context=context,
        then=reverse("consumer-view", args=[slo]),
        first=first,
    )
    if answer.status_code == 302:
        messages.success(request, "Kept. Everybody who may read this SLO can read it.")
    return answer


@require_POST
def ask(request: HttpRequest, slo: str) -> HttpResponse:
    """Ask a consumer how it sees this SLO."""
    view = actions.ask_view(
        asking.actor(request), slo=slo, consumer=request.POST.get("consumer", ""), now=asking.now(request)
    )
    messages.success(request, f"Asked {view.consumer_label}. Send them the address of this page.")
    return redirect("consumer-view", slo=slo)


@require_POST
def withdraw(request: HttpRequest, slo: str) -> HttpResponse:
    """Take a view or a question back."""
    actions.withdraw_view(
        asking.actor(request), slo=slo, consumer=request.POST.get("consumer", ""), now=asking.now(request)
    )
    messages.success(request, "Taken back. It stays in the history.")
    return redirect("consumer-view", slo=slo)


def _may_record(actor: Actor, team: Team) -> bool:
    return team.name in actor.teams or actor.may(Right.PROCESS_WRITE)


@require_http_methods(["GET", "HEAD", "POST"])
def session(request: HttpRequest, team: str) -> HttpResponse:
    """The record of a feedback session: when, who was asked, who came, what came out for each SLO."""
    actor, now, zone = asking.actor(request), asking.now(request), asking.zone(request)
    owner = people.team(team)
    about = queries.objectives(actor, team=team)
    form = consumer_forms.Session(
        request.POST or None,
        slos=[(slo.name, slo.label) for slo in about],
        initial={"held_at": now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)},
    )

    def act(filled: dict[str, Any]) -> object:
        return actions.record_session(
            actor,
            team=team,
            held_at=filled["held_at"].replace(tzinfo=zone),
            invited=filled["invited"].splitlines(),
            attended=filled["attended"].splitlines(),
            outcomes=form.outcomes,
            now=now,
        )

    context = {"team": owner, "about": about, "may": _may_record(actor, owner)}
    then = reverse("consumer-views") + "#sessions"
    return form_pages.answer(request, form, act, template="web/consumer_session.html", context=context, then=then)


urlpatterns = [
    path("priorities/views", overview, name="consumer-views"),
    path("priorities/views.<slug:form>", picture, name="consumer-views-picture"),
    path("embed/views.<slug:form>", embedded, name="embed-consumer-views"),
    path("priorities/views/choose", choose, name="consumer-views-choose"),
    path("priorities/views/<slug:slo>", one, name="consumer-view"),
    path("priorities/views/<slug:slo>/say", say, name="say-view"),
    path("priorities/views/<slug:slo>/close", close, name="close-round"),
    path("priorities/views/<slug:slo>/ask", ask, name="ask-view"),
    path("priorities/views/<slug:slo>/withdraw", withdraw, name="withdraw-view"),
    path("priorities/sessions/<slug:team>", session, name="feedback-session"),
]
