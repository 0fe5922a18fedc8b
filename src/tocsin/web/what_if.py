"""What if: the recorded past of an SLO under another target, rule, priority or choice of groups. Asked by GET, kept by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from tocsin.core.access import Right
from tocsin.core.errors import Invalid
from tocsin.core.priorities import PriorityState
from tocsin.core.what_if_tally import Tally
from tocsin.insights.what_if import Change, Choice, Replayer, WhatIf
from tocsin.process import queries as process
from tocsin.slo import snapshots
from tocsin.slo.models import Decision, Objective
from tocsin.web import asking, slo_priority
from tocsin.web.slo_lookup import asked_for

RULES = (
    ("", "As it is"),
    ("tocsin", "tocsin: a ladder of windows, few pages"),
    ("workbook", "workbook: pairs of windows"),
    ("depletion", "depletion: over 200 % in an hour"),
)
LINES = (
    ("pages_by_day", "Pages by day"),
    ("pages_by_night", "Pages by night"),
    ("reminders", "Told again"),
    ("updates", "Updates owed"),
    ("messages", "Messages to groups"),
    ("postmortems", "Postmortems owed"),
    ("work_items", "Work items"),
    ("incidents", "Incidents"),
    ("runs", "Runs of breaches"),
)
_UNSET = PriorityState.UNSET.value


@dataclass(frozen=True, slots=True)
class Priced:
    """A choice with what it would have cost; `current` is the one that holds."""

    rank: int | None
    state: str
    cost: Tally
    current: bool


@require_GET
def what_if(request: HttpRequest, service: str, name: str) -> HttpResponse:
    """Today's numbers beside the supposed ones, and what each priority would have cost."""
    objective = asked_for(request, service, name)
    replayer = Replayer(asking.actor(request), objective, now=asking.now(request))
    given, errors, found = _given(request, replayer.choice_today()), {}, None
    try:
        found = replayer.compare(_change(given))
    except Invalid as refusal:
        errors = refusal.fields
    today = replayer.choice_today()
    context = {
        "objective": objective,
        "found": found,
        "lines": _lines(found) if found else [],
        "priced": _priced(replayer, today),
        "given": given,
        "errors": errors,
        "supposes": _supposes(request),
        "rules": RULES,
        "rule_now": snapshots.rule_of(objective).name,
        "choices": slo_priority.choices(),
        "groups": process.groups(asking.actor(request)),
        "days": replayer.days,
        "may_assign": _may(request, objective),
    }
    return render(request, "web/slo_whatif.html", context, status=422 if errors else 200)


def _may(request: HttpRequest, objective: Objective) -> bool:
    team = objective.service.team
    return asking.actor(request).may(Right.PRIORITY_ASSIGN, team=team.name if team else None)


def _supposes(request: HttpRequest) -> bool:
    return any(request.GET.get(name) for name in ("target", "rule", "priority"))


def _lines(found: WhatIf) -> list[tuple[str, str, int, int]]:
    """(code, words, today, supposed), for the table."""
    return [(code, words, getattr(found.today, code), getattr(found.changed, code)) for code, words in LINES]


def _priced(replayer: Replayer, today: Choice) -> list[Priced]:
    return [
        Priced(one.priority, one.decision, cost, (one.decision, one.priority) == (today.decision, today.priority))
        for one, cost in replayer.per_choice()
    ]


def _given(request: HttpRequest, today: Choice) -> dict[str, Any]:
    """What was typed; the groups of today until somebody chooses others."""
    typed: dict[str, Any] = {name: request.GET.get(name, "").strip() for name in ("target", "rule", "priority")}
    typed["groups"] = request.GET.getlist("groups") if "chosen" in request.GET else list(today.groups)
    typed["today"] = today
    return typed


def _change(given: Mapping[str, Any]) -> Change:
    return Change(
        target=target_of(given["target"]) if given["target"] else None,
        rule={"name": given["rule"]} if given["rule"] else None,
        choice=_choice(given),
    )


def _choice(given: Mapping[str, Any]) -> Choice:
    today: Choice = given["today"]
    wanted, groups = given["priority"], tuple(given["groups"])
    if not wanted:
        return Choice(
            decision=today.decision,
            priority=today.priority,
            groups=groups,
            raise_rule=today.raise_rule,
            fallback=today.fallback,
        )
    if wanted in (_UNSET, Decision.NONE.value):
        return Choice(decision=wanted, groups=groups, fallback=today.fallback)
    if not wanted.isdecimal():
        raise Invalid({"priority": "Choose one of the priorities."})
    return Choice(decision=Decision.SET.value, priority=int(wanted), groups=groups)


def target_of(text: str) -> Decimal:
    """A target in percent as people type it. Raises Invalid."""
    try:
        value = Decimal(text.removesuffix("%").strip().replace(",", "."))
    except InvalidOperation:
        raise Invalid({"target": "Give the target in percent, for example 99.5."}) from None
    if not value.is_finite() or not 0 < value < 100:
        raise Invalid({"target": "A target lies above 0 and below 100 %."})
    return value / 100


urlpatterns = [path("slos/<slug:service>/<slug:name>/whatif", what_if, name="slo-what-if")]
