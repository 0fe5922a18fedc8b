"""Who holds which role, and asking the people on call for a role to join."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right, require
from tocsin.core.classification_effects import roles_released
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import Area, RoleDefinition
from tocsin.core.rank import RankDecision, RankReason, RankVerdict, may_join
from tocsin.core.roles import Duty, HoldReason, duty_holder, hold_decision
from tocsin.incidents import page_text, role_calls, snapshots
from tocsin.incidents.actions import duties, leaving, paging, rank
from tocsin.incidents.actions.incident_row import fact, held, save, team_name
from tocsin.incidents.actions.paging import NewPage
from tocsin.incidents.known_facts import teams_of
from tocsin.incidents.models import OPEN_STATES, HandOver, Incident, Page, RoleHeld, TakeOver
from tocsin.incidents.role_calls import RoleCall
from tocsin.people import queries as people
from tocsin.people.models import Person, Team
from tocsin.platform import outbox
from tocsin.platform.outbox import Outgoing

_SENTENCES = {
    HoldReason.HOLDS_A_DEDICATED_ROLE: "holds a role that takes a whole person",
    HoldReason.ROLE_IS_DEDICATED: "holds another role, and this one takes a whole person",
}


@rank.protected
def assign_role(actor: Actor, ref: str | int, *, role: str, username: str, now: datetime) -> RoleHeld:
    """Let a person hold a role of the process in an incident; who held it before is released, unless it is shared.

    Joining gives the rights of an observer; a role that somebody holds changes hands by a hand-over or a take-over.

    Raises Invalid for an unknown role, NotFound for an unknown person, Refused when the person holds a role that
    cannot be combined with it, NotAllowed when giving out roles is in the hands of somebody else.
    """
    with transaction.atomic():
        incident = held(ref)
        person = people.person(username)
        _check_may_give(actor, incident, role, person, now=now)
        row = take(actor, incident, role=role, person=person, now=now)
        save(incident, now=now)
        duties.reconcile(incident, now=now)
    return row


def _check_may_give(actor: Actor, incident: Incident, role: str, person: Person, *, now: datetime) -> None:
    """Anybody may join for oneself what is free; the rest is for whoever gives out roles."""
    definition = snapshots.process_of(incident)
    known = known_role(definition, role)
    looks_on = known.optional and person.username == actor.ident
    require(actor, Right.INCIDENT_JOIN if looks_on else Right.INCIDENT_ASSIGN, team=team_name(incident))
    rows = list(RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person"))
    if any(row.role == role and row.person_id == person.pk for row in rows):
        return
    if person.username == actor.ident and _may_join(actor, incident, role, rows, now=now):
        return
    rank.require(actor, incident, Right.INCIDENT_ASSIGN, now=now)
    leads = Area.COORDINATION in known.areas
    holders = () if known.shared else tuple(row for row in rows if row.role == role)
    if leads and holders and actor.ident not in {row.person.username for row in holders}:
        _step_over(actor, incident, role, now=now)


def _may_join(actor: Actor, incident: Incident, role: str, rows: list[RoleHeld], *, now: datetime) -> bool:
    definition = snapshots.process_of(incident)
    own = [row.role for row in rows if row.person.username == actor.ident]
    held_now = {row.role for row in rows}
    if may_join(definition, role, own_roles=own, held=held_now):
        return True
    return role not in held_now and rank.was_asked(actor, incident, definition, now=now)


def _step_over(actor: Actor, incident: Incident, role: str, *, now: datetime) -> None:
    """Coordination changes hands only when both say so; what the policy lets pass all the same is written down."""
    found = rank.stepping_in(actor, incident)
    if found is not RankVerdict.ALLOWED:
        what = f"replace the {display_name(snapshots.process_of(incident), role)}"
        told = RankDecision(found, RankReason.NOT_OF_THE_ROLE, (role,))
        rank.judge(actor, incident, told, what=what, right=Right.INCIDENT_ASSIGN.value, now=now)


@rank.protected
def release_role(actor: Actor, ref: str | int, *, role: str, username: str = "", now: datetime) -> None:
    """End that a person (everybody, when none is named) holds a role; the process asks for it again if it must.

    One may leave a role oneself. Raises NotAllowed when giving out roles is in the hands of somebody else.
    """
    with transaction.atomic():
        incident = held(ref)
        definition = snapshots.process_of(incident)
        own = bool(username) and username == actor.ident
        optional = any(one.code == role and one.optional for one in definition.roles.roles)
        require(actor, Right.INCIDENT_JOIN if own and optional else Right.INCIDENT_ASSIGN, team=team_name(incident))
        if not own:
            rank.require(actor, incident, Right.INCIDENT_ASSIGN, now=now)
        rows = RoleHeld.objects.filter(incident=incident, role=role, until_at=None).select_related("person")
        rows = rows.filter(person__username=username) if username else rows
        release_held(actor, incident, list(rows), now=now)
        duties.ask_again_for_role(incident, role)
        save(incident, now=now)
        duties.reconcile(incident, now=now)


def take(actor: Actor, incident: Incident, *, role: str, person: Person, now: datetime) -> RoleHeld:
    """Write down that `person` holds `role` from now on. Part of the caller's change of an incident it holds."""
    definition = snapshots.process_of(incident)
    known = known_role(definition, role)
    mine = RoleHeld.objects.filter(incident=incident, person=person, until_at=None)
    existing = mine.filter(role=role).first()
    if existing is not None:
        return existing
    _check_free(definition, incident, role, person)
    if not known.shared:
        others = RoleHeld.objects.filter(incident=incident, role=role, until_at=None).select_related("person")
        release_held(actor, incident, list(others), now=now)
    team = _team_of(incident, person) if known.per_team else incident.team
    row = RoleHeld.objects.create(incident=incident, role=role, person=person, team=team, from_at=now)
    data: dict[str, Any] = {
        "person": person.label,
        "username": person.username,
        "role": known.display_name,
        "role_code": role,
    }
    [entry] = audit.record(actor, [fact(incident, Kind.ROLE_TAKEN, **data)], now=now)
    duties.fulfil_if_open(
        incident, ObligationKind.FILL_ROLE, key=duties.role_key(role), evidence_seq=entry.seq, now=now
    )
    return row


