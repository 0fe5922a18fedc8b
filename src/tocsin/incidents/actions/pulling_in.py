"""Ask people who are not on call for it to help, and go on asking for a role that nobody fills in time."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from tocsin.audit import actions as audit
from tocsin.core.access import SYSTEM, Actor, Right
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.core.process_parts import Area, RoleDefinition
from tocsin.core.roles import Duty, duty_holder
from tocsin.incidents import page_text, snapshots
from tocsin.incidents.actions import paging, rank, staffing
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.actions.paging import NewPage
from tocsin.incidents.models import OPEN_STATES, Incident, Obligation, ObligationState, Page
from tocsin.oncall import queries as oncall
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform import outbox
from tocsin.platform.guarding import guarded
from tocsin.platform.outbox import Outgoing
from tocsin.platform.questions import Question
from tocsin.platform.text import clean

_LONGEST = 300


@rank.protected
def pull_in(actor: Actor, ref: str | int, *, person: str, reason: str, role: str = "", now: datetime) -> Page:
    """Page somebody about an incident, on call or not, to join in a role (without one: to do the work) (R-9.3.5-4).

    Whoever may page asks people who are on call; others only whoever decides on people. Raises Invalid without a
    reason, NotFound for an unknown person, Refused when the incident is over or the person cannot be reached.
    """
    why = clean(reason).strip()[:_LONGEST]
    if not why:
        raise Invalid({"reason": "Say in a few words what you need of them."})
    with transaction.atomic():
        incident = held(ref)
        who = people.person(person)
        definition = snapshots.process_of(incident)
        known = staffing.known_role(
            definition, role or duty_holder(definition, Duty.EXECUTION, incident.severity, held=()).role
        )
        called = _is_on_call(incident, who, known.code, now=now)
        what = f"page {who.label}, who is {'on call' if called else 'not on call'}"
        right = Right.INCIDENT_ESCALATE if called else Right.PAGE_OFF_CALL
        rank.require(actor, incident, right, what=what, now=now)
        _require_reachable(incident, who, now=now)
        told = fact(
            incident,
            Kind.ROLE_ASKED if called else Kind.PERSON_PULLED_IN,
            person=who.label,
            username=who.username,
            persons=[who.label],
            role=known.display_name,
            role_code=known.code,
            reason=why,
        )
        audit.record(actor, [told], now=now)
        pages = _page(incident, known, [who], by=actor.display_name or actor.ident, why=why, now=now)
        save(incident, now=now)
    return pages[0]


def _is_on_call(incident: Incident, who: Person, role: str, *, now: datetime) -> bool:
    if incident.team and any(one.pk == who.pk for one in oncall.on_call_of_team(incident.team, now=now)):
        return True
    return who.username in oncall.on_call_for_role(role, now=now, team=incident.team)


def _require_reachable(incident: Incident, who: Person, *, now: datetime) -> None:
    if not incident.is_open:
        raise Refused(f"{incident.ref} is over.", reason="ended", remedy="Reopen it, or declare a new one.")
    if not paging.is_reachable(who, now=now):
        remedy = "Ask somebody else, or add a way to reach them."
        raise Refused(f"{who.label} cannot be reached.", reason="nobody_to_ask", remedy=remedy)


def _page(
    incident: Incident, role: RoleDefinition, persons: list[Person], *, by: str, why: str, now: datetime
) -> list[Page]:
    definition = snapshots.process_of(incident)
    repeat = Page.objects.filter(incident=incident, kind=paging.ROLE, reason=role.code).count()
    place = [one.code for one in definition.roles.roles].index(role.code)
    rows: list[Page] = []
    messages: list[Outgoing] = []
    for person in persons:
        new = NewPage(person=person, kind=paging.ROLE, reason=role.code, step=place, repeat=repeat)
        row, carried = paging.create(
            incident,
            new,
            definition=definition,
            text=lambda facts: page_text.asked(facts, by=by, to=role.display_name.lower(), why=why, now=now),
            now=now,
        )
        rows.append(row)
        messages += carried
    if messages:
        outbox.enqueue(messages, now=now)
    return rows


def press_unfilled_roles(*, now: datetime, limit: int = 100) -> int:
    """Ask more people for each called role that nobody took by its time limit, once: an unfilled role asks by itself.

    Those on call for it again and everybody else of its rotations; where it has none, the whole team; where that is
    empty, the administrators. Each in its own transaction; returns how many.
    """
    if not _anything_due(now=now):
        return 0
    due = _due(now).order_by("due_at", "pk")
    return sum(
        guarded(partial(_press, pk, now=now), trouble=f"could not go on asking for the role of obligation {pk}")
        for pk in list(due.values_list("pk", flat=True)[:limit])
    )


def _due(now: datetime) -> QuerySet[Obligation]:
    return Obligation.objects.filter(
        kind=ObligationKind.FILL_ROLE.value,
        state=ObligationState.OPEN,
        told_soon_at=None,
        due_at__lte=now,
        incident__state__in=OPEN_STATES,
    )


_anything_due = Question(_due)


def _press(obligation_id: int, *, now: datetime) -> int:
    number = Obligation.objects.filter(pk=obligation_id).values_list("incident__number", flat=True).get()
    with transaction.atomic():
        incident = held(number)
        row = Obligation.objects.get(pk=obligation_id)
        if row.state != ObligationState.OPEN or row.told_soon_at is not None or not incident.is_open:
            return 0
        row.told_soon_at = now
        row.save(update_fields=["told_soon_at"])
        code = row.key.partition(":")[2]
        role = staffing.known_role(snapshots.process_of(incident), code)
        if Area.EXECUTION in role.areas:
            return 0  # the wake-up chain goes on asking for whoever does the work
        asked = [one for one in _everybody_for(incident, code) if paging.is_reachable(one, now=now)]
        names = ", ".join(one.label for one in asked) or "nobody can be reached"
        told = fact(incident, Kind.ROLE_UNFILLED, role=role.display_name, role_code=code, asked=names, gap=not asked)
        audit.record(SYSTEM, [told], now=now)
        _page(incident, role, asked, by="Tocsin", why=f"Nobody holds {role.display_name} yet.", now=now)
        save(incident, now=now)
    return 1


def _everybody_for(incident: Incident, role: str) -> list[Person]:
    names = oncall.everybody_for_role(role, team=incident.team)
    rows = Person.objects.filter(username__in=names, is_active=True).prefetch_related("contact_methods")
    found = list(rows.order_by("username"))
    if not found and incident.team:
        found = people.members(incident.team.name)
    return found or list(people.administrators())
