"""Agree on an error budget policy, and write down what follows from it: who was told, when it ended, what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.budget_policy_document import GROUP, OWNERS, budget_policy_document, parse_budget_policy
from tocsin.core.delivery_plan import Traffic, lane
from tocsin.core.error_budget_policy import BudgetPolicy, Clause, Finding, Standing, changes
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.wall_time import wall_of, zone
from tocsin.people.models import Person, Team
from tocsin.platform import db, outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.outbox import Outgoing
from tocsin.platform.text import clean, one_line
from tocsin.process.models import GroupMember, StakeholderGroup
from tocsin.slo.models import ErrorBudgetPolicy, IncidentSpend, Objective, PolicyConsequence
from tocsin.slo.specs import Settled

LOOK_EVERY = timedelta(minutes=5)
KIND = "budget_policy"


def save_budget_policy(
    actor: Actor, *, team: str, document: Mapping[str, Any], now: datetime, based_on: int | None = None
) -> ErrorBudgetPolicy:
    """Put a policy in force for a team; it is judged at once and every five minutes.

    Raises Invalid with a sentence for each wrong place, Refused when `based_on` is no longer the revision in force.
    Saving the same again writes nothing.
    """
    require(actor, Right.SLO_WRITE, team=team)
    policy = parse_budget_policy(document)
    written = budget_policy_document(policy)
    with transaction.atomic():
        db.advisory_lock(f"tocsin.slo.budget_policy.{team}")
        owner = Team.objects.filter(name=team).first()
        if owner is None:
            raise NotFound(f"There is no team called {team!r}.")
        _check_groups(policy)
        former = ErrorBudgetPolicy.objects.filter(team=owner).first()
        if based_on is not None and based_on != (former.revision if former else 0):
            raise Refused("Somebody changed the policy meanwhile. Read it, then save yours again.", reason="changed")
        if former is not None and former.document == written and former.ended_at is None:
            return former
        row = former or ErrorBudgetPolicy(team=owner, revision=0)
        row.document, row.revision, row.saved_by = written, row.revision + 1, actor.ident
        row.saved_at, row.next_at = now, now
        row.ended_at, row.ended_by, row.ended_because = None, "", ""
        row.save()
        data = {"team": owner.name, "revision": row.revision, "document": written}
        audit.record(actor, [Fact(kind=Kind.BUDGET_POLICY_SAVED, data=data)], now=now)
    return row


def _check_groups(policy: BudgetPolicy) -> None:
    asked = {name.removeprefix(GROUP) for one in policy.clauses for name in one.tell if name.startswith(GROUP)}
    known = set(StakeholderGroup.objects.filter(code__in=asked).values_list("code", flat=True))
    if missing := sorted(asked - known):
        raise Invalid({"clauses": f"There is no stakeholder group {missing[0]!r}."})


def note_findings(
    row: ErrorBudgetPolicy, findings: Sequence[Finding], settled: Iterable[Settled] = (), *, now: datetime
) -> int:
    """Write down what a look found; begin and end consequences and tell who agreed to hear. Returns how many changed.

    Inside the caller's transaction, which holds the row.
    """
    policy = parse_budget_policy(row.document)
    objectives = {one.name: one for one in Objective.objects.filter(name__in={f.slo for f in findings})}
    past = list(row.consequences.select_related("objective"))
    waiting = {_standing(one): one for one in past if one.ended_at is None}
    found = changes(findings, list(waiting), [_standing(one) for one in past])
    for finding in found.begins:
        clause = policy.clause(finding.clause)
        if clause is not None:
            begin(row, policy, clause, finding, objectives[finding.slo], now=now)
    for standing in found.ends:
        end(waiting[standing], row, now=now)
    IncidentSpend.objects.bulk_create(
        [IncidentSpend(**{name: getattr(one, name) for name in Settled.__slots__}) for one in settled],
        ignore_conflicts=True,
    )
    row.findings = [_shown(finding) for finding in findings]
    row.judged_at, row.next_at = now, now + LOOK_EVERY
    reviewed = _ask_for_review(row, policy, now=now)
    row.save(update_fields=["findings", "judged_at", "next_at", "review_told_for"])
    return len(found.begins) + len(found.ends) + reviewed


def _standing(row: PolicyConsequence) -> Standing:
    return Standing(row.clause, row.objective.name, row.subject)


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "clause": finding.clause,
        "slo": finding.slo,
        "subject": finding.subject,
        "verdict": finding.verdict.value,
        "why": finding.why,
        "refs": list(finding.refs),
    }


def begin(
    row: ErrorBudgetPolicy,
    policy: BudgetPolicy,
    clause: Clause,
    finding: Finding,
    objective: Objective,
    *,
    now: datetime,
    by: Actor = SYSTEM,
) -> PolicyConsequence:
    """A consequence begins: written down, and told to whom the clause names. `by` says whose judgement it is."""
    told = _listeners(row.team, clause.tell)
    made = PolicyConsequence.objects.create(
        policy=row,
        objective=objective,
        clause=clause.code,
        subject=finding.subject,
        condition=clause.condition.text,
        consequence=clause.consequence,
        why=finding.why,
        refs=list(finding.refs),
        revision=row.revision,
        told=[{"name": name, "address": address} for address, name in told.items()],
        began_at=now,
        began_by="" if by is SYSTEM else by.ident,
    )
    subject = f"{objective.label}: {one_line(clause.consequence, limit=120)}"
    lines = [
        f"{clause.code} of the error budget policy of {row.team.label} holds for {objective.label}.",
        "",
        f"Agreed: {clause.condition.text}. Then: {clause.consequence}.",
        f"Measured: {finding.why}" if by is SYSTEM else f"{by.ident} says: {finding.why}",
        f"If you disagree: {policy.tie_breaker}. {policy.procedure}.",
        "",
        f"Say there what was done: {public_url()}/teams/{row.team.name}/policy",
    ]
    _send(f"budget-policy-{made.pk}", subject, lines, told, now=now)
    data = {
        "team": row.team.name,
        "clause": clause.code,
        "slo": objective.name,
        "subject": finding.subject,
        "why": finding.why,
        "refs": list(finding.refs),
        "consequence": clause.consequence,
        "revision": row.revision,
        "told": sorted(told),
    }
    audit.record(by, [Fact(kind=Kind.BUDGET_POLICY_CLAUSE_BEGAN, data=data)], now=now)
    return made


def end(
    one: PolicyConsequence, row: ErrorBudgetPolicy, *, now: datetime, by: Actor = SYSTEM, because: str = ""
) -> None:
    """A consequence is over: its condition no longer holds, or somebody says so and why."""
    one.ended_at, one.ended_because = now, because
    one.save(update_fields=["ended_at", "ended_because"])
    data = {"team": row.team.name, "clause": one.clause, "slo": one.objective.name, "subject": one.subject}
    if because:
        data["because"] = because
    audit.record(by, [Fact(kind=Kind.BUDGET_POLICY_CLAUSE_ENDED, data=data)], now=now)


def _ask_for_review(row: ErrorBudgetPolicy, policy: BudgetPolicy, *, now: datetime) -> int:
    """Once for each date: the owners hear that their agreement wants to be looked at."""
    if not policy.is_review_due(_today(row.team, now)) or row.review_told_for == policy.next_review:
        return 0
    row.review_told_for = policy.next_review
    told = _listeners(row.team, (OWNERS,))
    lines = [
        f"The error budget policy of {row.team.label} was to be reviewed by {policy.next_review.isoformat()}.",
        "Does it still say what you would do? Change it or set the next date.",
        "",
        f"The policy: {public_url()}/teams/{row.team.name}/policy",
    ]
    subject = f"{row.team.label}: the error budget policy is due for its review"
    _send(f"budget-policy-review-{row.pk}-{policy.next_review.isoformat()}", subject, lines, told, now=now)
    data = {"team": row.team.name, "due": policy.next_review.isoformat(), "told": sorted(told)}
    audit.record(SYSTEM, [Fact(kind=Kind.BUDGET_POLICY_REVIEW_DUE, data=data)], now=now)
    return 1


def _today(team: Team, now: datetime) -> date:
    return wall_of(now, zone(team.time_zone)).date()


def _listeners(team: Team, tell: Sequence[str]) -> dict[str, str]:
    """Address -> name of everybody who hears, each once."""
    found: dict[str, str] = {}
    if OWNERS in tell:
        owners = Person.objects.filter(memberships__team=team, memberships__is_owner=True, is_active=True)
        found |= {person.email.lower(): person.label for person in owners.order_by("username") if person.email}
    codes = [name.removeprefix(GROUP) for name in tell if name.startswith(GROUP)]
    for member in GroupMember.objects.filter(group__code__in=codes).order_by("email"):
        found.setdefault(member.email.lower(), member.name)
    return found


def _send(key: str, subject: str, lines: Sequence[str], told: Mapping[str, str], *, now: datetime) -> None:
    messages = [
        Outgoing(
            key=f"{key}-{place}",
            kind=KIND,
            channel="email",
            address=address,
            payload={
                "subject": subject,
                "text": "\n".join(lines),
                "headers": {"X-Update-Kind": "policy", "Auto-Submitted": "auto-generated"},
            },
            lane=lane(Traffic.BACKGROUND, priority=None, unset_as=0),
        )
        for place, address in enumerate(told)
    ]
    if messages:
        outbox.enqueue(messages, now=now)


def answer_consequence(actor: Actor, consequence: int, *, note: str, url: str = "", now: datetime) -> PolicyConsequence:
    """Say what was done about a consequence; one of an incident or a class of incidents is over with it.

    Raises Invalid for an empty note or a wrong address, Refused when it has been answered.
    """
    with transaction.atomic():
        rows = PolicyConsequence.objects.select_related("policy__team", "objective").filter(pk=consequence)
        one = db.lock(rows).first()
        if one is None:
            raise NotFound("There is no such consequence.")
        team = one.policy.team
        require(actor, Right.SLO_WRITE, team=team.name)
        _check_answer(note, url)
        if one.done_at is not None:
            raise Refused("Somebody has said already what was done.", reason="answered")
        one.done_at, one.done_by, one.note, one.url = now, actor.ident, clean(note.strip()), url.strip()
        if one.subject and one.ended_at is None:
            one.ended_at = now
        one.save(update_fields=["done_at", "done_by", "note", "url", "ended_at"])
        data = {
            "team": team.name,
            "clause": one.clause,
            "slo": one.objective.name,
            "subject": one.subject,
            "note": one.note,
            "url": one.url,
        }
        audit.record(actor, [Fact(kind=Kind.BUDGET_POLICY_ANSWERED, data=data)], now=now)
    return one


def _check_answer(note: str, url: str) -> None:
    problems = {}
    if not note.strip():
        problems["note"] = "Say in a sentence what was done, or why nothing was."
    if url.strip():
        try:
            URLValidator(schemes=["http", "https"])(url.strip())
        except ValidationError:
            problems["url"] = "Give a whole address that begins with http:// or https://."
    if problems:
        raise Invalid(problems)
