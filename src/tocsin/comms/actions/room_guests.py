"""Whoever responds to an incident is invited to its room, when they have an account of its tool here.

What is asked for follows from what is so: who holds a role or has taken the incident, in which room, by which account.
So it is the same whether the role, the room or the link of the account came last.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from tocsin.audit import actions as audit
from tocsin.comms.models import ChatAccount, GuestState, RoomGuest
from tocsin.core.access import SYSTEM
from tocsin.core.facts import Kind
from tocsin.incidents.actions import channel as channels
from tocsin.incidents.actions.incident_row import fact, held
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel, RoleHeld
from tocsin.platform.guarding import guarded
from tocsin.platform.questions import Question

_DETAIL = 300


def invite_responders(*, now: datetime, limit: int = 100) -> int:
    """Ask for the invitation of everybody who responds and was not asked for since. Returns how many were."""
    if not _anybody_missing(now=now):
        return 0
    rooms = list(_rooms_that_miss_somebody().order_by("pk").values_list("pk", flat=True)[:limit])
    return sum(guarded(partial(_invite, pk, now=now), trouble=f"could not invite to the room {pk}") for pk in rooms)


def _rooms_that_miss_somebody() -> QuerySet[ResponseChannel]:
    rooms = ResponseChannel.objects.filter(followed=True, state=ChannelState.OPEN).exclude(reference="")
    held_roles = RoleHeld.objects.filter(incident=OuterRef("incident"), until_at=None, person__is_active=True)
    taken = Incident.objects.filter(pk=OuterRef("incident"), acknowledged_by__is_active=True)
    return rooms.filter(
        Exists(held_roles.filter(_unasked_account("person", since="from_at")))
        | Exists(taken.filter(_unasked_account("acknowledged_by", since="acknowledged_at")))
    )


def _unasked_account(person: str, *, since: str) -> Exists:
    """An account of a person's in the room's tool for which no invitation was asked since then. Two steps inside a room."""
    asked = RoomGuest.objects.filter(
        channel=OuterRef(OuterRef(OuterRef("pk"))), account=OuterRef("account"), asked_at__gte=OuterRef(OuterRef(since))
    )
    accounts = ChatAccount.objects.filter(person=OuterRef(person), adapter=OuterRef(OuterRef("adapter")))
    return Exists(accounts.filter(~Exists(asked)))


_anybody_missing = Question(lambda _: _rooms_that_miss_somebody())


def _invite(channel_id: int, *, now: datetime) -> int:
    with transaction.atomic():
        found = ResponseChannel.objects.select_related("incident").get(pk=channel_id)
        incident = held(found.incident.number)
        row = ResponseChannel.objects.get(pk=channel_id)
        return sum(
            _ask(row, incident, account, since=since, now=now)
            for person_id, since in _responders(incident).items()
            for account in ChatAccount.objects.filter(person_id=person_id, person__is_active=True, adapter=row.adapter)
        )


def _responders(incident: Incident) -> dict[int, datetime]:
    """Who holds a role or has taken the incident, and since when they last took something on."""
    rows = RoleHeld.objects.filter(incident=incident, until_at=None).order_by("from_at")
    found = dict(rows.values_list("person_id", "from_at"))
    if incident.acknowledged_by_id and incident.acknowledged_at:
        since = found.get(incident.acknowledged_by_id, incident.acknowledged_at)
        found[incident.acknowledged_by_id] = max(since, incident.acknowledged_at)
    return found


def _ask(row: ResponseChannel, incident: Incident, account: ChatAccount, *, since: datetime, now: datetime) -> bool:
    guest = RoomGuest.objects.filter(channel=row, account=account.account).first()
    if guest is not None and guest.asked_at >= since:
        return False
    guest = guest or RoomGuest(channel=row, account=account.account, times=0)
    if guest.state != GuestState.INVITED:
        guest.state = GuestState.ASKED
    guest.person_id = account.person_id
    guest.times, guest.asked_at = guest.times + 1, max(now, since)
    guest.save()
    channels.invite(row, incident, account=account.account, guest=str(guest.pk), time=guest.times, now=now)
    return True


def note_guest(guest_id: int, *, now: datetime) -> None:
    """The tool has the invitation, or the account was in the room already; the log says so the first time.

    Part of writing down what became of the message.
    """
    guest = _guest(guest_id)
    if guest is None or guest.state == GuestState.INVITED:
        return
    guest.state, guest.detail = GuestState.INVITED, ""
    guest.save(update_fields=["state", "detail"])
    _log(guest, Kind.CHANNEL_INVITED, now=now)


def note_absent_guest(guest_id: int, *, detail: str, final: bool, now: datetime) -> None:
    """The tool did not take the invitation. The incident's log says so the first time, and when it is given up."""
    guest = _guest(guest_id)
    if guest is None:
        return
    first = guest.state in {GuestState.ASKED, GuestState.INVITED}
    guest.state, guest.detail = GuestState.GIVEN_UP if final else GuestState.FAILING, detail[:_DETAIL]
    guest.save(update_fields=["state", "detail"])
    if first or final:
        _log(guest, Kind.CHANNEL_NOT_INVITED, detail=guest.detail, final=final, now=now)


def _guest(guest_id: int) -> RoomGuest | None:
    rows = RoomGuest.objects.select_related("channel__incident", "person")
    return rows.filter(pk=guest_id).first()


def _log(guest: RoomGuest, kind: Kind, *, now: datetime, **more: Any) -> None:
    told = fact(
        guest.channel.incident,
        kind,
        person=guest.person.label,
        username=guest.person.username,
        adapter=guest.channel.adapter,
        account=guest.account,
        **more,
    )
    audit.record(SYSTEM, [told], now=now)