def _team_of(incident: Incident, person: Person) -> Team | None:
    """For which of the incident's teams somebody works in it; for its own one where that is not clear."""
    mine = set(person.memberships.values_list("team_id", flat=True))
    return next((team for team in teams_of(incident) if team.pk in mine), incident.team)


def known_role(definition: ProcessDefinition, role: str) -> RoleDefinition:
    """The role of that code. Raises Invalid, naming those there are."""
    found = definition.roles.by_code(role)
    if found is None:
        known = ", ".join(one.code for one in definition.roles.roles)
        raise Invalid({"role": f"There is no role {role!r}; the process has {known}."})
    return found


def _check_free(definition: ProcessDefinition, incident: Incident, role: str, person: Person) -> None:
    mine = RoleHeld.objects.filter(person=person, until_at=None)
    here = list(mine.filter(incident=incident).values_list("role", flat=True))
    elsewhere = list(
        mine.exclude(incident=incident).filter(incident__state__in=OPEN_STATES).values_list("role", flat=True)
    )
    found = hold_decision(definition, incident.severity, role, own_roles=here, own_roles_elsewhere=elsewhere)
    if not found.allowed:
        why = _SENTENCES.get(found.reason, found.reason.value)
        remedy = "Release the other role first, or ask somebody else."
        raise Refused(f"{person.label} {why}.", reason=found.reason.value, remedy=remedy)


