"""How consumers see the priority of a provider's SLO, where they differ, and what each may do about it.

Feedback is orientational: the provider decides, says why, and owes an answer to everybody who sees it otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tocsin.core.priorities import PriorityState

ORIENTATIONAL = "Feedback of consumers is orientational: the provider decides, and says why."


class Strategy(StrEnum):
    """What a consumer that is hit harder can do while it waits (R-9.2.8-4)."""

    ADAPTIVE_CAPACITY = "adaptive_capacity"
    OWN_GROUP = "own_group"


class Stance(StrEnum):
    """How a consumer's view stands to the provider's decision."""

    MORE_URGENT = "more_urgent"
    LESS_URGENT = "less_urgent"
    SAME = "same"
    ASKED = "asked"
    NO_DECISION = "no_decision"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A priority as somebody sees it: `rank` belongs to `set`; `none` wants nothing done; `unset` has not said."""

    state: PriorityState
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What one consumer thinks of one SLO, and how it copes. `key` tells consumers apart, `label` is for people."""

    key: str
    label: str
    opinion: Opinion
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class UseCase:
    """One SLO with its provider's decision and what its consumers said."""

    slo: str
    provider: str
    decided: Opinion
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Divergence:
    """One consumer that sees one SLO otherwise. `levels` above zero: more urgent than the provider sees it."""

    slo: str
    provider: str
    decided: Opinion
    view: View
    levels: int

    @property
    def flagged(self) -> bool:
        """The consumer sees it as more urgent, so it has to cope while the provider takes its time."""
        return self.levels > 0

    @property
    def offers(self) -> tuple[Strategy, ...]:
        return tuple(Strategy) if self.flagged else ()

    @property
    def copes(self) -> bool:
        return not self.flagged or self.view.strategy is not None


def level(opinion: Opinion, *, lowest: int) -> int | None:
    """A rank as a step of the ladder; `none` stands one step below the lowest rank, and what is unsaid nowhere."""
    if opinion.state is PriorityState.SET:
        return opinion.rank
    return lowest + 1 if opinion.state is PriorityState.NONE else None


def stance(decided: Opinion, view: View, *, lowest: int) -> Stance:
    theirs, ours = level(view.opinion, lowest=lowest), level(decided, lowest=lowest)
    if theirs is None:
        return Stance.ASKED
    if ours is None:
        return Stance.NO_DECISION
    if theirs == ours:
        return Stance.SAME
    return Stance.MORE_URGENT if theirs < ours else Stance.LESS_URGENT


def spread(case: UseCase, *, lowest: int) -> int:
    """How many levels lie between the most and the least urgent of all who said something, the provider included."""
    said = [level(one, lowest=lowest) for one in (case.decided, *(view.opinion for view in case.views))]
    known = [one for one in said if one is not None]
    return max(known) - min(known) if known else 0


def divergences(cases: Iterable[UseCase], *, lowest: int) -> list[Divergence]:
    """Every view that differs from a decision, largest first; of equal ones the more urgent, then by name."""
    found = [one for case in cases for one in _of(case, lowest=lowest)]
    return sorted(found, key=order)


def order(one: Divergence) -> tuple[int, int, str, str]:
    """The largest first; of equal ones the more urgent, then by name."""
    return -abs(one.levels), -one.levels, one.slo, one.view.key


def _of(case: UseCase, *, lowest: int) -> Iterable[Divergence]:
    ours = level(case.decided, lowest=lowest)
    for view in case.views:
        theirs = level(view.opinion, lowest=lowest)
        if ours is not None and theirs is not None and theirs != ours:
            yield Divergence(case.slo, case.provider, case.decided, view, ours - theirs)


@dataclass(frozen=True, slots=True)
class GapReport:
    """Where consumers and providers differ. `undecided` are SLOs with views and no decision to compare them with."""

    by_provider: Mapping[str, tuple[Divergence, ...]]
    undecided: tuple[UseCase, ...]

    @property
    def total(self) -> int:
        return sum(len(found) for found in self.by_provider.values())

    @property
    def talk_first(self) -> Divergence | None:
        """The one talk to have first: the largest gap of a flagged consumer that has no way to cope yet."""
        every = sorted(
            (one for found in self.by_provider.values() for one in found),
            key=lambda one: (one.copes, not one.flagged, -abs(one.levels), one.slo, one.view.key),
        )
        return every[0] if every else None


def gap_report(cases: Sequence[UseCase], *, lowest: int) -> GapReport:
    """Divergences by provider, the provider with the largest first."""
    by_provider: dict[str, list[Divergence]] = {}
    for one in divergences(cases, lowest=lowest):
        by_provider.setdefault(one.provider, []).append(one)
    undecided = tuple(case for case in cases if case.decided.state is PriorityState.UNSET and case.views)
    return GapReport({name: tuple(found) for name, found in by_provider.items()}, undecided)


def unanswered(found: Iterable[Divergence], answers: Mapping[str, str]) -> list[View]:
    """Whom the provider still owes a word before a round can be closed: everybody who sees it otherwise."""
    return [one.view for one in found if not answers.get(one.view.key, "").strip()]
