"""Regular expressions that cannot be made slow: matched as an automaton, in time linear in the text.

People who may write a silence or a route must not be able to stop the intake with one pattern, which the standard
library's backtracking matcher would let them. The language is the part of RE2 that label matchers use: literals, `.`,
classes, groups, `|`, `* + ?` and bounded repeats, `^ $`, the usual escapes, and `(?i)` or `(?s)` at the beginning. A whole
text matches or does not; there are no captures. Source: Thompson's construction, with states made when first met.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

LONGEST_PATTERN = 512
MOST_NODES = 500
_MOST_REMEMBERED = 4_000
_DIGIT, _SPACE, _WORD = (
    (("0", "9"),),
    (("\t", "\n"), ("\f", "\r"), (" ", " ")),
    (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
)
_CLASSES = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_HIGHEST = "\U0010ffff"

Ranges = tuple[tuple[str, str], ...]


class PatternRefused(ValueError):
    """The pattern is wrong, too large, or uses what is not supported; the text says which."""


@dataclass(frozen=True, slots=True)
class _Characters:
    """A set of characters as ranges, perhaps without regard to case, perhaps turned round."""

    ranges: Ranges
    negated: bool = False
    any_case: bool = False

    def holds(self, character: str) -> bool:
        forms = (character, character.lower(), character.upper()) if self.any_case else (character,)
        found = any(low <= form <= high for form in forms for low, high in self.ranges)
        return found is not self.negated


@dataclass(slots=True)
class _Node:
    """A place in the automaton: it reads one character, asks for an edge of the text, forks, or is the end."""

    reads: _Characters | None = None
    edge: str = ""
    after: tuple[int, ...] = ()
    final: bool = False


# A parsed piece: characters, an edge, a sequence, a choice, or a repeat with its least and greatest number.
@dataclass(frozen=True, slots=True)
class _Piece:
    kind: str
    parts: tuple[_Piece, ...] = ()
    characters: _Characters | None = None
    least: int = 0
    most: int | None = None


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.position = 0
        self.any_case = False
        self.dot = _Characters((("\n", "\n"),), negated=True)

    def parse(self) -> _Piece:
        """The whole pattern."""
        self._flags()
        piece = self._choice()
        if self.position < len(self.text):
            raise PatternRefused("a closing parenthesis has no opening one")
        return piece

    def _flags(self) -> None:
        end = self.text.find(")")
        if self.text.startswith("(?") and end > 2 and set(self.text[2:end]) <= set("is"):
            self.any_case = "i" in self.text[2:end]
            if "s" in self.text[2:end]:
                self.dot = _Characters(((chr(0), _HIGHEST),))
            self.position = end + 1

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise PatternRefused("the pattern ends too early")
        self.position += 1
        return character

    def _choice(self) -> _Piece:
        options = [self._sequence()]
        while self._peek() == "|":
            self.position += 1
            options.append(self._sequence())
        return options[0] if len(options) == 1 else _Piece("choice", tuple(options))

    def _sequence(self) -> _Piece:
        parts: list[_Piece] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom()))
        return _Piece("sequence", tuple(parts))

    def _repeated(self, piece: _Piece) -> _Piece:
        bounds = self._bounds()
        if bounds is None:
            return piece
        if self._peek() == "?":
            self.position += 1  # The shortest repeat is found as well as the longest: only whole texts are matched.
        if self._bounds() is not None:
            raise PatternRefused("a repeat follows a repeat")
        return _Piece("repeat", (piece,), least=bounds[0], most=bounds[1])

    def _bounds(self) -> tuple[int, int | None] | None:
        character = self._peek()
        if character and character in "*+?":
            self.position += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        end = self.text.find("}", self.position)
        if character != "{" or end < 0:
            return None
        least, comma, most = self.text[self.position + 1 : end].partition(",")
        if not (_is_number(least) and (most == "" or _is_number(most))):
            return None
        self.position = end + 1
        bounds = int(least), (int(most) if most else None) if comma else int(least)
        if bounds[1] is not None and bounds[1] < bounds[0]:
            raise PatternRefused("a repeat has its bounds the wrong way round")
        return bounds

    def _atom(self) -> _Piece:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return _Piece("characters", characters=self._class())
        if character == ".":
            return _Piece("characters", characters=self.dot)
        if character in "^$":
            return _Piece(character)
        if character == "\\":
            return _Piece("characters", characters=self._escape())
        if character in "*+?":
            raise PatternRefused("a repeat has nothing to repeat")
        return _Piece("characters", characters=self._set(((character, character),)))

    def _set(self, ranges: Ranges, *, negated: bool = False) -> _Characters:
        return _Characters(ranges, negated, self.any_case)

    def _group(self) -> _Piece:
        if self._peek() == "?":
            named = self.text.find(">", self.position) if self.text.startswith("?P<", self.position) else -1
            if self.text.startswith("?:", self.position):
                self.position += 2
            elif named > 0:
                self.position = named + 1
            else:
                raise PatternRefused("looking around and flags inside a pattern are not supported")
        piece = self._choice()
        if self._peek() != ")":
            raise PatternRefused("a parenthesis is not closed")
        self.position += 1
        return piece

    def _escape(self) -> _Characters:
        character = self._take()
        if character.lower() in _CLASSES:
            return self._set(_CLASSES[character.lower()], negated=character.isupper())
        literal = self._escaped_literal(character)
        return self._set(((literal, literal),))

    def _escaped_literal(self, character: str) -> str:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "x":
            digits = self.text[self.position : self.position + 2]
            self.position += 2
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise PatternRefused("\\x needs two hexadecimal digits") from None
        if character.isalnum():
            raise PatternRefused(f"the escape \\{character} is not supported")
        return character

    def _class(self) -> _Characters:
        negated = self._peek() == "^"
        self.position += negated
        ranges: list[tuple[str, str]] = []
        first = True
        while first or self._peek() != "]":
            first = False
            ranges.extend(self._class_item())
        self.position += 1
        return self._set(tuple(ranges), negated=negated)

    def _class_item(self) -> Ranges:
        if self.text.startswith("[:", self.position):
            raise PatternRefused("named classes such as [:alpha:] are not supported")
        character = self._take()
        if character == "\\":
            character = self._take()
            if character in _CLASSES:
                return _CLASSES[character]
            character = self._escaped_literal(character)
        if self._peek() != "-" or self.text.startswith("-]", self.position):
            return ((character, character),)
        self.position += 1
        end = self._take()
        end = self._escaped_literal(self._take()) if end == "\\" else end
        if end < character:
            raise PatternRefused("a class has a range the wrong way round")
        return ((character, end),)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


class _Automaton:
    """The nodes of a pattern, built back to front so that each knows what comes after it."""

    def __init__(self, piece: _Piece) -> None:
        self.nodes: list[_Node] = [_Node(final=True)]
        self.start = self._build(piece, 0)

    def _add(self, node: _Node) -> int:
        if len(self.nodes) >= MOST_NODES:
            raise PatternRefused("the pattern is too large")
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _build(self, piece: _Piece, after: int) -> int:
        if piece.kind == "characters":
            return self._add(_Node(reads=piece.characters, after=(after,)))
        if piece.kind == "sequence":
            for part in reversed(piece.parts):
                after = self._build(part, after)
            return after
        if piece.kind == "choice":
            return self._add(_Node(after=tuple(self._build(part, after) for part in piece.parts)))
        if piece.kind == "repeat":
            return self._build_repeat(piece, after)
        return self._add(_Node(edge=piece.kind, after=(after,)))

    def _build_repeat(self, piece: _Piece, after: int) -> int:
        inner = piece.parts[0]
        if piece.most is None:
            loop = self._add(_Node())
            self.nodes[loop].after = (self._build(inner, loop), after)
            after = loop
        else:
            end = after
            for _ in range(piece.most - piece.least):
                after = self._add(_Node(after=(self._build(inner, after), end)))
        for _ in range(piece.least):
            after = self._build(inner, after)
        return after


class Pattern:
    """A pattern that matches whole texts."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > LONGEST_PATTERN:
            raise PatternRefused(f"the pattern is longer than {LONGEST_PATTERN} characters")
        try:
            automaton = _Automaton(_Parser(pattern).parse())
        except RecursionError:
            raise PatternRefused("the pattern is nested too deeply") from None
        self._nodes = automaton.nodes
        self._begin = self._reach([automaton.start], edges="^")
        # Remembered steps only save time; they are forgotten when a sender's many values would make them grow.
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole text is one that the pattern describes."""
        places = self._begin
        for character in text:
            places = self._step(places, character)
            if not places:
                return False
        edges = "$" if text else "^$"
        return any(self._nodes[place].final for place in self._reach(places, edges=edges))

    def _step(self, places: frozenset[int], character: str) -> frozenset[int]:
        known = self._steps.get((places, character))
        if known is not None:
            return known
        read = [self._nodes[place] for place in places]
        found = self._reach([node.after[0] for node in read if node.reads and node.reads.holds(character)], edges="")
        if len(self._steps) >= _MOST_REMEMBERED:
            self._steps.clear()
        self._steps[places, character] = found
        return found

    def _reach(self, places: list[int] | frozenset[int], *, edges: str) -> frozenset[int]:
        """All places that can be reached without reading, passing only the named edges of the text."""
        seen: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            node = self._nodes[place]
            if node.reads is None and (not node.edge or node.edge in edges):
                waiting.extend(node.after)
        return frozenset(
            place for place in seen if self._nodes[place].reads or self._nodes[place].edge or self._nodes[place].final
        )


@lru_cache(maxsize=1_000)
def compiled(pattern: str) -> Pattern:
    """The pattern, built once. Raises `PatternRefused`."""
    return Pattern(pattern)
