"""Who did what when, and how priority and severity moved: swim lanes under two bars of steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from itertools import pairwise

from django.utils.safestring import SafeString

from tocsin.core.swim_lanes import Axis, Lane, Mark, Sign, Step, SwimLanes, axis
from tocsin.platform.text import one_line
from tocsin.web.instants import clock_age, clock_text, span_text
from tocsin.web.pictures import drawing as draw
from tocsin.web.pictures.nights import nights

READING = (
    "Triangle breach, disc action, diamond decision, cross missed; 3×: so many at once. "
    "A bar: somebody held it. Night is shaded."
)
SIGNS = {
    Sign.BREACH: "breach",
    Sign.ACTION: "action",
    Sign.DECISION: "decision",
    Sign.TOLD: "told",
    Sign.MISSED: "missed",
}
_DESK, _PHONE = 960.0, 360.0
_LEFT, _RIGHT = 150.0, 930.0
_LETTER = 6.6
_APART, _BESIDE = 14.0, 11.0
"""Marks that are nearer to each other than this are one sign; so far from a sign stand its words."""
_GRAVEST = (Sign.MISSED, Sign.DECISION, Sign.BREACH, Sign.TOLD, Sign.ACTION)
_TALL = 46.0
ON_A_LANE, ON_A_PHONE = 40, 40
"""So many marks are drawn; the rest stands in the table."""
_TICKS = [timedelta(minutes=one) for one in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)]
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|\+00:00)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`name` is what the incident is called; `night` from and to on the clock of `zone`."""

    name: str
    lanes: SwimLanes
    now: datetime
    zone: tzinfo
    night: tuple[time, time] | None = None
    left_out: bool = False


def incident_timeline(facts: Facts) -> draw.Picture:
    finding = _finding(facts)
    more = " Only the latest entries are marked." if facts.left_out else ""
    return draw.Picture(
        finding=finding,
        reading=f"Times in {_zone(facts)}. {READING}{more}",
        desk=_Desk(facts).drawn(finding),
        phone=_phone(facts, finding),
        table=draw.Table(("T+", "At", "Lane", "What"), _rows(facts)),
    )


def _zone(facts: Facts) -> str:
    return clock_text(facts.lanes.start, facts.zone, now=facts.now, form="time").split(" ", 1)[1]


def _finding(facts: Facts) -> str:
    lanes = facts.lanes
    begin, parts = _began(facts), []
    lasted = span_text(lanes.end - begin)
    parts.append(f"{facts.name}: {lasted}" if lanes.ended else f"{facts.name}: open for {lasted}")
    for before, step in list(pairwise(lanes.priorities))[-3:]:
        parts.append(f"{_moved(before, step)} {step.label} at {clock_age(begin, now=step.start)}")
    return ", ".join(parts)


def _moved(before: Step, step: Step) -> str:
    if before.rank is None or step.rank is None:
        return "set to"
    return "raised to" if step.rank < before.rank else "lowered to"


def _began(facts: Facts) -> datetime:
    return facts.lanes.priorities[0].start if facts.lanes.priorities else facts.lanes.start


def _age(facts: Facts, at: datetime) -> str:
    begin = _began(facts)
    return clock_age(begin, now=at) if at >= begin else f"T-{clock_age(at, now=begin)[2:]}"


def _wall(facts: Facts, at: datetime) -> str:
    return clock_text(at, facts.zone, now=facts.now)


def _said(facts: Facts, text: str, *, limit: int = 160) -> str:
    """A sentence of the log, its stamps as the viewer's clock shows them."""
    local = _STAMP.sub(lambda found: _wall(facts, datetime.fromisoformat(found[0])), text)
    return one_line(local, limit=limit)


