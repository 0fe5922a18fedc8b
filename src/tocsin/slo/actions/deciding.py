"""Many decisions at once, as they are made on the map: all of them or none, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.db import transaction

from tocsin.core.access import Actor
from tocsin.core.errors import Conflict, Invalid
from tocsin.core.matrix import pair_decision
from tocsin.core.priorities import PriorityState
from tocsin.process import queries as process
from tocsin.slo.actions.priorities import assign_priority, withdraw_priority
from tocsin.slo.models import Decision, Objective, PriorityAssignment

MOST = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided for one SLO: `decision` set with a rank, none, or unset."""

    slo: str
    decision: str
    priority: int | None = None


class Start(TypedDict):
    """How incidents of a target start, as `assign_priority` takes it."""

    severity: str
    escalation_policy: str


def decide_many(
    actor: Actor,
    decisions: Sequence[Decided],
    *,
    groups: Sequence[str] | None = None,
    reason: str = "",
    valid_from: datetime | None = None,
    now: datetime,
) -> list[str]:
    """Make several decisions for one reason, from one moment on; returns the SLOs whose decision changed.

    `groups` are told of each; None keeps the groups each SLO has. A conditional priority is kept where it still raises.
    Raises Invalid naming the SLO, with nothing decided, when any of them cannot be.
    """
    if len(decisions) > MOST:
        raise Invalid({"slos": f"must be at most {MOST} at a time"})
    with transaction.atomic():
        return [one.slo for one in decisions if _decide(actor, one, groups, reason, valid_from, now=now)]


def _decide(
    actor: Actor, one: Decided, groups: Sequence[str] | None, reason: str, valid_from: datetime | None, *, now: datetime
) -> bool:
    former = _held(one.slo, now)
    if (one.decision, one.priority) == _said(former) and groups is None:
        return False
    try:
        if one.decision == PriorityState.UNSET:
            withdraw_priority(actor, objective=one.slo, reason=reason, valid_from=valid_from, now=now)
            return former is not None
        made = assign_priority(
            actor,
            objective=one.slo,
            decision=one.decision,
            priority=one.priority,
            groups=_groups_of(former) if groups is None else groups,
            reason=reason,
            raise_rule=_still_raising(former, one),
            assign_mode=former.assign_mode if former else "automatic",
            **same_response(former, one.decision, one.priority, reason),
            valid_from=valid_from,
            now=now,
        )
    except Invalid as refusal:
        raise Invalid({key: f"{one.slo}: {text}" for key, text in refusal.fields.items()}) from None
    return former is None or made.pk != former.pk


def undo_decisions(actor: Actor, names: Sequence[str], *, decided_at: datetime, now: datetime) -> list[str]:
    """Put back what held before `decided_at` for these SLOs, from now on; returns those put back.

    The history keeps both. Raises Conflict, with nothing changed, when somebody has decided since.
    """
    with transaction.atomic():
        return [name for name in names if _undo(actor, name, decided_at, now=now)]


def _undo(actor: Actor, name: str, decided_at: datetime, *, now: datetime) -> bool:
    rows = PriorityAssignment.objects.filter(objective__name=name)
    after = rows.filter(valid_from=decided_at).first()
    before = rows.filter(valid_until=decided_at).first()
    if after is None and before is None:
        return False
    closed = after is not None and after.valid_until is not None
    if closed or rows.filter(valid_from__gt=decided_at).exists():
        raise Conflict(f"Somebody has decided on {name} since; look again.")
    reason = "Taken back"
    if before is None:
        withdraw_priority(actor, objective=name, reason=reason, now=now)
        return True
    assign_priority(
        actor,
        objective=name,
        decision=before.decision,
        priority=before.priority,
        groups=_groups_of(before),
        reason=f"{reason}. {before.reason}".strip(),
        raise_rule=before.raise_rule,
        assign_mode=before.assign_mode,
        severity=before.severity,
        escalation_policy=before.escalation_policy,
        now=now,
    )
    return True


def _held(name: str, now: datetime) -> PriorityAssignment | None:
    if not Objective.objects.filter(name=name, retired_at=None).exists():
        raise Invalid({"slos": f"There is no SLO called {name!r} in use."})
    rows = PriorityAssignment.objects.filter(objective__name=name, valid_from__lte=now).exclude(valid_until__lte=now)
    return rows.order_by("-valid_from").first()


def _said(former: PriorityAssignment | None) -> tuple[str, int | None]:
    return (PriorityState.UNSET.value, None) if former is None else (former.decision, former.priority)


def _groups_of(former: PriorityAssignment | None) -> list[str]:
    return list(former.groups.values_list("code", flat=True)) if former is not None else []


def same_response(former: PriorityAssignment | None, decision: str, priority: int | None, reason: str) -> Start:
    """Another priority leaves alone how its incidents start, but for a severity that it cannot go with."""
    if former is None or decision != Decision.SET:
        return Start(severity="", escalation_policy="")
    severity = former.severity
    if severity and not pair_decision(process.current(), priority, severity, explanation=reason).accepted:
        severity = ""
    return Start(severity=severity, escalation_policy=former.escalation_policy)


def _still_raising(former: PriorityAssignment | None, one: Decided) -> dict[str, object] | None:
    rule = former.raise_rule if former is not None else None
    raises = rule is not None and one.decision == Decision.SET and one.priority is not None
    return rule if raises and rule is not None and int(rule["to"]) < int(one.priority or 0) else None
