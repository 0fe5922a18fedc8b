"""How far a response is kept from rank, and what follows when nobody answers who asks for a role: settings of a process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class AuthorityPolicy(StrEnum):
    """How strictly a response is kept from being directed by those who have no role in it (R-9.3.5-9).

    `strict` refuses everybody, `standard` everybody but administrators, who are written down; `open` writes down.
    """

    STRICT = "strict"
    STANDARD = "standard"
    OPEN = "open"


@dataclass(frozen=True)
class TakeOverRule:
    """How long whoever holds a role may take to answer somebody who asks for it, and whether silence gives it away."""

    answer_within: timedelta = timedelta(minutes=10)
    silence_gives: bool = True
