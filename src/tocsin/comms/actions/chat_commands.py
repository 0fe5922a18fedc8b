"""What is commanded in a chat, done as the person who says it, with that person's rights and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tocsin.comms import chat_queries, writing
from tocsin.comms.actions.chat_proof import Speaker, how_to_link, prove_chat_account
from tocsin.comms.actions.updates import send_update
from tocsin.core.access import Actor
from tocsin.core.chat_commands import HELP, Command, Verb
from tocsin.core.errors import NotAllowed, Refused, TocsinError
from tocsin.incidents import actions as incidents
from tocsin.incidents import queries, snapshots
from tocsin.incidents.actions.channel import page_of
from tocsin.incidents.models import Incident, Obligation, ObligationState, RoleHeld
from tocsin.incidents.priority_words import priority_code
from tocsin.people import queries as people
from tocsin.platform.text import one_line

NO_INCIDENT = "Which incident? Say it in its own channel, or name it: ack INC-42. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Request:
    """A command by somebody, about an incident, with the message it came in."""

    actor: Actor
    ref: str
    command: Command
    now: datetime
    source_id: str = ""
    occurred_at: datetime | None = None


def obey(
    speaker: Speaker,
    *,
    ref: str,
    command: Command,
    now: datetime,
    source_id: str = "",
    occurred_at: datetime | None = None,
) -> str:
    """Do it and say in a sentence what was done, or why not.

    A command that is refused changes nothing; one of an account that is nobody's changes nothing either.
    """
    if command.verb is Verb.HELP:
        return HELP
    if command.verb is Verb.LINK:
        return prove_chat_account(speaker, command.text, now=now)
    actor = actor_behind(speaker)
    if actor is None:
        return f"I do not know whose account {speaker.label} is, so nothing was changed. {how_to_link(speaker)}"
    named = command.ref or ref
    if not named:
        return NO_INCIDENT
    asked = Request(actor, named, command, now, source_id, occurred_at)
    try:
        with transaction.atomic():
            return _DEEDS[command.verb](asked)
    except (Refused, NotAllowed) as refusal:
        return f"{refusal.message} {refusal.remedy}".strip() + " Nothing was changed."
    except TocsinError as refusal:
        return f"{refusal.message} Nothing was changed."


def actor_behind(speaker: Speaker) -> Actor | None:
    """The person of ours who speaks; None for an account that is nobody's."""
    person = chat_queries.person_behind(speaker.adapter, speaker.account)
    return people.actor_of(person) if person is not None else None


def _ack(asked: Request) -> str:
    row = incidents.acknowledge(asked.actor, asked.ref, now=asked.now)
    name = row.acknowledged_by.label if row.acknowledged_by else asked.actor.display_name
    return f"{name} is on {row.ref}."


def _update(asked: Request) -> str:
    command = asked.command
    soon = asked.now + command.next_in if command.next_in else None
    row = send_update(
        asked.actor,
        asked.ref,
        text=command.text,
        no_change=command.no_change,
        next_update_at=soon,
        now=asked.now,
    )
    following = f" The next one is promised for {writing.clock_text(row.next_update_at)}." if row.next_update_at else ""
    return f"Told {row.recipients} addresses.{following}"


def _decide(asked: Request) -> str:
    row = incidents.record_decision(
        asked.actor,
        asked.ref,
        text=asked.command.text,
        occurred_at=asked.occurred_at,
        source_id=asked.source_id,
        now=asked.now,
    )
    return f"Kept as decision {row.number}."


def _ask(asked: Request) -> str:
    row = incidents.ask_question(asked.actor, asked.ref, text=asked.command.text, now=asked.now)
    return f"Kept as question {row.number}."


def _who(asked: Request) -> str:
    row = queries.incident(asked.actor, asked.ref)
    definition = snapshots.process_of(row)
    held = RoleHeld.objects.filter(incident=row, until_at=None).select_related("person").order_by("from_at")
    lines = []
    for one in held:
        role = definition.roles.by_code(one.role)
        lines.append(f"{role.display_name if role else one.role}: {one.person.label}")
    if row.acknowledged_by and not lines:
        lines.append(f"{row.acknowledged_by.label} is on it")
    return "\n".join([row.ref, *lines]) if lines else f"Nobody is on {row.ref} yet."


def _status(asked: Request) -> str:
    row = queries.incident(asked.actor, asked.ref)
    definition = snapshots.process_of(row)
    code = priority_code(definition, row.priority, row.priority_state)
    lines = [
        f"{row.ref} {one_line(row.title)}",
        f"{row.state}, priority {code}, severity {row.severity}",
        *_next_update(row),
        page_of(row),
    ]
    return "\n".join(lines)


def _next_update(row: Incident) -> list[str]:
    kinds = [kind.value for kind in snapshots.UPDATE_KINDS]
    owed = Obligation.objects.filter(incident=row, state=ObligationState.OPEN, kind__in=kinds, due_at__isnull=False)
    first = owed.order_by("due_at").first()
    return [f"next update due {writing.clock_text(first.due_at)}"] if first and first.due_at else []


_DEEDS: Mapping[Verb, Callable[[Request], str]] = {
    Verb.ACK: _ack,
    Verb.UPDATE: _update,
    Verb.DECIDE: _decide,
    Verb.ASK: _ask,
    Verb.WHO: _who,
    Verb.STATUS: _status,
}
