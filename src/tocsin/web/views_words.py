"""Consumers' views as pages say them: the heat map's facts, each difference as a sentence, who would hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.core import consumer_views as core
from tocsin.core.consumer_views import Divergence, Stance, Strategy
from tocsin.slo import queries
from tocsin.slo.models import ConsumerView
from tocsin.slo.queries import FeedbackRow
from tocsin.web.pictures.views_map import Line, Sentence, Square, ViewsMap

STANCES = {
    Stance.MORE_URGENT: ("More urgent", "warn"),
    Stance.LESS_URGENT: ("Less urgent", ""),
    Stance.SAME: ("The same", "good"),
    Stance.ASKED: ("Asked, no answer yet", "hatched"),
    Stance.NO_DECISION: ("The provider has not decided", "hatched"),
}
STRATEGIES = {
    Strategy.ADAPTIVE_CAPACITY: "Works on without it",
    Strategy.OWN_GROUP: "Its own people are told at once",
}


@dataclass(frozen=True, slots=True)
class ShownView:
    """One consumer's view beside the decision; `word` and `chip` say how it stands."""

    row: ConsumerView
    stance: Stance
    levels: int

    @property
    def word(self) -> str:
        return STANCES[self.stance][0]

    @property
    def chip(self) -> str:
        return STANCES[self.stance][1]

    @property
    def flagged(self) -> bool:
        return self.stance is Stance.MORE_URGENT

    @property
    def coping(self) -> str:
        """How the consumer copes, in one line; "" while it has not decided."""
        if not self.row.strategy:
            return ""
        group = f" ({self.row.notify.name})" if self.row.notify else ""
        way = f"{STRATEGIES[Strategy(self.row.strategy)]}{group}"
        return f"{way}. Meanwhile: {self.row.degrades_to}" if self.row.degrades_to else way

    @property
    def rank(self) -> int | None:
        return self.row.priority

    @property
    def state(self) -> str:
        return "unset" if self.stance is Stance.ASKED else self.row.decision


@dataclass(frozen=True, slots=True)
class Gap:
    """One difference, ready for a list."""

    feedback: FeedbackRow
    shown: ShownView
    sentence: str


def shown_views(row: FeedbackRow, *, lowest: int) -> list[ShownView]:
    """Every view of an SLO in the order of its consumers."""
    levels = {one.view.key: one.levels for one in row.divergences}
    return [
        ShownView(view, core.stance(row.case.decided, said, lowest=lowest), levels.get(view.consumer, 0))
        for view, said in zip(row.views, row.case.views, strict=True)
    ]


def gaps(rows: Sequence[FeedbackRow]) -> list[Gap]:
    """All differences, largest first, of equal ones the more urgent."""
    lowest = queries.lowest_rank()
    shown = {
        (row.objective.name, one.row.consumer): (row, one) for row in rows for one in shown_views(row, lowest=lowest)
    }
    ordered = core.divergences([row.case for row in rows], lowest=lowest)
    found = [(one, *shown[one.slo, one.view.key]) for one in ordered]
    return [Gap(row, view, sentence(one, row)) for one, row, view in found]


def sentence(one: Divergence, row: FeedbackRow) -> str:
    """One difference in words: who sees what how many levels higher or lower."""
    size = "one level" if abs(one.levels) == 1 else f"{abs(one.levels)} levels"
    way = "more" if one.flagged else "less"
    return f"{one.view.label} sees {row.objective.label} as {size} {way} urgent"


def map_facts(rows: Sequence[FeedbackRow]) -> ViewsMap:
    """The heat map: rows by their worst difference, consumers by how often they differ."""
    lowest = queries.lowest_rank()
    by_row = [(row, {one.row.consumer: one for one in shown_views(row, lowest=lowest)}) for row in rows]
    labels = {view.consumer: view.consumer_label for row in rows for view in row.views}
    weight = {key: sum(abs(views[key].levels) for _, views in by_row if key in views) for key in labels}
    order = sorted(labels, key=lambda key: (-weight[key], labels[key]))
    found = gaps(rows)
    return ViewsMap(
        consumers=[labels[key] for key in order],
        lines=[_line(row, [views.get(key) for key in order]) for row, views in by_row],
        sentences=[_sentence(one) for one in found],
        finding=finding(rows, found),
        foot=talk_first(rows),
    )


def _line(row: FeedbackRow, views: Sequence[ShownView | None]) -> Line:
    held = row.assignment
    squares = [_square(one) if one else None for one in views]
    return Line(row.objective.label, held.priority if held else None, held.decision if held else "unset", squares)


def _square(one: ShownView) -> Square:
    word = str(one.rank) if one.rank is not None else one.row.decision
    hint = ": ".join(filter(None, [f"{one.row.consumer_label}, {one.word.lower()}", one.row.reason[:200]]))
    return Square(word, one.stance, one.levels, hint)


def _sentence(one: Gap) -> Sentence:
    held = one.feedback.assignment
    provider = (held.priority, held.decision) if held else (None, "unset")
    return Sentence(one.sentence, provider, (one.shown.rank, one.shown.state))


def finding(rows: Sequence[FeedbackRow], found: Sequence[Gap]) -> str:
    """What the picture proves, in one sentence."""
    if not rows:
        return "No consumer has said how it sees an SLO"
    if not found:
        return "No consumer sees it differently from the provider"
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].sentence}{more}"


def talk_first(rows: Sequence[FeedbackRow]) -> str:
    """The one talk to have first, with why; "" where nobody differs."""
    lowest = queries.lowest_rank()
    first = core.gap_report([row.case for row in rows], lowest=lowest).talk_first
    if first is None:
        return ""
    name = next(row.objective.label for row in rows if row.objective.name == first.slo)
    need = "" if first.copes else " It needs a way to work without it, or a call of its own."
    return f"To talk about first: {first.view.label} on {name}.{need}"
