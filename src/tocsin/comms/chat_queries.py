"""Reads about chat: whose account it is, which rooms are listened to, how a tool last answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from tocsin.comms.models import ChatAccount, ChatLink, ChatPlace
from tocsin.core.access import Actor, Right, require
from tocsin.core.chat_linking import TOOLS
from tocsin.incidents.models import ChannelState, ResponseChannel
from tocsin.people import queries as people
from tocsin.people.models import Person


def person_behind(adapter: str, account: str) -> Person | None:
    """The active person an account of a chat tool is linked to."""
    rows = ChatAccount.objects.select_related("person")
    found = rows.filter(adapter=adapter, account=account, person__is_active=True).first()
    return found.person if found else None


def accounts(actor: Actor) -> list[ChatAccount]:
    """Every linked account; without the right to see people only one's own."""
    rows = ChatAccount.objects.select_related("person")
    if not actor.may(Right.PEOPLE_READ):
        rows = rows.filter(person_id=actor.person_id or 0)
    return list(rows)


def accounts_of(actor: Actor, username: str) -> list[ChatAccount]:
    require(actor, Right.PEOPLE_READ)
    return list(ChatAccount.objects.filter(person=people.person(username)))


def begun_links(actor: Actor, *, now: datetime) -> list[ChatLink]:
    """The links that still wait for their code: one's own, with the right to change people everybody's."""
    rows = ChatLink.objects.select_related("person").filter(expires_at__gt=now, tries_left__gt=0)
    if not actor.may(Right.PEOPLE_WRITE):
        rows = rows.filter(person_id=actor.person_id or 0)
    return list(rows)


def own_accounts(actor: Actor) -> list[ChatAccount]:
    return list(ChatAccount.objects.filter(person_id=actor.person_id or 0))


def own_links(actor: Actor, *, now: datetime) -> list[ChatLink]:
    return [row for row in begun_links(actor, now=now) if row.person_id == actor.person_id]


def tools_to_link() -> list[str]:
    """The tools that are set up and know whose account speaks."""
    return [name for name in TOOLS if name in tools()]


def channel_in(adapter: str, room: str) -> ResponseChannel | None:
    """The channel of an incident that this room is."""
    rows = ResponseChannel.objects.select_related("incident")
    return rows.filter(adapter=adapter, reference=room).first() if room else None


def rooms_to_hear(adapter: str) -> list[str]:
    """The rooms of incidents that are still followed, newest first."""
    rows = ResponseChannel.objects.filter(adapter=adapter, followed=True, state=ChannelState.OPEN)
    return list(rows.order_by("-id").values_list("reference", flat=True)[:500])


def place(adapter: str) -> ChatPlace | None:
    return ChatPlace.objects.filter(adapter=adapter).first()


def tools() -> Mapping[str, Mapping[str, Any]]:
    """The chat tools that are set up, as the environment says; with their secrets, so for the house only."""
    found: Mapping[str, Mapping[str, Any]] = settings.CHAT
    return found
