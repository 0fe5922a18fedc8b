"""Consumers say how they see the priority of somebody else's SLO, and how they cope where they see it as more urgent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.consumer_views import Strategy
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.process import actions as processes
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup
from tocsin.slo.consumers import Consumer, consumer_of, may_speak_for, require_speaker
from tocsin.slo.models import BreachSubscription, ConsumerView, Objective, ViewDecision

_CHOSEN = ("decision", "priority", "reason", "strategy", "degrades_to", "notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a consumer says. Without a decision it is only asked. `notify` is the code of its own group, "" for none."""

    decision: str
    priority: int | None = None
    reason: str = ""
    strategy: str = ""
    degrades_to: str = ""
    notify: str = ""


def state_view(actor: Actor, *, slo: str, consumer: str, said: Said, now: datetime) -> ConsumerView:
    """Say how `consumer` sees the priority of `slo`, from `now` on; the former view is kept as history.

    With the strategy of an own group the group hears of breaches from now on; where none is named, the consumer's team
    gets one. Saying the same again writes nothing. Raises Invalid for wrong fields, NotAllowed for whoever does not
    speak for the consumer, Refused where the consumer is the provider itself.
    """
    with transaction.atomic():
        objective, who = _known(slo), consumer_of(consumer)
        require_speaker(actor, who)
        _check(said, who)
        _is_another(objective, who)
        fields = {
            "decision": said.decision,
            "priority": said.priority,
            "reason": clean(said.reason.strip()),
            "strategy": said.strategy,
            "degrades_to": clean(said.degrades_to.strip()),
            "notify": _own_group(actor, said, who, now=now),
        }
        return _replace(actor, objective, who, fields, now=now)


def ask_view(actor: Actor, *, slo: str, consumer: str, now: datetime) -> ConsumerView:
    """The provider asks a consumer; the open question shows until it is answered. One that spoke is not asked again."""
    with transaction.atomic():
        objective, who = _known(slo), consumer_of(consumer)
        team = objective.service.team
        if team is None or team.name not in actor.teams:
            require(actor, Right.PRIORITY_ASSIGN, team=team.name if team else None)
        _is_another(objective, who)
        standing = _standing(objective, who)
        return standing or _replace(actor, objective, who, {"decision": ViewDecision.ASKED}, now=now)


def withdraw_view(actor: Actor, *, slo: str, consumer: str, now: datetime) -> None:
    """Take a view back, or a question that was not answered; it stays in the history. Raises NotFound."""
    with transaction.atomic():
        objective, who = _known(slo), consumer_of(consumer)
        standing = _standing(objective, who)
        if standing is None:
            raise NotFound(f"{who.key} has no view on {objective.name}.")
        provider = objective.service.team
        asked = standing.decision == ViewDecision.ASKED and provider is not None and provider.name in actor.teams
        if not asked and not may_speak_for(actor, who):
            raise NotAllowed(f"Only members of {who.key} take its view back.")
        _close(standing, now=now)
        audit.record(actor, [_fact(standing, withdrawn=True)], now=now)


def _known(slo: str) -> Objective:
    found = Objective.objects.select_related("service__team").filter(name=slo, retired_at=None).first()
    if found is None:
        raise NotFound(f"There is no SLO called {slo!r} in use.")
    # Two people speaking at once must queue here, also when there is no former view whose row they could lock.
    db.advisory_lock(f"tocsin.slo.views.{found.pk}")
    return found


def _is_another(objective: Objective, who: Consumer) -> None:
    """Teams may use their own services; but the team's own word on its SLO is the priority, not a view."""
    own = objective.service.team
    if who.service == objective.service or (who.team is not None and who.team == own):
        raise Refused(f"{who.key} owns {objective.name}: assign its priority instead.", reason="own_slo")


def _check(said: Said, who: Consumer) -> None:
    problems: dict[str, str] = {}
    ranks = [known.rank for known in process.current().catalogue.priorities]
    if said.decision not in {ViewDecision.SET, ViewDecision.NONE}:
        problems["priority"] = "Say which priority you would give it, or none."
    elif said.decision == ViewDecision.SET and said.priority not in ranks:
        problems["priority"] = f"must be one of {', '.join(map(str, ranks))}, or none"
    if not said.reason.strip():
        problems["reason"] = "Say in a sentence what your users cannot do then; the provider will read it."
    problems |= _faults_of_strategy(said, who)
    if problems:
        raise Invalid(problems)


def _faults_of_strategy(said: Said, who: Consumer) -> dict[str, str]:
    if said.strategy and said.strategy not in set(Strategy):
        return {"strategy": f"must be one of {', '.join(Strategy)}"}
    if said.strategy == Strategy.ADAPTIVE_CAPACITY and not said.degrades_to.strip():
        return {"degrades_to": "Say how your users work on while it is down."}
    if said.strategy == Strategy.OWN_GROUP and not said.notify and who.speaker is None and who.group is None:
        return {"notify": "Name the group that hears: this consumer has no team that could be on call."}
    if said.notify and said.strategy != Strategy.OWN_GROUP:
        return {"notify": f"A group is told only with the strategy {Strategy.OWN_GROUP.value}."}
    return {}


def _own_group(actor: Actor, said: Said, who: Consumer, *, now: datetime) -> StakeholderGroup | None:
    if said.strategy != Strategy.OWN_GROUP:
        return None
    team = who.speaker
    if said.notify and (team is None or said.notify != processes.team_group_code(team)):
        return _group(said.notify)
    return who.group if team is None else processes.team_group(actor, team, now=now)


def _group(code: str) -> StakeholderGroup:
    try:
        return process.group(code)
    except NotFound:
        raise Invalid({"notify": f"There is no stakeholder group {code!r}."}) from None


def _standing(objective: Objective, who: Consumer) -> ConsumerView | None:
    rows = ConsumerView.objects.select_related("objective", "notify", "team", "group", "service__team")
    return rows.filter(objective=objective, consumer=who.key, valid_until=None).first()


def _replace(
    actor: Actor, objective: Objective, who: Consumer, fields: dict[str, Any], *, now: datetime
) -> ConsumerView:
    former = _standing(objective, who)
    if former is not None and all(getattr(former, name) == value for name, value in fields.items()):
        return former
    if former is not None:
        _close(former, now=now)
    view = ConsumerView.objects.create(
        objective=objective,
        consumer=who.key,
        team=who.team,
        service=who.service,
        group=who.group,
        stated_by=actor.ident,
        valid_from=now,
        **fields,
    )
    if view.strategy == Strategy.OWN_GROUP:
        BreachSubscription.objects.create(objective=objective, consumer=who.key, view=view, began_at=now)
    audit.record(actor, [_fact(view, former=former)], now=now)
    return view


def _close(standing: ConsumerView, *, now: datetime) -> None:
    if now < standing.valid_from:
        raise Refused("A later view is known already; speak from a later moment on.", reason="out_of_order")
    standing.valid_until = now
    standing.save(update_fields=["valid_until"])
    BreachSubscription.objects.filter(view=standing, ended_at=None).update(ended_at=now)


def _fact(view: ConsumerView, *, former: ConsumerView | None = None, withdrawn: bool = False) -> Fact:
    data = {name: getattr(view, name) for name in _CHOSEN} | {"notify": view.notify.code if view.notify else None}
    return Fact(
        kind=Kind.CONSUMER_VIEW_SAVED,
        data={
            "slo": view.objective.name,
            "consumer": view.consumer,
            **data,
            "former": (former.priority or former.decision) if former else None,
            "withdrawn": withdrawn,
        },
    )