def _rows(facts: Facts) -> list[draw.Row]:
    found: list[tuple[datetime, int, str, str]] = []
    for name, steps in (("Priority", facts.lanes.priorities), ("Severity", facts.lanes.severities)):
        found += [(one.start, 0, name, f"{one.label} {one.reason}".strip()) for one in steps]
    for lane in facts.lanes.lanes:
        for stay in lane.stays:
            found.append((stay.start, 1, lane.title, f"{stay.label} {'takes over' if stay.relief else 'begins'}"))
            if stay.end is not None:
                found.append((stay.end, 3, lane.title, f"{stay.label} ends"))
        found += [(one.at, 2, lane.title, f"{SIGNS[one.sign]}: {_said(facts, one.text)}") for one in lane.marks]
    return [(_age(facts, at), _wall(facts, at), where, what) for at, _, where, what in sorted(found)]


def _kept(marks: Sequence[Mark], most: int) -> list[Mark]:
    """At most so many, in order: decisions, what was missed and what was told go first."""
    first = sorted(marks, key=lambda one: (one.sign is Sign.ACTION, -one.seq))[:most]
    return sorted(first, key=lambda one: one.at)


def together(marks: Sequence[Mark], x: Callable[[datetime], float]) -> list[tuple[float, list[Mark]]]:
    """The places of signs: marks too near to each other to be told apart share the place of the first."""
    found: list[tuple[float, list[Mark]]] = []
    for mark in marks:
        at = x(mark.at)
        if found and at - found[-1][0] < _APART:
            found[-1][1].append(mark)
        else:
            found.append((at, [mark]))
    return found


