"""Hand a role over with how things stand, and dissolve the team of a mission with thanks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Min

from tocsin.audit import actions as audit
from tocsin.core.access import Actor, Right, require
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.obligation_facts import ObligationKind
from tocsin.incidents import people_queries, snapshots
from tocsin.incidents.actions import duties, paging, staffing
from tocsin.incidents.actions.incident_row import fact, held, person_behind, save, team_name
from tocsin.incidents.models import HandOver, Incident, Obligation, ObligationState, ResponseTeam, RoleHeld
from tocsin.incidents.obligation_words import words
from tocsin.incidents.page_text import PageText
from tocsin.people import queries as people
from tocsin.people.models import Person
from tocsin.platform.text import clean

THANKS = "thanks"
_LONGEST = 2_000
_TOLD = {
    "done": "Say what has been done.",
    "open": "Say what is open.",
    "risks": "Say what could go wrong, or that you see nothing.",
    "next_update": "Say when the next update is due, or that none is.",
}


def offer_hand_over(actor: Actor, ref: str | int, *, role: str, to: str, now: datetime, **told: str) -> HandOver:
    """Offer the role one holds to another person, with what is `done`, `open`, `risks` and `next_update`.

    The role changes hands when the other person accepts. Raises Invalid where something is not said, Refused when one
    does not hold the role, NotFound for an unknown person.
    """
    said = how_it_stands(told)
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_ASSIGN, team=team_name(incident))
        giver, taker = person_behind(actor), people.person(to)
        if giver is None or role not in {one.role for one in people_queries.own_roles(incident, actor.ident)}:
            raise Refused("You do not hold that role here.", reason="not_held", remedy="Ask whoever holds it.")
        if giver.pk == taker.pk:
            raise Invalid({"to": "That is you. Choose somebody else."})
        replace_offers(incident, role, giver, now=now)
        row = HandOver.objects.create(incident=incident, role=role, giver=giver, taker=taker, offered_at=now, **said)
        audit.record(actor, [staffing.between_two(row, Kind.HANDOVER_OFFERED)], now=now)
        save(incident, now=now)
        _mail_offer(row, now=now)
    return row


def replace_offers(incident: Incident, role: str, giver: Person, *, now: datetime) -> None:
    """What is offered or given now takes the place of an offer that nobody has answered."""
    earlier = HandOver.objects.filter(incident=incident, role=role, giver=giver)
    earlier.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=now)


def how_it_stands(told: Mapping[str, str]) -> dict[str, str]:
    """What every hand-over has to say, cleaned. Raises Invalid naming what was left out."""
    said = {name: clean(told.get(name, "")).strip()[: 300 if name == "next_update" else _LONGEST] for name in _TOLD}
    missing = {name: sentence for name, sentence in _TOLD.items() if not said[name]}
    if missing:
        raise Invalid(missing)
    return said


def accept_hand_over(actor: Actor, hand_over: int, *, now: datetime) -> HandOver:
    """Take the role that was offered to oneself; whoever offered it no longer holds it. Raises NotFound, NotAllowed."""
    with transaction.atomic():
        row = _open(hand_over)
        if row.taker.username != actor.ident:
            raise NotAllowed(f"It was offered to {row.taker.label}.", remedy="Ask for a hand-over of your own.")
        require(actor, Right.INCIDENT_ASSIGN, team=team_name(row.incident))
        given = [one for one in people_queries.own_roles(row.incident, row.giver.username) if one.role == row.role]
        if not given:
            raise Refused(f"{row.giver.label} no longer holds it.", reason="not_held", remedy="Take the role instead.")
        change_hands(actor, row, given, now=now)
    return row


def change_hands(actor: Actor, row: HandOver, given: list[RoleHeld], *, now: datetime) -> None:
    """The role goes from one to the other, with how things stand; both have said so. Part of the caller's change."""
    staffing.release_held(actor, row.incident, given, now=now)
    staffing.take(actor, row.incident, role=row.role, person=row.taker, now=now)
    row.accepted_at = now
    row.save(update_fields=["accepted_at"])
    told = {"done": row.done, "open": row.open, "risks": row.risks, "next_update": row.next_update}
    audit.record(actor, [staffing.between_two(row, Kind.HANDOVER_RECORDED, accepted=True, **told)], now=now)
    save(row.incident, now=now)
    duties.reconcile(row.incident, now=now)


