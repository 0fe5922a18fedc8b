"""On-call calendar: who, when, and where is nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from django.utils.safestring import SafeString

from tocsin.web.instants import clock_text, span_text, zone_name
from tocsin.web.pictures import drawing as draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One unbroken stretch of a rotation. Nobody on call is a gap; `override` marks a swap or cover."""

    starts_at: datetime
    ends_at: datetime
    people: tuple[str, ...]
    override: bool = False
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    lanes: Sequence[Lane]
    starts_at: datetime
    days: int
    now: datetime
    zone: tzinfo


LABELS, ROW, HEAD = 150.0, 40.0, 48.0


def gaps(facts: Calendar) -> list[tuple[str, Stretch]]:
    """All stretches from now on without anybody, in order of time."""
    found = [
        (lane.name, replace(stretch, starts_at=max(stretch.starts_at, facts.now)))
        for lane in facts.lanes
        for stretch in lane.stretches
        if not stretch.people and stretch.ends_at > facts.now
    ]
    return sorted(found, key=lambda pair: pair[1].starts_at)


def calendar(facts: Calendar, *, ident: str = "calendar") -> draw.Picture:
    """The picture for a desk; a phone shows the agenda list instead, so its form is empty."""
    finding = _finding(facts)
    return draw.Picture(
        finding=finding,
        reading=f"Dashed: swapped or covered. Striped: nobody on call. Times in {zone_name(facts.now, facts.zone)}.",
        desk=_drawn(facts, finding, ident),
        phone=SafeString(""),
        table=_table(facts),
    )


def _finding(facts: Calendar) -> str:
    holes, swaps = gaps(facts), sum(s.override for lane in facts.lanes for s in lane.stretches)
    swapped = f", {swaps} covered" if swaps else ""
    if not holes:
        return f"Next {facts.days} days: somebody is always on call{swapped}"
    count = "one gap" if len(holes) == 1 else f"{len(holes)} gaps"
    lane, first = holes[0]
    when = clock_text(first.starts_at, facts.zone, now=facts.now, form="long")
    return f"Next {facts.days} days: {count}{swapped}; the first is {lane}, {when}, for {span_text(first.ends_at - first.starts_at)}"


def _drawn(facts: Calendar, finding: str, ident: str) -> SafeString:
    width = 920.0
    height = HEAD + ROW * max(len(facts.lanes), 1) + 22
    plot = _Plot(facts, width)
    parts = [draw.hatch(ident, ground="hatch-ground", stroke="hatch-line"), *plot.days()]
    for index, lane in enumerate(facts.lanes):
        parts += plot.lane(lane, HEAD + index * ROW, ident)
    x = plot.x(facts.now)
    parts += [draw.line(x, HEAD - 6, x, height - 18, "now-line"), draw.text(x, height - 4, "now", "strong", "middle")]
    return draw.svg(width, height, finding, parts)


@dataclass(frozen=True, slots=True)
class _Plot:
    facts: Calendar
    width: float

    @property
    def ends_at(self) -> datetime:
        return self.facts.starts_at + timedelta(days=self.facts.days)

    def x(self, at: datetime) -> float:
        share = (at - self.facts.starts_at) / timedelta(days=self.facts.days)
        return LABELS + (self.width - LABELS - 6) * min(max(share, 0.0), 1.0)

    def days(self) -> list[str]:
        parts = []
        tall = ROW * max(len(self.facts.lanes), 1)
        first = self.facts.starts_at.astimezone(self.facts.zone)
        for index in range(self.facts.days):
            day = first + timedelta(days=index)  # wall time: a day may have 23 or 25 hours
            x, wide = self.x(day), self.x(day + timedelta(days=1)) - self.x(day)
            if day.weekday() >= 5:
                parts.append(draw.rect(x, HEAD - 8, wide, tall + 8, "night"))
            parts.append(draw.line(x, HEAD - 8, x, HEAD + tall, "grid"))
            if index == 0 or day.day == 1:
                parts.append(draw.text(x + 4, HEAD - 31, f"{day:%b}", "strong"))
            parts.append(draw.text(x + 4, HEAD - 14, f"{day:%a} {day.day}", "strong" if day.weekday() == 0 else ""))
        return parts

    def lane(self, lane: Lane, y: float, pattern: str) -> list[str]:
        parts = [draw.text(LABELS - 10, y + 22, _short(lane.name, 20), "strong", "end")]
        for stretch in lane.stretches:
            start, end = max(stretch.starts_at, self.facts.starts_at), min(stretch.ends_at, self.ends_at)
            if end > start:
                parts += self._stretch(stretch, self.x(start) + 1, self.x(end) - self.x(start) - 2, y, pattern)
        return parts

    def _stretch(self, stretch: Stretch, x: float, wide: float, y: float, pattern: str) -> list[str]:
        title = self._words(stretch)
        if not stretch.people:
            return [draw.filled(x, y + 3, wide, ROW - 10, pattern, radius=4, title=title)]
        css = "shift-override" if stretch.override else "shift-mine" if stretch.mine else "shift"
        bar = draw.rect(x, y + 3, wide, ROW - 10, css, radius=5, title=title)
        room = int((wide - 10) / 7)
        names = _short(", ".join(stretch.people), room) if room >= 2 else ""
        return [bar, draw.text(x + 7, y + 22, names, "label")] if names else [bar]

    def _words(self, stretch: Stretch) -> str:
        start = clock_text(stretch.starts_at, self.facts.zone, now=self.facts.now, form="long")
        end = clock_text(stretch.ends_at, self.facts.zone, now=self.facts.now, form="long")
        return f"{', '.join(stretch.people) or 'Nobody'}: {start} to {end}"


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: max(most - 1, 1)]}…"


def _table(facts: Calendar) -> draw.Table:
    rows = []
    for lane in facts.lanes:
        for stretch in lane.stretches:
            start = clock_text(stretch.starts_at, facts.zone, now=facts.now, form="long")
            end = clock_text(stretch.ends_at, facts.zone, now=facts.now, form="long")
            who = ", ".join(stretch.people) or "nobody"
            rows.append((lane.name, who + (" (cover)" if stretch.override else ""), start, end))
    return draw.Table(("Rotation", "Who", "From", "To"), rows)
