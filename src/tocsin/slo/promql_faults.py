"""Where in a query the fault is: the parser says what is wrong, people need to see where.

The parser gives no position, so it is found: an unmatched bracket where it stands, a word the parser quotes where it
first stands, and otherwise the first token after the longest beginning that is a query when its brackets are closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import promql_parser

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|[\w:.]+|.""", re.DOTALL
)
_QUOTED = re.compile(r"'([^']+)'|: (\S+)$|for (\S+)$")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSERS = {opener: closer for closer, opener in _PAIRS.items()}
_MOST_TOKENS = 400


def fault(query: str) -> str | None:
    """What is wrong with a query as PromQL, with line and column; None when nothing is."""
    try:
        promql_parser.parse(query)
    except ValueError as error:
        return f"is no PromQL at {place(query, _position(query, str(error)))}: {error}"
    return None


def place(query: str, position: int) -> str:
    """A position in a query as people count: lines and columns from 1."""
    before = query[:position]
    return f"line {before.count(chr(10)) + 1}, column {position - (before.rfind(chr(10)) + 1) + 1}"


def line_of(message: str) -> int:
    """The line of the query that a message of `fault` names, from 1."""
    found = re.search(r"at line (\d+), column", message)
    return int(found[1]) if found else 1


def _tokens(query: str) -> Iterator[tuple[int, str]]:
    """(position, token) of everything but space and comments; a string is one token."""
    for found in _TOKEN.finditer(query):
        if found.lastgroup != "space":
            yield found.start(), found.group()


def _position(query: str, message: str) -> int:
    tokens = list(_tokens(query))
    open_ones, stray = _brackets(tokens)
    if stray is not None:
        return stray
    if open_ones and ("unclosed" in message or "end of input" in message):
        return open_ones[-1][0]
    named = _QUOTED.search(message)
    word = next(filter(None, named.groups()), "") if named else ""
    places = [spot for spot, (_, token) in enumerate(tokens) if word and word in (token, token.strip("\"'`"))]
    if "regex" in message:
        places = [spot for spot in places if tokens[spot - 1][1] == "~"] or places
    if places:
        return tokens[places[0]][0]
    return _first_fault(query, tokens)


def _brackets(tokens: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], int | None]:
    """The brackets that are never closed, and the first that closes nothing."""
    opened: list[tuple[int, str]] = []
    for at, token in tokens:
        if token in _CLOSERS:
            opened.append((at, token))
        elif token in _PAIRS:
            if not opened or opened[-1][1] != _PAIRS[token]:
                return opened, at
            opened.pop()
    return opened, None


def _first_fault(query: str, tokens: list[tuple[int, str]]) -> int:
    """The first token after the longest beginning that is a query once its brackets are closed."""
    for count in range(min(len(tokens), _MOST_TOKENS) - 1, 0, -1):
        at, token = tokens[count - 1]
        opened, _ = _brackets(tokens[:count])
        closed = query[: at + len(token)] + "".join(_CLOSERS[one] for _, one in reversed(opened))
        try:
            promql_parser.parse(closed)
        except ValueError:
            continue
        return tokens[count][0]
    return tokens[0][0] if tokens else 0