def withdraw_hand_over(actor: Actor, hand_over: int, *, now: datetime) -> HandOver:
    """Take an offer back, or turn it down: the role stays where it is. For the two people it is between."""
    with transaction.atomic():
        row = _open(hand_over)
        if actor.ident not in {row.giver.username, row.taker.username}:
            raise NotAllowed(f"It is between {row.giver.label} and {row.taker.label}.")
        row.withdrawn_at = now
        row.save(update_fields=["withdrawn_at"])
        audit.record(actor, [staffing.between_two(row, Kind.HANDOVER_WITHDRAWN)], now=now)
        save(row.incident, now=now)
    return row


def _open(hand_over: int) -> HandOver:
    number = HandOver.objects.filter(pk=hand_over).values_list("incident__number", flat=True).first()
    if number is None:
        raise NotFound(f"There is no hand-over {hand_over}.")
    incident = held(number)
    row = HandOver.objects.select_related("giver", "taker").get(pk=hand_over)
    row.incident = incident
    if row.accepted_at or row.withdrawn_at:
        raise Refused("This hand-over is settled already.", reason="settled")
    return row


def _mail_offer(row: HandOver, *, now: datetime) -> None:
    definition = snapshots.process_of(row.incident)
    found = definition.roles.by_code(row.role)
    name = found.display_name if found else row.role
    text = "\n".join([
        f"{row.giver.label} asks you to take over as {name}.", "",
        f"Done: {row.done}", f"Open: {row.open}", f"Risks: {row.risks}", f"Next update: {row.next_update}", "",
        f"Accept it here: {paging.incident_url(row.incident)}#people",
    ])  # fmt: skip
    said = PageText(f"Hand-over of {row.incident.ref}", text)
    texts, key = {row.taker.pk: said}, f"hand-over-{row.pk}"
    paging.tell(row.incident, [row.taker], texts, kind="hand_over", key=key, definition=definition, now=now)


def dissolve_team(actor: Actor, ref: str | int, *, thanks: str, now: datetime) -> ResponseTeam:
    """End the mission of the response team: thank everybody who took part and release every role.

    Refused while the incident is open or something but the postmortem is owed (each is named), and when it was
    dissolved already. Raises Invalid without thanks.
    """
    said = clean(thanks).strip()[:_LONGEST]
    if not said:
        raise Invalid({"thanks": "Thank them. A sentence is enough."})
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_ASSIGN, team=team_name(incident))
        everybody = _everybody(incident)
        _check_over(incident, everybody)
        formed = RoleHeld.objects.filter(incident=incident).aggregate(at=Min("from_at"))["at"]
        team = ResponseTeam.objects.create(
            incident=incident,
            formed_at=formed or incident.created_at,
            dissolved_at=now,
            dissolved_by=actor.ident,
            thanks=said,
            people=len(everybody),
        )
        present = RoleHeld.objects.filter(incident=incident, until_at=None).select_related("person")
        staffing.release_held(actor, incident, list(present), now=now)
        told = fact(
            incident, Kind.TEAM_DISSOLVED, thanks=said, people=len(everybody), formed_at=team.formed_at.isoformat()
        )
        audit.record(actor, [told], now=now)
        save(incident, now=now)
        _mail_thanks(incident, everybody, said, by=actor.display_name or actor.ident, now=now)
    return team


def _everybody(incident: Incident) -> list[Person]:
    rows = Person.objects.filter(roles_held__incident=incident).distinct().order_by("username")
    return list(rows.prefetch_related("contact_methods"))


def _check_over(incident: Incident, everybody: list[Person]) -> None:
    if incident.is_open:
        raise Refused("It is not over yet.", reason="still_open", remedy="Resolve the incident first.")
    if people_queries.team_record(incident) is not None:
        raise Refused("The team was dissolved already.", reason="dissolved_already")
    if not everybody:
        raise Refused("Nobody held a role, so there is no team.", reason="no_team")
    # The postmortem comes days after the mission; nobody is kept in the response for it.
    rows = Obligation.objects.filter(incident=incident, state=ObligationState.OPEN).exclude(
        kind=ObligationKind.POSTMORTEM
    )
    owed = rows.order_by("due_at", "pk")
    if owed:
        names = ", ".join(words(one) for one in owed)
        raise Refused(
            f"Still owed: {names}.", reason="duties_open", remedy="Do each of them, or say why it is not needed."
        )


def _mail_thanks(incident: Incident, everybody: list[Person], thanks: str, *, by: str, now: datetime) -> None:
    definition = snapshots.process_of(incident)
    text = f"{thanks}\n\n{by}\n\n{incident.ref}: {incident.title}\n{paging.incident_url(incident)}"
    said = {person.pk: PageText(f"Thank you for {incident.ref}", text) for person in everybody}
    paging.tell(incident, everybody, said, kind=THANKS, key=f"thanks-{incident.pk}", definition=definition, now=now)
