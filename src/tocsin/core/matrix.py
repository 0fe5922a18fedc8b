"""May this priority and this severity stand together? And if not, which pairs lie nearest?"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.core.errors import Invalid
from tocsin.core.priorities import required_priority
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PairRule, Verdict
from tocsin.core.reasons import Reason
from tocsin.core.severities import required_severity, severity_rank


@dataclass(frozen=True)
class Pair:
    """A priority, by its rank, and a severity, by its code."""

    priority: int
    severity: str


class PairReason(Reason):
    ALLOWED = "allowed", "This priority and severity go together."
    NO_PRIORITY_YET = "no_priority_yet", "Without a priority every severity fits."
    NO_SEVERITIES = "no_severities", "The process works without severities, so every priority fits."
    CONDITION_EXPLAINED = "condition_explained", "The pair needs a reason, and one was given."
    REASON_MISSING = "reason_missing", "The pair needs a reason."
    NOT_ALLOWED = "not_allowed", "This priority and severity do not go together."


@dataclass(frozen=True)
class PairDecision:
    """Whether a change into a pair is accepted; `nearest` is filled for a pair that is not allowed."""

    accepted: bool
    reason: PairReason
    why: str
    nearest: tuple[Pair, ...] = ()


def pair_decision(process: ProcessDefinition, priority: int | None, severity: str, *, explanation: str) -> PairDecision:
    """Whether a person may put a priority and a severity together.

    A conditional pair needs an `explanation`; without a priority (none or unset) every severity fits. Raises `Invalid`
    for a priority or severity the process does not have.
    """
    required_severity(process.severities, severity)
    if priority is None:
        return PairDecision(True, PairReason.NO_PRIORITY_YET, "")
    if process.severities.switched_off:
        required_priority(process.catalogue, priority)
        return PairDecision(True, PairReason.NO_SEVERITIES, "")
    rule = _rule(process, priority, severity)
    if rule.verdict is Verdict.ALLOWED:
        return PairDecision(True, PairReason.ALLOWED, rule.why)
    if rule.verdict is Verdict.CONDITIONAL:
        explained = bool(explanation.strip())
        reason = PairReason.CONDITION_EXPLAINED if explained else PairReason.REASON_MISSING
        return PairDecision(explained, reason, rule.why)
    return PairDecision(False, PairReason.NOT_ALLOWED, rule.why, nearest_allowed(process, priority, severity))


def refusal_text(process: ProcessDefinition, decision: PairDecision) -> str:
    """Why a pair is refused and what to do instead, as one or two sentences."""
    return f"This priority and severity do not go together: {decision.why}. {_remedy(process, decision)}"


def _remedy(process: ProcessDefinition, decision: PairDecision) -> str:
    if decision.reason is PairReason.REASON_MISSING:
        return "Give the reason to go on."
    return f"Nearest allowed: {', '.join(pair_text(process, pair) for pair in decision.nearest)}."


def pair_text(process: ProcessDefinition, pair: Pair) -> str:
    """A pair as people say it."""
    return f"{required_priority(process.catalogue, pair.priority).code} and {pair.severity}"


def nearest_allowed(process: ProcessDefinition, priority: int, severity: str) -> tuple[Pair, ...]:
    """The allowed pairs with the fewest steps of rank away, higher priority first."""
    closest = _closest(process, priority, severity, _allowed(process))
    return tuple(Pair(rule.priority, rule.severity) for rule in closest)


def machine_pair(process: ProcessDefinition, priority: int | None, severity: str) -> Pair | None:
    """The pair an incident starts with that a machine made: the pair itself unless it is not allowed.

    Machine-made pairs never fail. The priority is the breach's and stays wherever it can; then the severity moves to
    the nearest one. A conditional pair may stand: a person explains or changes it. None without a priority.
    """
    if priority is None:
        return None
    if process.severities.switched_off:
        return Pair(priority, process.severities.start)
    if _rule(process, priority, severity).verdict is not Verdict.NOT_ALLOWED:
        return Pair(priority, severity)
    usable = _allowed(process)
    same_priority = [rule for rule in usable if rule.priority == priority]
    nearest = _closest(process, priority, severity, same_priority or usable)[0]
    return Pair(nearest.priority, nearest.severity)


def _allowed(process: ProcessDefinition) -> list[PairRule]:
    return [rule for rule in process.matrix.rules if rule.verdict is Verdict.ALLOWED]


def _rule(process: ProcessDefinition, priority: int, severity: str) -> PairRule:
    code = required_priority(process.catalogue, priority).code
    required_severity(process.severities, severity)
    found = process.matrix.rule(priority, severity)
    if found is None:
        raise Invalid({"severity": f"the matrix says nothing about {code} and {severity}"})
    return found


def _closest(process: ProcessDefinition, priority: int, severity: str, rules: list[PairRule]) -> list[PairRule]:
    here = severity_rank(process.severities, severity)

    def distance(rule: PairRule) -> int:
        return abs(rule.priority - priority) + abs(severity_rank(process.severities, rule.severity) - here)

    least = min((distance(rule) for rule in rules), default=0)
    return sorted((rule for rule in rules if distance(rule) == least), key=lambda rule: rule.priority)
