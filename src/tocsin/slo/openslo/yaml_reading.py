"""YAML to nodes, event by event: what is hostile is refused before it is built.

Tags, alias bombs, deep nesting and endless files stop the reading at the very event. Anchors may be used within
reason: an alias costs what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tocsin.slo.openslo.nodes import Entry, Limits, Node, Shape, Unreadable

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str, *, limits: Limits | None = None) -> list[Node]:
    """The documents of `text`, empty ones left out. Raises Unreadable with the line."""
    limits = limits or Limits()
    limits.check_size(text)
    return list(_Reader(_events(text), limits).documents())


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "holds a character that no YAML file may hold") from None
    except yaml.MarkedYAMLError as error:
        # A quote that is never closed is missed at the end of the file, but stands where it was opened.
        unclosed = "quoted scalar" in (error.context or "")
        mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, f"is no YAML: {error.problem or error.context}") from None


class _Reader:
    """Builds nodes out of events. One method for each thing that can begin."""

    def __init__(self, events: Iterator[Any], limits: Limits) -> None:
        self._events = events
        self._limits = limits
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, int] = {}
        self._open: set[str] = set()

    def documents(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                node = self._value(next(self._events), depth=1)
                if not node.is_null:
                    yield node

    def _value(self, event: Any, *, depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, line, depth)
        before = self._limits.spent
        self._limits.spend(1, line)
        self._limits.check_depth(depth, line)
        if event.tag is not None:
            raise Unreadable(line, f"uses the tag {event.tag!r}; tags are not allowed")
        if event.anchor is not None:
            self._open.add(event.anchor)
        node = self._content(event, line, depth)
        if event.anchor is not None:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = node
            self._sizes[id(node)] = self._limits.spent - before
        return node

    def _content(self, event: Any, line: int, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Node(Shape.SCALAR, line, text=event.value, quoted=bool(event.style))
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(Shape.LIST, line, items=tuple(self._items(depth)))
        return Node(Shape.MAP, line, entries=tuple(self._entries(depth)))

    def _alias(self, name: str | None, line: int, depth: int) -> Node:
        if name is not None and name in self._open:
            raise Unreadable(line, f"the alias *{name} stands inside itself")
        if name is None or name not in self._anchors:
            raise Unreadable(line, f"the alias *{name} has no anchor before it")
        node = self._anchors[name]
        self._limits.spend(self._sizes[id(node)], line)
        # A chain of aliases must not build what the file itself may not: depth beyond what we can walk.
        self._limits.check_depth(depth + _height(node) - 1, line)
        return node

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, depth=depth + 1)

    def _entries(self, depth: int) -> Iterator[Entry]:
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth=depth + 1)
            if key.shape is not Shape.SCALAR:
                raise Unreadable(key.line, "a key must be a plain word, not a list or a map")
            yield Entry(key.text, event.start_mark.line + 1, self._value(next(self._events), depth=depth + 1))


def _height(node: Node) -> int:
    children = (*(entry.value for entry in node.entries), *node.items)
    return 1 + max((_height(child) for child in children), default=0)
