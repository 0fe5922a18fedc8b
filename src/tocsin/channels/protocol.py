"""What every way out of the house looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from tocsin.core.chat_calls import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one address. `key` is the same at every try; `repeat` is true when an earlier try may have arrived.

    `due_at` is the moment the message is for (a mail's Date), `at` the moment of this try; `secrets` sign it, newest
    first, where the channel signs.
    """

    key: str
    kind: str
    address: str
    payload: Mapping[str, Any]
    due_at: datetime
    at: datetime
    repeat: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)


class DeliveryFailed(Exception):
    """The far side did not take it.

    `permanent`: never try this address again for this message. `unknown`: it may have been taken; try again under the
    same key. `gone`: the address wants nothing more at all. `retry_after`: the far side's own wish.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        unknown: bool = False,
        gone: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.unknown = unknown
        self.gone = gone
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room that a chat tool made: its name there, its link, and what did not go as asked (an invitation)."""

    reference: str
    url: str = ""
    note: str = ""

    def receipt(self) -> str:
        """The room as the receipt of the message that opened it."""
        return json.dumps({"reference": self.reference, "url": self.url, "note": self.note}, ensure_ascii=False)

    @classmethod
    def of(cls, receipt: str) -> Room:
        """The room in a receipt; a tool that says nothing of it has no name for its rooms."""
        try:
            told = json.loads(receipt)
            return cls(reference=told["reference"], url=told["url"], note=told["note"])
        except (ValueError, KeyError, TypeError):
            return cls(reference=receipt)


class Channel(Protocol):
    """Hands a message to a provider within `deadline`; returns the provider's receipt. "Accepted" is not "read"."""

    def send(self, message: Message, *, deadline: timedelta) -> str: ...


@dataclass(frozen=True, slots=True)
class News:
    """What was said since a place in the tool's history, oldest first, and the place from which to go on."""

    heard: Sequence[Heard]
    place: str


@runtime_checkable
class Listener(Protocol):
    """A chat tool that is asked what people said. Tools that tell us by themselves come through a door instead."""

    def listen(self, since: str, rooms: Sequence[str], *, deadline: timedelta, at: datetime) -> News: ...