def release_held(actor: Actor, incident: Incident, rows: list[RoleHeld], *, now: datetime) -> None:
    """Write down that these roles are no longer held. Part of the caller's change of an incident it holds."""
    if not rows:
        return
    RoleHeld.objects.filter(pk__in=[row.pk for row in rows]).update(until_at=now)
    definition = snapshots.process_of(incident)
    facts = [
        fact(
            incident,
            Kind.ROLE_RELEASED,
            person=row.person.label,
            username=row.person.username,
            role=display_name(definition, row.role),
            role_code=row.role,
        )
        for row in rows
    ]
    audit.record(actor, facts, now=now)


def display_name(definition: ProcessDefinition, role: str) -> str:
    """What people call the role."""
    found = definition.roles.by_code(role)
    return found.display_name if found else role


def between_two(row: HandOver | TakeOver, kind: Kind, **more: Any) -> audit.Fact:
    """What the log keeps of a role that passes, or is asked for, from one person to another."""
    names: dict[str, Any] = {
        "role": display_name(snapshots.process_of(row.incident), row.role),
        "role_code": row.role,
        "giver": row.giver.label,
        "taker": row.taker.label,
        "from": row.giver.username,
        "to": row.taker.username,
    }
    return audit.Fact(kind=kind, incident=row.incident.ref, data={**names, **more})


def take_execution(actor: Actor, incident: Incident, person: Person, *, now: datetime) -> None:
    """Whoever answers the page does the work, unless somebody does it already or the person has another role."""
    definition = snapshots.process_of(incident)
    role = duty_holder(definition, Duty.EXECUTION, incident.severity, held=()).role
    if RoleHeld.objects.filter(incident=incident, role=role, until_at=None).exists():
        return
    here = list(RoleHeld.objects.filter(incident=incident, person=person, until_at=None).values_list("role", flat=True))
    if hold_decision(definition, incident.severity, role, own_roles=here).allowed:
        take(actor, incident, role=role, person=person, now=now)


def release_uncalled(actor: Actor, incident: Incident, *, now: datetime) -> None:
    """Roles that the new severity does not call are released, once what they owe has gone to somebody who is there.

    Roles that are never called stay with who took them.
    """
    definition = snapshots.process_of(incident)
    rows = list(RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person"))
    released = roles_released(definition, incident.severity, (row.role for row in rows))
    gone = leaving.pass_on(actor, incident, [row for row in rows if row.role in released], now=now)
    release_held(actor, incident, gone, now=now)
    for row in gone:
        duties.ask_again_for_role(incident, row.role)


def ask_called(
    incident: Incident, definition: ProcessDefinition, *, actor: Actor, former_severity: str = "", now: datetime
) -> None:
    """Page who is on call for each role that the severity calls and nobody holds, and the experts of all named teams."""
    for call in role_calls.calls(incident, definition, incident.severity, former=former_severity, now=now):
        ask(incident, definition, call, actor=actor, now=now)


def ask(incident: Incident, definition: ProcessDefinition, call: RoleCall, *, actor: Actor, now: datetime) -> None:
    """Page everybody of one call. Part of the caller's change of an incident it holds."""
    role, persons = call.role, call.persons
    repeat = Page.objects.filter(incident=incident, kind=paging.ROLE, reason=role.code).count()
    place = [one.code for one in definition.roles.roles].index(role.code)
    messages: list[Outgoing] = []
    for person in persons:
        new = NewPage(person=person, kind=paging.ROLE, reason=role.code, step=place, repeat=repeat)
        _, carried = paging.create(
            incident,
            new,
            definition=definition,
            text=lambda facts: page_text.role(
                facts, display_name=role.display_name, responsibilities=role.responsibilities
            ),
            now=now,
        )
        messages += carried
    names = [person.label for person in persons]
    of_team: dict[str, Any] = {"team": call.team.label, "team_code": call.team.name} if call.team else {}
    asked = fact(
        incident,
        Kind.ROLE_ASKED,
        role=role.display_name,
        role_code=role.code,
        persons=names,
        gap=not names,
        **of_team,
    )
    audit.record(actor, [asked], now=now)
    if messages:
        outbox.enqueue(messages, now=now)
