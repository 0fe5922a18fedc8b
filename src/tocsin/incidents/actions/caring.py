"""Look after the people of a response: answer prompts, introduce oneself, post ground rules, settle contradictions, thank.

What the log gets of an answered prompt is that one was answered. Whom it was about and what it said stays outside of
the chain, where it can be deleted.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from tocsin.audit import actions as audit
from tocsin.audit.models import Entry
from tocsin.audit.queries import Excerpt, of_kinds
from tocsin.core.access import SYSTEM, Actor, Right, require
from tocsin.core.errors import Invalid, NotAllowed, NotFound, Refused
from tocsin.core.facts import Kind
from tocsin.core.wellbeing import DEFER_FOR, AnswerState, Prompt
from tocsin.incidents import people_queries, snapshots
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import fact, held, person_behind, save
from tocsin.incidents.models import CareAnswer, Incident
from tocsin.people.models import Person
from tocsin.platform.text import clean

CONFLICTS = (Kind.CONFLICT_NOTED, Kind.CONFLICT_SETTLED)
_LONGEST = 500
_LONGEST_WAIT = timedelta(hours=12)


def answer_prompt(
    actor: Actor,
    ref: str | int,
    prompt: Prompt,
    *,
    answer: AnswerState,
    wait: timedelta = DEFER_FOR,
    now: datetime,
) -> CareAnswer:
    """Say that a prompt is done, or defer it for `wait`. `prompt` is one of the incident's list, as its reader sees it.

    The person it is about may answer, and whoever coordinates. Raises NotAllowed for anybody else, and Invalid for a
    wait of no time or of more than twelve hours.
    """
    if answer is AnswerState.OPEN:
        raise Invalid({"answer": "A prompt is done or deferred."})
    if not timedelta(0) < wait <= _LONGEST_WAIT:
        raise Invalid({"wait": "Defer it for at least a minute and at most twelve hours."})
    with transaction.atomic():
        incident = held(ref)
        require(actor, Right.INCIDENT_READ)
        own = bool(prompt.about) and prompt.about == actor.ident
        if not own and not _may_care(incident, actor.ident, prompt):
            remedy = "Take the coordinating role, or leave it to who holds it."
            raise NotAllowed("Only whoever coordinates the response answers this.", remedy=remedy)
        row = CareAnswer.objects.create(
            incident=incident,
            key=prompt.key,
            check_code=prompt.check,
            about=Person.objects.filter(username=prompt.about).first() if prompt.about else None,
            answer=answer.value,
            is_break=prompt.is_break,
            by=person_behind(actor),
            at=now,
            until=now + wait if answer is AnswerState.DEFERRED else None,
        )
        # Who answers for oneself would show whom the prompt was about: the log names nobody then.
        audit.record(SYSTEM if own else actor, [fact(incident, Kind.WELLBEING_ANSWERED, answer=answer.value)], now=now)
    return row


def _may_care(incident: Incident, username: str, prompt: Prompt) -> bool:
    if people_queries.coordinates(incident, username):
        return True
    return not prompt.about and people_queries.coordinated_last(incident, username)


@rank.protected
def introduce(actor: Actor, ref: str | int, *, text: str = "", now: datetime) -> None:
    """Post one's card: name, team, role and time zone, and what one wants to say. Once for each incident.

    Raises Refused for somebody who holds no role in it.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        person = person_behind(actor)
        roles = people_queries.own_roles(incident, actor.ident)
        if person is None or not roles:
            remedy = "Take a role first, then introduce yourself."
            raise Refused("Only somebody who takes part is introduced.", reason="takes_no_part", remedy=remedy)
        card = joining_card(incident, person, clean(text).strip()[:_LONGEST])
        told = fact(incident, Kind.PERSON_INTRODUCED, person=person.label, username=person.username, card=card)
        audit.record(actor, [told], now=now)
        save(incident, now=now)


def joining_card(incident: Incident, person: Person, text: str = "") -> str:
    """What others read of somebody who joins: "Identity, Incident coordinator, Europe/Berlin"."""
    definition = snapshots.process_of(incident)
    held_now = people_queries.own_roles(incident, person.username)
    roles = [found.display_name for one in held_now if (found := definition.roles.by_code(one.role))]
    teams = [one.team.label for one in person.memberships.select_related("team").order_by("pk")]
    facts = ", ".join([*(teams[:1] or ["no team"]), *roles, person.time_zone])
    return f"{facts}. {text}".strip() if text else facts


@rank.protected
def post_ground_rules(actor: Actor, ref: str | int, *, now: datetime) -> None:
    """Put the ground rules of the process on the timeline. Raises Refused where the process has none."""
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        settings = snapshots.process_of(incident).wellbeing
        if settings is None or not settings.ground_rules:
            raise Refused("This version of the process has no ground rules.", reason="no_ground_rules")
        audit.record(actor, [fact(incident, Kind.GROUND_RULES_POSTED, rules="; ".join(settings.ground_rules))], now=now)
        save(incident, now=now)


@rank.protected
def note_conflict(actor: Actor, ref: str | int, *, one: int, other: int, now: datetime) -> str:
    """Say that two entries of the incident's log contradict each other. Returns the name of the pair: "4 and 9"."""
    if one == other:
        raise Invalid({"other": "Name two different entries."})
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        pair = {one, other}
        found = Entry.objects.filter(incident=incident.ref, seq__in=pair).count()
        if found != len(pair):
            raise NotFound(f"{incident.ref} has no entries {one} and {other}.")
        entries = f"{min(one, other)} and {max(one, other)}"
        audit.record(actor, [fact(incident, Kind.CONFLICT_NOTED, entries=entries)], now=now)
        save(incident, now=now)
    return entries


@rank.protected
def settle_conflict(actor: Actor, ref: str | int, *, entries: str, settled: str, now: datetime) -> None:
    """Say which of two entries holds. Raises NotFound for a pair that is not open, Invalid without words."""
    said = clean(settled).strip()[:_LONGEST]
    if not said:
        raise Invalid({"settled": "Say which one holds."})
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ANNOTATE, now=now)
        if entries not in open_conflicts(incident):
            raise NotFound(f"{incident.ref} has no open contradiction {entries!r}.")
        audit.record(actor, [fact(incident, Kind.CONFLICT_SETTLED, entries=entries, settled=said)], now=now)
        save(incident, now=now)


def open_conflicts(incident: Incident, log: Excerpt | None = None) -> list[str]:
    """The contradictions nobody has settled, in the order in which they were noted; `log` if `CONFLICTS` is at hand."""
    found: dict[str, None] = {}
    for entry in of_kinds([incident.ref], CONFLICTS) if log is None else log.of(*CONFLICTS):
        name = str((entry.data or {}).get("entries") or "")
        if entry.kind == Kind.CONFLICT_NOTED:
            found[name] = None
        else:
            found.pop(name, None)
    return list(found)
