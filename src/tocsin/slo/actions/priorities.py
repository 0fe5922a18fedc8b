"""Deciding what a breach of an SLO, or a resource alert, means: exactly one decision holds at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Conflict, Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.matrix import pair_decision, refusal_text
from tocsin.core.priorities import AssignMode
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.process import queries as process
from tocsin.process.models import StakeholderGroup
from tocsin.slo.conditional import checked_rule
from tocsin.slo.models import Breach, Decision, Objective, PriorityAssignment, ResourceAlert, TargetKind

_FURTHEST = timedelta(days=366)


def assign_priority(
    actor: Actor,
    *,
    objective: Objective | str | None = None,
    resource_alert: ResourceAlert | str | None = None,
    decision: str,
    priority: int | None = None,
    groups: Sequence[str] = (),
    reason: str = "",
    raise_rule: Mapping[str, Any] | None = None,
    assign_mode: str = AssignMode.AUTOMATIC,
    severity: str = "",
    escalation_policy: str = "",
    valid_from: datetime | None = None,
    now: datetime,
) -> PriorityAssignment:
    """Decide the priority of an SLO or a resource alert (a row or its name) from `valid_from` (inclusive; default now) on.

    The former decision ends then; one that was only planned for later gives way.
    `decision` is set (with a rank of the catalogue) or none, on purpose. `raise_rule` {"more_than", "within_seconds",
    "to", "count": episodes | occurrences} makes it conditional, for SLOs. `severity` is the one its incidents start with
    instead of the process's, `escalation_policy` the name of a policy instead of the service's (the caller has looked it
    up: `oncall.queries.known_policy`). Deciding the same again writes nothing. Raises Invalid for wrong fields, Refused
    for a moment before the decision in force.
    """
    response = {"severity": severity, "escalation_policy": escalation_policy}
    rule = _check(decision, priority, raise_rule, assign_mode)
    _check_response(decision, priority, response, reason)
    begins = _begins(valid_from, now=now)
    with transaction.atomic():
        target = _target(objective, resource_alert)
        if rule and target.kind is TargetKind.RESOURCE_ALERT:
            raise Invalid({"raise_rule": "counts breaches, and only SLOs have them"})
        _may_assign(actor, target)
        members = _groups(groups)
        former = _open_decision(actor, target, now=now)
        fields = {"decision": decision, "priority": priority, "raise_rule": rule, "assign_mode": assign_mode}
        fields |= response
        if former is not None and _says_the_same(former, fields, members):
            return former
        _close(former, begins)
        assignment = PriorityAssignment.objects.create(
            target_kind=target.kind,
            reason=clean(reason),
            assigned_by=actor.ident,
            valid_from=begins,
            **target.fields,
            **fields,
        )
        assignment.groups.set(members)
        _tell(actor, target, assignment, former, members, now=now)
    return assignment


def withdraw_priority(
    actor: Actor,
    *,
    objective: Objective | str | None = None,
    resource_alert: ResourceAlert | str | None = None,
    reason: str,
    valid_from: datetime | None = None,
    now: datetime,
) -> None:
    """Make a target undecided again, from `valid_from` (default now) on; it is back on the to-do list.

    Nothing happens when it is undecided already.
    """
    begins = _begins(valid_from, now=now)
    with transaction.atomic():
        target = _target(objective, resource_alert)
        _may_assign(actor, target)
        former = _open_decision(actor, target, now=now)
        if former is None:
            return
        _close(former, begins)
        data = {
            **target.told,
            "decision": "unset",
            "reason": clean(reason),
            "former": _short(former),
            **_planned(begins, now),
        }
        audit.record(actor, [Fact(kind=Kind.PRIORITY_ASSIGNED, data=data)], now=now)


def _begins(valid_from: datetime | None, *, now: datetime) -> datetime:
    if valid_from is None:
        return now
    if valid_from < now:
        raise Invalid({"valid_from": "lies in the past: breaches there have been keep the priority they had"})
    if valid_from > now + _FURTHEST:
        raise Invalid({"valid_from": "lies more than a year ahead"})
    return valid_from


def _planned(begins: datetime, now: datetime) -> dict[str, str]:
    """What the log says of a decision that begins later."""
    return {"valid_from": audit.stamp(begins)} if begins > now else {}


def _open_decision(actor: Actor, target: _Target, *, now: datetime) -> PriorityAssignment | None:
    """The decision that holds until further notice, locked. A planned change of it is taken back first.

    What was planned never held, so nothing was stamped with it; the log keeps that it was planned and taken back.
    """
    rows = PriorityAssignment.objects.filter(**target.fields)
    planned = db.lock(rows.filter(valid_until=None)).first()
    if planned is not None and planned.valid_from <= now:
        return planned
    ending = rows.filter(valid_until__gt=now)
    if planned is None and not ending.exists():
        return None
    if planned is not None:
        _never_held(planned, target)
        planned.delete()
    ending.update(valid_until=None)
    former = db.lock(rows.filter(valid_until=None)).first()
    data = {
        **target.told,
        "decision": _short(former),
        "former": _short(planned),
        "reason": "A planned change was taken back.",
    }
    audit.record(actor, [Fact(kind=Kind.PRIORITY_ASSIGNED, data=data)], now=now)
    return former


def _never_held(planned: PriorityAssignment, target: _Target) -> None:
    """Where another node's clock is ahead, what looks planned here may have given breaches their priority there."""
    if target.kind is TargetKind.SLO and Breach.objects.filter(**target.fields, at__gte=planned.valid_from).exists():
        raise Refused("A later decision is in force already; decide from a later moment on.", reason="out_of_order")


