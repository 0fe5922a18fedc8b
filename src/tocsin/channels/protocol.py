"""What every way out of the house looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol


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


class Channel(Protocol):
    """Hands a message to a provider within `deadline`; returns the provider's receipt. "Accepted" is not "read"."""

    def send(self, message: Message, *, deadline: timedelta) -> str: ...
