"""An error budget policy as it stands: its clauses, what the last look found, what followed, and whether it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tocsin.audit.actions import stamp
from tocsin.core.access import Actor
from tocsin.core.error_budget_policy import BudgetPolicy, Clause, ConditionKind, Finding, Verdict, judge
from tocsin.core.errors import NotFound
from tocsin.core.wall_time import wall_of, zone
from tocsin.insights import policy_spending
from tocsin.slo import queries as slo
from tocsin.slo.models import ErrorBudgetPolicy, PolicyConsequence

WORDS = {
    Verdict.HOLDS: "holds",
    Verdict.DOES_NOT_HOLD: "does not hold",
    Verdict.UNKNOWN: "unknown",
    Verdict.PEOPLE_JUDGE: "people judge",
}
_ORDER = (Verdict.HOLDS, Verdict.UNKNOWN, Verdict.PEOPLE_JUDGE, Verdict.DOES_NOT_HOLD)


@dataclass(frozen=True, slots=True)
class ClauseView:
    """A clause with its gravest verdict and what was found SLO by SLO, what holds first."""

    clause: Clause
    verdict: Verdict
    findings: Sequence[Finding]

    @property
    def by_people(self) -> bool:
        return self.clause.condition.kind is ConditionKind.BY_PEOPLE

    @property
    def may_begin(self) -> list[str]:
        """The SLOs that people can begin it for."""
        return [one.slo for one in self.findings if one.verdict is Verdict.PEOPLE_JUDGE]

    @property
    def word(self) -> str:
        return WORDS[self.verdict]


@dataclass(frozen=True, slots=True)
class PolicyView:
    row: ErrorBudgetPolicy
    policy: BudgetPolicy
    clauses: Sequence[ClauseView]
    consequences: Sequence[PolicyConsequence]
    review_due: bool

    @property
    def holding(self) -> int:
        return sum(one.verdict is Verdict.HOLDS for one in self.clauses)

    @property
    def waiting(self) -> list[PolicyConsequence]:
        return [one for one in self.consequences if one.ended_at is None]

    @property
    def over(self) -> list[PolicyConsequence]:
        return [one for one in self.consequences if one.ended_at is not None]


def view(actor: Actor, team: str, *, now: datetime) -> PolicyView:
    """The policy of a team judged at this moment, nothing written. Raises NotFound while there is none."""
    row = slo.budget_policy(actor, team)
    if row is None:
        raise NotFound(f"Team {team!r} has no error budget policy yet.")
    policy = slo.policy_of(row)
    rows = slo.consequences(actor, row)
    findings = [] if row.ended_at else judge(policy, policy_spending.spending(team, policy, now=now).spending, now=now)
    said = {(one.clause, one.objective.name): one.why for one in rows if one.ended_at is None}
    findings = [_as_said(one, said.get((one.clause, one.slo))) for one in findings]
    today = wall_of(now, zone(row.team.time_zone)).date()
    return PolicyView(
        row=row,
        policy=policy,
        clauses=[_clause(one, findings) for one in policy.clauses],
        consequences=rows,
        review_due=row.ended_at is None and policy.is_review_due(today),
    )


def _as_said(one: Finding, why: str | None) -> Finding:
    """Where people judge, what they said: in force is what somebody began and nobody has ended."""
    if one.verdict is not Verdict.PEOPLE_JUDGE or why is None:
        return one
    return replace(one, verdict=Verdict.HOLDS, why=why)


def _clause(clause: Clause, findings: Sequence[Finding]) -> ClauseView:
    own = sorted((f for f in findings if f.clause == clause.code), key=lambda f: (_ORDER.index(f.verdict), f.slo))
    return ClauseView(clause, own[0].verdict if own else Verdict.DOES_NOT_HOLD, own)


def document(shown: PolicyView) -> dict[str, Any]:
    """Everything as JSON values."""
    row = shown.row
    return {
        "team": row.team.name,
        "revision": row.revision,
        "saved_by": row.saved_by,
        "saved_at": stamp(row.saved_at),
        "ended_at": stamp(row.ended_at) if row.ended_at else None,
        "ended_by": row.ended_by or None,
        "ended_because": row.ended_because or None,
        "review_due": shown.review_due,
        "holding": shown.holding,
        "policy": row.document,
        "findings": [_finding(one) for view in shown.clauses for one in view.findings],
        "consequences": [consequence(one) for one in shown.consequences],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "clause": one.clause,
        "slo": one.slo,
        "subject": one.subject or None,
        "verdict": one.verdict.value,
        "why": one.why,
        "refs": list(one.refs),
    }


def consequence(one: PolicyConsequence) -> dict[str, Any]:
    """A consequence with its trace: why, who was told, what was done."""
    return {
        "id": one.pk,
        "clause": one.clause,
        "slo": one.objective.name,
        "subject": one.subject or None,
        "condition": one.condition,
        "consequence": one.consequence,
        "why": one.why,
        "refs": one.refs,
        "told": [person["address"] for person in one.told],
        "began_at": stamp(one.began_at),
        "began_by": one.began_by or None,
        "ended_at": stamp(one.ended_at) if one.ended_at else None,
        "ended_because": one.ended_because or None,
        "done_at": stamp(one.done_at) if one.done_at else None,
        "done_by": one.done_by or None,
        "note": one.note or None,
        "url": one.url or None,
    }
