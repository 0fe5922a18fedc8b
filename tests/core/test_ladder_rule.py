from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.core.alert_latch import Urgency
from tocsin.core.breach_rules import Replay, replay
from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.ladder import PAGE_LADDER, TICKET_LADDER
from tocsin.core.ladder_rule import LadderRule, is_significant
from tocsin.core.rule_protocol import span_text
from tocsin.core.slo_windows import WindowArrays, WindowCounts

MINUTE = timedelta(minutes=1)
DAY = 1440
TARGET = Decimal("0.999")
Counts = npt.NDArray[np.int64]


def quiet(days: int, each_minute: int = 1000) -> tuple[Counts, Counts]:
    valid = np.full(days * DAY, each_minute, dtype=np.int64)
    return valid, np.zeros_like(valid)


def judged(valid: Counts, bad: Counts, target: Decimal = TARGET) -> tuple[Replay, Replay]:
    page, ticket = replay(valid, bad, step=MINUTE, target=target, rule="tocsin")
    return page, ticket


def told_once(valid: Counts, bad: Counts, target: Decimal = TARGET) -> Replay:
    """The page of the rule that does not tell of growth."""
    return replay(valid, bad, step=MINUTE, target=target, rule=LadderRule().telling_again(Fraction(0)))[0]


def test_a_total_outage_pages_in_its_first_minute() -> None:
    valid, bad = quiet(2)
    bad[DAY:] = valid[DAY:]
    page, _ = judged(valid, bad)
    assert page.notified[0] == DAY
    assert page.firing[DAY:].all()


def test_errors_inside_the_budget_never_alert() -> None:
    valid, bad = quiet(4)
    bad[:] = 1
    page, ticket = judged(valid, bad)
    assert not page.firing.any()
    assert not ticket.firing.any()


def test_a_slow_burn_is_a_ticket_and_no_page() -> None:
    valid, bad = quiet(5)
    bad[2 * DAY :] = 3
    page, ticket = judged(valid, bad)
    assert not page.notified.size
    assert ticket.notified.size == 1
    assert 0 < ticket.notified[0] - 2 * DAY < DAY


def test_one_failure_of_a_quiet_service_pages_nobody() -> None:
    valid, bad = quiet(3, each_minute=0)
    valid[::6] = 1
    bad[2 * DAY] = 1
    page, ticket = judged(valid, bad)
    assert not page.firing.any()
    assert not ticket.firing.any()


def test_a_quiet_service_that_fails_altogether_pages_at_the_second_failure() -> None:
    valid, bad = quiet(3, each_minute=0)
    valid[::6] = 1
    bad[2 * DAY :] = valid[2 * DAY :]
    page, _ = judged(valid, bad)
    assert page.notified[0] == 2 * DAY + 6


def test_an_outage_that_flaps_is_one_story() -> None:
    valid, bad = quiet(3)
    for begin in range(DAY, DAY + 4 * 60, 40):
        bad[begin : begin + 5] = 600
    page, ticket = judged(valid, bad)
    assert page.notified[0] == DAY + 1
    assert told_once(valid, bad).notified.tolist() == [DAY + 1]
    ends = np.flatnonzero(~page.firing[1:] & page.firing[:-1])
    assert ends.size > 1
    assert not ticket.notified.size


def test_a_page_ends_when_the_errors_have_stayed_away() -> None:
    valid, bad = quiet(2)
    bad[DAY : DAY + 10] = valid[DAY : DAY + 10]
    page, _ = judged(valid, bad)
    last = int(np.flatnonzero(page.firing)[-1])
    calm_window, calm_for = PAGE_LADDER.calm_window // MINUTE, PAGE_LADDER.latch.calm_for // MINUTE
    assert last == DAY + 9 + calm_window + calm_for - 1


def test_a_small_burst_in_a_quiet_hour_is_held_against_the_days_traffic() -> None:
    valid, bad = quiet(3)
    night = slice(2 * DAY, 2 * DAY + 60)
    valid[night] = 10
    bad[night.start : night.start + 5] = 10
    page, _ = judged(valid, bad)
    assert not page.firing.any()
    without_pace = LadderRule(ladders=(replace(PAGE_LADDER, pace=None), TICKET_LADDER))
    [page, _] = replay(valid, bad, step=MINUTE, target=TARGET, rule=without_pace)
    assert page.firing.any()


def test_significance_needs_both_a_few_errors_and_a_certain_excess() -> None:
    rows = [(1000, 1), (1000, 2), (1000, 12), (10, 2), (100_000, 100), (100_000, 300)]
    sums = WindowArrays.of([WindowCounts(valid, bad) for valid, bad in rows])
    found = is_significant(sums, PAGE_LADDER, AllowedRatio.of(TARGET))
    assert found.tolist() == [False, False, True, True, False, True]


def test_limits_scale_with_the_period_and_never_fall_below_one() -> None:
    rung = TICKET_LADDER.rungs[-1]
    assert LadderRule().limit(rung) == 1
    assert LadderRule(period=timedelta(days=7)).limit(rung) == 1
    first = PAGE_LADDER.rungs[0]
    assert LadderRule().limit(first) == first.share * 30 * DAY


