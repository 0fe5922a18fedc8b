"""Reads of discovery walks, and how much of what matters to a team is watched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tocsin.adoption.models import Walk, WalkedCase
from tocsin.core import discovery as core
from tocsin.core.access import Actor, Right, require
from tocsin.core.discovery import Answer, Covered, UseCase, Watched, same_use_case
from tocsin.core.errors import NotFound
from tocsin.process import queries as process
from tocsin.slo import queries as slos
from tocsin.slo.models import Decision, PriorityAssignment


def walks(actor: Actor, *, team: str) -> list[Walk]:
    """The walks of a team, newest first, their use cases at hand."""
    require(actor, Right.ADOPTION_READ)
    rows = Walk.objects.filter(team__name=team).select_related("team").prefetch_related("cases")
    return list(rows.order_by("-begun_at", "-pk"))


def walk(actor: Actor, number: int) -> Walk:
    """One walk with its use cases and what came of them. Raises NotFound."""
    require(actor, Right.ADOPTION_READ)
    found = Walk.objects.select_related("team").filter(pk=number).first()
    if found is None:
        raise NotFound(f"There is no discovery walk {number}.")
    return found


def cases(of: Walk) -> list[WalkedCase]:
    """The use cases of a walk in the order they were named, with what watches each and what it led to."""
    rows = of.cases.select_related("watched_by_slo__service", "watched_by_alert", "wish", "alert")
    return list(rows.order_by("pk"))


def finds(actor: Actor, *, team: str) -> list[WalkedCase]:
    """The new use cases that a team's walks came upon, oldest first."""
    require(actor, Right.ADOPTION_READ)
    rows = WalkedCase.objects.filter(walk__team__name=team).select_related("walk", "wish", "alert")
    return [one for one in rows.order_by("pk") if one.is_find]


def use_cases(actor: Actor, *, team: str, now: datetime) -> list[UseCase]:
    """Every use case of a team once, with the priority of its failure and what watches it."""
    objectives = slos.objectives(actor, team=team)
    decided = slos.assignments_at([one.pk for one in objectives], now)
    found = [
        UseCase(one.use_case or one.label, *_decision(decided.get(one.pk)), Watched.SLO, one.label)
        for one in objectives
    ]
    alerts = slos.resource_alerts(actor, team=team, in_use=True)
    meant = slos.alert_assignments_at([one.pk for one in alerts], now)
    for alert in alerts:
        kind = Watched.INTERIM if alert.interim else Watched.RESOURCE_ALERT
        case = UseCase(alert.use_case or alert.label, *_decision(meant.get(alert.pk)), kind, alert.label)
        found += [] if _is_there(case.text, found) else [case]
    for one in finds(actor, team=team):
        if not _is_there(one.text, found):
            found.append(UseCase(one.text, one.walk.priority, Decision.SET.value, Watched.NOT_YET, _waits_for(one)))
    return found


def coverage(actor: Actor, *, team: str, now: datetime) -> list[Covered]:
    """Priorities by how their use cases are watched, for one team."""
    ranks = [one.rank for one in process.current().catalogue.priorities]
    return core.coverage(use_cases(actor, team=team, now=now), ranks)


def _is_there(text: str, known: Iterable[UseCase]) -> bool:
    return any(same_use_case(text, one.text) for one in known)


def _decision(assignment: PriorityAssignment | None) -> tuple[int | None, str]:
    return (None, "unset") if assignment is None else (assignment.priority, assignment.decision)


def _waits_for(case: WalkedCase) -> str:
    """What an unwatched find waits for, in words."""
    words = {
        "": "waits for an answer",
        Answer.EXISTING_SLI: "an SLO is drafted",
        Answer.NEW_SLI: f"wish {case.wish_id}",
        Answer.NOTHING: "nothing can watch it for now",
    }
    return words.get(case.answer, "")
