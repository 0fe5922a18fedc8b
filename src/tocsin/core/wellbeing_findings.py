"""What a well-being check says, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.core.process_parts import BlameForm
from tocsin.core.wellbeing_record import ResponseRecord
from tocsin.core.wellbeing_settings import Aspect, Limits


class Weight(StrEnum):
    """To know, to do something about, or beyond a limit. None of them blocks work."""

    NOTE = "note"
    PROMPT = "prompt"
    RED = "red"


@dataclass(frozen=True)
class Look:
    """A response at one moment, with the limits of its process."""

    record: ResponseRecord
    limits: Limits
    forms: tuple[BlameForm, ...]
    now: datetime
    objections_round: bool = True


@dataclass(frozen=True)
class Finding:
    """A prompt that a check raises. `key` stays the same while it is about the same thing, and is new when that comes
    again. `about` is the user name of the person it is about, which makes it private; "" is the team as a whole.
    """

    check: str
    key: str
    text: str
    weight: Weight = Weight.PROMPT
    about: str = ""
    is_break: bool = False


@dataclass(frozen=True)
class Check:
    """One automatic check of an aspect."""

    code: str
    aspect: Aspect
    says: str
    look: Callable[[Look], Iterable[Finding]]


def hours(span: timedelta) -> str:
    """A length of time as people say it: "5 h 20 min", "45 min"."""
    minutes = int(span.total_seconds()) // 60
    whole, rest = divmod(minutes, 60)
    return " ".join([*([f"{whole} h"] if whole else []), *([f"{rest} min"] if rest or not whole else [])])


def instant_key(at: datetime) -> str:
    """A moment as a part of a key."""
    return at.strftime("%Y%m%dT%H%M%SZ")
