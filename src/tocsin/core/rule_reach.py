"""Whether a rule could ever speak for a target: asked of the rule itself, with everything failing."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from tocsin.core.alert_latch import Heat, Urgency
from tocsin.core.breach_frequency import CountedAs, FrequencyRule
from tocsin.core.breach_rules import urgencies
from tocsin.core.budget_priorities import UnreachableRow, unreachable_velocity_rows
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
    """Return why a conditional priority can never be raised, None when it may be.

    What counts lies at least one evaluation apart, runs of breaches further than that.
    """
    if rule.window > rule.more_than * every:
        return None
    what = "breaches" if rule.counted_as is CountedAs.OCCURRENCES else "runs of breaches"
    return (
        f"More than {rule.more_than} {what} do not fit into {span_text(rule.window)} when the SLO is judged every "
        f"{span_text(every)}: the priority would never be raised."
    )


def velocity_warnings(target: Decimal, period: timedelta, codes: Mapping[int, str]) -> tuple[str, ...]:
    """Return a sentence for each row of the speed table that even traffic can never meet; ``codes`` name the priorities."""
    return tuple(_out_of_reach(one, codes) for one in unreachable_velocity_rows(target, period))


def _out_of_reach(one: UnreachableRow, codes: Mapping[int, str]) -> str:
    code = codes.get(one.row.priority, str(one.row.priority))
    window = span_text(one.row.window)
    return (
        f"{code} (more than {float(100 * one.row.more_than):g} % in {window}) cannot be reached at even traffic: it takes a "
        f"burn rate above {float(one.burn_needed):,.4g}, a total outage burns at {float(one.burn_possible):,.4g}. It "
        f"would take a target above {float(100 * one.fires_above):.7g} %, or "
        f"{float(100 * one.traffic_share_needed):.3g} % of the period's traffic in {window}, all of it failing."
    )
