"""A change of priority or severity before it is made: may it be, is it an exception, does it come late?

Changing is one person's decision. What is worth a second look is said and written down; only a pair that the process
does not allow is refused, and even that gives way to an exception with a reason where the process lets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tocsin.core.errors import Invalid, Refused
from tocsin.core.matrix import PairDecision, PairReason, pair_decision, refusal_text
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.reasons import Reason
from tocsin.core.severity_weighing import KnownFacts, is_exception


class Against(StrEnum):
    """Which rule an exception goes against."""

    MATRIX = "matrix"
    CRITERIA = "criteria"


class Lateness(Reason):
    """Why a change of priority is worth a look in the review. It is nobody's fault and blocks nothing."""

    AFTER_THE_END = "after_the_end", "the priority was lowered after the end"
    MORE_THAN_ONCE = "more_than_once", "the priority was lowered more than once"


@dataclass(frozen=True)
class Judged:
    """What the process says of a change into a pair. `against` is empty unless it is an exception."""

    pair: PairDecision
    against: tuple[Against, ...] = ()

    @property
    def is_exception(self) -> bool:
        return bool(self.against)


def judge(
    process: ProcessDefinition,
    *,
    priority: int | None,
    severity: str,
    known: KnownFacts | None = None,
    explanation: str,
) -> Judged:
    """What the process says of putting `priority` and `severity` together.

    `known` are the facts a severity is weighed by; leave it out where the severity is not what is being decided.
    Raises Invalid for a priority or severity the process does not have.
    """
    pair = pair_decision(process, priority, severity, explanation=explanation)
    against: list[Against] = [Against.MATRIX] if pair.reason is PairReason.NOT_ALLOWED else []
    if known is not None and is_exception(process.severities, known, severity):
        against.append(Against.CRITERIA)
    return Judged(pair, tuple(against))


def require_judged(process: ProcessDefinition, found: Judged, *, exception: bool, explanation: str) -> None:
    """Raise unless the change may be made: `exception` says that a person means a pair that is not allowed.

    Raises Refused, with the way out, for such a pair without that word or where the process grants no exceptions, and
    for a condition without its reason; Invalid for an exception without a reason.
    """
    explained = bool(explanation.strip())
    if Against.MATRIX in found.against:
        if not (exception and process.matrix.exceptions):
            text = refusal_text(process, found.pair)
            remedy = "Or set it as an exception, with a reason." if process.matrix.exceptions else ""
            raise Refused(f"{text} {remedy}".strip(), reason=found.pair.reason.value, remedy=remedy or text)
    elif not found.pair.accepted:
        text = refusal_text(process, found.pair)
        raise Refused(text, reason=found.pair.reason.value, remedy="Give the reason to go on.")
    if found.is_exception and not explained:
        raise Invalid({"reason": "This goes against the rule. Say in a few words why; it stays in the record."})


def exception_data(found: Judged, *, rule_says: str = "") -> dict[str, Any]:
    """What the log keeps of a decision against the rule; nothing for any other."""
    if not found.is_exception:
        return {}
    says = {"rule_says": rule_says} if rule_says else {}
    return {"exception": True, "against": [one.value for one in found.against], **says}


@dataclass(frozen=True)
class PastChange:
    """A change of priority that stands: when, from which rank to which; None is none or not decided."""

    at: datetime
    old: int | None
    new: int | None

    @property
    def lowers(self) -> bool:
        return self.old is not None and (self.new is None or self.new > self.old)


def lateness(changes: Iterable[PastChange], *, ended_at: datetime | None) -> Lateness | None:
    """Whether the last of the changes is a late re-classification. `ended_at` is when the incident first ended."""
    lowered = [one for one in changes if one.lowers]
    if ended_at is not None and any(one.at > ended_at for one in lowered):
        return Lateness.AFTER_THE_END
    return Lateness.MORE_THAN_ONCE if len(lowered) > 1 else None
