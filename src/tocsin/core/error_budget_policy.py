"""What a team agreed to do when its error budget goes: conditions that are judged, and the consequences that follow.

Every share is of an SLO's own budget and is compared exactly; "more than" is strict, "at most" includes its bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from tocsin.core.errors import Invalid


class ConditionKind(StrEnum):
    """What a clause looks at. `by_people` is judged by people; Tocsin only remembers it."""

    REMAINING_AT_MOST = "remaining_at_most"
    DEPLETED_WITHIN = "depleted_within"
    ONE_INCIDENT = "one_incident"
    ONE_CLASS = "one_class"
    DEPENDENCY = "dependency"
    BY_PEOPLE = "by_people"


SPANNING = frozenset({ConditionKind.DEPLETED_WITHIN, ConditionKind.ONE_CLASS})
"""Kinds that look back a number of days of their own instead of the budget's period."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`share` of a budget; `days` where the kind has a span of its own; `text` as people agreed on it."""

    kind: ConditionKind
    share: Fraction
    days: int
    text: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One agreement. `tell` names who hears when it begins to hold: owners, or group:CODE."""

    code: str
    condition: Condition
    consequence: str
    tell: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """The seven parts: scope, purpose, conditions and consequences (in clauses), escalation, agreement, review."""

    scope: str
    purpose: str
    clauses: tuple[Clause, ...]
    tie_breaker: str
    procedure: str
    agreed_by: tuple[str, ...]
    next_review: date
    thaw_tax: Fraction = Fraction(0)

    def clause(self, code: str) -> Clause | None:
        return next((one for one in self.clauses if one.code == code), None)

    @property
    def spans(self) -> frozenset[int]:
        """The days that conditions look back besides the budget's own period."""
        return frozenset(one.condition.days for one in self.clauses if one.condition.kind in SPANNING)

    def is_review_due(self, today: date) -> bool:
        return today >= self.next_review


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCost:
    """What one incident took from an SLO: `bad` events; `kind_of` is its category, "" while nobody has said."""

    ref: str
    began_at: datetime
    kind_of: str
    through_dependency: bool
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """One SLO's budget at a moment. `grant` and `left` are of its period, None or 0 while nothing is known.

    `bad_within` and `grant_within` give events and allowance of the last so many days; `incidents` are those since the
    beginning of the longest span, oldest first.
    """

    slo: str
    period_began_at: datetime
    grant: Fraction
    left: Fraction | None
    bad_within: Mapping[int, int]
    grant_within: Mapping[int, Fraction]
    incidents: Sequence[IncidentCost]


