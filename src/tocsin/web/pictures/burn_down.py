"""Error budget burn-down: how much is left, what ate it, when is it gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.utils.safestring import SafeString

from tocsin.web.instants import clock_text, zone_name
from tocsin.web.pictures import drawing as draw
from tocsin.web.pictures import gaps

MARK_APART = 24.0


@dataclass(frozen=True, slots=True)
class Level:
    """Share of the budget left at an instant (1.0 is full, below 0 overspent); None is unknown."""

    at: datetime
    left: float | None


@dataclass(frozen=True, slots=True)
class BreachMark:
    """A breach with the priority it had."""

    at: datetime
    rank: int | None
    state: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """Everything the picture shows, from `starts_at` to `ends_at`.

    The budget spent evenly would reach zero at `even_until`. `exhausts_at` is None while the budget outlasts its window.
    `would_be` are the fallback's levels (share, words), empty while it is off.
    """

    label: str
    starts_at: datetime
    ends_at: datetime
    even_until: datetime
    now: datetime
    zone: tzinfo
    levels: Sequence[Level]
    breaches: Sequence[BreachMark] = ()
    exhausts_at: datetime | None = None
    cone: tuple[datetime | None, datetime | None] = (None, None)
    reading: str = ""
    would_be: Sequence[tuple[float, str]] = ()


def burn_down(facts: BurnDown, *, ident: str = "burn-down") -> draw.Picture:
    """The picture with its finding as title; unknown stretches are hatched, never drawn as good."""
    finding = _finding(facts)
    return draw.Picture(
        finding=finding,
        reading=facts.reading,
        desk=_drawn(facts, finding, width=760, height=300, ident=ident, since=facts.starts_at),
        phone=_drawn(facts, finding, width=360, height=250, ident=f"{ident}-phone", since=_phone_start(facts)),
        table=_table(facts),
    )


def _phone_start(facts: BurnDown) -> datetime:
    """A thumb-wide picture shows the last seven days."""
    return max(facts.starts_at, facts.now - timedelta(days=7))


def left_now(facts: BurnDown) -> float | None:
    """The latest level, None while it is unknown."""
    return facts.levels[-1].left if facts.levels else None


def _finding(facts: BurnDown) -> str:
    left = left_now(facts)
    if left is None:
        return f"{facts.label}: no data, so we cannot tell how much budget is left"
    share = percent_text(abs(left))
    head = f"{facts.label}: {share} of the budget left" if left >= 0 else f"{facts.label}: overspent by {share}"
    if left <= 0:
        return head
    return f"{head}, {gone_words(facts)}"


def percent_text(share: float) -> str:
    """A share without decimals nobody can act on: 18%, but 4.4% and 0.3%."""
    value = share * 100
    return f"{value:.1f}%" if value < 10 and value != round(value) else f"{round(value)}%"


def gone_words(facts: BurnDown) -> str:
    """When nothing is left at this rate, to the minute within a day and a half, else to the day."""
    if facts.exhausts_at is None:
        return "not gone within this window"
    if facts.exhausts_at - facts.now >= timedelta(hours=36):
        return f"gone on {clock_text(facts.exhausts_at, facts.zone, now=facts.now, form='date')} at this rate"
    return f"gone at {clock_text(facts.exhausts_at, facts.zone, now=facts.now)} at this rate"


def _drawn(facts: BurnDown, finding: str, *, width: float, height: float, ident: str, since: datetime) -> SafeString:
    frame = _framed(facts, width=width, height=height, since=since)
    parts = [
        draw.hatch(f"{ident}-unknown", ground="unknown-ground", stroke="unknown-line"),
        *frame.grid(),
        *frame.unknown(f"{ident}-unknown"),
        *frame.spent(),
        *frame.even(),
        *frame.ahead(),
        *frame.now_line(),
        *frame.marks(),
        *frame.days(),
    ]
    return draw.svg(width, height, finding, parts)


def _framed(facts: BurnDown, *, width: float, height: float, since: datetime) -> _Plot:
    lows = [level.left for level in facts.levels if level.left is not None]
    floor = min([0.0, *lows])
    floor = 0.0 if floor >= 0 else max(-3.0, floor * 1.08)
    right = 96 if facts.would_be and width > 500 else 22
    frame = draw.Frame(width=width, height=height, left=50, right=width - right, top=16, bottom=height - 42)
    return _Plot(facts, frame, since, floor)


@dataclass(frozen=True, slots=True)
class _Plot:
    facts: BurnDown
    frame: draw.Frame
    since: datetime
    floor: float

    def x(self, at: datetime) -> float:
        share = (at - self.since) / (self.facts.ends_at - self.since)
        return self.frame.left + (self.frame.right - self.frame.left) * min(max(share, 0.0), 1.0)

    def y(self, left: float) -> float:
        share = (1.0 - max(left, self.floor)) / (1.0 - self.floor)
        return self.frame.top + (self.frame.bottom - self.frame.top) * share

    def grid(self) -> list[str]:
        steps = [1.0, 0.8, 0.6, 0.4, 0.2, 0.0] if self.floor == 0 else [1.0, 0.5, 0.0]
        if self.floor < 0:
            steps += [round(self.floor * part, 2) for part in (0.5, 1.0)]
        words = dict(self.facts.would_be)
        parts = []
        for step in steps:
            y = self.y(step)
            parts.append(draw.line(self.frame.left, y, self.frame.right, y, "axis" if step == 0 else "grid"))
            parts.append(draw.text(self.frame.left - 8, y + 4, f"{round(step * 100)}%", anchor="end"))
            if step in words and self.frame.width > 500:
                parts.append(draw.text(self.frame.right + 8, y + 4, words[step]))
        if self.floor < 0:
            zero = self.y(0)
            wide = self.frame.right - self.frame.left
            parts.append(draw.rect(self.frame.left, zero, wide, self.frame.bottom - zero, "zone-below"))
        return parts

    def runs(self) -> list[list[tuple[datetime, float]]]:
        """Known stretches, each without a hole."""
        runs: list[list[tuple[datetime, float]]] = [[]]
        for level in self.facts.levels:
            if level.at < self.since:
                continue
            if level.left is None:
                runs.append([])
            else:
                runs[-1].append((level.at, level.left))
        return [run for run in runs if run]

    def spent(self) -> list[str]:
        parts = []
        for run in self.runs():
            spots = draw.thinned([(self.x(at), self.y(left)) for at, left in run], 300)
            base = self.y(0)
            parts.append(draw.path([(spots[0][0], base), *spots, (spots[-1][0], base)], "area", closed=True))
            parts.append(draw.path(spots, "line-1"))
        return parts

    def unknown(self, pattern: str) -> list[str]:
        known = ((level.at, level.left is not None) for level in self.facts.levels if level.at >= self.since)
        spans = gaps.stretches(known, until=self.facts.now)
        return gaps.hatched(spans, self.x, top=self.frame.top, bottom=self.frame.bottom, pattern=pattern)

    def even(self) -> list[str]:
        whole = self.facts.even_until - self.facts.starts_at
        begin = 1.0 - (self.since - self.facts.starts_at) / whole
        start, end = (self.frame.left, self.y(begin)), (self.x(self.facts.even_until), self.y(0))
        words_x = start[0] + (end[0] - start[0]) * 0.24
        words_y = start[1] + (end[1] - start[1]) * 0.24
        room = words_x - self.frame.left > 90
        x, anchor = (words_x - 4, "end") if room else (words_x + 6, "start")
        y = words_y + 16 if room else words_y - 4
        return [draw.line(*start, *end, "even"), draw.text(x, y, "even spending", anchor=anchor)]

    def ahead(self) -> list[str]:
        left = left_now(self.facts)
        gone = self.facts.exhausts_at
        if left is None or left <= 0 or gone is None:
            return []
        start = (self.x(self.facts.now), self.y(left))
        parts = []
        early, late = self.facts.cone
        if early and late:
            parts.append(draw.path([start, self._reach(early, left), self._reach(late, left)], "cone", closed=True))
        end = self._reach(gone, left)
        parts.append(draw.path([start, end], "projection"))
        if gone <= self.facts.ends_at:
            words = clock_text(gone, self.facts.zone, now=self.facts.now, form="date")
            near = end[0] > self.frame.right - 60
            parts.append(
                draw.text(end[0] + (-6 if near else 6), end[1] - 8, words, "strong", "end" if near else "start")
            )
        return parts

    def _reach(self, gone: datetime, left: float) -> draw.Spot:
        """Where a projection ends: at zero, or at the picture's edge when it is beyond it."""
        if gone <= self.facts.ends_at:
            return (self.x(gone), self.y(0))
        share = (self.facts.ends_at - self.facts.now) / max(gone - self.facts.now, timedelta(seconds=1))
        return (self.frame.right, self.y(left * (1 - share)))

    def marks(self) -> list[str]:
        known = [(level.at, level.left) for level in self.facts.levels if level.left is not None]
        parts = []
        for breach in self._told_apart(known[0][0] if known else self.facts.now):
            x = self.x(breach.at)
            level = next((left for at, left in reversed(known) if at <= breach.at), known[0][1])
            y = max(self.y(level) - 14, self.frame.top + 11)
            parts.append(draw.priority_mark(x, y, breach.rank, breach.state, title=breach.text))
        return parts

    def _told_apart(self, known_from: datetime) -> list[BreachMark]:
        """The marks that fit beside each other: where two would touch, the graver one is kept."""
        kept: list[BreachMark] = []
        for breach in sorted(self.facts.breaches, key=lambda one: one.at):
            if breach.at < self.since or known_from >= self.facts.now:
                continue
            if not kept or self.x(breach.at) - self.x(kept[-1].at) >= MARK_APART:
                kept.append(breach)
            elif (breach.rank or 99) < (kept[-1].rank or 99):
                kept[-1] = breach
        return kept

    def now_line(self) -> list[str]:
        x = self.x(self.facts.now)
        end = x > self.frame.right - 20
        return [
            draw.line(x, self.frame.top - 6, x, self.frame.bottom + 4, "now"),
            draw.text(min(x, self.frame.right), self.frame.bottom + 34, "now", "strong", "end" if end else "middle"),
        ]

    def days(self) -> list[str]:
        whole = self.facts.ends_at - self.since
        count = 4 if self.frame.width > 500 else 2
        parts = []
        for step in range(count + 1):
            at = self.since + whole * step / count
            words = clock_text(at, self.facts.zone, now=self.facts.now, form="date").split(" ", 1)[1]
            if whole < timedelta(days=3):
                words = f"{at.astimezone(self.facts.zone):%H:%M}"
            anchor = "start" if step == 0 else "end" if step == count else "middle"
            parts.append(draw.text(self.x(at), self.frame.bottom + 18, words, anchor=anchor))
        return parts


def _table(facts: BurnDown) -> draw.Table:
    """One row for each day (the level at its end), breaches named in theirs."""
    days: dict[str, tuple[float | None, int]] = {}
    for level in facts.levels:
        day = f"{level.at.astimezone(facts.zone):%Y-%m-%d}"
        days[day] = (level.left, days.get(day, (None, 0))[1])
    for breach in facts.breaches:
        day = f"{breach.at.astimezone(facts.zone):%Y-%m-%d}"
        left, count = days.get(day, (None, 0))
        days[day] = (left, count + 1)
    rows = [
        (day, "unknown" if left is None else f"{left * 100:.1f}%", str(count))
        for day, (left, count) in sorted(days.items())
    ]
    return draw.Table((f"Day ({zone_name(facts.now, facts.zone)})", "Budget left", "Breaches"), rows)
