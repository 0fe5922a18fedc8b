"""The few strokes all pictures are drawn with. Text is escaped here, colours are classes, nothing else is mark_safe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

Row = tuple[str, ...]
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """The same numbers as the picture, for those who want to read them."""

    head: Row
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawn picture: the sentence it proves, how to read it, the SVG for desk and phone, its numbers."""

    finding: str
    reading: str
    desk: SafeString
    phone: SafeString
    table: Table = field(default_factory=lambda: Table((), ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A plotting area in picture units; `x` and `y` are its edges."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float


def svg(
    width: float, height: float, label: str, parts: Iterable[str], *, css: str = "pic", stretched: bool = False
) -> SafeString:
    """The whole picture; `label` is what a screen reader says. `stretched` fills whatever box it is put into."""
    body = "".join(parts)
    aspect = ' preserveAspectRatio="none"' if stretched else ""
    return mark_safe(  # noqa: S308 - every text in `parts` went through escape()
        f'<svg class="{escape(css)}" viewBox="0 0 {_n(width)} {_n(height)}"{aspect} role="img" aria-label="{said(label)}">'
        f"{body}</svg>"
    )


def said(words: str) -> SafeString:
    """Escaped, and without the characters that no XML may hold: a file with one of them is no picture at all."""
    return escape(_NO_XML.sub(" ", words))


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start", *, title: str = "") -> str:
    aside = f' text-anchor="{anchor}"' if anchor != "start" else ""
    hint = f"<title>{said(title)}</title>" if title else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{_css(css)}{aside}>{hint}{said(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str = "grid") -> str:
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"{_css(css)}/>'


def rect(x: float, y: float, width: float, height: float, css: str, *, radius: float = 0, title: str = "") -> str:
    rounded = f' rx="{_n(radius)}"' if radius else ""
    shape = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0.1))}" height="{_n(height)}"{rounded}{_css(css)}'
    return f"{shape}><title>{said(title)}</title></rect>" if title else f"{shape}/>"


def path(spots: Sequence[Spot], css: str, *, closed: bool = False) -> str:
    if not spots:
        return ""
    steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in spots)
    return f'<path d="M{steps}{"Z" if closed else ""}"{_css(css)}/>'


def wires(ends: Iterable[tuple[Spot, Spot]], css: str) -> str:
    """Soft lines from left to right, all of one kind in one stroke."""
    steps = [
        f"M{_n(x1)} {_n(y1)}C{_n(middle)} {_n(y1)} {_n(middle)} {_n(y2)} {_n(x2)} {_n(y2)}"
        for (x1, y1), (x2, y2) in ends
        for middle in [(x1 + x2) / 2]
    ]
    return f'<path d="{"".join(steps)}"{_css(css)}/>' if steps else ""


def hatch(ident: str, *, ground: str, stroke: str) -> str:
    """A striped pattern, used as fill="url(#ident)" through `filled`."""
    return (
        f'<defs><pattern id="{escape(ident)}" width="8" height="8" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="8" height="8"{_css(ground)}/>'
        f'<line x1="0" y1="0" x2="0" y2="8"{_css(stroke)}/></pattern></defs>'
    )


def filled(x: float, y: float, width: float, height: float, pattern: str, *, radius: float = 0, title: str = "") -> str:
    hint = f"<title>{said(title)}</title>" if title else ""
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0.1))}" height="{_n(height)}" rx="{_n(radius)}" '
        f'fill="url(#{escape(pattern)})">{hint}</rect>'
    )


def priority_mark(x: float, y: float, rank: int | None, state: str = "set", *, title: str = "") -> str:
    """Diamond 1, triangle 2, disc 3, hollow square for the rest, always with its digit."""
    name = str(rank) if rank is not None else state
    css = f"shape rank-{name}"
    digit = str(rank) if rank is not None else ("?" if state == "unset" else "–")
    hollow = rank is None or rank > 3
    hint = f"<title>{said(title)}</title>" if title else ""
    low = 3.0 if rank == 2 else 0.0
    label = text(x, y + 4 + low, digit, "on-hollow" if hollow else "on-shape", "middle")
    return f"<g>{hint}{_outline(x, y, rank, css)}{label}</g>"


def _outline(x: float, y: float, rank: int | None, css: str) -> str:
    if rank == 1:
        return path([(x, y - 11), (x + 11, y), (x, y + 11), (x - 11, y)], css, closed=True)
    if rank == 2:
        return path([(x, y - 10), (x + 11.5, y + 9), (x - 11.5, y + 9)], css, closed=True)
    if rank == 3:
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="10"{_css(css)}/>'
    return rect(x - 9, y - 9, 18, 18, css, radius=2)


def thinned(spots: Sequence[Spot], most: int) -> list[Spot]:
    """At most about `most` spots, keeping both ends: a picture stays small whatever the series."""
    if len(spots) <= most:
        return list(spots)
    stride = -(-len(spots) // most)
    kept = list(spots[::stride])
    if kept[-1] != spots[-1]:
        kept.append(spots[-1])
    return kept


def _css(name: str) -> str:
    return f' class="{escape(name)}"' if name else ""
