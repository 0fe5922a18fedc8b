"""The provider closes a round of feedback: it decides, says why, and answers everybody who sees it otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, ActorKind
from tocsin.core.consumer_views import Divergence, divergences, unanswered
from tocsin.core.errors import Invalid, NotAllowed, NotFound
from tocsin.core.facts import Kind
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.slo import queries, snapshots
from tocsin.slo.actions.deciding import Decided, decide_many
from tocsin.slo.models import (
    ConsumerView,
    Objective,
    PriorityAssignment,
    ViewAnswer,
    ViewRound,
)


def close_round(
    actor: Actor,
    *,
    slo: str,
    rationale: str,
    answers: Mapping[str, str] | None = None,
    decision: str = "",
    priority: int | None = None,
    now: datetime,
) -> ViewRound:
    """End the round of feedback on `slo`: keep its priority, or decide on another one at once.

    `answers` maps consumers ("service:checkout") to the provider's word; each that still sees it otherwise gets one.
    Only a member of the provider's team closes a round (R-9.2.8-3). Raises NotAllowed, Invalid, NotFound.
    """
    with transaction.atomic():
        objective = _known(slo)
        _is_provider(actor, objective)
        if decision:
            # The same decision again writes nothing; its groups and its rule of raising stay with it.
            _decide(actor, objective, decision, priority, rationale, now=now)
        held = PriorityAssignment.objects.filter(objective=objective, valid_until=None).first()
        if held is None:
            raise Invalid({"priority": f"Nobody has decided on {objective.label} yet: decide, then answer."})
        found = _divergences(objective, held)
        texts = {key: clean(text.strip()) for key, text in (answers or {}).items()}
        _complete(found, rationale, texts)
        row = ViewRound.objects.create(
            objective=objective,
            number=ViewRound.objects.filter(objective=objective).count() + 1,
            decision=held.decision,
            priority=held.priority,
            rationale=clean(rationale.strip()),
            closed_by=actor.ident,
            closed_at=now,
        )
        _answer(row, found, texts)
        audit.record(actor, [_closed(row, found, texts)], now=now)
    return row


def _known(slo: str) -> Objective:
    found = Objective.objects.select_related("service__team").filter(name=slo, retired_at=None).first()
    if found is None:
        raise NotFound(f"There is no SLO called {slo!r} in use.")
    db.advisory_lock(f"tocsin.slo.views.{found.pk}")
    return found


def _is_provider(actor: Actor, objective: Objective) -> None:
    team = objective.service.team
    member = actor.kind is ActorKind.PERSON and team is not None and team.name in actor.teams
    if not member:
        whose = team.label if team else "a team, which it does not have yet"
        raise NotAllowed(
            f"The decision on {objective.label} is with {whose}.",
            remedy="Only a member of the team that owns the SLO closes its round; say your view instead.",
        )


def _decide(
    actor: Actor, objective: Objective, decision: str, priority: int | None, reason: str, *, now: datetime
) -> None:
    """What a decision says besides stays as it was: groups, when it is raised, how its incidents start."""
    decide_many(actor, [Decided(objective.name, decision, priority)], reason=reason, now=now)


def _divergences(objective: Objective, held: PriorityAssignment) -> list[Divergence]:
    views = ConsumerView.objects.select_related("team", "group", "service__team", "notify")
    rows = list(views.filter(objective=objective, valid_until=None).order_by("consumer"))
    return divergences([snapshots.use_case(objective, held, rows)], lowest=queries.lowest_rank())


def _complete(found: Sequence[Divergence], rationale: str, texts: Mapping[str, str]) -> None:
    problems: dict[str, str] = {}
    if not rationale.strip():
        problems["rationale"] = "Say why it is this priority; consumers will read it."
    for view in unanswered(found, texts):
        problems[f"answers.{view.key}"] = f"{view.label} sees it otherwise: give an answer."
    if problems:
        raise Invalid(problems)


def _answer(row: ViewRound, found: Sequence[Divergence], texts: Mapping[str, str]) -> None:
    views = {view.consumer: view for view in ConsumerView.objects.filter(objective=row.objective, valid_until=None)}
    levels = {one.view.key: one.levels for one in found}
    ViewAnswer.objects.bulk_create(
        ViewAnswer(round=row, view=views[key], levels=levels.get(key, 0), text=text)
        for key, text in texts.items()
        if text and key in views
    )


def _closed(row: ViewRound, found: Sequence[Divergence], texts: Mapping[str, str]) -> Fact:
    answered: list[dict[str, Any]] = [
        {"consumer": one.view.key, "levels": one.levels, "answer": texts[one.view.key]} for one in found
    ]
    data = {
        "slo": row.objective.name,
        "round": row.number,
        "decision": row.decision,
        "priority": row.priority,
        "rationale": row.rationale,
        "answers": answered,
    }
    return Fact(kind=Kind.CONSUMER_ROUND_CLOSED, data=data)
