"""What people decide about an error budget policy: that a clause they judge holds or is over, and that it ends."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import Actor, Right, require
from tocsin.core.budget_policy_document import parse_budget_policy
from tocsin.core.error_budget_policy import ConditionKind, Finding, Verdict
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.platform import db
from tocsin.platform.text import clean
from tocsin.slo.actions.policies import begin, end
from tocsin.slo.models import ErrorBudgetPolicy, Objective, PolicyConsequence

LONGEST_REASON = 500


def begin_clause(actor: Actor, *, team: str, clause: str, slo: str, why: str, now: datetime) -> PolicyConsequence:
    """Say that a clause which people judge holds for one SLO of the team; who agreed to hear is told.

    Raises Invalid for a clause, an SLO or a reason that is none, Refused where numbers judge or it is in force already.
    """
    require(actor, Right.SLO_WRITE, team=team)
    with transaction.atomic():
        row = _locked(team)
        policy = parse_budget_policy(row.document)
        found = policy.clause(clause)
        objective = Objective.objects.filter(name=slo, service__team=row.team, retired_at=None).first()
        problems = {}
        if found is None:
            problems["clause"] = f"The policy has no clause {clause[:63]!r}."
        if objective is None:
            problems["slo"] = "Choose an SLO of this team."
        if fault := _fault(why):
            problems["why"] = fault
        if found is None or objective is None or problems:
            raise Invalid(problems)
        if found.condition.kind is not ConditionKind.BY_PEOPLE:
            raise Refused(f"{found.code} is judged on the numbers; it begins by itself.", reason="judged")
        if row.consequences.filter(clause=found.code, objective=objective, ended_at=None).exists():
            raise Refused(f"{found.code} is in force for {objective.name} already.", reason="in_force")
        finding = Finding(found.code, objective.name, "", Verdict.HOLDS, None, clean(why.strip()))
        return begin(row, policy, found, finding, objective, now=now, by=actor)


def end_clause(actor: Actor, consequence: int, *, why: str, now: datetime) -> PolicyConsequence:
    """Say that a consequence which people began is over, and why.

    Raises Invalid without a reason, Refused where numbers judge or it is over already.
    """
    with transaction.atomic():
        rows = PolicyConsequence.objects.select_related("policy__team", "objective").filter(pk=consequence)
        one = db.lock(rows).first()
        if one is None:
            raise NotFound("There is no such consequence.")
        require(actor, Right.SLO_WRITE, team=one.policy.team.name)
        if fault := _fault(why):
            raise Invalid({"why": fault})
        if not one.began_by:
            raise Refused("It ends by itself, when its condition no longer holds.", reason="judged")
        if one.ended_at is not None:
            raise Refused("It is over already.", reason="over")
        end(one, one.policy, now=now, by=actor, because=clean(why.strip()))
    return one


def end_budget_policy(actor: Actor, *, team: str, reason: str, now: datetime) -> ErrorBudgetPolicy:
    """Take a policy out of force, and with it every consequence; it is kept, and can be saved again.

    Raises Invalid without a reason, NotFound where none is in force.
    """
    require(actor, Right.SLO_WRITE, team=team)
    if fault := _fault(reason):
        raise Invalid({"reason": fault})
    because = clean(reason.strip())
    with transaction.atomic():
        row = _locked(team)
        waiting = list(row.consequences.select_related("objective").filter(ended_at=None))
        for one in waiting:
            end(one, row, now=now, by=actor, because="the policy was ended")
        row.ended_at, row.ended_by, row.ended_because, row.next_at = now, actor.ident, because, None
        row.findings = []
        row.save(update_fields=["ended_at", "ended_by", "ended_because", "next_at", "findings"])
        data = {"team": team, "revision": row.revision, "reason": because, "consequences_ended": len(waiting)}
        audit.record(actor, [Fact(kind=Kind.BUDGET_POLICY_ENDED, data=data)], now=now)
    return row


def _locked(team: str) -> ErrorBudgetPolicy:
    """The policy in force, held until the end of the transaction."""
    db.advisory_lock(f"tocsin.slo.budget_policy.{team}")
    rows = ErrorBudgetPolicy.objects.select_related("team").filter(team__name=team, ended_at=None)
    row = db.lock(rows).first()
    if row is None:
        raise NotFound(f"Team {team[:63]!r} has no error budget policy in force.")
    return row


def _fault(reason: str) -> str:
    if not reason.strip():
        return "Say in a sentence why."
    return f"At most {LONGEST_REASON} letters." if len(reason) > LONGEST_REASON else ""
