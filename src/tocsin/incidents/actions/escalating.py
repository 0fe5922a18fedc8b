"""Ask beyond the wake-up chain: another team for its skill (functional), management for a decision (hierarchic).

Neither changes who has the incident, except that a team asked about one that nobody has takes it by answering.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right
from tocsin.core.errors import Invalid, NotFound, Refused
from tocsin.core.incident_escalations import KIND_OF, Direction, escalations
from tocsin.core.incident_lifecycle import State as CoreState
from tocsin.core.incident_lifecycle import is_open
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import paging, rank, suggesting
from tocsin.incidents.actions.answering_escalation import record_answer
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.actions.opening import responder
from tocsin.incidents.actions.paging import NewPage
from tocsin.incidents.course import events_of
from tocsin.incidents.models import Incident
from tocsin.oncall import queries as oncall
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform import outbox
from tocsin.platform.outbox import Outgoing
from tocsin.platform.text import clean
from tocsin.process import queries as process

_LONGEST = 300
_EXERCISE = "exercise"
_MANAGEMENT = "management"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom an escalation goes to: persons, or addresses of people without an account."""

    to: str
    code: str
    persons: Sequence[Person] = ()
    addresses: Sequence[str] = ()


@rank.protected
def escalate_to_team(actor: Actor, ref: str | int, *, team: str, reason: str, now: datetime) -> Incident:
    """Ask another team: whoever is on call there is paged, or the whole team where nobody is.

    A second team makes the incident complex, and then its severity is asked for.

    Raises Invalid without a reason or for an unknown team or the incident's own, Refused when the incident is over or
    nobody of that team can be reached.
    """
    with transaction.atomic():
        incident = _ready(actor, ref, now=now)
        asked = _team(incident, team.strip(), now=now)
        asked_from = incident.team.label if incident.team else responder(actor)
        _escalate(actor, incident, Direction.FUNCTIONAL, asked, asked_from, reason, now=now)
        suggesting.needs_team(actor, incident, people.team(team.strip()), now=now)
    return incident


@rank.protected
def escalate_to_management(actor: Actor, ref: str | int, *, reason: str, to: str = "", now: datetime) -> Incident:
    """Ask management to decide or to help: the groups of management, or the person `to` (a user name).

    An exercise is written down and tells no group. Raises Invalid without a reason, NotFound for an unknown person,
    Refused when the incident is over or there is nobody to ask.
    """
    with transaction.atomic():
        incident = _ready(actor, ref, now=now)
        asked = _person(to.strip()) if to.strip() else _management(incident)
        _escalate(actor, incident, Direction.HIERARCHIC, asked, responder(actor), reason, now=now)
    return incident


@rank.protected
def acknowledge_escalation(actor: Actor, ref: str | int, seq: int, *, now: datetime) -> Incident:
    """Say that an escalation was heard and is looked after; the first who says so is written down.

    Raises NotFound for an entry that is no escalation of this incident.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ACKNOWLEDGE, now=now)
        if record_answer(actor, incident, seq, name=responder(actor), now=now) is None:
            raise NotFound(f"{incident.ref} has no escalation {seq}.")
    return incident


def _ready(actor: Actor, ref: str | int, *, now: datetime) -> Incident:
    incident = held(ref)
    rank.require(actor, incident, Right.INCIDENT_ESCALATE, now=now)
    if not is_open(CoreState(incident.state)):
        raise Refused(f"{incident.ref} is over.", reason="ended", remedy="Reopen it, or declare a new one.")
    return incident


def _team(incident: Incident, name: str, *, now: datetime) -> _Asked:
    try:
        row = people.team(name)
    except NotFound:
        raise Invalid({"team": f"There is no team called {name!r}."}) from None
    if row.pk == incident.team_id:
        raise Invalid({"team": f"{row.label} has it already. Pass it on to ask the next in its chain."})
    return _Asked(row.label, row.name, oncall.on_call_of_team(row, now=now) or people.members(row.name))


def _person(username: str) -> _Asked:
    row = people.person(username)
    return _Asked(row.label, row.username, [row])


def _management(incident: Incident) -> _Asked:
    groups = process.management_groups()
    addresses = sorted({member.email for group in groups for member in group.members.all()})
    names = ", ".join(group.name for group in groups) or _MANAGEMENT
    return _Asked(names, _MANAGEMENT, addresses=[] if incident.kind == _EXERCISE else addresses)


def _escalate(
    actor: Actor,
    incident: Incident,
    direction: Direction,
    asked: _Asked,
    asked_from: str,
    reason: str,
    *,
    now: datetime,
) -> None:
    why = clean(reason).strip()[:_LONGEST]
    if not why:
        raise Invalid({"reason": "Say in a few words what you need of them."})
    persons = [person for person in asked.persons if paging.is_reachable(person, now=now)]
    silent = incident.kind == _EXERCISE and asked.code == _MANAGEMENT
    if not persons and not asked.addresses and not silent:
        raise Refused(
            f"Nobody of {asked.to} can be reached.",
            reason="nobody_to_ask",
            remedy="Name somebody else, or add a way to reach them.",
        )
    repeat = len(escalations(events_of(incident.ref)))
    names = [person.label for person in persons]
    data: dict[str, Any] = {
        "from": asked_from,
        "to": asked.to,
        "to_code": asked.code,
        "reason": why,
        "by_name": responder(actor),
        "persons": names,
    }
    save(incident, now=now)
    [entry] = audit.record(actor, [fact(incident, KIND_OF[direction], **data)], now=now)
    new = [NewPage(person=person, kind=direction.value, reason=str(entry.seq), repeat=repeat) for person in persons]
    new += [
        NewPage(person=None, kind=direction.value, reason=str(entry.seq), repeat=repeat, address=address)
        for address in asked.addresses
    ]
    messages = list(_messages(incident, new, asked, responder(actor), why, now=now))
    if messages:
        outbox.enqueue(messages, now=now)


def _messages(
    incident: Incident, pages: Iterable[NewPage], asked: _Asked, by: str, why: str, *, now: datetime
) -> Iterable[Outgoing]:
    definition = snapshots.process_of(incident)
    for one in pages:
        _, carried = paging.create(
            incident,
            one,
            definition=definition,
            text=lambda facts: page_text.asked(facts, by=by, to=asked.to, why=why, now=now),
            now=now,
        )
        yield from carried
