from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.alert_latch import Urgency
from tocsin.core.breach_rules import named_rule, replay
from tocsin.core.burn_rate import max_burn
from tocsin.core.condition_rule import BurnCondition, Comparison, ConditionRule
from tocsin.core.depletion_rule import DepletionBasis, DepletionRule
from tocsin.core.reachability import Report, Verdict, can_it_fire, conditions_of
from tocsin.core.rule_protocol import Rule

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH = 30 * DAY


def report(rule: Rule | str, target: str, *, every: timedelta = MINUTE, per_hour: int | None = None) -> Report:
    judged = named_rule(rule, period=MONTH) if isinstance(rule, str) else rule
    traffic = None if per_hour is None else Fraction(per_hour)
    return can_it_fire(judged, target=Decimal(target), period=MONTH, every=every, events_per_hour=traffic)


def verdicts(found: Report) -> dict[tuple[str, timedelta], Verdict]:
    return {(one.condition.urgency.value, one.condition.window): one.verdict for one in found.reaches}


def test_two_percent_in_an_hour_can_never_fire_at_ninety_percent() -> None:
    found = report("workbook", "0.9")
    assert verdicts(found)["page", HOUR] is Verdict.NEVER
    assert verdicts(found)["page", 6 * HOUR] is Verdict.FIRES
    assert "burns at 10" in found.reaches[0].text
    assert "14.4" in found.reaches[0].text
    assert found.can(Urgency.PAGE)
    assert found.ok


def test_a_rule_whose_pages_cannot_come_says_so() -> None:
    found = report("workbook", "0.8")
    assert not found.can(Urgency.PAGE)
    assert found.can(Urgency.TICKET)
    assert found.warnings == ("No page can ever come of this rule.",)


def test_five_nines_cannot_be_defended_by_alerting() -> None:
    found = report("workbook", "0.99999")
    assert any("25.92 s" in one and "Cannot be defended by alerting" in one for one in found.warnings)
    assert report("workbook", "0.9999").ok


@pytest.mark.parametrize(("target", "minutes"), [("0.999", Fraction(864, 1000)), ("0.99", Fraction(864, 100))])
def test_it_says_how_long_a_total_outage_takes(target: str, minutes: Fraction) -> None:
    [first, *_] = report("workbook", target).reaches
    assert first.outage_minutes == minutes


def test_at_ten_requests_an_hour_a_single_failure_is_enough_for_the_workbook_and_not_for_our_rule() -> None:
    theirs, ours = report("workbook", "0.999", per_hour=10), report("tocsin", "0.999", per_hour=10)
    assert "At this traffic a single failure is enough for a page." in theirs.warnings
    assert verdicts(theirs)["page", HOUR] is Verdict.ONE_FAILURE
    assert verdicts(ours)["page", MINUTE] is Verdict.TOO_FEW_EVENTS
    assert ours.can(Urgency.PAGE)


def test_what_nobody_asks_for_cannot_page() -> None:
    found = report("tocsin", "0.999", per_hour=0)
    assert found.warnings[:2] == ("No page can ever come of this rule.", "No ticket can ever come of this rule.")


def test_windows_shorter_than_the_ticks_are_named() -> None:
    [warning] = report("tocsin", "0.999", every=5 * MINUTE).warnings
    assert "1 min, 2 min" in warning
    assert report("tocsin", "0.999").ok


def test_an_operator_decides_about_equality_and_what_wants_slowness_is_left_alone() -> None:
    def one(op: Comparison) -> Verdict:
        rule = ConditionRule((BurnCondition(Urgency.PAGE, Fraction(10), HOUR, op),), period=MONTH)
        return report(rule, "0.9").reaches[0].verdict

    assert [one(op) for op in Comparison] == [Verdict.NEVER, Verdict.FIRES, Verdict.NOT_JUDGED, Verdict.NOT_JUDGED]


def test_depletion_is_held_against_its_own_windows_budget() -> None:
    assert report(DepletionRule(threshold_percent=Fraction(40_000)), "0.997").reaches[0].verdict is Verdict.NEVER
    pro_rata = DepletionRule(basis=DepletionBasis.PERIOD_PRO_RATA)
    assert any("busy hours" in one for one in report(pro_rata, "0.997").warnings)


@given(
    target=st.sampled_from(["0.8", "0.9", "0.95", "0.99", "0.999"]),
    threshold=st.fractions(min_value=1, max_value=1200, max_denominator=50),
)
def test_what_can_never_fire_stays_silent_in_a_total_outage_and_the_rest_does_not(
    target: str, threshold: Fraction
) -> None:
    rule = ConditionRule((BurnCondition(Urgency.PAGE, threshold, 5 * MINUTE),), period=MONTH)
    [page] = replay([100] * 10, [100] * 10, step=MINUTE, target=Decimal(target), rule=rule)
    fired = bool(page.firing.any())
    assert report(rule, target).can(Urgency.PAGE) == fired == (threshold < max_burn(Decimal(target)))


@pytest.mark.parametrize("name", ["tocsin", "workbook", "depletion"])
def test_every_rule_of_the_product_can_be_judged(name: str) -> None:
    assert conditions_of(named_rule(name, period=MONTH))


def test_what_must_have_lasted_is_not_said_to_come_sooner() -> None:
    found = report("tocsin", "0.999")
    late = [one.outage_minutes for one in found.reaches if one.condition.not_before]
    assert late
    assert min(one for one in late if one is not None) >= 1
