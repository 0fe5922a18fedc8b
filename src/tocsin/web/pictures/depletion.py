"""The budget step by step: how much was left at the end of each hour, week or period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from tocsin.core.rule_protocol import EVENTS, Unit
from tocsin.web.pictures import drawing as draw
from tocsin.web.pictures.burn_down import percent_text

FLOOR = -1.0  # an overspent step is drawn down to minus one budget; its number says the rest


@dataclass(frozen=True, slots=True)
class Bar:
    """One step: its name on the axis and in the table, what was left at its end (None is unknown), what failed in it."""

    short: str
    name: str
    left: float | None
    bad: int
    valid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depletion:
    bars: Sequence[Bar]
    step: str
    reading: str
    unit: Unit = EVENTS


def depletion(facts: Depletion, *, ident: str = "depletion") -> draw.Picture:
    """Bars of what was left, coloured by danger; unknown steps are hatched."""
    finding = _finding(facts)
    return draw.Picture(
        finding=finding,
        reading=facts.reading,
        desk=_drawn(facts, finding, 760, 220, ident),
        phone=_drawn(facts, finding, 360, 200, f"{ident}-phone"),
        table=draw.Table(
            (facts.step, "Left at its end", "Failed", "Of"),
            [
                (one.name, _words(one.left), facts.unit.shown(one.bad), facts.unit.shown(one.valid))
                for one in facts.bars
            ],
        ),
    )


def _finding(facts: Depletion) -> str:
    known = [one for one in facts.bars if one.left is not None]
    if not known:
        return "No data in any step, so we cannot tell what was left"
    least = min(known, key=lambda one: one.left or 0.0)
    blanks = len(facts.bars) - len(known)
    missing = f", {blanks} of {len(facts.bars)} unknown" if blanks else ""
    return f"Least left: {_words(least.left)} at the end of {least.name}{missing}"


def _words(left: float | None) -> str:
    if left is None:
        return "unknown"
    return percent_text(left) if left >= 0 else f"-{percent_text(-left)}"


def _drawn(facts: Depletion, finding: str, width: float, height: float, ident: str) -> SafeString:
    lows = [one.left for one in facts.bars if one.left is not None]
    floor = max(FLOOR, min([0.0, *lows]))
    left, right, top, bottom = 50.0, width - 12, 14.0, height - 30
    zero = top + (bottom - top) / (1 - floor)

    def y(share: float) -> float:
        return top + (1 - min(max(share, floor), 1.0)) * (bottom - top) / (1 - floor)

    parts = [draw.hatch(ident, ground="unknown-ground", stroke="unknown-line")]
    for share in (1.0, 0.5, 0.0, *((floor,) if floor < 0 else ())):
        parts.append(draw.line(left, y(share), right, y(share), "axis" if share == 0 else "grid"))
        parts.append(draw.text(left - 8, y(share) + 4, f"{round(share * 100)}%", anchor="end"))
    wide = (right - left) / max(len(facts.bars), 1)
    stride = max(1, -(-52 // max(int(wide), 1)))
    for place, one in enumerate(facts.bars):
        x = left + place * wide + 1
        title = f"{one.name}: {_words(one.left)} left"
        if one.left is None:
            parts.append(draw.filled(x, top, wide - 2, bottom - top, ident, title=title))
        else:
            high = min(y(one.left), zero)
            parts.append(draw.rect(x, high, wide - 2, max(abs(y(one.left) - zero), 1.5), _css(one.left), title=title))
        if place % stride == 0:
            parts.append(draw.text(x, height - 10, one.short))
    return draw.svg(width, height, finding, parts)


def _css(left: float) -> str:
    return "cell-bad" if left < 0.2 else "cell-fair" if left < 0.4 else "cell-good"
