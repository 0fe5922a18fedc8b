"""What a change of an SLO does to its numbers, so that a budget before and after it can be understood."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from tocsin.core.document_diff import Difference, differences


class Effect(StrEnum):
    """What a changed setting touches, the gravest first."""

    COUNTS = "counts"  # from now on something else is counted
    BUDGET = "budget"  # the same counts are held against another measure
    ALERTS = "alerts"  # the budget stays as it is; people are told by another rule
    WORDS = "words"


_COUNTS = (
    "source",
    "good_query",
    "bad_query",
    "total_query",
    "threshold_query",
    "threshold_op",
    "threshold_value",
    "raw_query",
    "raw_type",
)
_BUDGET = ("target", "period", "budgeting", "slice_window", "slice_target", "calendar_start", "time_zone")
_ALERTS = ("rule", "evaluate_every", "renotify_after", "fallback")
_TOUCHED = {
    **dict.fromkeys(_COUNTS, Effect.COUNTS),
    **dict.fromkeys(_BUDGET, Effect.BUDGET),
    **dict.fromkeys(_ALERTS, Effect.ALERTS),
}
EFFECT_TEXTS: Mapping[Effect, str] = {
    Effect.COUNTS: "What was counted before stays as it was counted then; it leaves the budget as the period moves on.",
    Effect.BUDGET: "The whole period is reckoned by the new measure, also what was counted before the change.",
    Effect.ALERTS: "The budget is untouched; people are told by the new rule from then on.",
    Effect.WORDS: "No number is touched.",
}


def setting_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what differs between the settings of two versions of an SLO."""
    return differences(dict(before), dict(after))


def effects(changes: tuple[Difference, ...]) -> tuple[Effect, ...]:
    """Return what these changes touch, the gravest first; a change of words alone touches nothing else."""
    touched = {_TOUCHED.get(change.path.split(".")[0].split("[")[0], Effect.WORDS) for change in changes}
    return tuple(effect for effect in Effect if effect in touched)
