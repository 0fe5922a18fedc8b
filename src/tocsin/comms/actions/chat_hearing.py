"""What people write in a room goes on the incident's timeline, once; what they command is done and answered there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction

from tocsin.audit.models import Entry
from tocsin.comms import chat_queries
from tocsin.comms.actions.chat_commands import actor_behind, obey
from tocsin.comms.actions.chat_proof import Speaker, how_to_link
from tocsin.comms.models import ChatPlace
from tocsin.core import retries
from tocsin.core.access import Actor, ActorKind, Right, Role
from tocsin.core.chat_calls import Heard
from tocsin.core.chat_commands import Command, Verb, spoken
from tocsin.core.chat_linking import without_code
from tocsin.core.retries import RetryPolicy
from tocsin.incidents import actions as incidents
from tocsin.incidents.actions import channel as channels
from tocsin.incidents.actions.incident_row import held
from tocsin.incidents.models import Incident, ResponseChannel
from tocsin.platform import db
from tocsin.platform.text import clean, one_line

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)
LEASE = timedelta(seconds=60)
_AFTER_FAILURE = RetryPolicy(first=timedelta(seconds=2), longest=timedelta(minutes=1), tries=1)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


def take_message(adapter: str, heard: Heard, *, now: datetime) -> bool:
    """Keep what was said in a room of ours, and do what it commands. False for another room and for what was kept.

    Whoever is in the room is heard, also without an account here; only commands need one.
    """
    row = chat_queries.channel_in(adapter, heard.room)
    if row is None:
        return False
    command = spoken(heard.text) if heard.command else None
    with transaction.atomic():
        incident = held(row.incident.number)
        source_id = f"{adapter}:{heard.ident}"[:200]
        if Entry.objects.filter(incident=incident.ref, source_id=source_id).exists():
            return False
        said_at = _when(heard, row, now=now)
        if command is not None and command.verb is Verb.DECIDE:
            answer = _decide(adapter, heard, incident, command, source_id=source_id, said_at=said_at, now=now)
        else:
            _note(adapter, heard, incident, heard.text, "chat", source_id=source_id, said_at=said_at, now=now)
            answer = _obeyed(adapter, heard, incident, command, now=now) if command is not None else ""
        if answer:
            channels.post(row, incident, key=f"answer-{heard.ident}", text=answer, quiet=True, now=now)
    return True


def _obeyed(adapter: str, heard: Heard, incident: Incident, command: Command, *, now: datetime) -> str:
    return obey(_speaker(adapter, heard), ref=incident.ref, command=command, now=now)


def _decide(
    adapter: str,
    heard: Heard,
    incident: Incident,
    command: Command,
    *,
    source_id: str,
    said_at: datetime,
    now: datetime,
) -> str:
    """A decision is kept whoever says it; one of the desk, with duties, it is only when a person of ours says it."""
    speaker = _speaker(adapter, heard)
    actor = actor_behind(speaker)
    answer = "Say what is decided: !decision TEXT."
    if not command.text:
        _note(adapter, heard, incident, heard.text, "chat", source_id=source_id, said_at=said_at, now=now)
        return answer
    if actor is not None and actor.may(Right.INCIDENT_ANNOTATE, team=incident.team.name if incident.team else None):
        answer = obey(
            speaker,
            ref=incident.ref,
            command=Command(Verb.DECIDE, incident.ref, command.text),
            source_id=source_id,
            occurred_at=said_at,
            now=now,
        )
    else:
        answer = (
            f"Kept on the timeline. I do not know whose account {speaker.label} is, so nobody is reminded of it. "
            f"{how_to_link(speaker)}"
        )
    if not Entry.objects.filter(incident=incident.ref, source_id=source_id).exists():
        _note(adapter, heard, incident, command.text, "decision", source_id=source_id, said_at=said_at, now=now)
    return answer


def _note(
    adapter: str,
    heard: Heard,
    incident: Incident,
    text: str,
    kind: str,
    *,
    source_id: str,
    said_at: datetime,
    now: datetime,
) -> None:
    actor = actor_behind(_speaker(adapter, heard))
    team = incident.team.name if incident.team else None
    if actor is None or not actor.may(Right.INCIDENT_ANNOTATE, team=team):
        actor = _stranger(adapter, heard)
    said = without_code(clean(text).strip()) or "(nothing)"
    incidents.annotate(actor, incident.ref, text=said, kind=kind, occurred_at=said_at, source_id=source_id, now=now)


def _speaker(adapter: str, heard: Heard) -> Speaker:
    # In Matrix the account says more than the name in it.
    return Speaker(adapter, heard.account, heard.name if adapter != "matrix" else "")


def _stranger(adapter: str, heard: Heard) -> Actor:
    """Somebody in the room without an account here: heard, and named as the tool names them."""
    ident = one_line(f"{adapter}:{heard.account}", limit=150)
    return Actor(kind=ActorKind.INTEGRATION, ident=ident, display_name=heard.name, role=Role.RESPONDER)


def _when(heard: Heard, row: ResponseChannel, *, now: datetime) -> datetime:
    """When it was said by the tool's clock, unless that cannot be: before the room was, or in the future."""
    if not 0 < heard.sent_seconds < _LATEST:
        return now
    said = datetime.fromtimestamp(heard.sent_seconds, tz=UTC)
    return said if row.asked_at <= said <= now else now


def claim_place(adapter: str, *, now: datetime) -> ChatPlace | None:
    """The place up to where a tool was read, when it is time to ask it again and nobody else does."""
    ChatPlace.objects.get_or_create(adapter=adapter, defaults={"next_at": now})
    with transaction.atomic():
        due = ChatPlace.objects.filter(adapter=adapter, next_at__lte=now)
        return next(iter(db.claim(due, now=now, lease=LEASE, limit=1)), None)


def take_news(place: ChatPlace, heard: Sequence[Heard], *, reached: str, now: datetime) -> int:
    """Keep what was said and then the place that was reached; what comes twice after a crash is passed over.

    A message that cannot be kept is logged and holds up no other. Returns how many were new.
    """
    kept = 0
    for one in heard:
        try:
            kept += take_message(place.adapter, one, now=now)
        except Exception:  # the boundary of one message
            log.exception("the message %s of %s could not be kept", one.ident, place.adapter)
    with transaction.atomic():
        done = {"place": reached, "next_at": now + EVERY, "failures": 0, "last_error": "", "heard_at": now}
        db.still_held(place).update(claimed_by="", lease_until=None, **done)
    return kept


def note_silence(place: ChatPlace, detail: str, *, asked_wait: timedelta | None = None, now: datetime) -> None:
    """The tool did not answer: it is asked again after a growing wait, or after the one it asks for."""
    wait = retries.back_off(_AFTER_FAILURE, tries_made=place.failures + 1)
    if asked_wait is not None and wait < asked_wait <= timedelta(hours=1):
        wait = asked_wait
    with transaction.atomic():
        failed = {"next_at": now + wait, "failures": place.failures + 1, "last_error": one_line(detail)[:300]}
        db.still_held(place).update(claimed_by="", lease_until=None, **failed)
