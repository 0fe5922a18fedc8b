"""From the JSON an SLO carries to the alert rule of core that judges it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from tocsin.core.alert_latch import Urgency
from tocsin.core.breach_rules import named_rule
from tocsin.core.condition_rule import BurnCondition, Comparison, ConditionRule
from tocsin.core.depletion_rule import DepletionBasis, DepletionRule
from tocsin.core.error_budget import share_of
from tocsin.core.errors import Invalid
from tocsin.core.ladder_rule import LadderRule
from tocsin.core.rule_protocol import EVENTS, Rule, Unit
from tocsin.core.workbook_rule import WindowPair, WorkbookRule

BURN_RATE = "burnrate"


def rule_for(document: Mapping[str, Any], *, period: timedelta, renotify_after: timedelta, unit: Unit = EVENTS) -> Rule:
    """The rule that `document` describes, for an SLO with this budget period.

    `{"name": "tocsin" | "workbook" | "depletion"}`; tocsin also takes `told_again_percent` (of the budget; 0: people are
    told once), depletion `threshold_percent`, `window_seconds`,
    `every_seconds` and `basis`; `{"name": "burnrate", "conditions": [{"op", "threshold", "lookback_seconds",
    "alert_after_seconds", "severity", "urgency", "short_seconds"}], "snooze_seconds"}` is what OpenSLO's alert
    conditions become (`pairs` is how it was written before). Raises Invalid naming the wrong field.
    """
    name = document.get("name", "tocsin")
    if name == BURN_RATE and "pairs" in document:
        return WorkbookRule(name=BURN_RATE, period=period, pairs=_pairs(document, period), unit=unit)
    if name == BURN_RATE:
        snooze = _span(document, "snooze_seconds") if document.get("snooze_seconds") else None
        return ConditionRule(_conditions(document), period=period, snooze=snooze, unit=unit)
    rule = named_rule(name, period=period, unit=unit)
    if isinstance(rule, LadderRule) and "told_again_percent" in document:
        return rule.telling_again(_number(document, "told_again_percent") / 100)
    if isinstance(rule, DepletionRule):
        return replace(rule, renotify_after=renotify_after, **_depletion(document))
    return rule


def _depletion(document: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "threshold_percent" in document:
        changes["threshold_percent"] = _positive(document, "threshold_percent")
    if "window_seconds" in document:
        changes["window"] = _span(document, "window_seconds")
    if "every_seconds" in document:
        changes["every"] = _span(document, "every_seconds")
    if "basis" in document:
        changes["basis"] = _basis(document["basis"])
    return changes


def _basis(text: Any) -> DepletionBasis:
    try:
        return DepletionBasis(text)
    except ValueError:
        raise Invalid({"rule.basis": f"must be one of {', '.join(DepletionBasis)}"}) from None


def _conditions(document: Mapping[str, Any]) -> tuple[BurnCondition, ...]:
    conditions = document.get("conditions")
    if not isinstance(conditions, list) or not conditions:
        raise Invalid({"rule.conditions": "a burn-rate rule needs at least one condition"})
    return tuple(map(_condition, conditions))


def _condition(one: Mapping[str, Any]) -> BurnCondition:
    op, urgency = one.get("op", Comparison.GT), one.get("urgency", Urgency.PAGE)
    if op not in set(Comparison):
        raise Invalid({"rule.op": f"must be one of {', '.join(Comparison)}"})
    if urgency not in set(Urgency):
        raise Invalid({"rule.urgency": f"must be one of {', '.join(Urgency)}"})
    return BurnCondition(
        urgency=Urgency(urgency),
        threshold=_number(one, "threshold"),
        lookback=_span(one, "lookback_seconds"),
        op=Comparison(op),
        alert_after=_span(one, "alert_after_seconds") if one.get("alert_after_seconds") else timedelta(0),
        short=_span(one, "short_seconds") if one.get("short_seconds") else None,
        severity=str(one.get("severity", "")),
    )


def _pairs(document: Mapping[str, Any], period: timedelta) -> tuple[WindowPair, ...]:
    pairs = document.get("pairs")
    if not isinstance(pairs, list) or not pairs:
        raise Invalid({"rule.pairs": "a burn-rate rule needs at least one pair of windows"})
    return tuple(_pair(pair, period) for pair in pairs)


def _pair(pair: Mapping[str, Any], period: timedelta) -> WindowPair:
    long = _span(pair, "long_seconds")
    short = _span(pair, "short_seconds") if pair.get("short_seconds") else long
    return WindowPair(
        urgency=Urgency(pair.get("urgency", Urgency.PAGE)),
        long=long,
        short=short,
        share=_positive(pair, "threshold") * share_of(long, period),
    )


def _number(document: Mapping[str, Any], key: str) -> Fraction:
    try:
        value = Fraction(str(document[key]))
    except (KeyError, ValueError, ZeroDivisionError):
        raise Invalid({f"rule.{key}": "must be a number"}) from None
    if value < 0:
        raise Invalid({f"rule.{key}": "must not be below zero"})
    return value


def _positive(document: Mapping[str, Any], key: str) -> Fraction:
    value = _number(document, key)
    if value == 0:
        raise Invalid({f"rule.{key}": "must be above zero"})
    return value


def _span(document: Mapping[str, Any], key: str) -> timedelta:
    seconds = _positive(document, key)
    if seconds % 60:
        raise Invalid({f"rule.{key}": "must be whole minutes, because events are counted by the minute"})
    return timedelta(seconds=int(seconds))


def written_rule(rule: Mapping[str, Any]) -> str:
    """A rule as it stands in an annotation: its name, or JSON where it has numbers of its own."""
    return str(rule["name"]) if set(rule) == {"name"} else json.dumps(dict(rule), sort_keys=True, default=str)
