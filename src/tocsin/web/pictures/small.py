"""Small pictures that stand beside words: a sparkline, a strip of days, the line of a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from django.utils.safestring import SafeString

from tocsin.web.instants import clock_text, countdown_text
from tocsin.web.pictures import drawing as draw


def sparkline(values: Sequence[float | None], label: str, *, ceiling: float | None = None) -> SafeString:
    """An area of up to 120 values (shares, 0 is good), red; unknown stretches stay empty. `label` says it in words."""
    known = [value for value in values if value is not None]
    top = ceiling or max([*known, 0.0]) or 1.0
    width, height = 360.0, 64.0
    runs: list[list[draw.Spot]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        x = width * index / max(len(values) - 1, 1)
        runs[-1].append((x, height - 3 - (height - 8) * min(value / top, 1.0)))
    parts = [draw.line(0, height - 2, width, height - 2, "grid")]
    for run in filter(None, runs):
        spots = draw.thinned(run, 120)
        parts.append(draw.path([(spots[0][0], height), *spots, (spots[-1][0], height)], "bad-area", closed=True))
        parts.append(draw.path(spots, "bad-line"))
    return draw.svg(width, height, label, parts, css="pic spark")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a strip: `level` good | fair | bad | none | unknown, with the words for its title."""

    day: date
    level: str
    text: str


def day_strip(days: Sequence[Day], label: str, *, ident: str) -> SafeString:
    """One small cell for each day, oldest first; unknown is hatched."""
    step, tall = 8.0, 24.0
    parts = [draw.hatch(ident, ground="unknown-ground", stroke="unknown-line")]
    for index, day in enumerate(days):
        x = index * step
        title = f"{day.day:%d %b}: {day.text}"
        if day.level == "unknown":
            parts.append(draw.filled(x, 0, step - 1.5, tall, ident, radius=1, title=title))
        else:
            parts.append(draw.rect(x, 0, step - 1.5, tall, f"cell-{day.level}", radius=1, title=title))
    return draw.svg(max(len(days), 1) * step, tall, label, parts, css="pic strip", stretched=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """What was sent and what is due for one incident."""

    sent: Sequence[datetime]
    due: datetime | None
    now: datetime
    zone: tzinfo


def cadence_line(facts: Cadence) -> SafeString:
    """x runs from two hours ago to four hours ahead: discs sent, a ring due, the late part as a thick line."""
    width, height, left, right, y = 360.0, 34.0, 8.0, 352.0, 13.0
    start, whole = facts.now - timedelta(hours=2), timedelta(hours=6)

    def x(at: datetime) -> float:
        return left + (right - left) * min(max((at - start) / whole, 0.0), 1.0)

    parts = [draw.line(left, y, right, y, "axis")]
    for hour in range(-2, 5):
        at = facts.now + timedelta(hours=hour)
        words = "now" if hour == 0 else f"{hour:+d} h"
        parts.append(draw.line(x(at), y - 3, x(at), y + 3, "now" if hour == 0 else "axis"))
        anchor = "start" if hour == -2 else "end" if hour == 4 else "middle"
        parts.append(draw.text(x(at), height - 2, words, "strong" if hour == 0 else "", anchor))
    parts += [_disc(x(at), y, "sent", 5) for at in facts.sent if at >= start]
    if facts.due is not None:
        if facts.due < facts.now:
            parts.append(draw.line(x(facts.due), y, x(facts.now), y, "late-line"))
        parts.append(_disc(x(facts.due), y, "due-ring", 6))
    return draw.svg(width, height, _cadence_words(facts), parts, css="pic cadence")


def _cadence_words(facts: Cadence) -> str:
    sent = f"{len(facts.sent)} sent" if facts.sent else "nothing sent yet"
    if facts.due is None:
        return f"{sent}, nothing due"
    due = clock_text(facts.due, facts.zone, now=facts.now)
    return f"{sent}, next due {due} ({countdown_text(facts.due, now=facts.now)})"


def _disc(x: float, y: float, css: str, radius: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{css}"/>'
