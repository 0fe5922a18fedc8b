"""Keep a response from rank: ask core whether a person may direct it, and write down who was refused or stepped in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import Fact
from tocsin.core import access
from tocsin.core.access import Actor, ActorKind, Right, Role
from tocsin.core.authority import AuthorityPolicy
from tocsin.core.errors import NotAllowed
from tocsin.core.facts import Kind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.rank import RankDecision, RankReason, RankVerdict, rank_decision
from tocsin.core.roles import role_codes
from tocsin.incidents import snapshots
from tocsin.incidents.actions.incident_row import fact, team_name
from tocsin.incidents.models import Escalation, Incident, Page, RoleHeld
from tocsin.oncall import queries as oncall

P = ParamSpec("P")
R = TypeVar("R")

WORDS = {
    Right.INCIDENT_ASSIGN: "give out roles",
    Right.INCIDENT_ESCALATE: "page people",
    Right.PAGE_OFF_CALL: "page somebody who is not on call",
    Right.UPDATE_SEND: "send updates",
    Right.UPDATE_APPROVE: "approve updates",
    Right.DECIDE: "decide",
    Right.SOLUTION_CHOOSE: "choose the solution",
    Right.INCIDENT_ACKNOWLEDGE: "take it",
    Right.INCIDENT_CLASSIFY: "change priority, severity or state",
    Right.INCIDENT_RESOLVE: "end it",
    Right.INCIDENT_ANNOTATE: "write on the timeline",
    Right.OBLIGATION_FULFIL: "say that a duty is done",
    Right.OBLIGATION_WAIVE: "waive a duty",
}


class RankRefused(NotAllowed):
    """A person tried to direct a response without a role that gives it. It is logged once the change is rolled back."""

    def __init__(self, message: str, *, remedy: str, actor: Actor, told: Fact, now: datetime) -> None:
        super().__init__(message, remedy=remedy)
        self.actor, self.told, self.now = actor, told, now


def protected(act: Callable[P, R]) -> Callable[P, R]:
    """An action whose refusals by rank are kept in the log although nothing else of it is."""

    @wraps(act)
    def acting(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except RankRefused as refused:
            with transaction.atomic():
                audit.record(refused.actor, [refused.told], now=refused.now)
            raise

    return acting


def require(actor: Actor, incident: Incident, right: Right, *, what: str = "", now: datetime) -> None:
    """Raise NotAllowed unless `actor` has the standing right and the response lets that person use it here.

    Part of the caller's change of an incident it holds. Who steps in over a response is written down.
    """
    access.require(actor, right, team=team_name(incident))
    found = decision(actor, incident, right, now=now)
    if found.verdict is not RankVerdict.ALLOWED:
        judge(actor, incident, found, what=what or WORDS.get(right, right.value), right=right.value, now=now)


def allowed(
    actor: Actor, incident: Incident, rights: Iterable[Right], *, held: Iterable[RoleHeld] | None = None, now: datetime
) -> frozenset[Right]:
    """Which of `rights` `require` would let pass, for showing buttons; `held` if the incident's roles are at hand."""
    standing = [right for right in rights if actor.may(right, team=team_name(incident))]
    if actor.kind not in {ActorKind.PERSON, ActorKind.PAGE_LINK}:
        return frozenset(standing)
    definition, facts = snapshots.process_of(incident), _facts(actor, incident, held)
    asked: bool | None = True if actor.kind is ActorKind.PAGE_LINK else None
    found = set()
    for right in standing:
        verdict = rank_decision(definition, incident.severity, right, **facts).verdict
        if verdict is RankVerdict.REFUSED:
            asked = was_asked(actor, incident, definition, now=now) if asked is None else asked
            verdict = rank_decision(definition, incident.severity, right, asked=asked, **facts).verdict
        if verdict is not RankVerdict.REFUSED:
            found.add(right)
    return frozenset(found)


