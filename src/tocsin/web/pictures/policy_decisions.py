"""The clauses of a policy over the running period: which holds since when, which is over, and when people look again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.utils.safestring import SafeString

from tocsin.core.error_budget_policy import Verdict
from tocsin.platform.text import one_line
from tocsin.web.instants import clock_text
from tocsin.web.pictures import drawing as draw

MOST, SPANS, TOGETHER = 12, 24, 48
"""Clauses that are drawn, spans of each, and spans of all; the rest stands in the table. A picture stays small."""
_LETTER, _STRONG = 6.6, 7.2
READING = "A bar: the consequence was in force, filled while it still is. Hatched: nobody can tell now."
_WORDS = {
    Verdict.DOES_NOT_HOLD: "does not hold",
    Verdict.UNKNOWN: "unknown",
    Verdict.PEOPLE_JUDGE: "people judge",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A consequence of a clause on one SLO; `ended_at` is None while it is in force."""

    slo: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One clause: what it asks for, how it stands, and when it was in force."""

    code: str
    consequence: str
    verdict: Verdict
    spans: Sequence[Span] = ()

    @property
    def open(self) -> list[Span]:
        return [one for one in self.spans if one.ended_at is None]

    @property
    def since(self) -> datetime | None:
        return min((one.began_at for one in self.open), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecisions:
    """`today` is the day of the team, against which the next review is held."""

    lanes: Sequence[Lane]
    starts_at: datetime
    now: datetime
    zone: tzinfo
    next_review: date
    today: date


def policy_decisions(facts: PolicyDecisions, *, ident: str = "policy-decisions") -> draw.Picture:
    finding = f"{_finding(facts)}; {_review(facts)}"
    return draw.Picture(
        finding=finding,
        reading=READING,
        desk=_drawn(facts, finding, width=760, ident=ident),
        phone=_drawn(facts, finding, width=360, ident=f"{ident}-phone"),
        table=draw.Table(
            ("Clause", "Now", "In force for", "Was in force", "Consequence"), [_line(facts, one) for one in facts.lanes]
        ),
    )


def _finding(facts: PolicyDecisions) -> str:
    held = [one for one in facts.lanes if one.open]
    if not held:
        return "No consequence is in force"
    first = min(held, key=lambda one: one.since or facts.now)
    since = _day(facts, first.since or facts.now)
    if len(held) == 1:
        return f"{first.code} is in force since {since}"
    return f"{len(held)} of {len(facts.lanes)} clauses are in force, {first.code} since {since}"


def _review(facts: PolicyDecisions) -> str:
    day = f"{facts.next_review.day} {facts.next_review:%b %Y}"
    days = (facts.next_review - facts.today).days
    if days <= 0:
        return f"the review was due on {day}" if days else "the review is due today"
    return f"next review {day}, in {days} {'day' if days == 1 else 'days'}"


def _day(facts: PolicyDecisions, at: datetime) -> str:
    return clock_text(at, facts.zone, now=facts.now, form="date")


def _state(facts: PolicyDecisions, one: Lane) -> str:
    """How a clause stands, in a few words."""
    if one.since is not None:
        return f"since {_day(facts, one.since)}"
    if one.verdict is Verdict.HOLDS:
        return "dealt with" if one.spans else "holds now"
    return _WORDS[one.verdict]


def _line(facts: PolicyDecisions, one: Lane) -> draw.Row:
    over = [span for span in one.spans if span.ended_at is not None]
    slos = ", ".join(dict.fromkeys(span.slo for span in one.open))
    past = (
        f"{len(over)} times, last until {_day(facts, max(s.ended_at for s in over if s.ended_at))}" if over else "never"
    )
    return (one.code, _state(facts, one), one_line(slos) or "nothing", past.replace("1 times", "once"), one.consequence)


def _drawn(facts: PolicyDecisions, finding: str, *, width: float, ident: str) -> SafeString:
    shown = facts.lanes[:MOST]
    pattern = f"{ident}-unknown"
    plot = _Strip(facts, width, 8.0 if width < 500 else 250.0, width - 4 if width < 500 else width - 126)
    parts, y = [draw.hatch(pattern, ground="unknown-ground", stroke="unknown-line")], 4.0
    for one in shown:
        parts += plot.narrow(one, y, pattern) if width < 500 else plot.wide(one, y, pattern)
        y += 48.0 if width < 500 else 36.0
    parts += plot.axis(y)
    y += 24
    if hidden := len(facts.lanes) - len(shown):
        parts.append(draw.text(4, y + 14, f"{hidden} more clauses stand in the table."))
        y += 20
    due = facts.next_review <= facts.today
    words = _review(facts)
    parts.append(draw.text(4, y + 16, f"{words[0].upper()}{words[1:]}", "gap-text" if due else "strong"))
    return draw.svg(width, y + 26, finding, parts)


@dataclass(frozen=True, slots=True)
class _Strip:
    facts: PolicyDecisions
    width: float
    left: float
    right: float

    def x(self, at: datetime) -> float:
        whole = self.facts.now - self.facts.starts_at
        share = (at - self.facts.starts_at) / whole if whole else 1.0
        return self.left + (self.right - self.left) * min(max(share, 0.0), 1.0)

    def wide(self, one: Lane, y: float, pattern: str) -> list[str]:
        """Code and consequence, the lane, and the state."""
        code = one_line(one.code, limit=10)
        words = one_line(one.consequence, limit=max(6, int((self.left - 24 - len(code) * _STRONG) / _LETTER)))
        return [
            draw.text(4, y + 19, code, "strong"),
            draw.text(14 + len(code) * _STRONG, y + 19, words, title=one_line(one.consequence, limit=200)),
            *self._lane(one, y + 4, 22.0, pattern),
            draw.text(self.right + 8, y + 19, _state(self.facts, one), self._css(one)),
        ]

    def narrow(self, one: Lane, y: float, pattern: str) -> list[str]:
        """Code, consequence and state in one line, the lane under it."""
        code, state = one_line(one.code, limit=10), _state(self.facts, one)
        room = int((self.width - 32 - len(code) * _STRONG - len(state) * _STRONG) / _LETTER)
        return [
            draw.text(4, y + 14, code, "strong"),
            draw.text(14 + len(code) * _STRONG, y + 14, one_line(one.consequence, limit=max(room, 4))),
            draw.text(self.width - 4, y + 14, state, self._css(one), "end"),
            *self._lane(one, y + 21, 16.0, pattern),
        ]

    def _css(self, one: Lane) -> str:
        return "gap-text" if one.since is not None else "label"

    def _lane(self, one: Lane, y: float, tall: float, pattern: str) -> list[str]:
        whole = self.right - self.left
        parts = [draw.rect(self.left, y, whole, tall, "lane", radius=3)]
        if one.verdict is Verdict.UNKNOWN:
            parts.append(draw.filled(self.right - 24, y, 24, tall, pattern, radius=3, title="Nobody can tell now"))
        within = [s for s in one.spans if s.ended_at is None or s.ended_at > self.facts.starts_at]
        # The latest are drawn, those in force last, so that nothing covers them.
        latest = sorted(within, key=lambda s: (s.ended_at is None, s.ended_at or s.began_at))[-self._most() :]
        for span in latest:
            start, end = self.x(span.began_at), self.x(span.ended_at or self.facts.now)
            start = min(start, self.right - 3)
            css = "cell-bad" if span.ended_at is None else "held"
            parts.append(draw.rect(start, y + 3, max(end - start, 3), tall - 6, css, radius=2, title=self._hint(span)))
        return parts

    def _most(self) -> int:
        """How many spans of one clause are drawn."""
        return min(SPANS, TOGETHER // min(max(len(self.facts.lanes), 1), MOST))

    def _hint(self, span: Span) -> str:
        until = f" until {_day(self.facts, span.ended_at)}" if span.ended_at else ", in force"
        return f"{one_line(span.slo, limit=40)}: since {_day(self.facts, span.began_at)}{until}"

    def axis(self, y: float) -> list[str]:
        middle = self.facts.starts_at + (self.facts.now - self.facts.starts_at) / 2
        return [
            draw.line(self.right, y - 8 if self.width < 500 else 0, self.right, y + 4, "now"),
            draw.text(self.left, y + 16, _day(self.facts, self.facts.starts_at)),
            draw.text((self.left + self.right) / 2, y + 16, _day(self.facts, middle), anchor="middle"),
            draw.text(self.right, y + 16, "now", "strong", "end"),
        ]
