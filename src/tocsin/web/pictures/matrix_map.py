"""Which priority and severity go together, and where incidents stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from tocsin.core.process_parts import Verdict
from tocsin.platform.text import one_line
from tocsin.web.pictures import drawing as draw

CSS = {Verdict.ALLOWED: "square-same", Verdict.CONDITIONAL: "square-warm", Verdict.NOT_ALLOWED: "square-open"}
SHORT = {Verdict.ALLOWED: "Allowed", Verdict.CONDITIONAL: "Reason", Verdict.NOT_ALLOWED: "Never"}
MOST_DOTS = 8
_DOT = 11
_LETTER = 6.6  # about how wide a letter of 12 px is


@dataclass(frozen=True, slots=True)
class Square:
    """One pair: its verdict and reason, how many incidents are open there, how many began there of late."""

    verdict: Verdict
    word: str
    why: str
    open: int
    lately: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixMap:
    severities: Sequence[str]
    priorities: Sequence[tuple[int, str, str]]
    squares: Sequence[Sequence[Square]]
    days: int


def matrix_map(facts: MatrixMap) -> draw.Picture:
    """Plain: allowed; warm: give a reason; outlined: never. A full dot is an open incident, a ring one that ended."""
    return draw.Picture(
        finding=finding(facts),
        reading=(
            f"Plain: allowed. Warm: give a reason. Outlined: never. "
            f"Full dot: an open incident; ring: another of the last {facts.days} days."
        ),
        desk=_desk(facts),
        phone=_phone(facts),
        table=draw.Table(
            ("Priority", "Severity", "Verdict", "Why", "Open", f"In {facts.days} days"),
            [
                (code, severity, one.word, one.why, str(one.open), str(one.lately))
                for (_, code, _), squares in zip(facts.priorities, facts.squares, strict=True)
                for severity, one in zip(facts.severities, squares, strict=True)
            ],
        ),
    )


def finding(facts: MatrixMap) -> str:
    """What the picture shows, in a sentence: how many pairs are allowed, and whether anything stands outside them."""
    every = [one for squares in facts.squares for one in squares]
    count = {verdict: sum(one.verdict is verdict for one in every) for verdict in Verdict}
    said = (
        f"{count[Verdict.ALLOWED]} of {len(every)} pairs are allowed, {count[Verdict.CONDITIONAL]} need a reason, "
        f"{count[Verdict.NOT_ALLOWED]} never"
    )
    outside = sum(one.open for one in every if one.verdict is Verdict.NOT_ALLOWED)
    return f"{said}; {outside} open as {'an exception' if outside == 1 else 'exceptions'}" if outside else said


def _desk(facts: MatrixMap) -> SafeString:
    left, top, row, width = 168.0, 40.0, 78.0, 760.0
    wide = (width - left - 8) / max(len(facts.severities), 1)
    height = top + row * len(facts.priorities) + 6
    parts = [
        draw.text(left + place * wide + (wide - 8) / 2, 24, code, "strong", "middle")
        for place, code in enumerate(facts.severities)
    ]
    for number, ((rank, code, name), squares) in enumerate(zip(facts.priorities, facts.squares, strict=True)):
        y = top + number * row
        parts.append(draw.priority_mark(24, y + 34, rank))
        parts.append(draw.text(44, y + 30, code, "strong"))
        parts.append(draw.text(44, y + 46, one_line(name, limit=int((left - 52) / _LETTER)), "label"))
        for place, one in enumerate(squares):
            parts += _square(left + place * wide, y, wide - 8, row - 8, one)
    return draw.svg(width, height, finding(facts), parts)


def _square(x: float, y: float, wide: float, high: float, one: Square) -> list[str]:
    room = int((wide - 16) / _LETTER)
    first, rest = _two_lines(one.why, room)
    parts = [
        draw.rect(x, y, wide, high, CSS[one.verdict], radius=4, title=f"{one.word}: {one.why}"),
        draw.text(x + 8, y + 18, one.word, "strong"),
        draw.text(x + 8, y + 36, one_line(first, limit=room), "label"),
    ]
    if rest:
        parts.append(draw.text(x + 8, y + 50, one_line(rest, limit=room), "label"))
    # The word is bold, and a number stands before the dots.
    most = min(MOST_DOTS, int((wide - 26 - (len(one.word) + 4) * 7.4) / _DOT))
    return parts + _dots(x + wide - 10, y + 14, one, most=max(most, 1))


def _dots(right: float, y: float, one: Square, *, most: int) -> list[str]:
    """From the right: open ones full, then what has ended; beyond `most`, a number."""
    ended = max(0, one.lately - one.open)
    full, rings = min(one.open, most), min(ended, max(0, most - one.open))
    css = ["dot-open"] * full + ["dot-ended"] * rings
    parts = [
        draw.rect(right - 8 - place * _DOT, y - 4, 8, 8, name, radius=4, title=f"{one.open} open, {one.lately} of late")
        for place, name in enumerate(css)
    ]
    if one.open + ended > len(css):
        parts.append(draw.text(right - len(css) * _DOT - 6, y + 4, str(one.open + ended), "label", "end"))
    return parts


def _two_lines(words: str, room: int) -> tuple[str, str]:
    if len(words) <= room or " " not in words[: room + 1]:
        return words, ""
    cut = words[: room + 1].rindex(" ")
    return words[:cut], words[cut + 1 :]


def _phone(facts: MatrixMap) -> SafeString:
    """One row for each priority, narrow squares with a word and the number of open incidents; reasons stand below."""
    left, top, row, width = 34.0, 30.0, 52.0, 300.0
    wide = (width - left) / max(len(facts.severities), 1)
    room = int((wide - 8) / _LETTER)
    parts = [
        draw.text(left + place * wide + (wide - 4) / 2, 20, one_line(code, limit=room), "strong", "middle")
        for place, code in enumerate(facts.severities)
    ]
    for number, ((rank, _, _), squares) in enumerate(zip(facts.priorities, facts.squares, strict=True)):
        y = top + number * row
        parts.append(draw.priority_mark(14, y + 22, rank))
        for place, one in enumerate(squares):
            x, middle = left + place * wide, left + place * wide + (wide - 4) / 2
            parts.append(draw.rect(x, y, wide - 4, row - 6, CSS[one.verdict], radius=4, title=one.why))
            parts.append(draw.text(middle, y + 20, one_line(SHORT[one.verdict], limit=room), "label", "middle"))
            parts.append(draw.text(middle, y + 36, f"{one.open} open" if one.open else "–", "label", "middle"))
    return draw.svg(width, top + row * len(facts.priorities) + 4, finding(facts), parts)
