"""One channel for each coordinated incident: asked for with the severity, opened by the engine, told of the end.

Nothing of the response waits for it. Until the chat tool has made a room, and wherever there is no chat tool, the
incident's own page is the channel.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from tocsin.audit import actions as audit
from tocsin.core import response_channel as core
from tocsin.core.access import SYSTEM, Actor, Right
from tocsin.core.delivery_plan import Traffic, lane
from tocsin.core.errors import Invalid, Refused
from tocsin.core.facts import Kind
from tocsin.core.process_answers import channel_by_hand, opens_channel
from tocsin.core.response_channel import OWN, ROOM_INVITE, ROOM_OPEN, ROOM_POST
from tocsin.incidents import snapshots
from tocsin.incidents.actions import rank
from tocsin.incidents.actions.incident_row import fact, held, save
from tocsin.incidents.models import ChannelState, Incident, ResponseChannel
from tocsin.incidents.priority_words import priority_code
from tocsin.platform import installation, outbox
from tocsin.platform.addresses import public_url
from tocsin.platform.outbox import Outgoing
from tocsin.platform.questions import Question
from tocsin.platform.text import one_line

SUBJECT = "channel"
"""What outbox rows that open a room name as their subject."""
GUEST = "room_guest"
"""What outbox rows that invite somebody name as their subject."""
_DETAIL = 300
_LISTENED_AFTER = timedelta(days=1)
"""For so long after the end, what people still write in the room is kept."""


def ask(incident: Incident, *, now: datetime) -> None:
    """Ask for the channel when the incident has become a coordinated one. Part of the caller's change."""
    if opens_channel(snapshots.process_of(incident), incident.severity):
        _make(incident, now=now)


@rank.protected
def open_channel(actor: Actor, ref: str | int, *, now: datetime) -> Incident:
    """A person opens the channel where the process leaves that to people.

    Raises Refused where the process does not, where there is one already and when the incident is over.
    """
    with transaction.atomic():
        incident = held(ref)
        rank.require(actor, incident, Right.INCIDENT_ASSIGN, what="open its channel", now=now)
        if not incident.is_open:
            raise Refused(f"{incident.ref} is over.", reason="ended", remedy="Reopen it, or declare a new one.")
        if not channel_by_hand(snapshots.process_of(incident), incident.severity):
            remedy = "The fourth answer of the process says when there is one."
            raise Refused("Nobody opens a channel by hand at this severity.", reason="not_by_hand", remedy=remedy)
        if ResponseChannel.objects.filter(incident=incident).exists():
            raise Refused(f"{incident.ref} has its channel.", reason="there_already", remedy="Its page shows it.")
        audit.record(actor, [fact(incident, Kind.CHANNEL_ASKED, adapter=str(settings.CHAT_ADAPTER))], now=now)
        _make(incident, now=now)
        save(incident, now=now)
    return incident


def _make(incident: Incident, *, now: datetime) -> None:
    adapter = str(settings.CHAT_ADAPTER)
    defaults = {"adapter": adapter, "asked_at": now, "told_state": incident.state, "followed": adapter != OWN}
    row, made = ResponseChannel.objects.get_or_create(incident=incident, defaults=defaults)
    if not made:
        return
    row.bridge_url = _bridge(incident)
    row.save(update_fields=["bridge_url"])
    if adapter == OWN:
        _own_page(row, incident, state=ChannelState.OPEN, now=now)
    else:
        outbox.enqueue([_opening(row, incident)], now=now)


def _bridge(incident: Incident) -> str:
    """A template that is wrong leaves no link; the setup page says so, and nothing waits for it."""
    template = str(settings.BRIDGE_URL)
    if not template:
        return ""
    try:
        return core.bridge_url(
            template, ref=incident.ref, number=incident.number, installation=installation.short_name()
        )
    except Invalid:
        return ""


def page_of(incident: Incident) -> str:
    return f"{public_url()}/i/{incident.number}"


def _own_page(row: ResponseChannel, incident: Incident, *, state: ChannelState, now: datetime) -> None:
    row.state, row.url, row.opened_at = state, page_of(incident), now
    row.save(update_fields=["state", "url", "opened_at"])
    _log_opened(row, incident, adapter=OWN, now=now)


def _log_opened(row: ResponseChannel, incident: Incident, *, adapter: str, note: str = "", now: datetime) -> None:
    told = fact(
        incident,
        Kind.CHANNEL_OPENED,
        adapter=adapter,
        reference=row.reference or incident.ref,
        url=row.url,
        bridge=row.bridge_url,
        instead_of=row.adapter if adapter != row.adapter else "",
        note=note,
    )
    audit.record(SYSTEM, [told], now=now)


def _opening(row: ResponseChannel, incident: Incident) -> Outgoing:
    name = core.room_key(installation=installation.short_name(), number=incident.number)
    return Outgoing(
        key=f"room-{row.pk}",
        kind=ROOM_OPEN,
        channel=row.adapter,
        address=name,
        destination=row.adapter,
        payload={
            "room": name,
            "name": core.room_name(ref=incident.ref, title=one_line(incident.title)),
            "topic": page_of(incident),
            "text": _first_words(row, incident),
        },
        lane=_lane(incident),
        incident=incident.ref,
        subject_kind=SUBJECT,
        subject_id=str(row.pk),
    )


