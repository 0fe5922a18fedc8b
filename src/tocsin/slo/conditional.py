"""Conditional priorities: what a rule that raises after several breaches must say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tocsin.core.breach_frequency import CountedAs

_RAISE_KEYS = {"more_than", "within_seconds", "to", "count"}
_LONGEST_WINDOW_SECONDS = 24 * 3600


def checked_rule(
    raise_rule: Mapping[str, Any], priority: int | None, ranks: Sequence[int], problems: dict[str, str]
) -> dict[str, Any]:
    """The rule as an assignment keeps it; what is wrong with it is added to `problems` by its field."""
    rule = {"count": CountedAs.EPISODES.value, **raise_rule}
    if unknown := sorted(rule.keys() - _RAISE_KEYS):
        problems["raise_rule"] = f"does not know {unknown[0]!r}"
    whole = all(type(rule.get(key)) is int and rule[key] > 0 for key in ("more_than", "within_seconds", "to"))
    if not whole:
        problems["raise_rule"] = "needs more_than, within_seconds and to as whole numbers above zero"
    elif rule["within_seconds"] > _LONGEST_WINDOW_SECONDS:
        problems["raise_rule.within_seconds"] = "must be at most a day"
    elif rule["to"] not in ranks or priority is None or rule["to"] >= priority:
        problems["raise_rule.to"] = "must be a more urgent priority than the one it raises"
    if rule["count"] not in set(CountedAs):
        problems["raise_rule.count"] = f"must be one of {', '.join(CountedAs)}"
    return rule
