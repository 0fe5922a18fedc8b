"""The budgets a team agreed about: one small burn-down for each SLO, with the lines at which something follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from django.utils.safestring import SafeString

from tocsin.platform.text import one_line
from tocsin.web.instants import clock_text
from tocsin.web.pictures import drawing as draw
from tocsin.web.pictures import gaps
from tocsin.web.pictures.burn_down import Level, percent_text

MOST_BYTES = 28_500
DETAIL = ((8, 120), (8, 60), (6, 40), (4, 40), (2, 20))
"""How many SLOs with how many points each, tried until the picture is small."""
MARK_APART, MARKS = 26.0, 8
_LETTER, _STRONG = 6.6, 7.2
_CELL_WIDE, _CELL_TALL, _LOWEST = 372.0, 156.0, -1.0
READING = (
    "Dashed: where a clause of the policy begins to hold. Above: ▼ a consequence began, △ it ended. Hatched: no data."
)


@dataclass(frozen=True, slots=True)
class Line:
    """So much of the budget is left where the clause `code` begins to hold."""

    left: float
    code: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A consequence of clause `code` began, or ended."""

    at: datetime
    code: str
    began: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One SLO over its running period. `left` is None while nothing is known; `in_force` are codes of clauses."""

    label: str
    starts_at: datetime
    left: float | None
    levels: Sequence[Level] = ()
    turns: Sequence[Turn] = ()
    in_force: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBudgets:
    """Every SLO of the team, the one that needs a decision first; those without levels stand in the table alone."""

    budgets: Sequence[Budget]
    lines: Sequence[Line]
    now: datetime
    zone: tzinfo


def policy_budgets(facts: PolicyBudgets, *, ident: str = "policy-budgets") -> draw.Picture:
    """The picture with its finding; as many SLOs as stay small, the rest in the table."""
    finding = _finding(facts)
    return draw.Picture(
        finding=finding,
        reading=READING,
        desk=_fitting(facts, finding, across=2, ident=ident),
        phone=_fitting(facts, finding, across=1, ident=f"{ident}-phone"),
        table=draw.Table(
            ("SLO", "Budget left", "At or under", "In force"), [_line(facts, one) for one in facts.budgets]
        ),
    )


def _under(facts: PolicyBudgets, one: Budget) -> list[Line]:
    return [line for line in facts.lines if one.left is not None and one.left <= line.left]


def _finding(facts: PolicyBudgets) -> str:
    under = [(one, lines) for one in facts.budgets if (lines := _under(facts, one))]
    unknown = sum(one.left is None for one in facts.budgets)
    tail = f"; {unknown} of {len(facts.budgets)} unknown" if unknown else ""
    if len(under) == 1:
        (one, lines), word = under[0], left_words(under[0][0].left)
        return (
            f"{one_line(one.label, limit=80)}: {word}, so {' and '.join(line.code for line in lines[:3])} holds{tail}"
        )
    if under:
        return f"{len(under)} of {len(facts.budgets)} budgets are at or under a line of the policy{tail}"
    known = [one for one in facts.budgets if one.left is not None]
    if not known:
        return "Nothing is known of any budget, so nobody can tell what holds"
    if facts.lines:
        return f"Every budget{' that is known' if unknown else ''} is above the lines of the policy{tail}"
    lowest = min(known, key=lambda one: one.left or 0.0)
    return f"The lowest budget is that of {one_line(lowest.label, limit=80)}: {left_words(lowest.left)}{tail}"


def left_words(left: float | None) -> str:
    """What is left in words: "18% left", "overspent by 12%", "unknown"."""
    if left is None:
        return "unknown"
    return f"{percent_text(left)} left" if left >= 0 else f"overspent by {percent_text(-left)}"


def _line(facts: PolicyBudgets, one: Budget) -> draw.Row:
    under = ", ".join(f"{line.code} at {percent_text(line.left)}" for line in _under(facts, one))
    return (one.label, left_words(one.left), under or "no line", ", ".join(dict.fromkeys(one.in_force)) or "nothing")


def _fitting(facts: PolicyBudgets, finding: str, *, across: int, ident: str) -> SafeString:
    for most, points in DETAIL:
        drawn = _drawn(facts, finding, most=most, points=points, across=across, ident=ident)
        if len(drawn.encode()) <= MOST_BYTES:
            break
    return drawn


def _drawn(facts: PolicyBudgets, finding: str, *, most: int, points: int, across: int, ident: str) -> SafeString:
    pattern = f"{ident}-unknown"
    shown = [one for one in facts.budgets if one.levels][:most]
    cell = _CELL_WIDE if across == 1 or len(shown) > 1 else 2 * _CELL_WIDE + 16
    parts = [draw.hatch(pattern, ground="unknown-ground", stroke="unknown-line")]
    for place, one in enumerate(shown):
        row, column = divmod(place, across)
        frame = _frame(column * (cell + 16), row * (_CELL_TALL + 14), cell)
        parts += _Plot(facts, one, frame, points).parts(pattern)
    rows = -(-len(shown) // across)
    height = rows * (_CELL_TALL + 14)
    if hidden := len(facts.budgets) - len(shown):
        parts.append(
            draw.text(4, height + 14, f"{hidden} more {'SLO stands' if hidden == 1 else 'SLOs stand'} in the table.")
        )
        height += 24
    wide = _CELL_WIDE * across + 16 * (across - 1)
    return draw.svg(wide, max(height, 24), finding, parts)


def _frame(x: float, y: float, wide: float) -> draw.Frame:
    tall = _CELL_TALL
    return draw.Frame(width=wide, height=tall, left=x + 42, right=x + wide - 62, top=y + 46, bottom=y + tall - 20)


@dataclass(frozen=True, slots=True)
class _Plot:
    facts: PolicyBudgets
    one: Budget
    frame: draw.Frame
    points: int

    def parts(self, pattern: str) -> list[str]:
        levels = coarse(self.one.levels, self.points)
        spans = gaps.stretches(((one.at, one.left is not None) for one in levels), until=self.facts.now)
        hatched = gaps.hatched(spans, self.x, top=self.frame.top, bottom=self.frame.bottom - 1, pattern=pattern)
        return [
            *self._heads(),
            *self._grid(),
            *hatched,
            *self._spent(levels),
            *self._lines(),
            *self._turns(),
            *self._ends(),
        ]

    def x(self, at: datetime) -> float:
        whole = self.facts.now - self.one.starts_at
        share = (at - self.one.starts_at) / whole if whole else 1.0
        return self.frame.left + (self.frame.right - 2 - self.frame.left) * min(max(share, 0.0), 1.0)

    @property
    def _floor(self) -> float:
        lows = [one.left for one in self.one.levels if one.left is not None]
        return max(_LOWEST, min([0.0, *lows]))

    def y(self, left: float) -> float:
        floor = self._floor
        share = (1.0 - min(max(left, floor), 1.0)) / (1.0 - floor)
        return self.frame.top + (self.frame.bottom - self.frame.top) * share

    def _heads(self) -> list[str]:
        start, end = self.frame.left - 38, self.frame.right + 58
        word = left_words(self.one.left)
        room = int((end - start - len(word) * _LETTER - 16) / _STRONG)
        css = "gap-text" if self.one.left is not None and self.one.left <= 0 else "label"
        return [
            draw.text(start, self.frame.top - 30, one_line(self.one.label, limit=max(room, 8)), "strong"),
            draw.text(end, self.frame.top - 30, word, css, "end"),
        ]

    def _grid(self) -> list[str]:
        parts = []
        for step in [1.0, 0.0, *([self._floor] if self._floor <= -0.3 else [])]:
            y = self.y(step)
            parts.append(draw.line(self.frame.left, y, self.frame.right, y, "axis" if step == 0 else "grid"))
            parts.append(draw.text(self.frame.left - 6, y + 4, f"{round(step * 100)}%", anchor="end"))
        return parts

    def _spent(self, levels: Sequence[Level]) -> list[str]:
        parts, base = [], self.y(0)
        for known, run in groupby(levels, key=lambda one: one.left is not None):
            if not known:
                continue
            spots = [(self.x(one.at), self.y(one.left or 0.0)) for one in run]
            parts.append(draw.path([(spots[0][0], base), *spots, (spots[-1][0], base)], "area", closed=True))
            parts.append(draw.path(spots, "line-1"))
        return parts

    def _lines(self) -> list[str]:
        """Each condition as a dashed line with its code; where two would touch, the words stand below each other."""
        parts: list[str] = []
        lowest = self.frame.top - 8
        for line in sorted(self.facts.lines, key=lambda one: -one.left)[:4]:
            y = self.y(line.left)
            parts.append(draw.line(self.frame.left, y, self.frame.right, y, "threshold"))
            lowest = min(max(y + 4, lowest + 13), self.frame.bottom + 14)
            words = one_line(f"{line.code} {percent_text(line.left)}", limit=8)
            parts.append(draw.text(self.frame.right + 4, lowest, words, "gap-text"))
        return parts

    def _turns(self) -> list[str]:
        y = self.frame.top - 12
        parts = []
        for x, turns in self._told_apart():
            first = turns[0]
            word = f"{first.code}+{len(turns) - 1}" if len(turns) > 1 else first.code
            hint = "; ".join(one.text for one in turns[:3])
            mark = "▼" if any(one.began for one in turns) else "△"
            parts.append(draw.line(x, y + 3, x, self.frame.bottom, "turn"))
            words, hint = one_line(f"{mark}{word}", limit=9), one_line(hint, limit=160)
            parts.append(draw.text(x, y, words, "label", self._side(x), title=hint))
        return parts

    def _side(self, x: float) -> str:
        return "end" if x > self.frame.right - 30 else "start"

    def _told_apart(self) -> Iterator[tuple[float, list[Turn]]]:
        """Turns with room for their words, those that would touch together under the first."""
        found: list[tuple[float, list[Turn]]] = []
        for turn in sorted(self.one.turns, key=lambda one: one.at):
            if turn.at < self.one.starts_at:
                continue
            x = self.x(turn.at)
            if found and (x - found[-1][0] < 2 * MARK_APART or len(found) == MARKS):
                found[-1][1].append(turn)
            else:
                found.append((x, [turn]))
        yield from found

    def _ends(self) -> list[str]:
        y = self.frame.bottom + 15
        begin = clock_text(self.one.starts_at, self.facts.zone, now=self.facts.now, form="date")
        return [
            draw.text(self.frame.left, y, begin),
            draw.text(self.frame.right, y, "now", "strong", "end"),
        ]


def coarse(levels: Sequence[Level], most: int) -> list[Level]:
    """At most `most` levels; one that stands for several is unknown when any of them is, and keeps both ends."""
    if len(levels) <= most:
        return list(levels)
    stride = -(-len(levels) // most)
    groups = [levels[start : start + stride] for start in range(0, len(levels), stride)]
    return [
        Level(
            group[0].at if place == 0 else group[-1].at,
            None if any(one.left is None for one in group) else group[-1].left,
        )
        for place, group in enumerate(groups)
    ]
