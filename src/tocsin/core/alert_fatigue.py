"""Do alerts ask for people only when people are needed? The measure of alert fatigue (R-9.2.6-4).

An alert is let through by an algorithm, not sent for each breach: there are never more alerts than breaches. One was not
actionable when the incident it belonged to ended without anybody having taken it, or turned out to be none.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Answer(StrEnum):
    """What became of an alert. Of one whose incident goes on, or that asked nobody, nothing can be said yet."""

    ACTED_ON = "acted_on"
    NOT_ACTIONABLE = "not_actionable"
    UNDECIDED = "undecided"
    ASKED_NOBODY = "asked_nobody"


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Breaches and alerts of one stretch of time; ratios are None where there is nothing to divide by."""

    breaches: int
    alerts: int
    acted_on: int
    not_actionable: int

    @property
    def alerts_per_breach(self) -> Fraction | None:
        return Fraction(self.alerts, self.breaches) if self.breaches else None

    @property
    def not_actionable_share(self) -> Fraction | None:
        """Of the alerts of which it is known."""
        known = self.acted_on + self.not_actionable
        return Fraction(self.not_actionable, known) if known else None


def answer(*, has_incident: bool, taken: bool, is_open: bool, is_void: bool) -> Answer:
    """`taken`: somebody acknowledged the incident; `is_void`: it was cancelled, so there was nothing to do."""
    if not has_incident:
        return Answer.ASKED_NOBODY
    if is_void:
        return Answer.NOT_ACTIONABLE
    if taken:
        return Answer.ACTED_ON
    return Answer.UNDECIDED if is_open else Answer.NOT_ACTIONABLE


def fatigue(breaches: int, answers: Iterable[Answer]) -> Fatigue:
    """Sum up; every alert is counted, whatever became of it."""
    counted = Counter(answers)
    return Fatigue(breaches, counted.total(), counted[Answer.ACTED_ON], counted[Answer.NOT_ACTIONABLE])
