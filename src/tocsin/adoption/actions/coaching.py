"""Recording a coaching session: who took part, on which day, and what was decided for each SLO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from tocsin.adoption.models import Session, SessionDecision
from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid
from tocsin.core.facts import Kind
from tocsin.people import queries as people
from tocsin.platform.text import clean, one_line
from tocsin.slo import actions as slo_actions
from tocsin.slo import queries as slos
from tocsin.slo.models import Decision, Objective

LATER = "later"
DECISIONS = (Decision.SET.value, Decision.NONE.value, LATER)


def record_session(
    actor: Actor,
    team: str,
    *,
    held_on: date,
    participants: Sequence[str],
    decisions: Sequence[Mapping[str, Any]] = (),
    note: str = "",
    now: datetime,
) -> Session:
    """Keep a session and carry out what it decided, all or nothing.

    Each decision is {"slo", "decision": set | none | later, "priority", "groups", "note"}; `later` leaves the SLO on
    the agenda. Raises Invalid for a session without participants, a day to come, and SLOs of another team.
    """
    require(actor, Right.SESSION_RECORD, team=team)
    present = list(dict.fromkeys(one_line(clean(name), limit=150) for name in participants if name.strip()))
    _check(present, held_on, decisions, now=now)
    with transaction.atomic():
        session = Session.objects.create(
            team=people.team(team),
            held_on=held_on,
            participants=present,
            note=clean(note).strip(),
            recorded_by=actor.ident,
            recorded_at=now,
        )
        kept = [_decide(actor, session, decision, now=now) for decision in decisions]
        data = {
            "team": team,
            "held_on": held_on.isoformat(),
            "participants": present,
            "decisions": {one.objective.name: one.priority or one.decision for one in kept},
        }
        audit.record(actor, [Fact(kind=Kind.SESSION_RECORDED, data=data)], now=now)
    return session


def _check(present: Sequence[str], held_on: date, decisions: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    problems = {}
    if not present:
        problems["participants"] = "Name who took part."
    if held_on > now.date():
        problems["held_on"] = "This day is still to come."
    names = [str(one.get("slo", "")) for one in decisions]
    if twice := [name for name in names if names.count(name) > 1]:
        problems["decisions"] = f"{twice[0]} is decided twice."
    if problems:
        raise Invalid(problems)


def _decide(actor: Actor, session: Session, told: Mapping[str, Any], *, now: datetime) -> SessionDecision:
    objective = _of_team(actor, session, str(told.get("slo", "")))
    decision, note = str(told.get("decision", "")), clean(str(told.get("note") or "")).strip()
    if decision not in DECISIONS:
        raise Invalid({"decisions": f"{objective.name}: choose one of {', '.join(DECISIONS)}."})
    priority = told.get("priority") if decision == Decision.SET else None
    if decision != LATER:
        slo_actions.assign_priority(
            actor,
            objective=objective,
            decision=decision,
            priority=priority,
            groups=list(told.get("groups") or ()),
            reason=note or f"Decided in the session of {session.held_on.isoformat()}.",
            now=now,
        )
    return SessionDecision.objects.create(
        session=session, objective=objective, decision=decision, priority=priority, note=note
    )


def _of_team(actor: Actor, session: Session, name: str) -> Objective:
    objective = slos.objective(actor, name)
    if objective.service.team_id != session.team_id:
        raise Invalid({"decisions": f"{name} is no SLO of {session.team.label}."})
    return objective