def test_it_names_all_windows_it_reads() -> None:
    windows = LadderRule().windows()
    assert list(windows) == sorted(set(windows))
    for ladder in (PAGE_LADDER, TICKET_LADDER):
        assert ladder.windows() <= set(windows)


def test_the_explanation_shows_the_rung_that_holds() -> None:
    rule = LadderRule()
    windows = {span: WindowCounts(1000 * (span // MINUTE), 0) for span in rule.windows()}
    windows |= {span: WindowCounts(c.valid, min(c.valid, 5000)) for span, c in windows.items()}
    text = rule.explain(windows, TARGET, Urgency.PAGE)
    assert f"in the last {span_text(rule.speaks_of(windows, TARGET, Urgency.PAGE))}:" in text
    assert "of the budget at even traffic" in text
    assert "burn rate 1000, limit" in text
    assert Fraction(text.split("limit ")[1].split()[0]) < 1000


def test_with_little_history_it_names_the_shortest_window_that_shows_the_fire() -> None:
    rule = LadderRule()
    minute = WindowCounts(1000, 1000)
    windows = dict.fromkeys(rule.windows(), minute)
    assert rule.speaks_of(windows, TARGET, Urgency.PAGE) == MINUTE
    assert "in the last 1 min:" in rule.explain(windows, TARGET, Urgency.PAGE)
    windows |= {MINUTE: WindowCounts(1000, 0), 2 * MINUTE: WindowCounts(2000, 0)}
    assert rule.speaks_of(windows, TARGET, Urgency.PAGE) > 2 * MINUTE


def test_one_ordinary_error_long_after_a_fire_does_not_bring_it_back() -> None:
    valid, bad = quiet(3, each_minute=20)
    bad[DAY : DAY + 20] = 20
    bad[DAY + 150] = 1
    page, _ = judged(valid, bad)
    assert page.notified.tolist() == [DAY]
    assert not page.firing[DAY + 60 :].any()


def test_what_lasts_pages_for_less_than_what_may_be_over_in_a_moment() -> None:
    lasting, burst = quiet(2), quiet(2)
    lasting[1][DAY : DAY + 12] = 45
    burst[1][DAY] = 12 * 45
    for (valid, bad), told in ((lasting, True), (burst, False)):
        page, _ = judged(valid, bad)
        assert bool(page.notified.size) is told


def test_more_than_a_burst_can_do_pages_for_less() -> None:
    valid, bad = quiet(2)
    bad[DAY : DAY + 3] = 900
    page, _ = judged(valid, bad, Decimal("0.995"))
    assert page.notified.tolist() == [DAY + 2]


class TestGrowth:
    """People are told again when a further share of the budget is gone."""

    def test_an_outage_is_told_again_each_hour_and_a_smouldering_one_when_it_has_cost_as_much(self) -> None:
        for failing, every in ((1000, 60), (8, 180)):
            valid, bad = quiet(3)
            bad[DAY:] = failing
            page, _ = judged(valid, bad)
            told = page.notified.tolist()
            assert len(told) > 2
            assert {after - before for before, after in pairwise(told)} == {every}

    def test_what_stays_small_is_told_once(self) -> None:
        valid, bad = quiet(3)
        bad[DAY : DAY + 180] = 14
        page, _ = judged(valid, bad)
        assert page.notified.size == 1
        assert page.firing[DAY + 60 : DAY + 180].all()

    def test_a_trouble_that_is_over_does_not_grow(self) -> None:
        valid, bad = quiet(2)
        bad[DAY : DAY + 40] = 1000
        page, _ = judged(valid, bad)
        assert page.notified.tolist() == [DAY]

    def test_the_share_is_data_and_nought_switches_it_off(self) -> None:
        valid, bad = quiet(3)
        bad[DAY : 2 * DAY] = 40
        assert told_once(valid, bad).notified.size == 1
        told = [
            replay(valid, bad, step=MINUTE, target=TARGET, rule=LadderRule().telling_again(share))[0].notified.size
            for share in (Fraction(5, 100), Fraction(20, 100))
        ]
        assert told[0] > told[1] > 1

    @given(
        parts=st.lists(st.tuples(st.integers(5, 300), st.sampled_from([0, 1, 3, 8, 40, 300, 1000])), max_size=12),
        share=st.sampled_from([Fraction(1, 100), Fraction(5, 100), Fraction(1, 4)]),
    )
    @settings(max_examples=40, deadline=None)
    def test_growth_changes_no_alert_and_each_telling_stands_for_a_further_share(
        self, parts: list[tuple[int, int]], share: Fraction
    ) -> None:
        bad = np.repeat([0, *(each for _, each in parts)], [DAY, *(length for length, _ in parts)]).astype(np.int64)
        valid = np.full_like(bad, 1000)
        page = replay(valid, bad, step=MINUTE, target=TARGET, rule=LadderRule().telling_again(share))[0]
        once = told_once(valid, bad)
        assert (page.firing == once.firing).all()
        assert set(once.notified) <= set(page.notified)
        budget = Fraction(30 * DAY)  # one in a thousand of a thousand a minute
        for before, after in pairwise(page.notified.tolist()):
            if after not in once.notified:
                assert after - before >= 60
                assert int(bad[before + 1 : after + 1].sum()) > share * budget