@dataclass
class _Desk:
    """The wide picture. Everything is placed by `x`, on an axis whose empty times are folded."""

    facts: Facts
    axis: Axis = field(init=False)

    def __post_init__(self) -> None:
        lanes = self.facts.lanes
        steps = [one.start for one in [*lanes.priorities, *lanes.severities]]
        stays = [at for lane in lanes.lanes for stay in lane.stays for at in (stay.start, stay.end) if at]
        marks = [one.at for lane in lanes.lanes for one in lane.marks]
        self.axis = axis([*steps, *stays, *marks], start=lanes.start, end=lanes.end)

    def x(self, at: datetime) -> float:
        return _LEFT + (_RIGHT - _LEFT) * self.axis.share(at)

    def drawn(self, finding: str) -> SafeString:
        lanes = self.facts.lanes
        bottom = 76.0 + len(lanes.lanes) * _TALL
        parts = [*self._nights(bottom), *self._folds(bottom)]
        parts += self._steps("Priority", lanes.priorities, 8.0, ranked=True)
        parts += self._steps("Severity", lanes.severities, 40.0, ranked=False)
        for place, lane in enumerate(lanes.lanes):
            parts += self._lane(lane, 98.0 + place * _TALL)
        parts += self._ticks(bottom + 8)
        return draw.svg(_DESK, bottom + 44, finding, parts)

    def _nights(self, bottom: float) -> list[str]:
        lanes = self.facts.lanes
        return [
            draw.rect(self.x(start), 0, self.x(end) - self.x(start), bottom, "night")
            for start, end in nights(self.facts.night, lanes.start, lanes.end, self.facts.zone)
            if self.x(end) - self.x(start) > 0.5
        ]

    def _folds(self, bottom: float) -> list[str]:
        parts = []
        for one in self.axis.stretches:
            if one.folded:
                middle = (self.x(one.start) + self.x(one.end)) / 2
                hint = f"{span_text(one.end - one.start)} in which nothing happened"
                parts.append(draw.line(middle, 4, middle, bottom, "even"))
                parts.append(
                    draw.text(middle, bottom - 2, f"≀ {span_text(one.end - one.start)}", "", "middle", title=hint)
                )
        return parts

    def _steps(self, title: str, steps: Sequence[Step], y: float, *, ranked: bool) -> list[str]:
        parts = [draw.text(_LEFT - 10, y + 16, title, "strong", "end")]
        worst = min((one.rank for one in steps if one.rank is not None), default=0)
        for one, left, right in zip(steps, *self._edges(steps), strict=True):
            css = f"step-{_rank_name(one)}" if ranked else ("step-grave" if one.rank == worst else "step-mild")
            words = f"{one.label} {one.reason}".strip()
            hint = f"{words}, {_wall(self.facts, one.start)} to {_wall(self.facts, one.end)}"
            parts.append(draw.rect(left, y, max(right - left - 2, 2), 22, css, radius=4, title=hint))
            room = int((right - left - 14) / 7.0)
            if room >= len(one.label):
                said = one_line(words, limit=room) if room >= len(one.label) + 8 else one.label
                parts.append(draw.text(left + 7, y + 15.5, said, f"on-{css}"))
        return parts

    def _edges(self, steps: Sequence[Step]) -> tuple[list[float], list[float]]:
        """Where steps begin and end. The last says how it stands, so it is never too narrow for its word."""
        right = [self.x(one.end) for one in steps]
        left = [self.x(one.start) for one in steps]
        if steps:
            left[-1] = max(min(left[-1], right[-1] - 16 - 7.6 * len(steps[-1].label)), _LEFT)
        right[:-1] = [min(edge, left[-1]) for edge in right[:-1]]
        return [min(edge, end) for edge, end in zip(left, right, strict=True)], right

    def _lane(self, lane: Lane, y: float) -> list[str]:
        parts = [
            draw.text(_LEFT - 10, y + 4, one_line(lane.title, limit=20), "strong", "end", title=lane.title),
            draw.line(_LEFT, y, _RIGHT, y),
        ]
        edge = 0.0
        for stay in lane.stays:
            left, right = self.x(stay.start), self.x(stay.end or self.facts.lanes.end)
            words = f"{stay.label} (relief)" if stay.relief else stay.label
            until = _wall(self.facts, stay.end) if stay.end else "now"
            hint = f"{words}, {_wall(self.facts, stay.start)} to {until}"
            parts.append(draw.rect(left, y - 4, right - left, 8, "stay", radius=4, title=hint))
            if left + 4 >= edge and left < _RIGHT - 20:
                room = max(int((_RIGHT - left) / _LETTER), 3)
                said = one_line(words, limit=min(room, 28))
                parts.append(draw.text(left + 4, y + 18, said))
                edge = left + 10 + len(said) * _LETTER
        return [*parts, *self._marks(lane, y)]

    def _marks(self, lane: Lane, y: float) -> list[str]:
        parts: list[str] = []
        groups = together(_kept(lane.marks, ON_A_LANE), self.x)
        edge = 0.0
        for (at, marks), following in zip(groups, [*(x for x, _ in groups), _RIGHT + 24][1:], strict=True):
            gravest = min(marks, key=lambda one: _GRAVEST.index(one.sign))
            parts.append(_sign(gravest.sign, at, y, "\n".join(self._hint(one) for one in marks)))
            count = f"{len(marks)}×: " if len(marks) > 1 else ""
            said = count + _said(self.facts, gravest.text)
            room = int((following - at - 2 * _BESIDE) / _LETTER)
            if room >= 6:
                label = one_line(said, limit=min(room, 48))
                parts.append(draw.text(at + _BESIDE, y - 8, label))
                edge = at + _BESIDE + len(label) * _LETTER
            elif at > _RIGHT - 60 and following > _RIGHT and (before := int((at - edge - 2 * _BESIDE) / _LETTER)) >= 6:
                parts.append(draw.text(at - _BESIDE, y - 8, one_line(said, limit=min(before, 32)), "", "end"))
        return parts

    def _hint(self, mark: Mark) -> str:
        return f"{_age(self.facts, mark.at)} {_wall(self.facts, mark.at)}: {_said(self.facts, mark.text)}"

    def _ticks(self, y: float) -> list[str]:
        parts, last = [], -100.0
        for at in self._moments():
            x = self.x(at)
            if x - last < 74 or x > _RIGHT + 1:
                continue
            last = x
            clock = f"{at.astimezone(self.facts.zone):%H:%M}"
            anchor = "start" if x < _LEFT + 20 else "end" if x > _RIGHT - 20 else "middle"
            parts.append(draw.line(x, y - 8, x, y - 3, "axis"))
            parts.append(draw.text(x, y + 10, clock, "", anchor))
            parts.append(draw.text(x, y + 25, _age(self.facts, at), "", anchor))
        return parts

    def _moments(self) -> list[datetime]:
        """Beginning, even times since then wherever time is not folded, and the ends of folds."""
        begin = _began(self.facts)
        whole = self.axis.whole
        pace = next((one for one in _TICKS if whole / one <= 9), _TICKS[-1])
        found = [begin]
        for one in self.axis.stretches:
            if one.folded:
                found.append(one.end)
                continue
            count = max(-(-(one.start - begin) // pace), 0)
            found += [begin + pace * step for step in range(count, count + 12) if begin + pace * step <= one.end]
        return sorted(set(found))


def _rank_name(step: Step) -> str:
    return str(step.rank) if step.rank is not None else step.state


def _sign(sign: Sign, x: float, y: float, hint: str) -> str:
    title = f"<title>{draw.said(hint)}</title>"
    if sign is Sign.BREACH:
        shape = draw.path([(x, y - 8), (x + 7.5, y + 6), (x - 7.5, y + 6)], "sign-breach", closed=True)
    elif sign is Sign.DECISION:
        shape = draw.path([(x, y - 8), (x + 8, y), (x, y + 8), (x - 8, y)], "sign-decision", closed=True)
    elif sign is Sign.MISSED:
        shape = draw.path([(x - 6, y - 6), (x + 6, y + 6)], "sign-missed") + draw.path(
            [(x + 6, y - 6), (x - 6, y + 6)], "sign-missed"
        )
    else:
        css = "sign-told" if sign is Sign.TOLD else "sign-action"
        shape = draw.rect(x - 5.5, y - 5.5, 11, 11, css, radius=5.5)
    return f"<g>{title}{shape}</g>"


def _phone(facts: Facts, finding: str) -> SafeString:
    """A list from top to bottom; the lane is a letter in its colour."""
    letters = _letters(facts.lanes.lanes)
    spoken = [(lane, mark) for lane in facts.lanes.lanes for mark in lane.marks]
    kept = {one.seq for one in _kept([mark for _, mark in spoken], ON_A_PHONE)}
    steps = [
        (one.start, f"{name}: {one.label} {one.reason}".strip(), "", None)
        for name, steps in (("Priority", facts.lanes.priorities), ("Severity", facts.lanes.severities))
        for one in steps
    ]
    marks = [(one.at, _said(facts, one.text), letters[lane.key], one.sign) for lane, one in spoken if one.seq in kept]
    parts, y = _legend(facts.lanes.lanes, letters)
    for at, words, letter, sign in sorted([*steps, *marks], key=lambda row: row[0]):
        parts.append(draw.text(50, y + 14, _age(facts, at), "", "end"))
        if sign is None:
            parts.append(draw.text(62, y + 14, "▮", "strong"))
        else:
            parts.append(_sign(sign, 66, y + 10, SIGNS[sign]))
            parts.append(draw.text(84, y + 14, letter, "strong", "middle"))
        parts.append(draw.text(96, y + 14, one_line(words, limit=40), "label", title=words))
        y += 24
    if hidden := len(spoken) - len(kept):
        parts.append(draw.text(12, y + 14, f"{hidden} more stand in the table."))
        y += 24
    return draw.svg(_PHONE, y + 8, finding, parts)


def _letters(lanes: Sequence[Lane]) -> dict[str, str]:
    """A letter for each lane: the first of its name that is free."""
    found: dict[str, str] = {}
    for lane in lanes:
        own = [one.upper() for one in lane.title if one.isalnum()] + [str(digit) for digit in range(10)]
        found[lane.key] = next((one for one in own if one not in found.values()), "?")
    return found


def _legend(lanes: Sequence[Lane], letters: dict[str, str]) -> tuple[list[str], float]:
    parts, x, y = [], 12.0, 8.0
    for lane in lanes:
        words = f"{letters[lane.key]} {one_line(lane.title, limit=24)}"
        wide = len(words) * 7.0 + 12
        if x + wide > _PHONE - 8 and x > 12:
            x, y = 12.0, y + 18
        parts.append(draw.text(x, y + 10, words))
        x += wide
    return parts, y + 22
