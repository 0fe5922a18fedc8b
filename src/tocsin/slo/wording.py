"""The sentences about an SLO that people read in alerts and on pages."""

from __future__ import annotations

from datetime import timedelta

from tocsin.core.alert_latch import Urgency
from tocsin.core.burn_rate import burn_rate
from tocsin.core.ladder_rule import LadderRule
from tocsin.core.rule_protocol import Rule, span_text
from tocsin.slo import judging, snapshots
from tocsin.slo.judging import Verdict
from tocsin.slo.models import Objective, ObjectiveState


def percent(part: int, whole: int) -> str:
    """A share as people say it, with three meaningful digits."""
    return f"{100 * part / whole:.3g} %" if whole else "none"


def breach_summary(objective: Objective, verdict: Verdict, urgency: Urgency) -> str:
    """What fails and how fast it eats the budget, in one line, over the window that made the rule speak.

    It begins with what its failing means to people: the name of an SLO says what is well, which a breach is not.
    """
    what = objective.use_case.rstrip(". ") or objective.label
    span = snapshots.rule_of(objective).speaks_of(verdict.windows, objective.target, urgency)
    window, counts = span_text(span), verdict.windows[span]
    burn = burn_rate(objective.target, counts.valid, counts.bad)
    if burn is None:
        return f"{what}: no events in the last {window}"
    failed = percent(counts.bad, counts.valid)
    times = f"{float(burn):,.0f}" if burn >= 100 else f"{float(burn):.3g}"
    return f"{what}: {failed} failed in the last {window}, {times} times what the target allows"


def growth_summary(verdict: Verdict, grown_in: timedelta) -> str:
    """How much of the budget has gone since people were told, and what is left of it."""
    window, spent = span_text(grown_in), verdict.budget.spent(verdict.windows[grown_in].bad)
    if spent is None or verdict.budget.left is None:
        return f"a further share of the budget went in the last {window}"
    left = max(0.0, float(verdict.budget.left))
    return f"a further {_hundredths(float(spent))} of the budget went in the last {window}, {_hundredths(left)} is left"


def _hundredths(share: float) -> str:
    return f"{share:,.0%}".replace("%", " %") if share >= 1 else f"{share * 100:.3g} %"


def told_again_words(rule: Rule) -> str:
    """When people hear again of what they know; empty where a rule does not say it by the budget."""
    share = rule.told_again if isinstance(rule, LadderRule) else 0
    if not share:
        return ""
    return (
        f"While a page fires, people are told again when a further {_hundredths(float(share))} of the budget is gone since "
        "they were told, once an hour at most."
    )


def no_data_summary(objective: Objective, state: ObjectiveState) -> str:
    since = f" since {state.last_data_at:%Y-%m-%d %H:%M} UTC" if state.last_data_at else ""
    return f"{objective.label}: no data{since}. This counts as unknown, not as good."


def data_back_summary(objective: Objective) -> str:
    return f"{objective.label}: data are back"


MECHANICAL = "mechanical, exploratory"
"""What every output says of a priority that one of the two budget tables gave."""

_RULES = {
    "assignment": "decided by the team",
    "frequency": "raised, because it came often",
    "left_to_a_person": "left to a person",
    judging.FALLBACK_REMAINING: f"from the budget that was left ({MECHANICAL})",
    judging.FALLBACK_VELOCITY: f"from the speed of the loss ({MECHANICAL})",
}


def rule_words(rule: str) -> str:
    """What gave a breach its priority, in words; empty when nobody had decided."""
    return _RULES.get(rule, "")
