"""The wiring in columns: what feeds which alert, what opens, who is woken, and, hatched, what leads nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from textwrap import wrap

from django.utils.safestring import SafeString

from tocsin.core.wiring_map import Box, Column, Way, WiringMap, wiring_map
from tocsin.core.wiring_picture import Orphan, Wiring
from tocsin.platform.text import one_line
from tocsin.web.pictures import drawing as draw

MOST, MOST_BYTES, MOST_LINES = (16, 12, 8, 5), 29_000, 200
"""Boxes in a column, tried from the left until the picture is small; ways in the table."""
_LETTER, _STRONG = 6.6, 7.7  # about how wide a letter of 12 px is
_WIDTH, _TOP, _ROW, _TALL = 1040.0, 34.0, 48.0, 38.0
_WIDE, _STEP = 146.0, 178.0
_PHONE, _PHONE_ROW, _PHONE_MOST = 360.0, 44.0, 6
READING = (
    "From left to right. Dashed and hatched: leads nowhere, with what is missing. Equal ways stand in one box, by team."
)


def wiring_picture(graph: Wiring, lost: Sequence[Orphan], *, ident: str = "wiring") -> draw.Picture:
    """The picture of a graph; in a big house with fewer boxes in a column, each saying how many it stands for."""
    shown, desk = _fitting(graph, lost, ident)
    lines = [_line(way) for way in shown.ways[:MOST_LINES]]
    return draw.Picture(
        finding=shown.finding,
        reading=READING,
        desk=desk,
        phone=_phone(wiring_map(graph, lost, most=_PHONE_MOST), f"{ident}-phone"),
        table=draw.Table((*(column.value for column in Column), "Missing"), lines),
    )


def _fitting(graph: Wiring, lost: Sequence[Orphan], ident: str) -> tuple[WiringMap, SafeString]:
    for most in MOST:
        shown = wiring_map(graph, lost, most=most)
        drawn = _desk(shown, ident)
        if len(drawn.encode()) <= MOST_BYTES:
            break
    return shown, drawn


def _line(way: Way) -> draw.Row:
    said = [one_line(", ".join(way.cells.get(column, ())), limit=160) or "nothing" for column in Column]
    return (*said, way.word or "nothing")


def _desk(shown: WiringMap, ident: str) -> SafeString:
    pattern = f"{ident}-lost"
    tallest = max(len(boxes) for boxes in shown.columns.values())
    height = _TOP + _ROW * max(tallest, 1) + 4
    at = {
        (column, place): (2 + _STEP * number, _TOP + (height - 4 - _TOP) * (place + 0.5) / len(boxes) - _TALL / 2)
        for number, (column, boxes) in enumerate(shown.columns.items())
        for place in range(len(boxes))
    }
    parts = [draw.hatch(pattern, ground="hatch-ground", stroke="hatch-line")]
    for column, after in pairwise(Column):
        ends = []
        for start, end in shown.links[column]:
            (x1, y1), (x2, y2) = at[column, start], at[after, end]
            ends.append(((x1 + _WIDE, y1 + _TALL / 2), (x2, y2 + _TALL / 2)))
        parts.append(draw.wires(ends, "wire"))
    for number, (column, boxes) in enumerate(shown.columns.items()):
        parts.append(draw.text(2 + _STEP * number, 18, column.value, "strong"))
        if not boxes:
            parts.append(draw.text(2 + _STEP * number, _TOP + 24, "nothing"))
        for place, box in enumerate(boxes):
            parts += _box(*at[column, place], _WIDE, box, pattern)
    return draw.svg(_WIDTH, height, shown.finding, parts)


def _box(x: float, y: float, wide: float, box: Box, pattern: str) -> list[str]:
    """Two lines in a frame. What leads nowhere has its word instead of the second line, and a hatched edge."""
    under = f"{box.sub}: {box.word}" if box.sub and wide > _WIDE and box.word else box.word or box.sub
    hint = one_line(" ".join(filter(None, (box.label, box.sub and f"({box.sub})", box.word))), limit=120)
    inside = x + (16 if box.word else 8)
    room = x + wide - 4 - inside
    label = one_line(box.label, limit=max(4, int(room / _STRONG)))
    parts = [
        draw.rect(x, y, wide, _TALL, "box-lost" if box.word else "box", radius=5, title=_if_cut(hint, label, under))
    ]
    if box.word:
        parts.append(draw.filled(x + 2, y + 2, 9, _TALL - 4, pattern))
    first, *rest = wrap(one_line(box.label), int(room / _LETTER)) or [""]
    if not under and rest:
        second = one_line(" ".join(rest), limit=int(room / _LETTER))
        return [*parts, draw.text(inside, y + 16, first, "label"), draw.text(inside, y + 31, second, "label")]
    if not under:
        return [*parts, draw.text(inside, y + _TALL / 2 + 4, label, "strong")]
    css = "gap-text" if box.word else ""
    second = one_line(under, limit=max(4, int(room / (_STRONG if box.word else _LETTER))))
    return [*parts, draw.text(inside, y + 16, label, "strong"), draw.text(inside, y + 31, second, css)]


def _if_cut(hint: str, label: str, under: str) -> str:
    """The whole of it where a line had to be cut."""
    return hint if label.endswith("…") or len(under) > 18 else ""


def _phone(shown: WiringMap, ident: str) -> SafeString:
    """One column under the other, what leads nowhere first in each."""
    pattern, y, parts = f"{ident}-lost", 4.0, []
    for column, boxes in shown.columns.items():
        parts.append(draw.text(4, y + 16, f"{'' if column is Column.SENDERS else '↓ '}{column.value}", "strong"))
        y += 24
        if not boxes:
            parts.append(draw.text(4, y + 16, "nothing"))
            y += 26
        for box in sorted(boxes, key=lambda one: not one.word):
            parts += _box(4, y, _PHONE - 8, box, pattern)
            y += _PHONE_ROW
        y += 8
    return draw.svg(_PHONE, y, shown.finding, [draw.hatch(pattern, ground="hatch-ground", stroke="hatch-line"), *parts])
