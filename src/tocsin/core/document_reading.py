"""Read a loosely typed document into typed values and note every place that is missing or of the wrong kind.

Nothing is raised while reading: a person who mends a document wants all its faults at once, each with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar, cast

_Choice = TypeVar("_Choice", bound=StrEnum)
_MISSING = object()
_LONGEST_SHARE = 60
_HUGE = re.compile(r"[eE][+-]?[0-9]{3,}")


class Level(StrEnum):
    """An error keeps a document from being used; a warning is advice."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """One fault: the dotted place in the document, the name of the rule, and a sentence for people."""

    where: str
    rule: str
    message: str
    level: Level = Level.ERROR


@dataclass(frozen=True)
class Cursor:
    """A place in the document. Reading a wrong value notes a problem and yields a harmless stand-in."""

    value: Any
    where: str = ""
    found: list[Problem] = field(default_factory=list)

    def note(self, rule: str, message: str) -> None:
        """Note a problem at this place."""
        self.found.append(Problem(self.where, rule, message))

    def at(self, key: str) -> Cursor:
        """The place under `key`; a missing key is noted when its value is read."""
        inside = self._mapping().get(key, _MISSING)
        return Cursor(inside, f"{self.where}.{key}" if self.where else key, self.found)

    def has(self, key: str) -> bool:
        """Whether the mapping here has `key` with a value other than null."""
        return self._mapping().get(key) is not None

    def entries(self) -> list[tuple[str, Cursor]]:
        """Key and place of each entry of the mapping here."""
        if not isinstance(self.value, Mapping):
            self._expected("a mapping")
            return []
        return [(str(key), self.at(key)) for key in self._mapping()]

    def items(self) -> list[Cursor]:
        """The place of each item of the list here."""
        if not isinstance(self.value, list | tuple):
            self._expected("a list")
            return []
        inside = cast("Sequence[Any]", self.value)
        return [Cursor(item, f"{self.where}.{n}", self.found) for n, item in enumerate(inside)]

    def text(self) -> str:
        """A text that is not empty."""
        if isinstance(self.value, str) and self.value.strip():
            return self.value
        self._expected("a text")
        return ""

    def texts(self) -> tuple[str, ...]:
        """A list of texts, possibly empty."""
        return tuple(item.text() for item in self.items())

    def number(self) -> int:
        """A whole number of zero or more."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value >= 0:
            return self.value
        self._expected("a whole number of zero or more")
        return 0

    def numbers(self) -> tuple[int, ...]:
        """A list of whole numbers."""
        return tuple(item.number() for item in self.items())

    def flag(self) -> bool:
        """Yes or no."""
        if isinstance(self.value, bool):
            return self.value
        self._expected("true or false")
        return False

    def share(self) -> Fraction:
        """An exact share from 0 to 1, given as a decimal text or a number ("0.60")."""
        try:
            # A short text only: 1e-99999999 is a share, too, and reckoning with it would take for ever.
            text = "" if self.value is _MISSING else str(self.value)
            read = Fraction(text) if len(text) <= _LONGEST_SHARE and not _HUGE.search(text) else None
        except (ValueError, ZeroDivisionError):
            read = None
        if read is not None and 0 <= read <= 1:
            return read
        self._expected("a share from 0 to 1")
        return Fraction(0)

    def minutes(self) -> timedelta:
        """A whole number of minutes, as a duration."""
        return timedelta(minutes=self.number())

    def choice(self, kind: type[_Choice]) -> _Choice:
        """One of the words of `kind`."""
        words = [member.value for member in kind]
        if self.value in words:
            return kind(self.value)
        self._expected("one of " + ", ".join(words))
        return next(iter(kind))

    def _mapping(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.value) if isinstance(self.value, Mapping) else {}

    def _expected(self, what: str) -> None:
        if self.value is _MISSING:
            self.note("present", f"is missing; {what} belongs here")
        else:
            self.note("kind", f"{what} belongs here")
