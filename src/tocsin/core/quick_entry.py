"""One line of the desk: what somebody types in a hurry, read into what is meant. The same words in page, CLI and chat.

Rolled back in the EU, watching                      a note
/d Roll back 2026.11.3 @ana @database by 04:20       a decision for ana and database
/q Is the queue growing? @database in 20m            a question and who finds out
/t Read the logs of the gateway @gus in 30m          a task with a time box
/c Database: slow writes | adding memory | a DBA     how things stand: condition, actions, needs
/a 1 No, it drains                                   the answer to question 1
/r 2 Errors are back to 0.1%                         what came of decision 2
/ok 2                                                decision 2 was taken in
/done 3 Nothing unusual there                        task 3 is done
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.core.decision_duties import About
from tocsin.core.errors import Invalid
from tocsin.core.wall_time import instant_of, wall_of


class EntryKind(StrEnum):
    NOTE = "note"
    DECISION = "decision"
    QUESTION = "question"
    TASK = "task"
    CONDITION = "condition"
    ANSWER = "answer"
    REPORT = "report"
    RECEIVED = "received"
    TASK_DONE = "task_done"


PREFIXES: Mapping[str, EntryKind] = {
    "d": EntryKind.DECISION,
    "q": EntryKind.QUESTION,
    "t": EntryKind.TASK,
    "c": EntryKind.CONDITION,
    "a": EntryKind.ANSWER,
    "r": EntryKind.REPORT,
    "ok": EntryKind.RECEIVED,
    "done": EntryKind.TASK_DONE,
}
_NUMBERED = {EntryKind.ANSWER, EntryKind.REPORT, EntryKind.RECEIVED, EntryKind.TASK_DONE}
_WITH_TEXT = {EntryKind.ANSWER, EntryKind.REPORT}
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_PREFIX = re.compile(r"/(\w+)(?:\s+|$)")
_NAME = re.compile(r"(?<!\S)@([\w.-]*\w)")
_ABOUT = re.compile(rf"(?<!\S)#({'|'.join(one.value for one in About)})\b", re.IGNORECASE)
_IN = re.compile(r"(?:^|\s)in\s+((?:\d{1,4}\s?[mhd])+)\s*$", re.IGNORECASE)
_BY = re.compile(r"(?:^|\s)by\s+([01]?\d|2[0-3]):([0-5]\d)\s*$", re.IGNORECASE)
_LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickEntry:
    """What a line means. `names` are whom it is for; `parts` are condition, actions and needs."""

    kind: EntryKind
    text: str = ""
    number: int | None = None
    names: tuple[str, ...] = ()
    about: About = About.SOLUTION
    due_at: datetime | None = None
    parts: tuple[str, str, str] = ("", "", "")


def read_line(line: str, *, zone: ZoneInfo, now: datetime) -> QuickEntry:
    """Read one line; wall times are of `zone`. Raises Invalid for an unknown prefix, a missing number or no words."""
    said = " ".join(line.split())
    if not said:
        raise Invalid({"line": "There is nothing to write down."})
    found = _PREFIX.match(said)
    if found is None or said.startswith("//"):
        return QuickEntry(kind=EntryKind.NOTE, text=said.removeprefix("/") if said.startswith("//") else said)
    kind = PREFIXES.get(found[1].lower())
    if kind is None:
        known = ", ".join(f"/{one}" for one in PREFIXES)
        raise Invalid({"line": f"There is no /{found[1]}. A line begins with {known}, or it is a note."})
    rest = said[found.end() :]
    if kind in _NUMBERED:
        return _numbered(kind, rest)
    return _condition(rest) if kind is EntryKind.CONDITION else _for_somebody(kind, rest, zone=zone, now=now)


def _numbered(kind: EntryKind, rest: str) -> QuickEntry:
    digits, _, words = rest.partition(" ")
    digits = digits.lstrip("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise Invalid({"line": "Say its number first, for example: /a 1 No, it drains."})
    if kind in _WITH_TEXT and not words.strip():
        raise Invalid({"line": "Say what the answer is, or what came of it."})
    return QuickEntry(kind=kind, number=int(digits), text=words.strip())


def _condition(rest: str) -> QuickEntry:
    place, colon, told = rest.partition(": ")
    if not colon or len(place) > 60:
        place, told = "", rest
    condition, actions, needs, *_ = [one.strip() for one in told.split("|", 2)] + ["", ""]
    if not condition:
        raise Invalid({"line": "Say how things stand: /c Database: slow writes | adding memory | a DBA."})
    return QuickEntry(kind=EntryKind.CONDITION, text=place.strip(), parts=(condition, actions, needs))


def _for_somebody(kind: EntryKind, rest: str, *, zone: ZoneInfo, now: datetime) -> QuickEntry:
    text, due_at = _time_box(rest, zone=zone, now=now)
    names = tuple(dict.fromkeys(_NAME.findall(text)))
    about = _ABOUT.search(text)
    words = " ".join(_ABOUT.sub(" ", _NAME.sub(" ", text)).split())
    if not words:
        raise Invalid({"line": "Say in a few words what it is."})
    topic = About(about[1].lower()) if about else About.SOLUTION
    return QuickEntry(kind=kind, text=words, names=names, about=topic, due_at=due_at)


def _time_box(text: str, *, zone: ZoneInfo, now: datetime) -> tuple[str, datetime | None]:
    """The text without the time at its end, wherever in the last words it stands, and that time."""
    names_last = re.search(r"((?:\s+[@#]\S+)+)\s*$", text)
    tail = names_last[1] if names_last else ""
    head = text[: names_last.start()] if names_last else text
    if span := _IN.search(head):
        parts = re.findall(r"(\d+)\s?([mhd])", span[1].lower())
        box = timedelta(seconds=sum(int(count) * _UNITS[unit] for count, unit in parts))
        if not timedelta(0) < box <= _LONGEST:
            raise Invalid({"line": "A time box is longer than nothing and at most thirty days."})
        return head[: span.start()] + tail, now + box
    if clock := _BY.search(head):
        return head[: clock.start()] + tail, _next(int(clock[1]), int(clock[2]), zone=zone, now=now)
    return text, None


def _next(hour: int, minute: int, *, zone: ZoneInfo, now: datetime) -> datetime:
    """When the clock of that zone next shows that time; where clocks are changed past it, a little later."""
    wall = wall_of(now, zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    today = instant_of(wall, zone)
    return today if today > now else instant_of(wall + timedelta(days=1), zone)
