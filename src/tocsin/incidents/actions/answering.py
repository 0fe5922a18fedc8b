"""Take charge, pass on, ask the next one, pause: what the person on call answers to a page."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.actions import stamp
from tocsin.core.access import Actor, ActorKind, Right, Role
from tocsin.core.errors import NotFound, Refused
from tocsin.core.escalation import Phase
from tocsin.core.facts import Kind
from tocsin.core.incident_escalations import Direction
from tocsin.core.incident_lifecycle import Event, Status, is_open, status_of
from tocsin.core.incident_lifecycle import State as CoreState
from tocsin.incidents import snapshots
from tocsin.incidents.actions import chain, chain_step, duties, paging, rank, staffing
from tocsin.incidents.actions.answering_escalation import record_answer
from tocsin.incidents.actions.incident_row import enter, fact, held, person_behind, save
from tocsin.incidents.models import Incident, Page
from tocsin.incidents.queries import page_for_token
from tocsin.people import queries as people
from tocsin.people.models import Person

TAKEN, PASSED, LATE = "taken", "passed", "late"
NAMELESS = {False: ("fallback-contact", "Fallback contact"), True: ("management", "Management")}
"""Who answers a page that went to an address without a person; an escalation's went to management."""
_ACKNOWLEDGED = ("state", "acknowledged_at", "acknowledged_by", "snoozed_until")


@rank.protected
def acknowledge(actor: Actor, ref: str | int, *, now: datetime, person: str | None = None) -> Incident:
    """Take charge: the chain stops. `person` is the user name for whom an administrator says so.

    Taking what is taken already changes nothing. Raises Refused when the incident is over.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ACKNOWLEDGE, now=now)
        if person:
            rank.require(actor, incident, Right.INCIDENT_ASSIGN, now=now)
        who = people.person(person) if person else person_behind(actor)
        take_charge(actor, incident, who, now=now)
    return incident


def take_charge(actor: Actor, incident: Incident, who: Person | None, *, now: datetime) -> None:
    """Somebody has an incident that the caller holds; `who` is None for whoever is no person known here."""
    waking = _is_waking(incident)
    if not enter(incident, Event.ACKNOWLEDGE) and not waking:
        return
    incident.acknowledged_at = incident.acknowledged_at or now
    incident.acknowledged_by = who
    incident.snoozed_until = None
    save(incident, *_ACKNOWLEDGED, now=now)
    name = who.label if who else actor.display_name or actor.ident
    told = fact(incident, Kind.INCIDENT_ACKNOWLEDGED, person=name, username=who.username if who else "")
    audit.record(actor, [told], now=now)
    if who is not None:
        staffing.take_execution(actor, incident, who, now=now)
    chain.acknowledged(incident, now=now)
    paging.stand_down(incident, taken_by=who, definition=snapshots.process_of(incident), by=name, now=now)
    duties.reconcile(incident, now=now)


def _is_waking(incident: Incident) -> bool:
    """Whether somebody is still being called, although the response has begun (asked for help, snoozed)."""
    row = chain.row_of(incident)
    return row is not None and row.next_at is not None and snapshots.position_of(row).phase is not Phase.ACKNOWLEDGED


def take_page(token: str, *, now: datetime) -> Incident:
    """The bearer of a page's link takes the incident (or the role it asks for). Once taken, later answers are `late`.

    What became of it stands in the page's `answer`. Raises NotFound for a token nobody was given.
    """
    with transaction.atomic():
        page, incident = _answered(token)
        if page.answer:
            return incident
        actor = bearer(page)
        if page.kind == paging.ROLE and page.person and is_open(CoreState(incident.state)):
            staffing.take(actor, incident, role=page.reason, person=page.person, now=now)
            save(incident, now=now)
            duties.reconcile(incident, now=now)
            _answer(actor, page, TAKEN, now=now)
        elif page.kind in paging.ESCALATIONS and is_open(CoreState(incident.state)):
            _take_escalation(actor, page, incident, now=now)
        elif page.kind in paging.CHAIN and _is_takeable(page, incident):
            # Answered first: who took it by this page is not told to stand down.
            _answer(actor, page, TAKEN, now=now)
            take_charge(actor, incident, page.person, now=now)
        else:
            _answer(actor, page, LATE, now=now)
    return incident


def pass_page(token: str, *, now: datetime) -> Incident:
    """The bearer passes it on, which is fine: the next step is paged at once. Too late, when somebody has it."""
    with transaction.atomic():
        page, incident = _answered(token)
        if page.answer:
            return incident
        actor = bearer(page)
        if page.kind not in paging.CHAIN or _is_takeable(page, incident):
            _answer(actor, page, PASSED, now=now)
            if page.kind in paging.CHAIN and chain.stands_at(incident, loop=page.loop, step=page.step):
                chain.by_hand(incident, now=now)
        else:
            _answer(actor, page, LATE, now=now)
    return incident


def _take_escalation(actor: Actor, page: Page, incident: Incident, *, now: datetime) -> None:
    """The one who was asked looks after it. A team that is asked about what nobody has takes charge by that."""
    name = page.person.label if page.person else actor.display_name
    made = record_answer(actor, incident, int(page.reason), name=name, now=now)
    _answer(actor, page, TAKEN if made is not None and made.is_open else LATE, now=now)
    untaken = status_of(CoreState(incident.state)) is Status.TRIGGERED
    if page.kind == Direction.FUNCTIONAL and page.person is not None and untaken:
        take_charge(actor, incident, page.person, now=now)


def _answered(token: str) -> tuple[Page, Incident]:
    """The page and its incident, held. The incident comes first, as everywhere, so that no two wait for each other."""
    page = page_for_token(token)
    if page is None:
        raise NotFound("This link leads to no page. Open Tocsin and look at what is open.")
    incident = held(page.incident.number)
    page.refresh_from_db(fields=["answer", "answered_at"])
    return page, incident


def _is_takeable(page: Page, incident: Incident) -> bool:
    if page.generation != incident.generation:
        return False
    return status_of(CoreState(incident.state)) is Status.TRIGGERED or (
        is_open(CoreState(incident.state)) and _is_waking(incident)
    )


def _answer(actor: Actor, page: Page, answer: str, *, now: datetime) -> None:
    page.answer, page.answered_at = answer, now
    page.save(update_fields=["answer", "answered_at"])
    kinds = {TAKEN: Kind.PAGE_TAKEN, PASSED: Kind.PAGE_PASSED, LATE: Kind.PAGE_ANSWERED_LATE}
    name = page.person.label if page.person else actor.display_name
    told = fact(page.incident, kinds[answer], person=name, page=str(page.pk), role=page.kind not in paging.CHAIN)
    audit.record(actor, [told], now=now)


def bearer(page: Page) -> Actor:
    """Who answers by a page's link: the person it was sent to, with the rights of a responder in this one thing."""
    person = page.person
    return Actor(
        kind=ActorKind.PAGE_LINK,
        ident=person.username if person else NAMELESS[page.kind in paging.ESCALATIONS][0],
        display_name=person.label if person else NAMELESS[page.kind in paging.ESCALATIONS][1],
        role=Role.RESPONDER,
        person_id=person.pk if person else None,
    )


