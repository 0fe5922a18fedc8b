"""Ask the chat tools what people wrote. A tool that is slow or away holds up nothing but its own next answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.channels.protocol import Channel, DeliveryFailed, Listener
from tocsin.comms import actions as comms
from tocsin.comms import chat_queries
from tocsin.platform import db

log = logging.getLogger(__name__)

DEADLINE = timedelta(seconds=8)
"""Well below what the watchdog lets a loop stand still, also when two tools hang one after the other."""


@dataclass(frozen=True, slots=True)
class Ear:
    """Listens to those of the channels that have to be asked."""

    channels: Mapping[str, Channel]

    def turn(self, *, now: datetime) -> int:
        """Ask each tool whose time has come, as long as there are rooms to hear. Returns how many messages were new."""
        return sum(
            _hear(name, channel, now=now) for name, channel in self.channels.items() if isinstance(channel, Listener)
        )


def _hear(adapter: str, channel: Listener, *, now: datetime) -> int:
    rooms = chat_queries.rooms_to_hear(adapter)
    if not rooms or not _is_due(adapter, now=now):
        return 0
    place = comms.claim_place(adapter, now=now)
    if place is None:
        return 0
    try:
        news = channel.listen(place.place, rooms, deadline=DEADLINE * db.patience(), at=now)
    except DeliveryFailed as failure:
        comms.note_silence(place, failure.detail, asked_wait=failure.retry_after, now=now)
        return 0
    except Exception as error:  # an answer nobody foresaw must not leave the place claimed for ever
        log.exception("listening to %s broke", adapter)
        comms.note_silence(place, f"{type(error).__name__}: {error}", now=now)
        return 0
    return comms.take_news(place, news.heard, reached=news.place, now=now)


def _is_due(adapter: str, *, now: datetime) -> bool:
    """Asked before claiming, so that a tool that need not be asked costs no writing."""
    found = chat_queries.place(adapter)
    return found is None or found.next_at <= now
