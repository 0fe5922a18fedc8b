"""What each connection to another tool has last come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from tocsin.alerts import queries as alerts
from tocsin.comms import chat_queries
from tocsin.comms import queries as comms
from tocsin.comms.models import Update
from tocsin.core.access import Actor, Right, require
from tocsin.core.adapters import ADAPTERS, CHAT_TOOLS, INFRASTRUCTURE, Adapter
from tocsin.core.errors import Invalid, NotFound
from tocsin.core.response_channel import OWN, bridge_url
from tocsin.incidents.models import Page, ResponseChannel
from tocsin.platform.models import Delivery, OutboxMessage
from tocsin.postmortems.models import ActionItem, Postmortem
from tocsin.slo import queries as slos

_LOOKED_AT = 20_000
"""So many of the latest messages are looked through for the last one of a channel."""
_GOOD = "accepted"


@dataclass(frozen=True, slots=True)
class LastOutcome:
    at: datetime
    good: bool
    detail: str


@dataclass(frozen=True, slots=True)
class State:
    """One adapter as it stands. `outcome` is None until something went through it."""

    adapter: Adapter
    set_up: bool
    chosen: bool
    outcome: LastOutcome | None
    waiting: int = 0


def states(actor: Actor) -> list[State]:
    """Every adapter, in the order of the list."""
    require(actor, Right.CATALOG_READ)
    senders = _senders(actor)
    return [_state(actor, one, senders) for one in ADAPTERS]


def state_of(actor: Actor, code: str) -> State:
    """One adapter. Raises NotFound."""
    require(actor, Right.CATALOG_READ)
    found = next((one for one in ADAPTERS if one.code == code), None)
    if found is None:
        raise NotFound(f"There is no adapter {code}; tocsin adapter list shows them.")
    return _state(actor, found, _senders(actor))


def _senders(actor: Actor) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in alerts.integrations(actor):
        found.setdefault(row.kind, []).append(row)
    return found


def _state(actor: Actor, one: Adapter, senders: Mapping[str, list[Any]]) -> State:
    if one.code == "prometheus":
        return _asked(actor, one)
    if one.serves == INFRASTRUCTURE:
        rows = senders.get(one.code, [])
        seen = max((row.last_seen_at for row in rows if row.last_seen_at), default=None)
        return State(one, bool(rows), bool(rows), LastOutcome(seen, True, "heard of") if seen else None)
    if one.code == OWN:
        return State(one, True, settings.CHAT_ADAPTER == OWN, _own_page())
    if one.code == "bridge":
        return _bridge(one)
    if one.built_in and one.code not in CHAT_TOOLS:
        return State(one, True, True, _of_our_own(one.code))
    set_up = _is_set_up(actor, one)
    chosen = one.code == settings.CHAT_ADAPTER if one.code in CHAT_TOOLS else set_up
    return State(one, set_up, chosen, _sent(one.code), _waiting(one.code))


def _is_set_up(actor: Actor, one: Adapter) -> bool:
    if one.code == "webhook":
        return actor.may(Right.SETTINGS_WRITE) and comms.webhooks(actor).filter(disabled_at=None).exists()
    return bool(settings.SMTP_URL) if one.code == "email" else one.code in chat_queries.tools()


def _asked(actor: Actor, one: Adapter) -> State:
    rows = [row for row in slos.sources(actor) if row.url]
    failing = [row for row in rows if row.last_error]
    latest = max((row.last_success_at for row in rows if row.last_success_at), default=None)
    outcome = None
    if failing:
        at = failing[0].last_success_at or failing[0].next_at
        outcome = LastOutcome(at, False, f"{failing[0].name}: {failing[0].last_error}"[:300]) if at else None
    elif latest is not None:
        outcome = LastOutcome(latest, True, "answered")
    return State(one, bool(rows), bool(rows), outcome)


def _of_our_own(code: str) -> LastOutcome | None:
    """What the built-in part of a function last did."""
    if code == "chain":
        page = Page.objects.order_by("-id").first()
        return LastOutcome(page.created_at, True, f"paged, {page.answer or 'not answered yet'}") if page else None
    if code == "updates":
        update = Update.objects.order_by("-id").first()
        return LastOutcome(update.sent_at, True, f"told {update.recipients} addresses") if update else None
    if code == "actions":
        action = ActionItem.objects.order_by("-id").first()
        return LastOutcome(action.created_at, True, f"added: {action.title}"[:300]) if action else None
    review = Postmortem.objects.order_by("-id").first()
    return LastOutcome(review.created_at, True, f"drafted, {review.state}") if review else None


def _own_page() -> LastOutcome | None:
    row = ResponseChannel.objects.filter(adapter=OWN, opened_at__isnull=False).order_by("-id").first()
    return LastOutcome(row.opened_at, True, f"opened {row.url}") if row and row.opened_at else None


def _bridge(one: Adapter) -> State:
    template = str(settings.BRIDGE_URL)
    row = ResponseChannel.objects.exclude(bridge_url="").order_by("-id").first()
    outcome = LastOutcome(row.asked_at, True, row.bridge_url) if row else None
    fault = template_fault(template)
    if fault and row is not None:
        outcome = LastOutcome(row.asked_at, False, fault)
    return State(one, bool(template) and not fault, bool(template), outcome)


def template_fault(template: str) -> str:
    """What is wrong with the template of the video calls; "" when nothing is."""
    try:
        bridge_url(template, ref="INC-1", number=1, installation="test")
    except Invalid as wrong:
        return "; ".join(wrong.fields.values())
    return ""


def _sent(channel: str) -> LastOutcome | None:
    """What became of the latest try to send something this way."""
    newest = OutboxMessage.objects.order_by("-id").values_list("id", flat=True).first() or 0
    rows = Delivery.objects.filter(message__id__gt=newest - _LOOKED_AT, message__channel=channel)
    last = rows.order_by("-id").first()
    return LastOutcome(last.at, last.outcome == _GOOD, last.detail[:300]) if last else None


def _waiting(channel: str) -> int:
    return OutboxMessage.objects.filter(state__in=["queued", "claimed"], channel=channel).count()