def _lane(incident: Incident) -> int:
    unset = snapshots.process_of(incident).catalogue.unset_rank
    return lane(Traffic.WEBHOOK, priority=incident.priority, unset_as=unset)


def _first_words(row: ResponseChannel, incident: Incident) -> str:
    definition = snapshots.process_of(incident)
    facts = core.RoomFacts(
        ref=incident.ref,
        title=one_line(incident.title),
        severity=incident.severity,
        priority=priority_code(definition, incident.priority, incident.priority_state),
        service=incident.service.label if incident.service else "",
        url=page_of(incident),
        bridge=row.bridge_url,
    )
    return core.first_words(facts)


def channel_opened(channel_id: int, *, reference: str, url: str, note: str = "", now: datetime) -> None:
    """The tool has made the room: its name goes on the record and the first words into it.

    Inside the transaction that writes down what became of the message.
    """
    found = _held(channel_id)
    if found is None:
        return
    row, incident = found
    if row.reference:
        return
    row.reference, row.url = reference[:255], url[:500] or page_of(incident)
    row.state, row.opened_at, row.note = ChannelState.OPEN, now, note[:_DETAIL]
    row.save(update_fields=["reference", "url", "state", "opened_at", "note"])
    _log_opened(row, incident, adapter=row.adapter, note=row.note, now=now)
    post(row, incident, key="first", text=_first_words(row, incident), now=now)


def channel_failed(channel_id: int, *, detail: str, final: bool, now: datetime) -> None:
    """The tool did not make the room. The page stands in at once; the tool is tried again unless it is `final`."""
    found = _held(channel_id)
    if found is None or found[0].reference:
        return
    row, incident = found
    first = row.state == ChannelState.ASKED
    row.failing_since, row.note = row.failing_since or now, detail[:_DETAIL]
    row.state = ChannelState.GIVEN_UP if final else ChannelState.FAILING
    row.followed = not final
    row.save(update_fields=["failing_since", "note", "state", "followed"])
    if first or final:
        told = fact(incident, Kind.CHANNEL_FAILED, adapter=row.adapter, detail=row.note, final=final)
        audit.record(SYSTEM, [told], now=now)
    if first:
        _own_page(row, incident, state=ChannelState(row.state), now=now)


def _held(channel_id: int) -> tuple[ResponseChannel, Incident] | None:
    row = ResponseChannel.objects.select_related("incident").filter(pk=channel_id).first()
    if row is None:
        return None
    incident = held(row.incident.number)
    return ResponseChannel.objects.get(pk=channel_id), incident


def post(row: ResponseChannel, incident: Incident, *, key: str, text: str, quiet: bool = False, now: datetime) -> None:
    """Queue a message into the room; one `key` is said once. `quiet` is an answer that need not wake anybody."""
    message = Outgoing(
        key=f"room-{row.pk}-{key}"[:200],
        kind=ROOM_POST,
        channel=row.adapter,
        address=row.reference,
        destination=f"{row.adapter}:{row.reference}"[:200],
        payload={"text": text, "quiet": quiet},
        lane=_lane(incident),
        incident=incident.ref,
    )
    outbox.enqueue([message], now=now)


def invite(row: ResponseChannel, incident: Incident, *, account: str, guest: str, time: int, now: datetime) -> None:
    """Queue an invitation of an account to the room, for the `time`th time; `guest` names who hears what became of it."""
    message = Outgoing(
        key=f"room-{row.pk}-guest-{guest}-{time}",
        kind=ROOM_INVITE,
        channel=row.adapter,
        address=row.reference,
        destination=f"{row.adapter}:{row.reference}"[:200],
        payload={"account": account},
        lane=_lane(incident),
        incident=incident.ref,
        subject_kind=GUEST,
        subject_id=guest,
    )
    outbox.enqueue([message], now=now)


def tell_channels(*, now: datetime, limit: int = 100) -> int:
    """Say in the rooms that an incident is over, or open again. Returns how many rooms had news."""
    if not _any_news(now=now):
        return 0
    told = 0
    for pk in list(_behind().values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            told += _tell(pk, now=now)
    if _long_over(now).exists():
        with transaction.atomic():
            _long_over(now).update(followed=False)
    return told


def _behind() -> QuerySet[ResponseChannel]:
    rows = ResponseChannel.objects.filter(followed=True, state=ChannelState.OPEN)
    return rows.exclude(told_state=F("incident__state"))


def _long_over(now: datetime) -> QuerySet[ResponseChannel]:
    ended = ResponseChannel.objects.filter(followed=True, told_state__in=core.FINAL)
    return ended.filter(incident__updated_at__lt=now - _LISTENED_AFTER)


_any_news = Question(lambda _: _behind(), _long_over)


def _tell(channel_id: int, *, now: datetime) -> bool:
    found = _held(channel_id)
    if found is None:
        return False
    row, incident = found
    if row.told_state == incident.state:
        return False
    words = core.words_of_state(ref=incident.ref, url=page_of(incident), state=incident.state, told=row.told_state)
    if words:
        post(row, incident, key=f"{incident.state}-{incident.version}", text=words, now=now)
    row.told_state = incident.state
    row.save(update_fields=["told_state"])
    return True
