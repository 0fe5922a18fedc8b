"""A document as it stands in its file: every value with the line it begins on, nothing converted yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# Far beyond any threshold a person means, and small enough that exact arithmetic stays quick.
_LARGEST_EXPONENT = 30


def is_number(text: str) -> bool:
    """Whether a text without quotes would be read as a number."""
    return _NUMBER.fullmatch(text) is not None


class Shape(StrEnum):
    SCALAR = "scalar"
    MAP = "map"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a map with the line the key stands on."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value. `text` belongs to scalars, `entries` to maps (keys given twice included), `items` to lists."""

    shape: Shape
    line: int
    text: str = ""
    quoted: bool = False
    entries: tuple[Entry, ...] = ()
    items: tuple[Node, ...] = ()

    def get(self, *keys: str) -> Node | None:
        """The value under nested keys, None where the way ends early or at a null."""
        node: Node | None = self
        for key in keys:
            node = next((entry.value for entry in node.entries if entry.key == key), None) if node else None
        return None if node is None or node.is_null else node

    def text_at(self, *keys: str) -> str:
        """The text under nested keys, empty when there is none."""
        node = self.get(*keys)
        return node.text if node is not None and node.shape is Shape.SCALAR else ""

    def items_at(self, *keys: str) -> tuple[Node, ...]:
        node = self.get(*keys)
        return node.items if node is not None else ()

    @property
    def is_null(self) -> bool:
        return self.shape is Shape.SCALAR and not self.quoted and self.text in _NULLS

    @property
    def boolean(self) -> bool | None:
        """The truth value written here, None when it is none."""
        return None if self.quoted or self.shape is not Shape.SCALAR else _BOOLEANS.get(self.text)

    @property
    def number(self) -> Decimal | None:
        """The number exactly as written, None when this is no number or one beyond all reason."""
        if self.quoted or self.shape is not Shape.SCALAR or not _NUMBER.fullmatch(self.text):
            return None
        value = Decimal(self.text)
        return value if not value or abs(value.adjusted()) <= _LARGEST_EXPONENT else None

    def plain(self) -> Any:
        """As JSON values, for keeping; a later key wins over an earlier one of the same name."""
        if self.shape is Shape.MAP:
            return {entry.key: entry.value.plain() for entry in self.entries}
        if self.shape is Shape.LIST:
            return [item.plain() for item in self.items]
        return self._plain_scalar()

    def _plain_scalar(self) -> Any:
        if self.is_null:
            return None
        if (truth := self.boolean) is not None:
            return truth
        value = self.number
        if value is None:
            return self.text
        number = int(value) if re.fullmatch(r"[-+]?[0-9]+", self.text) else float(value)
        # 007 and 1.10 may be names: only what can be written back as it stands becomes a number.
        return number if str(number) == self.text else self.text


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong (or, as a warning, odd) at `line`; `path` leads to it: spec.objectives[0].target."""

    line: int
    path: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return {"line": self.line, "path": self.path, "message": self.message}


class Unreadable(Exception):
    """The text is no document at all, or one that is built to hurt; nothing after `line` was looked at."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(slots=True)
class Limits:
    """How large a file may be before it is refused unread; `spent` counts values, aliases by what they stand for."""

    most_bytes: int = 2 * 1024 * 1024
    most_values: int = 100_000
    most_depth: int = 32
    spent: int = 0

    def spend(self, values: int, line: int) -> None:
        self.spent += values
        if self.spent > self.most_values:
            raise Unreadable(
                line, f"holds more than {self.most_values} values (aliases counted by what they stand for)"
            )

    def check_depth(self, depth: int, line: int) -> None:
        if depth > self.most_depth:
            raise Unreadable(line, f"is nested more than {self.most_depth} levels deep")

    def check_size(self, text: str) -> None:
        if len(text) > self.most_bytes:
            raise Unreadable(1, f"is larger than {self.most_bytes // 1024} KiB")


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything inside it."""
    yield node
    for child in (*(entry.value for entry in node.entries), *node.items):
        yield from walk(child)
