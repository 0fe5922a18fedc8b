"""What people ask of Tocsin in a chat: a verb, perhaps an incident, and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Verb(StrEnum):
    ACK = "ack"
    UPDATE = "update"
    DECIDE = "decide"
    ASK = "ask"
    WHO = "who"
    STATUS = "status"
    LINK = "link"
    HELP = "help"


_ALSO: Mapping[str, Verb] = {"decision": Verb.DECIDE, "acknowledge": Verb.ACK, "question": Verb.ASK, "?": Verb.HELP}
_REF = re.compile(r"INC-(\d{1,15})(?=\s|$)", re.IGNORECASE)
_NEXT = re.compile(r"(?:^|\s)next (?:in )?(\d{1,4}) ?(m|min|h)$", re.IGNORECASE)
_NO_CHANGE = re.compile(r"^no[ -]change\b[.,:]?\s*", re.IGNORECASE)

HELP = (
    "ack: I am on it\n"
    "update TEXT next 2h: tell the stakeholder groups, and when they hear again\n"
    "update no change: tell them that nothing has changed\n"
    "decide TEXT: keep a decision\n"
    "ask TEXT: put a question on the list\n"
    "who: who does what\n"
    "status: how it stands\n"
    "link CODE: prove that this account is yours\n"
    "Outside the channel of an incident, its name goes first: ack INC-42"
)


@dataclass(frozen=True, slots=True)
class Command:
    """`ref` is the incident that was named, "" when none was; `next_in` the promised time of an update."""

    verb: Verb
    ref: str = ""
    text: str = ""
    no_change: bool = False
    next_in: timedelta | None = None


def spoken(text: str) -> Command | None:
    """The command in a message of a room: `!ack` or `!tocsin ack`. None for anything else people say."""
    said = text.strip()
    if not said.startswith("!"):
        return None
    first, _, rest = said[1:].partition(" ")
    if first.lower() == "tocsin":
        return typed(rest)
    return _command(said[1:])


def typed(text: str) -> Command:
    """The command after `/tocsin`; help for words that are none."""
    return _command(text) or Command(Verb.HELP)


def _command(text: str) -> Command | None:
    first, *following = text.strip().split(maxsplit=1)[:2] or [""]
    verb = _verb(first.lower())
    if verb is None:
        return None
    rest = following[0].strip() if following else ""
    named = _REF.match(rest)
    ref = f"INC-{int(named.group(1))}" if named else ""
    words = rest[named.end() :].strip() if named else rest
    return _update(ref, words) if verb is Verb.UPDATE else Command(verb, ref, words)


def _verb(word: str) -> Verb | None:
    if word in _ALSO:
        return _ALSO[word]
    return Verb(word) if word in Verb.__members__.values() else None


def _update(ref: str, words: str) -> Command:
    promised = _NEXT.search(words)
    said = words[: promised.start()].strip() if promised else words
    unchanged = _NO_CHANGE.match(said)
    return Command(
        Verb.UPDATE,
        ref,
        said[unchanged.end() :].strip() if unchanged else said,
        no_change=unchanged is not None,
        next_in=_span(promised) if promised else None,
    )


def _span(found: re.Match[str]) -> timedelta:
    count = int(found.group(1))
    return timedelta(hours=count) if found.group(2).lower() == "h" else timedelta(minutes=count)
