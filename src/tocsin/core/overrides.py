"""Temporary replacements in a schedule, and which of several rules.

An override wins over every layer exactly inside [start, end). Among overrides the higher priority wins, and among equals
the one created last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Override:
    """These users instead of whoever the layers give, within [start_at, end_at).

    `created` orders overrides by the moment they were made: a sequence number, or the position in a file.
    """

    start_at: datetime
    end_at: datetime
    users: tuple[str, ...]
    priority: int = 0
    created: int = 0


def rank(override: Override) -> tuple[int, int]:
    """What decides between overrides that hold at the same time; the greatest rules."""
    return override.priority, override.created


def ruling(overrides: Iterable[Override], *, now: datetime) -> Override | None:
    """The override that rules at an instant, or None when none covers it."""
    return max((one for one in overrides if one.start_at <= now < one.end_at), key=rank, default=None)