@dataclass(frozen=True, slots=True)
class _Target:
    """What a decision is about, an SLO or a resource alert, alike for everything below."""

    kind: TargetKind
    row: Objective | ResourceAlert

    @property
    def fields(self) -> dict[str, Any]:
        return {"objective" if self.kind is TargetKind.SLO else "resource_alert": self.row}

    @property
    def told(self) -> dict[str, Any]:
        return {self.kind.value: self.row.name}


def _target(objective: Objective | str | None, alert: ResourceAlert | str | None) -> _Target:
    if (objective is None) == (alert is None):
        raise Invalid({"": "A decision is about one SLO or one resource alert."})
    if alert is not None:
        return _Target(TargetKind.RESOURCE_ALERT, alert if isinstance(alert, ResourceAlert) else _known_alert(alert))
    return _Target(TargetKind.SLO, objective if isinstance(objective, Objective) else _known(str(objective)))


def _known(name: str) -> Objective:
    found = Objective.objects.select_related("service__team").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no SLO called {name!r}.")
    return found


def _known_alert(name: str) -> ResourceAlert:
    found = ResourceAlert.objects.select_related("service__team").filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no resource alert called {name!r}.")
    return found


def _may_assign(actor: Actor, target: _Target) -> None:
    team = target.row.service.team
    require(actor, Right.PRIORITY_ASSIGN, team=team.name if team else None)
    # Two people deciding at once must queue here, also when there is no former decision whose row they could lock.
    db.advisory_lock(f"tocsin.slo.priority.{target.kind.value}.{target.row.pk}")


def _close(former: PriorityAssignment | None, now: datetime) -> None:
    if former is None:
        return
    open_row = PriorityAssignment.objects.filter(pk=former.pk, valid_until=None)
    if open_row.update(valid_until=now) != 1:
        raise Conflict("Somebody decided on this SLO meanwhile; look again.")


def _check(
    decision: str, priority: int | None, raise_rule: Mapping[str, Any] | None, assign_mode: str
) -> dict[str, Any] | None:
    problems: dict[str, str] = {}
    ranks = [known.rank for known in process.current().catalogue.priorities]
    if decision not in Decision.values:
        problems["decision"] = "must be set or none"
    elif decision == Decision.SET and priority not in ranks:
        codes = ", ".join(one.code for one in process.current().catalogue.priorities)
        problems["priority"] = f"There is no priority {priority!r}; the organisation has {codes}."
    elif decision == Decision.NONE and (priority is not None or raise_rule):
        problems["priority"] = "none means that nothing follows from a breach; give no priority with it"
    if assign_mode not in set(AssignMode):
        problems["assign_mode"] = f"must be one of {', '.join(AssignMode)}"
    rule = checked_rule(raise_rule, priority, ranks, problems) if raise_rule else None
    if problems:
        raise Invalid(problems)
    return rule


def _check_response(decision: str, priority: int | None, response: Mapping[str, str], reason: str) -> None:
    """Whether incidents may start like this. Where a pair asks for a reason, the decision's own is it."""
    given = [field for field, value in response.items() if value]
    if given and decision == Decision.NONE:
        raise Invalid(dict.fromkeys(given, "none means that no incident opens; give this with a priority"))
    if not response["severity"]:
        return
    definition = process.current()
    if definition.severities.switched_off:
        raise Invalid({"severity": "The process in force works without severities; leave this empty."})
    found = pair_decision(definition, priority, response["severity"], explanation=reason)
    if not found.accepted:
        raise Invalid({"severity": refusal_text(definition, found)})


def _groups(codes: Sequence[str]) -> list[StakeholderGroup]:
    found = {group.code: group for group in StakeholderGroup.objects.filter(code__in=codes)}
    if missing := [code for code in codes if code not in found]:
        raise Invalid({"groups": f"There is no stakeholder group {missing[0]!r}."})
    return [found[code] for code in dict.fromkeys(codes)]


def _says_the_same(former: PriorityAssignment, fields: Mapping[str, Any], members: Sequence[StakeholderGroup]) -> bool:
    same = all(getattr(former, key) == value for key, value in fields.items())
    return same and {group.pk for group in members} == set(former.groups.values_list("pk", flat=True))


def _short(assignment: PriorityAssignment | None) -> str:
    if assignment is None:
        return "unset"
    return str(assignment.priority) if assignment.decision == Decision.SET else assignment.decision


def _tell(
    actor: Actor,
    target: _Target,
    assignment: PriorityAssignment,
    former: PriorityAssignment | None,
    members: Sequence[StakeholderGroup],
    *,
    now: datetime,
) -> None:
    data = {
        **target.told,
        "decision": assignment.decision,
        "priority": assignment.priority,
        "groups": [group.code for group in members],
        "raise_rule": assignment.raise_rule,
        "assign_mode": assignment.assign_mode,
        "severity": assignment.severity,
        "escalation_policy": assignment.escalation_policy,
        "reason": assignment.reason,
        "former": _short(former),
        **_planned(assignment.valid_from, now),
    }
    audit.record(actor, [Fact(kind=Kind.PRIORITY_ASSIGNED, data=data)], now=now)