def decision(actor: Actor, incident: Incident, right: Right, *, now: datetime) -> RankDecision:
    """What core says; machines have no rank, and the bearer of a page's link was asked."""
    if actor.kind not in {ActorKind.PERSON, ActorKind.PAGE_LINK}:
        return RankDecision(RankVerdict.ALLOWED, RankReason.HELPS)
    definition, facts = snapshots.process_of(incident), _facts(actor, incident)
    asked = actor.kind is ActorKind.PAGE_LINK
    found = rank_decision(definition, incident.severity, right, asked=asked, **facts)
    if found.verdict is not RankVerdict.ALLOWED and was_asked(actor, incident, definition, now=now):
        return rank_decision(definition, incident.severity, right, asked=True, **facts)
    return found


def _facts(actor: Actor, incident: Incident, known: Iterable[RoleHeld] | None = None) -> dict[str, Any]:
    if known is None:
        rows = RoleHeld.objects.filter(incident=incident, until_at=None)
        held = list(rows.values_list("role", "person__username"))
    else:
        held = [(row.role, row.person.username) for row in known if row.until_at is None]
    return {
        "own_roles": [role for role, who in held if who == actor.ident],
        "held": [role for role, _ in held],
        "administers": actor.role is Role.ADMIN,
    }


def stepping_in(actor: Actor, incident: Incident) -> RankVerdict:
    """What becomes of it when somebody takes from whoever coordinates what is theirs, without being given it."""
    if actor.kind is not ActorKind.PERSON:
        return RankVerdict.ALLOWED
    policy = snapshots.process_of(incident).roles.authority
    administers = actor.role is Role.ADMIN and policy is AuthorityPolicy.STANDARD
    return RankVerdict.OVERRIDDEN if administers or policy is AuthorityPolicy.OPEN else RankVerdict.REFUSED


def was_asked(actor: Actor, incident: Incident, definition: ProcessDefinition, *, now: datetime) -> bool:
    """Whether that person was paged about it, stands in its chain, or is on call now for its team or a role it calls."""
    if Page.objects.filter(incident=incident, person__username=actor.ident).exists():
        return True
    chain = Escalation.objects.filter(incident=incident).first()
    targets = [target for step in snapshots.policy_of(chain).steps for target in step.targets] if chain else []
    found = oncall.people_for(targets, now=now, team=incident.team)
    if any(one.username == actor.ident for group in found.values() for one in group):
        return True
    if incident.team and any(one.username == actor.ident for one in oncall.on_call_of_team(incident.team, now=now)):
        return True
    codes = role_codes(definition, incident.severity)
    return any(actor.ident in oncall.on_call_for_role(code, now=now, team=incident.team) for code in codes)


def judge(actor: Actor, incident: Incident, found: RankDecision, *, what: str, right: str, now: datetime) -> None:
    """Raise for what is refused; write down what is done over the response's head."""
    definition = snapshots.process_of(incident)
    who = _holders(incident, definition, found.holders)
    why = f"{who} {'have' if len(found.holders) > 1 else 'has'} that in hand." if who else found.reason.text
    refused = found.verdict is RankVerdict.REFUSED
    told = fact(
        incident,
        Kind.RANK_REFUSED if refused else Kind.RANK_OVERRIDDEN,
        person=actor.display_name or actor.ident,
        username=actor.ident,
        what=what,
        right=right,
        reason=found.reason.value,
        why=why,
        holders=list(found.holders),
        policy=definition.roles.authority.value,
    )
    if not refused:
        audit.record(actor, [told], now=now)
        return
    start = {RankReason.OBSERVES: "You are here as an observer. ", RankReason.ADVISES: "You are here as an advisor. "}
    message = f"{start.get(found.reason, '')}You cannot {what} in {incident.ref}: {why}"
    remedy = f"Ask for the role: /i/{incident.number}/roles/ask. Whoever holds it answers."
    raise RankRefused(message, remedy=remedy, actor=actor, told=told, now=now)


def _holders(incident: Incident, definition: ProcessDefinition, roles: tuple[str, ...]) -> str:
    rows = RoleHeld.objects.filter(incident=incident, until_at=None, role__in=roles).select_related("person")
    names = {one.code: one.display_name for one in definition.roles.roles}
    return ", ".join(f"{row.person.label} ({names.get(row.role, row.role)})" for row in rows.order_by("from_at", "pk"))