class Verdict(StrEnum):
    HOLDS = "holds"
    DOES_NOT_HOLD = "does_not_hold"
    UNKNOWN = "unknown"
    PEOPLE_JUDGE = "people_judge"


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause judged on one SLO. `subject` tells apart what may hold several times at once: incidents, classes."""

    clause: str
    slo: str
    subject: str
    verdict: Verdict
    measured: Fraction | None
    why: str
    refs: tuple[str, ...] = ()

    @property
    def is_of_one_incident(self) -> bool:
        return self.refs == (self.subject,)


def judge(policy: BudgetPolicy, spending: Sequence[Spending], *, now: datetime) -> list[Finding]:
    """Every clause on every SLO: what holds (one finding for each subject), what does not, and what nobody can tell."""
    return [finding for clause in policy.clauses for one in spending for finding in _judge(clause, one, now=now)]


def _judge(clause: Clause, one: Spending, *, now: datetime) -> list[Finding]:
    kind = clause.condition.kind
    if kind is ConditionKind.BY_PEOPLE:
        return [_plain(clause, one, Verdict.PEOPLE_JUDGE, None, "People judge this one.")]
    if one.left is None or one.grant <= 0:
        return [_plain(clause, one, Verdict.UNKNOWN, None, "Nothing is known of the budget, so nobody can tell.")]
    if kind is ConditionKind.REMAINING_AT_MOST:
        return [_remaining(clause, one, one.left)]
    if kind is ConditionKind.DEPLETED_WITHIN:
        return [_depleted(clause, one)]
    if kind is ConditionKind.ONE_CLASS:
        return _classes(clause, one, now=now)
    inside = [cost for cost in one.incidents if cost.began_at >= one.period_began_at]
    return _incidents(clause, one, inside) if kind is ConditionKind.ONE_INCIDENT else [_dependency(clause, one, inside)]


def _remaining(clause: Clause, one: Spending, left: Fraction) -> Finding:
    holds = left <= clause.condition.share
    why = f"{percent(left)} of the budget is left; the line is {percent(clause.condition.share)}."
    return _plain(clause, one, _verdict(holds), left, why)


def _depleted(clause: Clause, one: Spending) -> Finding:
    days = clause.condition.days
    spent = Fraction(one.bad_within.get(days, 0)) / one.grant
    why = f"{percent(spent)} of the budget went within {days} days; the line is {percent(clause.condition.share)}."
    return _plain(clause, one, _verdict(spent >= clause.condition.share), spent, why)


def _incidents(clause: Clause, one: Spending, costs: Sequence[IncidentCost]) -> list[Finding]:
    line = clause.condition.share
    spent = {cost.ref: Fraction(cost.bad) / one.grant for cost in costs}
    over = [ref for ref, share in spent.items() if share > line]
    if not over:
        most = max(spent.values(), default=Fraction(0))
        why = f"No incident took more than {percent(line)}; the costliest took {percent(most)}."
        return [_plain(clause, one, Verdict.DOES_NOT_HOLD, most, why)]
    return [
        Finding(
            clause.code,
            one.slo,
            ref,
            Verdict.HOLDS,
            spent[ref],
            f"{ref} took {percent(spent[ref])} of the budget; the line is {percent(line)}.",
            (ref,),
        )
        for ref in over
    ]


def _classes(clause: Clause, one: Spending, *, now: datetime) -> list[Finding]:
    days, line = clause.condition.days, clause.condition.share
    grant = one.grant_within.get(days, Fraction(0))
    if grant <= 0:
        return [_plain(clause, one, Verdict.UNKNOWN, None, f"Nothing was counted within {days} days.")]
    recent = [cost for cost in one.incidents if cost.began_at > now - timedelta(days=days) and cost.kind_of]
    kinds = {kind: [cost for cost in recent if cost.kind_of == kind] for kind in sorted({c.kind_of for c in recent})}
    spent = {kind: Fraction(sum(cost.bad for cost in costs)) / grant for kind, costs in kinds.items()}
    over = [kind for kind, share in spent.items() if share > line]
    if not over:
        most = max(spent.values(), default=Fraction(0))
        why = f"No class of incidents took more than {percent(line)} within {days} days; the costliest took {percent(most)}."
        return [_plain(clause, one, Verdict.DOES_NOT_HOLD, most, why)]
    return [
        Finding(
            clause.code,
            one.slo,
            kind,
            Verdict.HOLDS,
            spent[kind],
            f"Incidents of the class {kind} took {percent(spent[kind])} within {days} days; the line is {percent(line)}.",
            tuple(cost.ref for cost in kinds[kind]),
        )
        for kind in over
    ]


def _dependency(clause: Clause, one: Spending, costs: Sequence[IncidentCost]) -> Finding:
    through = [cost for cost in costs if cost.through_dependency]
    spent = Fraction(sum(cost.bad for cost in through)) / one.grant
    why = f"{percent(spent)} of the budget went through a dependency; the line is {percent(clause.condition.share)}."
    refs = tuple(cost.ref for cost in through)
    return Finding(clause.code, one.slo, "", _verdict(spent > clause.condition.share), spent, why, refs)


def _verdict(holds: bool) -> Verdict:
    return Verdict.HOLDS if holds else Verdict.DOES_NOT_HOLD


def _plain(clause: Clause, one: Spending, verdict: Verdict, measured: Fraction | None, why: str) -> Finding:
    return Finding(clause.code, one.slo, "", verdict, measured, why)


def percent(share: Fraction) -> str:
    """A share with two decimals at most, rounded half to even: "22.22 %". What is not nothing never reads as nothing."""
    rounded = round(share * 100, 2)
    if rounded == 0 and share > 0:
        return "under 0.01 %"
    text = f"{float(rounded):.2f}".rstrip("0").rstrip(".")
    return f"{text} %"


@dataclass(frozen=True, slots=True)
class Standing:
    """A consequence that is in force or was: which clause on which SLO, and for which subject."""

    clause: str
    slo: str
    subject: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What to write down: consequences that begin, and those whose condition no longer holds."""

    begins: tuple[Finding, ...]
    ends: tuple[Standing, ...]


def changes(findings: Sequence[Finding], open_now: Sequence[Standing], once_told: Sequence[Standing]) -> Changes:
    """What follows from the findings. An incident's own consequence begins once, however often it is looked at.

    What cannot be told ends nothing: a budget without data is not a budget that has recovered.
    """
    holding = {Standing(f.clause, f.slo, f.subject): f for f in findings if f.verdict is Verdict.HOLDS}
    dark = {(f.clause, f.slo) for f in findings if f.verdict in {Verdict.UNKNOWN, Verdict.PEOPLE_JUDGE}}
    waiting, told = set(open_now), set(once_told)
    begins = tuple(
        finding
        for standing, finding in holding.items()
        if standing not in waiting and not (standing in told and finding.is_of_one_incident)
    )
    ends = tuple(one for one in open_now if one not in holding and (one.clause, one.slo) not in dark)
    return Changes(begins, ends)


def thaw_days(releases: int, tax: Fraction) -> Fraction:
    """Extra days of a freeze after releases during it, each counting as a day and its tax: 3 at 0.5 are 4.5 days."""
    if releases < 0 or tax < 0:
        raise Invalid({"thaw_tax": "Releases and tax are zero or more."})
    return releases * (1 + tax)
