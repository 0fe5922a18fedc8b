"""Can this ever fire? Holds each condition of an alert rule against what its SLO, its traffic and its ticks allow.

A total outage burns at one over the allowed ratio and no faster: a limit at or above that is never exceeded, whatever
happens. Below it a condition may still be out of reach of few events, or speak at a single failure; and a budget that is
gone between two evaluations cannot be defended by alerting at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from tocsin.core.alert_latch import Urgency
from tocsin.core.burn_rate import detection_minutes, max_burn
from tocsin.core.condition_rule import Comparison, ConditionRule
from tocsin.core.depletion_rule import DepletionBasis, DepletionRule
from tocsin.core.error_budget import allowed_ratio, seconds
from tocsin.core.ladder_rule import LadderRule
from tocsin.core.rule_protocol import Rule, span_text
from tocsin.core.workbook_rule import WorkbookRule

_NONE = timedelta(0)


class Verdict(StrEnum):
    """What is to be expected of a condition."""

    FIRES = "fires"
    NEVER = "never"
    TOO_FEW_EVENTS = "too_few_events"
    ONE_FAILURE = "one_failure"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class Condition:
    """One way for a rule to speak: a window that burns faster than ``limit`` (or just as fast, with ``or_equal``).

    ``least_bad`` failures are asked for at least; ``below`` marks a condition that wants less burning, not more;
    ``not_before`` is how long it must have burned at any rate.
    """

    urgency: Urgency
    window: timedelta
    limit: Fraction
    least_bad: int = 1
    or_equal: bool = False
    below: bool = False
    not_before: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Reach:
    """A condition and what is to be expected of it; ``outage_minutes`` is how long a total outage takes to meet it."""

    condition: Condition
    verdict: Verdict
    text: str
    outage_minutes: Fraction | None = None

    @property
    def can_fire(self) -> bool:
        return self.verdict not in {Verdict.NEVER, Verdict.TOO_FEW_EVENTS}


@dataclass(frozen=True, slots=True)
class Report:
    """All conditions of a rule, shortest window first, and what is wrong with the rule as a whole, in sentences."""

    reaches: tuple[Reach, ...]
    warnings: tuple[str, ...]

    def can(self, urgency: Urgency) -> bool:
        """Return whether an alert of this urgency can ever fire."""
        return any(reach.can_fire for reach in self.reaches if reach.condition.urgency is urgency)

    @property
    def ok(self) -> bool:
        """Whether every urgency the rule has can fire, and nothing else is wrong."""
        return not self.warnings


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """Return the ways a rule of the product can speak; none for a rule it does not know."""
    match rule:
        case WorkbookRule():
            found = [Condition(pair.urgency, pair.long, pair.limit(rule.period)) for pair in rule.pairs]
        case DepletionRule():
            # The share in time of the period's budget is the burn rate, at even traffic.
            factor = Fraction(rule.threshold_percent) / 100
            found = [Condition(Urgency.PAGE, rule.window, factor)]
        case ConditionRule():
            found = [
                Condition(
                    one.urgency,
                    one.lookback,
                    one.threshold,
                    or_equal=one.op in {Comparison.GTE, Comparison.LTE},
                    below=one.op in {Comparison.LT, Comparison.LTE},
                )
                for one in rule.conditions
            ]
        case LadderRule():
            found = [
                Condition(
                    ladder.urgency,
                    rung.window,
                    rule.limit(rung),
                    least_bad=ladder.least_bad,
                    not_before=max(rung.since or _NONE, rung.lost or _NONE),
                )
                for ladder in rule.ladders
                for rung in ladder.rungs
            ]
        case _:
            found = []
    return tuple(sorted(found, key=lambda one: (one.urgency is not Urgency.PAGE, one.window, one.limit)))


def can_it_fire(
    rule: Rule, *, target: Decimal, period: timedelta, every: timedelta, events_per_hour: Fraction | None = None
) -> Report:
    """Judge a rule for one SLO, evaluated ``every`` so often; without a traffic only what no traffic could change."""
    judged = tuple(_judge(one, target, events_per_hour) for one in conditions_of(rule))
    often = max(every, rule.every or every)
    found = [*_mute(judged), *_too_slow(judged, often), *_indefensible(target, period, often)]
    if isinstance(rule, DepletionRule) and rule.basis is DepletionBasis.PERIOD_PRO_RATA:
        found.append(
            "Held against the window's share in time of the budget: in busy hours it speaks sooner than shown."
        )
    return Report(judged, tuple(found))


def _judge(one: Condition, target: Decimal, events_per_hour: Fraction | None) -> Reach:
    window, most = span_text(one.window), max_burn(target)
    if one.below:
        return Reach(one, Verdict.NOT_JUDGED, f"Speaks while {window} burn slowly; that is always possible.")
    if most < one.limit or (most == one.limit and not one.or_equal):
        why = f"A total outage burns at {_number(most)}, and {window} would have to burn faster than {_number(one.limit)}."
        return Reach(one, Verdict.NEVER, why)
    minutes = detection_minutes(target, Fraction(1), limit=one.limit, window=one.window)
    if minutes is not None:
        minutes = max(minutes, seconds(one.not_before) / 60)
    if events_per_hour is not None:
        few = _few_events(one, target, events_per_hour * seconds(one.window) / 3600)
        if few is not None:
            return Reach(one, few[0], few[1], minutes)
    return Reach(one, Verdict.FIRES, f"A total outage meets it after {_minutes(minutes)}.", minutes)


def _few_events(one: Condition, target: Decimal, expected: Fraction) -> tuple[Verdict, str] | None:
    window = span_text(one.window)
    if expected < one.least_bad:
        text = f"{window} see {_number(expected)} events on average; it asks for {one.least_bad} failures at least."
        return Verdict.TOO_FEW_EVENTS, text
    if one.least_bad == 1 and 1 / expected > one.limit * allowed_ratio(target):
        text = f"{window} see {_number(expected)} events on average: a single failure is enough."
        return Verdict.ONE_FAILURE, text
    return None


def _mute(judged: Iterable[Reach]) -> Iterator[str]:
    by_urgency: dict[Urgency, list[Reach]] = {}
    for reach in judged:
        by_urgency.setdefault(reach.condition.urgency, []).append(reach)
    for urgency, reaches in by_urgency.items():
        if not any(reach.can_fire for reach in reaches):
            yield f"No {urgency} can ever come of this rule."
        elif all(reach.verdict is Verdict.ONE_FAILURE for reach in reaches if reach.can_fire):
            yield f"At this traffic a single failure is enough for a {urgency}."


def _too_slow(judged: Iterable[Reach], often: timedelta) -> Iterator[str]:
    short = sorted({reach.condition.window for reach in judged if reach.can_fire and reach.condition.window < often})
    if short:
        names = ", ".join(span_text(window) for window in short)
        yield f"It is evaluated every {span_text(often)} and so does not see all of its shorter windows ({names})."


def _indefensible(target: Decimal, period: timedelta, often: timedelta) -> Iterator[str]:
    exhausted = seconds(period) * allowed_ratio(target)
    if exhausted < seconds(often):
        yield (
            f"Cannot be defended by alerting: a total outage spends the whole budget in {_number(exhausted)} s, "
            f"and the rule is evaluated every {span_text(often)}."
        )


def _number(value: Fraction) -> str:
    return f"{float(value):,.4g}" if value < 10_000 else f"{float(value):,.0f}"


def _minutes(value: Fraction | None) -> str:
    if value is None:
        return "no time one could name"
    return f"{_number(value * 60)} s" if value < 1 else f"{_number(value)} min"