@rank.protected
def escalate(actor: Actor, ref: str | int, *, now: datetime) -> Incident:
    """Ask the next in the chain at once; an acknowledgement is taken back (ESC-1). Raises Refused when it is over."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ESCALATE, now=now)
        _require_open(incident)
        facts = [fact(incident, Kind.INCIDENT_PASSED_ON, by=actor.ident)]
        if chain_step.take_back(incident):
            facts.append(fact(incident, Kind.INCIDENT_UNACKNOWLEDGED))
        incident.snoozed_until = None
        save(incident, *_ACKNOWLEDGED, now=now)
        audit.record(actor, facts, now=now)
        chain.by_hand(incident, now=now)
    return incident


@rank.protected
def snooze(actor: Actor, ref: str | int, *, until: datetime, now: datetime) -> Incident:
    """Page nobody before `until`; then the first step is paged. Raises Invalid for a time that has passed."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ACKNOWLEDGE, now=now)
        _require_open(incident)
        chain.snoozed(incident, until=until, now=now)
        incident.snoozed_until = until
        save(incident, "snoozed_until", now=now)
        audit.record(actor, [fact(incident, Kind.INCIDENT_SNOOZED, until=stamp(until))], now=now)
        paging.take_back_unsent(incident)
    return incident


def _require_open(incident: Incident) -> None:
    if not is_open(CoreState(incident.state)):
        raise Refused(f"{incident.ref} is over.", reason="ended", remedy="Reopen it, or declare a new one.")
