"""How an account of a chat tool is proved to be somebody's: a code that only that account may say, once and soon."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TOOLS = ("matrix", "slack", "mattermost")
"""The tools that tell us who says something."""
LASTS = timedelta(minutes=10)
TRIES = 5
"""So many wrong codes end a link that was begun."""
SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: nothing that looks like something else."""
LENGTH = 8
_SLASHED = frozenset({"slack", "mattermost"})
"""The tools that know `/tocsin`."""
_HALF = f"[{SIGNS}]{{{LENGTH // 2}}}"
_ASKED = r"([!/][ ]?(?:tocsin[ ]+)?link)"
_COMMANDED = re.compile(rf"{_ASKED}\s+{_HALF}[ -]?{_HALF}\b", re.IGNORECASE)
_REST = re.compile(rf"{_ASKED}\s+[^\W_][\w\s-]{{0,23}}$", re.IGNORECASE)
"""A code that was mistyped is one that somebody may guess from."""
_BARE = re.compile(rf"\b(link)\s+{_HALF}-{_HALF}\b")
_HIDDEN = r"\1 (the code is not kept)"


class Proof(StrEnum):
    GOOD = "good"
    WRONG = "wrong"
    OVER = "over"
    NOTHING_BEGUN = "nothing_begun"


@dataclass(frozen=True, slots=True)
class Begun:
    """A link that was begun for the account that speaks; `fits` when the code that was said is its own."""

    ident: int
    fits: bool
    expires_at: datetime
    tries_left: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What a code that was said comes to; `ident` is the link it proves, `tries_left` what a wrong one leaves."""

    proof: Proof
    ident: int = 0
    tries_left: int = 0


def judge(begun: Iterable[Begun], *, now: datetime) -> Judged:
    """What a code proves, said by an account for which these links were begun.

    A right code that came too late is told so, and so is any code when nothing that was begun is alive.
    """
    known = list(begun)
    alive = [one for one in known if is_alive(one.expires_at, one.tries_left, now=now)]
    right = next((one for one in alive if one.fits), None)
    if right is not None:
        return Judged(Proof.GOOD, right.ident)
    if not known:
        return Judged(Proof.NOTHING_BEGUN)
    if not alive or any(one.fits for one in known):
        return Judged(Proof.OVER)
    return Judged(Proof.WRONG, tries_left=max(one.tries_left for one in alive) - 1)


def is_alive(expires_at: datetime, tries_left: int, *, now: datetime) -> bool:
    return now < expires_at and tries_left > 0


def shown(code: str) -> str:
    """The code as people read it: two halves."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read(said: str) -> str:
    """The code in what somebody typed, whatever its case, with or without its dash."""
    return "".join(said.split()).replace("-", "").upper()


def what_to_write(adapter: str, code: str) -> str:
    """What is written in the tool to prove it."""
    return f"{command(adapter)} {shown(code)}"


def command(adapter: str) -> str:
    return "/tocsin link" if adapter in _SLASHED else "!link"


def where_to_write(adapter: str) -> str:
    return "in any channel" if adapter in _SLASHED else "in the room of an incident"


def without_code(text: str) -> str:
    """What was said without the code in it, so that none stays on a timeline; other talk is left as it is."""
    hidden = _BARE.sub(_HIDDEN, _COMMANDED.sub(_HIDDEN, text))
    return _REST.sub(_HIDDEN, hidden)
