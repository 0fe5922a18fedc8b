"""An escalation policy file (ESC-1) read into a `Policy`, with every mistake named by its path.

{"name", "repeat": 0, "steps": [{"wait_minutes": 5, "targets": ["user:NAME", "schedule:NAME"]}], "fallback"?: [...]}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tocsin.core.document_checks import known_only, optional_items, optional_whole, refuse_problems
from tocsin.core.document_reading import Cursor
from tocsin.core.escalation import Policy, Step

# Policies cannot name policies and schedules cannot name schedules, so no escalation can run in a circle.
TARGET_KINDS = ("user", "schedule", "rotation", "role", "team")
MOST_STEPS = 50
MOST_TARGETS = 50
_MOST_REPEATS = range(101)
# A week. A wait that is longer means that nobody will be told.
_LONGEST_WAIT_MINUTES = 7 * 24 * 60


def parse_policy(document: Mapping[str, Any]) -> Policy:
    """The policy that a parsed file describes. Raises `Invalid` with one sentence for each wrong field.

    A step may have no targets: it is passed over at once. Whether the targets exist is the caller's to check.
    """
    cursor = Cursor(document)
    known_only(cursor, ("name", "repeat", "steps", "fallback", "description", "team"))
    policy = Policy(
        name=cursor.at("name").text(),
        steps=tuple(_step(item) for item in optional_items(cursor, "steps", most=MOST_STEPS)),
        repeat=optional_whole(cursor, "repeat", default=0, allowed=_MOST_REPEATS),
        fallback=_targets(cursor, "fallback"),
    )
    if not cursor.has("steps"):
        cursor.at("steps").note("present", "A policy needs a list of steps.")
    refuse_problems(cursor)
    return policy


def _step(cursor: Cursor) -> Step:
    known_only(cursor, ("wait_minutes", "targets", "name"))
    return Step(_wait(cursor.at("wait_minutes")), _targets(cursor, "targets"))


def _wait(cursor: Cursor) -> timedelta:
    value = cursor.value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and 0 <= value <= _LONGEST_WAIT_MINUTES:
        return timedelta(minutes=float(value))
    cursor.note("range", f"Minutes from 0 to {_LONGEST_WAIT_MINUTES} belong here.")
    return timedelta(0)


def _targets(cursor: Cursor, key: str) -> tuple[str, ...]:
    targets: list[str] = []
    for item in optional_items(cursor, key, most=MOST_TARGETS):
        target = item.text()
        kind, _, name = target.partition(":")
        if kind not in TARGET_KINDS or not name.strip():
            item.note("target", f"A target is written KIND:NAME, where KIND is one of {', '.join(TARGET_KINDS)}.")
        targets.append(target)
    return tuple(dict.fromkeys(targets))
