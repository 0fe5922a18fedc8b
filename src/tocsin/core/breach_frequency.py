"""One breach is small, the fourth within the hour is not: the conditional priority."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise


class CountedAs(StrEnum):
    """What counts as one breach."""

    EPISODES = "episodes"  # consecutive bad ticks are one
    OCCURRENCES = "occurrences"  # each event is one


class FrequencyReason(StrEnum):
    """Which side of the condition decided."""

    SELDOM = "seldom"
    FREQUENT = "frequent"


@dataclass(frozen=True, slots=True)
class FrequencyRule:
    """``raised`` when more than ``more_than`` breaches lie in ``(now - window, now]``, else ``base``.

    ``tick`` is the evaluation grid: bad ticks no further apart belong to one episode.
    """

    base: int
    raised: int
    more_than: int = 3
    window: timedelta = timedelta(minutes=60)
    counted_as: CountedAs = CountedAs.EPISODES
    tick: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class FrequencyDecision:
    """The priority of the present breach and the count behind it."""

    priority: int
    breaches: int
    reason: FrequencyReason


def priority_by_frequency(rule: FrequencyRule, earlier: Sequence[datetime], *, now: datetime) -> FrequencyDecision:
    """Decide the priority of the breach at ``now``; ``earlier`` are those recorded before it.

    Breaches in the same instant are told apart by their order: the later one has the others in ``earlier``.
    """
    count = breaches_within(rule, (*earlier, now), now=now)
    if count > rule.more_than:
        return FrequencyDecision(rule.raised, count, FrequencyReason.FREQUENT)
    return FrequencyDecision(rule.base, count, FrequencyReason.SELDOM)


def breaches_within(rule: FrequencyRule, breached_at: Sequence[datetime], *, now: datetime) -> int:
    """Count the breaches in ``(now - window, now]``; an episode counts if any tick of it lies there."""
    recent = sorted(at for at in breached_at if now - rule.window < at <= now)
    if rule.counted_as is CountedAs.OCCURRENCES:
        return len(recent)
    gaps = (later - sooner for sooner, later in pairwise(recent))
    return bool(recent) + sum(gap > rule.tick for gap in gaps)
