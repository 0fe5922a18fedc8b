"""What an installation can measure, and which SLI could stand in for an alert on a resource."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WORD = re.compile(r"[a-z]+|\d+x+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to measure: its code, what it is called, how it works."""

    code: str
    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Capability:
    """A kind of SLI, the question it answers, the ways to measure it, and the words of alerts it can stand in for."""

    code: str
    name: str
    question: str
    ways: tuple[Way, ...]
    instead_of: frozenset[str]


def capabilities(document: Mapping[str, Any]) -> tuple[Capability, ...]:
    """The capabilities a document lists, in its order. Raises ValueError for a way that is not described."""
    ways = {str(one["code"]): Way(str(one["code"]), str(one["name"]), str(one["how"])) for one in document["ways"]}
    found: list[Capability] = []
    for one in document["sli_kinds"]:
        if unknown := [code for code in one["ways"] if code not in ways]:
            raise ValueError(f"{one['code']} names the way {unknown[0]!r}, which is not described")
        used = tuple(ways[code] for code in one["ways"])
        words = frozenset(str(word).lower() for word in one["instead_of"])
        found.append(Capability(str(one["code"]), str(one["name"]), str(one["question"]), used, words))
    return tuple(found)


def replacement(known: Sequence[Capability], *texts: str) -> Capability | None:
    """The SLI that could replace an alert with these texts (metric, then name); None when nothing fits.

    The texts are asked in their order, so that what is measured counts more than what the alert is called.
    """
    for text in texts:
        words = set(_WORD.findall(_CAMEL.sub(" ", text).lower()))
        best = max(known, key=lambda one: len(words & one.instead_of), default=None)
        if best is not None and words & best.instead_of:
            return best
    return None
