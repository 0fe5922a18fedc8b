"""What every chat tool has in common: calls as values, and what people said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call as it would be made: the path follows the tool's address, the body is JSON."""

    method: str
    path: str
    body: Mapping[str, Any] | Sequence[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Something a person said in a room. `ident` is the tool's name of the message, `account` the tool's of the person.

    `sent_seconds` is when by the tool's clock, 0 when it does not say; `command` is false where a command is not meant
    again (a correction).
    """

    ident: str
    room: str
    account: str
    name: str
    text: str
    sent_seconds: float
    command: bool = True
