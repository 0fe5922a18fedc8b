"""A resource-based alert on its way to being replaced by an SLO, and how far a team has come with that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction


class Replacement(StrEnum):
    """`active`: it wakes people and nothing is planned. The last two wake nobody any more."""

    ACTIVE = "active"
    PLANNED = "planned"
    REPLACED = "replaced"
    RETIRED = "retired"


STEPS: Mapping[Replacement, frozenset[Replacement]] = {
    Replacement.ACTIVE: frozenset({Replacement.PLANNED, Replacement.REPLACED, Replacement.RETIRED}),
    Replacement.PLANNED: frozenset({Replacement.ACTIVE, Replacement.REPLACED, Replacement.RETIRED}),
    # An SLO that did not work out brings the alert back.
    Replacement.REPLACED: frozenset({Replacement.ACTIVE}),
    Replacement.RETIRED: frozenset({Replacement.ACTIVE}),
}
"""From each state to those it may become."""


def may_become(present: Replacement, wanted: Replacement) -> bool:
    return wanted in STEPS[present]


@dataclass(frozen=True, slots=True)
class Step:
    """One stored change of one alert."""

    alert: int
    state: Replacement
    at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """At an instant: resource alerts that were replaced, of all that are in use or were replaced. Retired ones do not count."""

    at: datetime
    replaced: int
    of: int

    @property
    def ratio(self) -> Fraction | None:
        """None while there is nothing to replace."""
        return Fraction(self.replaced, self.of) if self.of else None


def share_at(steps: Iterable[Step], *, at: datetime) -> Share:
    """Where the alerts stood at an instant; a step taken at that very instant counts."""
    state: dict[int, Replacement] = {}
    for step in sorted(steps, key=lambda one: one.at):
        if step.at <= at:
            state[step.alert] = step.state
    standing = [one for one in state.values() if one is not Replacement.RETIRED]
    return Share(at, sum(one is Replacement.REPLACED for one in standing), len(standing))


def shares(steps: Sequence[Step], instants: Iterable[datetime]) -> list[Share]:
    """The share at each instant, in the order asked for."""
    return [share_at(steps, at=at) for at in instants]
