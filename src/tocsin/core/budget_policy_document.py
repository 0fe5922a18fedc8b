"""An error budget policy as a document, read into a `BudgetPolicy` with every mistake named by its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from tocsin.core.document_checks import known_only, optional_items, optional_whole, refuse_problems
from tocsin.core.document_reading import Cursor
from tocsin.core.error_budget_policy import SPANNING, BudgetPolicy, Clause, Condition, ConditionKind

MOST_CLAUSES = 20
OWNERS = "owners"
GROUP = "group:"
_TAX = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")
_MOST_TAX = 30
_LONGEST_DAYS = range(1, 366)
_FIELDS = ("scope", "purpose", "clauses", "escalation", "agreed_by", "next_review", "thaw_tax_days", "kind", "team")


def parse_budget_policy(document: Mapping[str, Any]) -> BudgetPolicy:
    """The policy a document describes. Raises `Invalid` with one sentence for each wrong place; all seven parts are due."""
    cursor = Cursor(document)
    known_only(cursor, _FIELDS)
    escalation = cursor.at("escalation")
    if escalation.entries():
        known_only(escalation, ("tie_breaker", "procedure"))
    policy = BudgetPolicy(
        scope=cursor.at("scope").text(),
        purpose=cursor.at("purpose").text(),
        clauses=_clauses(cursor),
        tie_breaker=escalation.at("tie_breaker").text(),
        procedure=escalation.at("procedure").text(),
        agreed_by=cursor.at("agreed_by").texts(),
        next_review=_day(cursor.at("next_review")),
        thaw_tax=_tax(cursor.at("thaw_tax_days")) if cursor.has("thaw_tax_days") else Fraction(0),
    )
    if cursor.has("agreed_by") and not policy.agreed_by:
        cursor.at("agreed_by").note("present", "Say who agreed: a policy that nobody agreed to binds nobody.")
    refuse_problems(cursor)
    return policy


def _clauses(cursor: Cursor) -> tuple[Clause, ...]:
    if not cursor.has("clauses") or cursor.at("clauses").value == []:
        cursor.at("clauses").note("present", "Name at least one clause: when, and what follows.")
    clauses = tuple(_clause(item) for item in optional_items(cursor, "clauses", most=MOST_CLAUSES))
    codes = [clause.code for clause in clauses]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        cursor.at("clauses").note("distinct_codes", f"The code {code} is used twice.")
    return clauses


def _clause(cursor: Cursor) -> Clause:
    known_only(cursor, ("code", "when", "condition", "consequence", "tell"))
    when = cursor.at("when")
    known_only(when, ("kind", "share", "days"))
    kind = when.at("kind").choice(ConditionKind)
    judged = kind is not ConditionKind.BY_PEOPLE
    days = optional_whole(when, "days", default=0, allowed=_LONGEST_DAYS) if when.has("days") else 0
    if kind in SPANNING and not days:
        when.at("days").note("present", "Say over how many days.")
    return Clause(
        code=cursor.at("code").text(),
        condition=Condition(
            kind, when.at("share").share() if judged else Fraction(0), days, cursor.at("condition").text()
        ),
        consequence=cursor.at("consequence").text(),
        tell=_tell(cursor),
    )


def _tell(cursor: Cursor) -> tuple[str, ...]:
    if not cursor.has("tell"):
        return (OWNERS,)
    told: list[str] = []
    for item in cursor.at("tell").items():
        name = item.text()
        if name != OWNERS and not (name.startswith(GROUP) and name.removeprefix(GROUP)):
            item.note("target", f"Write {OWNERS} or {GROUP}CODE, for example {GROUP}product-owners.")
        told.append(name)
    return tuple(dict.fromkeys(told))


def _day(cursor: Cursor) -> date:
    value = cursor.value
    if isinstance(value, date):  # what YAML reads a bare date as; a moment counts as its day
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(cursor.text())
    except ValueError:
        cursor.note("kind", "A date belongs here, for example 2027-05-23.")
    return date.min


def _tax(cursor: Cursor) -> Fraction:
    text = str(cursor.value)
    if _TAX.fullmatch(text) and Fraction(text) <= _MOST_TAX:
        return Fraction(text)
    cursor.note("range", f"Days from 0 to {_MOST_TAX} belong here, for example 0.5.")
    return Fraction(0)


def budget_policy_document(policy: BudgetPolicy) -> dict[str, Any]:
    """The policy as JSON values, complete; reads back as the same policy."""
    return {
        "scope": policy.scope,
        "purpose": policy.purpose,
        "clauses": [_clause_document(one) for one in policy.clauses],
        "escalation": {"tie_breaker": policy.tie_breaker, "procedure": policy.procedure},
        "agreed_by": list(policy.agreed_by),
        "next_review": policy.next_review.isoformat(),
        **({"thaw_tax_days": _decimal(policy.thaw_tax)} if policy.thaw_tax else {}),
    }


def _clause_document(clause: Clause) -> dict[str, Any]:
    condition = clause.condition
    when: dict[str, Any] = {"kind": condition.kind.value}
    if condition.kind is not ConditionKind.BY_PEOPLE:
        when["share"] = _decimal(condition.share)
    if condition.days:
        when["days"] = condition.days
    return {
        "code": clause.code,
        "when": when,
        "condition": condition.text,
        "consequence": clause.consequence,
        "tell": list(clause.tell),
    }


def _decimal(share: Fraction) -> str:
    """The share as decimal text where it has one ("0.2"), else as a fraction ("1/3")."""
    scaled = share.denominator
    for prime in (2, 5):
        while scaled % prime == 0:
            scaled //= prime
    if scaled != 1:
        return f"{share.numerator}/{share.denominator}"
    places = 0
    while (share * 10**places).denominator != 1:
        places += 1
    whole = share * 10**places
    digits = str(whole.numerator).rjust(places + 1, "0")
    return f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits
