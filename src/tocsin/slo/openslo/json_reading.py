"""JSON to nodes, with lines; the standard decoder knows neither lines nor keys given twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, but not in the stubs

from tocsin.slo.openslo.nodes import Entry, Limits, Node, Shape, Unreadable

_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null")


def read_json(text: str, *, limits: Limits | None = None) -> list[Node]:
    """The values of `text`, one after the other (one is the usual case). Raises Unreadable with the line."""
    limits = limits or Limits()
    limits.check_size(text)
    return list(_Reader(text, limits).documents())


class _Reader:
    def __init__(self, text: str, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._at = 0
        self._line = 1
        self._counted = 0

    def documents(self) -> Iterator[Node]:
        self._skip_space()
        while self._at < len(self._text):
            yield self._value(depth=1)
            self._skip_space()

    def _line_here(self) -> int:
        """The line of the present place; counted onward from the last question, so that a file is read once."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _fail(self, message: str) -> Unreadable:
        return Unreadable(self._line_here(), f"is no JSON: {message}")

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _peek(self) -> str:
        self._skip_space()
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise self._fail(f"expected {character!r}")
        self._at += 1

    def _value(self, *, depth: int) -> Node:
        begin = self._peek()
        line = self._line_here()
        self._limits.spend(1, line)
        self._limits.check_depth(depth, line)
        if begin == "{":
            return Node(Shape.MAP, line, entries=tuple(self._entries(depth)))
        if begin == "[":
            return Node(Shape.LIST, line, items=tuple(self._items(depth)))
        if begin == '"':
            return Node(Shape.SCALAR, line, text=self._string(), quoted=True)
        return Node(Shape.SCALAR, line, text=self._word())

    def _word(self) -> str:
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise self._fail("expected a value")
        self._at = found.end()
        return found[0]

    def _string(self) -> str:
        try:
            text, self._at = scanstring(self._text, self._at + 1, True)
        except JSONDecodeError as error:
            raise self._fail(error.msg) from None
        return str(text)

    def _items(self, depth: int) -> Iterator[Node]:
        self._take("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value(depth=depth + 1)
            if self._peek() != ",":
                break
            self._at += 1
        self._take("]")

    def _entries(self, depth: int) -> Iterator[Entry]:
        self._take("{")
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                raise self._fail("expected a key in quotes")
            line = self._line_here()
            key = self._string()
            self._take(":")
            yield Entry(key, line, self._value(depth=depth + 1))
            if self._peek() != ",":
                break
            self._at += 1
        self._take("}")
