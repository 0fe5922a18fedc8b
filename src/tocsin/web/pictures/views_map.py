"""Provider and consumers: where they see the same breach differently, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from tocsin.core.consumer_views import Stance
from tocsin.platform.text import one_line
from tocsin.web.pictures import drawing as draw

MOST_ROWS, MOST_COLUMNS, MOST_SENTENCES = 14, 6, 10
_LETTER = 6.6  # about how wide a letter of 12 px is
_ROW, _TOP = 42.0, 58.0
ARROWS = {Stance.MORE_URGENT: "▲", Stance.LESS_URGENT: "▼", Stance.SAME: "="}


@dataclass(frozen=True, slots=True)
class Square:
    """One consumer on one SLO: its word for the priority ("1", "none"), how it stands, by how many levels."""

    word: str
    stance: Stance
    levels: int
    hint: str


@dataclass(frozen=True, slots=True)
class Line:
    """One SLO: the provider's decision and a square for each consumer, None where nobody has asked."""

    name: str
    rank: int | None
    state: str
    squares: Sequence[Square | None]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One difference in words, with both priorities; for a screen that has no room for columns."""

    text: str
    provider: tuple[int | None, str]
    consumer: tuple[int | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsMap:
    consumers: Sequence[str]
    lines: Sequence[Line]
    sentences: Sequence[Sentence]
    finding: str
    foot: str


def views_map(facts: ViewsMap) -> draw.Picture:
    """Warm: the consumer wants it higher; cool: lower; plain: the same; outlined: not asked."""
    return draw.Picture(
        finding=facts.finding,
        reading="Arrow up: the consumer would rate the outage higher than the provider does. Outlined: not asked.",
        desk=_desk(facts),
        phone=_phone(facts),
        table=draw.Table(
            ("SLO", "Provider", *facts.consumers),
            [(line.name, _decided(line), *(_words(one) for one in line.squares)) for line in facts.lines],
        ),
    )


def _decided(line: Line) -> str:
    return str(line.rank) if line.rank is not None else "undecided" if line.state == "unset" else line.state


def _words(one: Square | None) -> str:
    if one is None:
        return "not asked"
    if one.stance is Stance.ASKED:
        return "asked"
    return f"{one.word} {ARROWS.get(one.stance, '')}".strip()


def _desk(facts: ViewsMap) -> SafeString:
    lines, columns = facts.lines[:MOST_ROWS], facts.consumers[:MOST_COLUMNS]
    left, width = 236.0, 760.0
    wide = (width - left - 8) / max(len(columns) + 1, 4)
    left_out = _left_out(len(facts.lines) - len(lines), len(facts.consumers) - len(columns))
    height = _TOP + _ROW * len(lines) + 34 + (18 if left_out else 0)
    parts = [_head(left + place * wide, wide, name) for place, name in enumerate(("Provider", *columns))]
    for number, line in enumerate(lines):
        y = _TOP + number * _ROW
        parts.append(draw.text(12, y + 22, _cut(line.name, left - 24), "label"))
        parts.append(draw.rect(left, y, wide - 8, _ROW - 8, "square-same", radius=4))
        parts.append(draw.priority_mark(left + (wide - 8) / 2, y + 17, line.rank, line.state))
        for place, one in enumerate(line.squares[: len(columns)], start=1):
            parts += _square(left + place * wide, y, wide - 8, one)
    parts.append(draw.text(12, height - (26 if left_out else 10), _cut(facts.foot, (width - 24) * 1.15)))
    if left_out:
        parts.append(draw.text(12, height - 8, left_out))
    return draw.svg(width, height, facts.finding, parts)


def _head(x: float, wide: float, name: str) -> str:
    """A name over a column, on two lines where one is too short."""
    room = max(4, int((wide - 6) / _LETTER))
    first, rest = _two_lines(name, room)
    middle = x + (wide - 8) / 2
    low = draw.text(middle, _TOP - 14, one_line(rest or first, limit=room), "strong", "middle")
    return (draw.text(middle, _TOP - 29, one_line(first, limit=room), "strong", "middle") + low) if rest else low


def _two_lines(name: str, room: int) -> tuple[str, str]:
    if len(name) <= room or " " not in name:
        return name, ""
    words = name.split(" ")
    first = words.pop(0)
    while words and len(first) + 1 + len(words[0]) <= room:
        first = f"{first} {words.pop(0)}"
    return first, " ".join(words)


def _square(x: float, y: float, wide: float, one: Square | None) -> list[str]:
    css = _css(one)
    hint = one.hint if one else "Not asked"
    strong = one is not None and one.stance is not Stance.ASKED
    box = draw.rect(x, y, wide, _ROW - 8, css, radius=4, title=hint)
    return [box, draw.text(x + wide / 2, y + 22, _words(one), "strong" if strong else "", "middle")]


def _css(one: Square | None) -> str:
    if one is None or one.stance is Stance.ASKED:
        return "square-open"
    if one.stance is Stance.MORE_URGENT:
        return "square-warmer" if one.levels > 1 else "square-warm"
    return "square-cool" if one.stance is Stance.LESS_URGENT else "square-same"


def _left_out(rows: int, columns: int) -> str:
    parts = [f"{rows} more SLOs"] * (rows > 0) + [f"{columns} more consumers"] * (columns > 0)
    return f"{' and '.join(parts)} stand in the table below." if parts else ""


def _phone(facts: ViewsMap) -> SafeString:
    """The worst ten as sentences, each with both marks."""
    told = facts.sentences[:MOST_SENTENCES]
    width, top = 300.0, 8.0
    parts: list[str] = []
    y = top
    for one in told:
        parts.append(draw.priority_mark(18, y + 18, *one.provider))
        parts.append(draw.text(36, y + 22, "→", "", "middle"))
        parts.append(draw.priority_mark(54, y + 18, *one.consumer))
        for place, words in enumerate(_wrapped(one.text, int((width - 84) / _LETTER))):
            parts.append(draw.text(76, y + 16 + place * 16, words, "label"))
        y += 50
    if not told:
        parts.append(draw.text(12, y + 16, _cut(facts.finding, width - 24), "label"))
        y += 32
    return draw.svg(width, y + 4, facts.finding, parts)


def _wrapped(words: str, room: int) -> list[str]:
    """At most two lines, the second one cut."""
    first, rest = _two_lines(words, room)
    return [one_line(first, limit=room), *([one_line(rest, limit=room)] if rest else [])]


def _cut(words: str, width: float) -> str:
    return one_line(words, limit=max(8, int(width / _LETTER)))
