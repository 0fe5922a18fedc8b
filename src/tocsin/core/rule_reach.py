"""Whether a rule could ever speak for a target: asked of the rule itself, with everything failing."""

from datetime import timedelta
from decimal import Decimal

from tocsin.core.alert_latch import Heat, Urgency
from tocsin.core.breach_frequency import CountedAs, FrequencyRule
from tocsin.core.breach_rules import urgencies
from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.rule_protocol import Rule, span_text
from tocsin.core.slo_windows import WindowArrays, WindowCounts

_A_MINUTE = 1_000_000  # events; enough that chance explains nothing


def never_fires(rule: Rule, target: Decimal) -> tuple[Urgency, ...]:
    """Return the alerts of a rule that even a total outage of busy, even traffic would not open."""
    outage = {span: _all_bad(span) for span in {*rule.windows(), rule.own_window}}
    heats = rule.heats(outage, AllowedRatio.of(target))
    reached = {urgency for (urgency, _), heat in zip(rule.latches, heats, strict=True) if Heat(heat[0]) is Heat.BURNING}
    return tuple(urgency for urgency in urgencies(rule) if urgency not in reached)


def _all_bad(span: timedelta) -> WindowArrays:
    events = max(1, span // timedelta(minutes=1)) * _A_MINUTE
    return WindowArrays.of([WindowCounts(events, events)])


def rule_warnings(rule: Rule, target: Decimal) -> tuple[str, ...]:
    """Return a sentence for each alert that can never come."""
    percent = f"{(target * 100).normalize():f} %"
    return tuple(
        f"At a target of {percent} the rule “{rule.name}” can never open a {urgency.value}: "
        "even a total outage burns too slowly."
        for urgency in never_fires(rule, target)
    )


def frequency_warning(rule: FrequencyRule, *, every: timedelta) -> str | None:
    """Return why a conditional priority can never be raised, None when it can.

    Runs of breaches count. Two of them are at least two evaluations apart, or they would be one run.
    """
    if rule.counted_as is CountedAs.OCCURRENCES:
        fits = rule.window > rule.more_than * every
        what = "breaches"
    else:
        fits = rule.window > rule.more_than * 2 * every
        what = "runs of breaches"
    if fits:
        return None
    return (
        f"More than {rule.more_than} {what} do not fit into {span_text(rule.window)} when the SLO is judged every "
        f"{span_text(every)}: the priority would never be raised."
    )
