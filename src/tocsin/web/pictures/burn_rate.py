"""Burn rate in two windows: will it page, is it getting better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.utils.safestring import SafeString

from tocsin.web.instants import span_text, zone_name
from tocsin.web.pictures import drawing as draw
from tocsin.web.pictures import gaps

LOWEST, HIGHEST = 0.1, 1000.0
MARKED = 2  # more stretches than this are shaded only: their words would lie on each other
MARK_ROOM = 80
_MARKS = {"pages": "page", "tickets": "ticket"}
BURNING, RISING, RECOVERING, FINE, UNKNOWN = "Burning", "Rising", "Recovering", "Fine", "Unknown"


@dataclass(frozen=True, slots=True)
class Rate:
    """Burn rates of both windows at an instant, None is unknown; `word` is the state they are in."""

    at: datetime
    short: float | None
    long: float | None
    word: str = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate:
    """The series of one pair of windows and the factor at which the rule speaks."""

    label: str
    rates: Sequence[Rate]
    threshold: float
    short_window: timedelta
    long_window: timedelta
    period: timedelta
    now: datetime
    zone: tzinfo
    urgency: str = "pages"


def burn_rate(facts: BurnRate, *, ident: str = "burn-rate") -> draw.Picture:
    """The picture; its finding is the state word and what it means in hours of budget."""
    finding = _finding(facts)
    return draw.Picture(
        finding=finding,
        reading=_reading(facts),
        desk=_drawn(facts, finding, width=760, height=270, ident=ident),
        phone=_drawn(facts, finding, width=360, height=240, ident=f"{ident}-phone"),
        table=_table(facts),
    )


def factor_text(burn: float) -> str:
    """A burn rate in three digits: 0.34x, 13.4x, 380x, 1000x."""
    return f"{burn:.0f}x" if burn >= 100 else f"{burn:.3g}x"


def _latest(facts: BurnRate) -> Rate:
    return facts.rates[-1] if facts.rates else Rate(facts.now, None, None)


def _finding(facts: BurnRate) -> str:
    latest = _latest(facts)
    factor = factor_text(facts.threshold)
    return {
        BURNING: f"Burning: both windows are over {factor}",
        RISING: f"Rising: the last {span_text(facts.short_window)} are over {factor}, the last {span_text(facts.long_window)} not yet",
        RECOVERING: f"Recovering: the last {span_text(facts.short_window)} are back under {factor}",
        FINE: f"Fine: both windows are under {factor}",
    }.get(latest.word, "No data, so we cannot tell whether it burns")


def _reading(facts: BurnRate) -> str:
    long = _latest(facts).long
    if not long or long <= 0:
        return "1x spends exactly the whole budget over the period."
    if long < 1:
        return f"Now {factor_text(long)} over {span_text(facts.long_window)}: within the budget."
    return f"Now {factor_text(long)} over {span_text(facts.long_window)}: at this rate a full budget lasts {span_text(facts.period / long)}."


def _drawn(facts: BurnRate, finding: str, *, width: float, height: float, ident: str) -> SafeString:
    wide = width > 500
    frame = draw.Frame(
        width=width, height=height, left=50, right=width - (92 if wide else 14), top=16, bottom=height - 30
    )
    plot = _Plot(facts, frame)
    parts = [
        draw.hatch(f"{ident}-unknown", ground="unknown-ground", stroke="unknown-line"),
        *plot.over(),
        *plot.grid(),
        *plot.unknown(f"{ident}-unknown"),
        *plot.curves(),
        *plot.marks(),
        *plot.hours(),
    ]
    return draw.svg(width, height, finding, parts)


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class _Plot:
    facts: BurnRate
    frame: draw.Frame

    @property
    def first(self) -> datetime:
        return self.facts.rates[0].at if self.facts.rates else self.facts.now - timedelta(hours=1)

    def x(self, at: datetime) -> float:
        whole = max(self.facts.now - self.first, timedelta(minutes=1))
        return self.frame.left + (self.frame.right - self.frame.left) * min(max((at - self.first) / whole, 0.0), 1.0)

    def y(self, rate: float) -> float:
        low, high = math.log10(LOWEST), math.log10(HIGHEST)
        share = (math.log10(min(max(rate, LOWEST), HIGHEST)) - low) / (high - low)
        return self.frame.bottom - (self.frame.bottom - self.frame.top) * share

    def grid(self) -> list[str]:
        parts = []
        for step in (0.1, 1.0, 10.0, 100.0, 1000.0):
            y = self.y(step)
            parts.append(draw.line(self.frame.left, y, self.frame.right, y))
            parts.append(draw.text(self.frame.left - 8, y + 4, f"{step:g}x", anchor="end"))
        bar, one = self.y(self.facts.threshold), self.y(1)
        parts.append(draw.line(self.frame.left, bar, self.frame.right, bar, "threshold"))
        parts.append(draw.line(self.frame.left, one, self.frame.right, one, "even"))
        words = f"{factor_text(self.facts.threshold)} {self.facts.urgency}"
        if self.frame.width > 500:
            parts.append(draw.text(self.frame.right + 8, bar + 4, words, "strong"))
            parts.append(draw.text(self.frame.right + 8, one + 4, "1x: on target"))
        else:
            parts.append(draw.text(self.frame.left + 4, bar - 6, words, "strong"))
        return parts

    def spans(self) -> list[_Span]:
        """When both windows were over the factor; one without an end still is."""
        spans: list[_Span] = []
        began: datetime | None = None
        for rate in self.facts.rates:
            burning = rate.word == BURNING
            if burning and began is None:
                began = rate.at
            elif not burning and began is not None:
                spans.append(_Span(began, rate.at))
                began = None
        return spans if began is None else [*spans, _Span(began, None)]

    def over(self) -> list[str]:
        """Shaded only while both windows are over the factor."""
        tall = self.frame.bottom - self.frame.top
        edges = [(self.x(span.start), self.x(span.end or self.facts.now)) for span in self.spans()]
        return [draw.rect(left, self.frame.top, max(right - left, 2), tall, "over") for left, right in edges]

    def marks(self) -> list[str]:
        """The moment the pair spoke and the moment it fell silent, while there is room to name both."""
        spans = self.spans()
        if not 0 < len(spans) <= MARKED:
            return []
        word = _MARKS.get(self.facts.urgency, self.facts.urgency)
        parts = []
        for span in spans:
            if span.start > self.first:
                parts += self._mark(span.start, word, before=True)
            if span.end is not None:
                parts += self._mark(span.end, "stops", before=False)
        return parts

    def _mark(self, at: datetime, word: str, *, before: bool) -> list[str]:
        """A line over the whole height; its words stand outside the shade, or inside where the edge is near."""
        x = self.x(at)
        room = x - self.frame.left if before else self.frame.right - x
        left_of_line = before == (room > MARK_ROOM)
        words = f"{word} {at.astimezone(self.facts.zone):%H:%M}"
        return [
            draw.line(x, self.frame.top, x, self.frame.bottom, "now"),
            draw.text(
                x - 5 if left_of_line else x + 5,
                self.frame.top + (12 if before else 28),
                words,
                "strong",
                "end" if left_of_line else "start",
            ),
        ]

    def unknown(self, pattern: str) -> list[str]:
        spans = gaps.stretches(((rate.at, rate.long is not None) for rate in self.facts.rates), until=self.facts.now)
        return gaps.hatched(spans, self.x, top=self.frame.top, bottom=self.frame.bottom, pattern=pattern)

    def curves(self) -> list[str]:
        parts = []
        for name, css in (("long", "line-1"), ("short", "line-2")):
            run: list[draw.Spot] = []
            for rate in [*self.facts.rates, Rate(self.facts.now, None, None)]:
                value = getattr(rate, name)
                if value is not None:
                    run.append((self.x(rate.at), self.y(value)))
                elif run:
                    parts.append(draw.path(draw.thinned(run, 240), css))
                    run = []
        return [*parts, *self.names()]

    def names(self) -> list[str]:
        """Each line carries its window's name at its right end, apart from each other."""
        latest = next((rate for rate in reversed(self.facts.rates) if rate.long is not None), None)
        if latest is None:
            return []
        spots = [
            (self.y(latest.long or LOWEST), span_text(self.facts.long_window), "series-1"),
            (self.y(latest.short or LOWEST), span_text(self.facts.short_window), "series-2"),
        ]
        if abs(spots[0][0] - spots[1][0]) < 14:
            spots[1] = (spots[0][0] - 14, *spots[1][1:])
        return [draw.text(self.frame.right - 4, y - 6, words, css, "end") for y, words, css in spots]

    def hours(self) -> list[str]:
        count = 4 if self.frame.width > 500 else 2
        whole = self.facts.now - self.first
        zone = zone_name(self.facts.now, self.facts.zone)
        parts = []
        for step in range(count + 1):
            at = self.first + whole * step / count
            words = f"{at.astimezone(self.facts.zone):%H:%M}" + (f" {zone}" if step == count else "")
            anchor = "start" if step == 0 else "end" if step == count else "middle"
            parts.append(draw.text(self.x(at), self.frame.bottom + 18, words, anchor=anchor))
        return parts


def _table(facts: BurnRate) -> draw.Table:
    stride = max(1, len(facts.rates) // 24)
    rows = [
        (
            f"{rate.at.astimezone(facts.zone):%H:%M}",
            _shown(rate.short),
            _shown(rate.long),
            rate.word,
        )
        for rate in facts.rates[::-1][::stride]
    ]
    head = (
        f"Time ({zone_name(facts.now, facts.zone)})",
        span_text(facts.short_window),
        span_text(facts.long_window),
        "State",
    )
    return draw.Table(head, rows)


def _shown(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.2f}x"
