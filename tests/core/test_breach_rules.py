"""Replay and the incremental face are the same code: what one does, the other does."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.core.alert_latch import AlertState, Latch, Reason, Urgency
from tocsin.core.breach_rules import RuleState, evaluate, is_breach, judge_all, named_rule, replay, urgencies
from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.condition_rule import BurnCondition, Comparison, ConditionRule
from tocsin.core.depletion_rule import DepletionBasis, DepletionRule
from tocsin.core.errors import Invalid
from tocsin.core.ladder_rule import PAGE_LADDER, TICKET_LADDER, Ladder, LadderRule
from tocsin.core.rule_protocol import Rule
from tocsin.core.slo_windows import EPOCH, WindowArrays, WindowCounts, sliding_windows, steps_in
from tocsin.core.workbook_rule import PUBLISHED_PAIRS, WindowPair, WorkbookRule

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TARGET = Decimal("0.99")
NAMES = ["tocsin", "workbook", "depletion"]
Counts = npt.NDArray[np.int64]


def _small(span: timedelta) -> timedelta:
    return max(MINUTE, span // 60 // MINUTE * MINUTE)


def _small_ladder(ladder: Ladder) -> Ladder:
    rungs = tuple(
        replace(
            r,
            window=_small(r.window),
            still=_small(r.still),
            share=r.share / 100,
            since=r.since and _small(r.since),
            lost=r.lost and r.lost / 60,
        )
        for r in ladder.rungs
    )
    latch = Latch(timedelta(minutes=3), timedelta(minutes=12), timedelta(minutes=9), ladder.latch.yields_for_good)
    return Ladder(
        ladder.urgency, rungs, Fraction(1), 0.1, 1, Fraction(1), 4 * MINUTE, Fraction(1, 2), latch, pace=15 * MINUTE
    )


# The same rules in miniature, so that short series pass through every branch.
SMALL_RULES: list[Rule] = [
    DepletionRule(window=6 * MINUTE, every=3 * MINUTE, renotify_after=10 * MINUTE),
    DepletionRule(window=4 * MINUTE, every=None, renotify_after=7 * MINUTE),
    DepletionRule(basis=DepletionBasis.PERIOD_PRO_RATA, window=3 * MINUTE, every=MINUTE, period=30 * MINUTE),
    WorkbookRule(
        period=8 * HOUR,
        pairs=tuple(WindowPair(p.urgency, _small(p.long), _small(p.short), p.share) for p in PUBLISHED_PAIRS),
        own_window=5 * MINUTE,
    ),
    LadderRule(period=8 * HOUR, ladders=tuple(map(_small_ladder, (PAGE_LADDER, TICKET_LADDER))), own_window=5 * MINUTE),
    ConditionRule(
        conditions=(
            BurnCondition(Urgency.PAGE, Fraction(2), 6 * MINUTE, Comparison.GTE, alert_after=4 * MINUTE),
            BurnCondition(Urgency.TICKET, Fraction(1), 9 * MINUTE, short=2 * MINUTE),
            BurnCondition(Urgency.PAGE, Fraction(20), 2 * MINUTE, alert_after=MINUTE),
        ),
        own_window=5 * MINUTE,
        snooze=12 * MINUTE,
    ),
    ConditionRule(
        conditions=(
            BurnCondition(Urgency.PAGE, Fraction(1, 2), 3 * MINUTE, Comparison.LT, alert_after=7 * MINUTE),
            BurnCondition(Urgency.TICKET, Fraction(0), MINUTE, Comparison.LTE, alert_after=3 * MINUTE),
        ),
        own_window=5 * MINUTE,
        every=2 * MINUTE,
    ),
]


@st.composite
def series(draw: st.DrawFn) -> tuple[Counts, Counts]:
    runs = draw(st.lists(st.tuples(st.integers(1, 25), st.sampled_from([0, 1, 50]), st.integers(0, 100)), max_size=12))
    valid = np.repeat([v for _, v, _ in runs], [n for n, _, _ in runs]).astype(np.int64)
    percent = np.repeat([p for _, _, p in runs], [n for n, _, _ in runs]).astype(np.int64)
    return valid, valid * np.where(percent > 60, 0, percent) // 50


small_rules = st.sampled_from(SMALL_RULES)


def step_by_step(
    rule: Rule, valid: Counts, bad: Counts
) -> tuple[list[Urgency], list[list[bool]], list[list[int]], list[RuleState]]:
    """Evaluate every step by itself, the way the engine does."""
    state = RuleState(evaluated_at=EPOCH)
    firing: list[list[bool]] = [[] for _ in urgencies(rule)]
    told: list[list[int]] = [[] for _ in urgencies(rule)]
    states = []
    for i in range(valid.size):
        windows = {}
        for span in rule.windows():
            begin = max(0, i + 1 - steps_in(span, MINUTE))
            windows[span] = WindowCounts(int(valid[begin : i + 1].sum()), int(bad[begin : i + 1].sum()))
        found = evaluate(rule, windows, state, target=TARGET, now=EPOCH + (i + 1) * MINUTE)
        state = RuleState.from_json(found.state.as_json())
        states.append(state)
        for place, decision in enumerate(found.decisions):
            firing[place].append(decision.firing)
            if decision.notify:
                told[place].append(i)
    return list(urgencies(rule)), firing, told, states


@settings(deadline=None, max_examples=60)
@given(counts=series(), rule=small_rules)
def test_replay_is_the_running_rule_step_by_step(counts: tuple[Counts, Counts], rule: Rule) -> None:
    known, firing, told, _ = step_by_step(rule, *counts)
    found = replay(*counts, step=MINUTE, target=TARGET, rule=rule)
    assert [one.urgency for one in found] == known
    assert [one.firing.tolist() for one in found] == firing
    assert [one.notified.tolist() for one in found] == told


@settings(deadline=None)
@given(counts=series(), rule=small_rules, share=st.fractions(0, 1))
def test_cutting_off_the_future_changes_no_past(counts: tuple[Counts, Counts], rule: Rule, share: Fraction) -> None:
    valid, bad = counts
    known = int(valid.size * share)
    whole = replay(valid, bad, step=MINUTE, target=TARGET, rule=rule)
    cut = replay(valid[:known], bad[:known], step=MINUTE, target=TARGET, rule=rule)
    for full, part in zip(whole, cut, strict=True):
        assert full.firing[:known].tolist() == part.firing.tolist()
        assert full.notified[full.notified < known].tolist() == part.notified.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_named_rules_do_not_look_ahead_over_four_weeks(name: str) -> None:
    valid, bad = four_weeks()
    whole = replay(valid, bad, step=MINUTE, target=Decimal("0.999"), rule=name)
    for known in (1, 4_999, 5_050, 20_000):
        cut = replay(valid[:known], bad[:known], step=MINUTE, target=Decimal("0.999"), rule=name)
        for full, part in zip(whole, cut, strict=True):
            assert np.array_equal(full.firing[:known], part.firing)
            assert np.array_equal(full.notified[full.notified < known], part.notified)


def four_weeks() -> tuple[Counts, Counts]:
    rng = np.random.default_rng(1)
    valid = rng.poisson(100, 28 * 1440)
    bad = rng.binomial(valid, 0.001)
    bad[5_000:5_100] = valid[5_000:5_100]
    return valid, bad


@pytest.mark.parametrize("name", NAMES)
def test_every_named_rule_finds_an_outage_of_an_hour_and_a_half(name: str) -> None:
    page, *_ = replay(*four_weeks(), step=MINUTE, target=Decimal("0.999"), rule=name)
    assert page.urgency is Urgency.PAGE
    assert page.firing.dtype == np.bool_
    assert np.any((page.notified >= 5_000) & (page.notified < 5_010))


@settings(deadline=None)
@given(counts=series(), rule=small_rules)
def test_people_are_told_only_while_an_alert_fires(counts: tuple[Counts, Counts], rule: Rule) -> None:
    for found in replay(*counts, step=MINUTE, target=TARGET, rule=rule):
        assert found.firing[found.notified].all()
        assert all(sooner < later for sooner, later in pairwise(found.notified.tolist()))


@pytest.mark.req("R-9.2.11-8")
@settings(deadline=None)
@given(counts=series(), rule=small_rules)
def test_no_ticket_is_told_while_a_page_fires(counts: tuple[Counts, Counts], rule: Rule) -> None:
    page, *tickets = replay(*counts, step=MINUTE, target=TARGET, rule=rule)
    for ticket in tickets:
        assert not page.firing[ticket.notified].any()


def test_a_first_window_is_judged_on_what_is_there() -> None:
    valid, bad = np.full(10, 1000), np.full(10, 10)
    [page] = replay(valid, bad, step=MINUTE, target=Decimal("0.997"), rule="depletion")
    assert page.notified.tolist() == [4]


def test_the_published_example_is_told_at_step_39_after_an_hour_of_calm() -> None:
    valid, bad = np.full(760, 1000), np.zeros(760, dtype=np.int64)
    bad[60:105] = 10
    [page] = replay(valid, bad, step=MINUTE, target=Decimal("0.997"), rule="depletion")
    assert (page.notified - 60).tolist() == [39]


def test_steps_longer_than_the_grid_are_each_judged() -> None:
    valid, bad = np.full(6, 1000), np.array([0, 0, 0, 0, 0, 1000])
    [page] = replay(valid, bad, step=15 * MINUTE, target=Decimal("0.997"), rule="depletion")
    assert page.notified.tolist() == [5]


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_series_replays_to_nothing(name: str) -> None:
    for found in replay([], [], step=MINUTE, target=TARGET, rule=name):
        assert found.firing.size == 0
        assert found.notified.size == 0


@pytest.mark.parametrize("name", NAMES)
def test_silence_fires_nothing(name: str) -> None:
    nothing = np.zeros(5_000, dtype=np.int64)
    assert not any(found.firing.any() for found in replay(nothing, nothing, step=MINUTE, target=TARGET, rule=name))


@pytest.mark.parametrize(
    ("valid", "bad", "field"),
    [
        ([1, 2], [0], "bad"),
        ([1, -1], [0, 0], "valid"),
        ([1, 1], [0, -2], "bad"),
        ([1.5, 1], [0, 0], "valid"),
        ([[1, 1]], [[0, 0]], "valid"),
    ],
)
def test_series_that_are_no_counts_are_refused(valid: list[int], bad: list[int], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        replay(valid, bad, step=MINUTE, target=TARGET, rule="tocsin")
    assert field in refused.value.fields


def test_an_unknown_name_or_a_target_without_budget_is_refused() -> None:
    with pytest.raises(Invalid, match="unknown rule 'loud'"):
        named_rule("loud")
    with pytest.raises(Invalid, match="target"):
        replay([1], [0], step=MINUTE, target=Decimal(1), rule="workbook")


def test_a_named_rule_takes_the_objectives_period() -> None:
    rule = named_rule("workbook", period=timedelta(days=28))
    assert isinstance(rule, WorkbookRule)
    assert rule.pairs[0].limit(rule.period) == Fraction("13.44")


def test_between_ticks_nothing_is_judged_and_the_alert_stays() -> None:
    rule = DepletionRule(window=HOUR)
    hot = {HOUR: WindowCounts(100, 50)}
    opened = evaluate(rule, hot, RuleState(), target=TARGET, now=EPOCH + 5 * MINUTE)
    between = evaluate(rule, hot, opened.state, target=TARGET, now=EPOCH + 7 * MINUTE)
    [decision] = between.decisions
    assert (decision.reason, decision.firing, decision.notify) == (Reason.NOT_DUE, True, False)
    assert (between.state, between.breached) == (opened.state, None)


def test_a_decision_explains_itself_with_numbers() -> None:
    rule = DepletionRule(window=HOUR)
    found = evaluate(rule, {HOUR: WindowCounts(100, 3)}, RuleState(), target=TARGET, now=EPOCH)
    [decision] = found.decisions
    assert decision.notify
    assert decision.explanation == (
        "the condition has begun to hold: 3 of 100 events bad (3 %) in the last 1 h: burn rate 3, limit 2"
    )
    quiet = evaluate(rule, {HOUR: WindowCounts(100, 0)}, RuleState(), target=TARGET, now=EPOCH)
    assert quiet.decisions[0].explanation == "nothing to tell"


@pytest.mark.parametrize(
    ("bad", "valid", "expected"), [(1, 100, False), (2, 100, True), (1, 99, True), (0, 0, None), (0, 5, False)]
)
def test_a_breach_is_an_error_ratio_strictly_above_what_is_allowed(bad: int, valid: int, expected: bool | None) -> None:
    rule = DepletionRule(window=HOUR)
    windows = {HOUR: WindowCounts(valid, bad)}
    assert is_breach(rule, windows, target=TARGET) is expected
    assert evaluate(rule, windows, RuleState(), target=TARGET, now=EPOCH).breached is expected


@pytest.mark.req("R-9.2.11-6")
def test_breaches_go_on_being_seen_while_the_alert_is_quiet() -> None:
    rule, state = DepletionRule(window=HOUR), RuleState()
    seen = []
    for tick in range(1, 24):
        found = evaluate(
            rule, {HOUR: WindowCounts(100, 50)}, state, target=TARGET, now=EPOCH + tick * timedelta(minutes=5)
        )
        state = found.state
        seen.append((found.breached, found.decisions[0].notify))
    assert seen == [(True, True)] + [(True, False)] * 22


def test_states_of_another_rule_are_no_hindrance() -> None:
    state = RuleState({Urgency.TICKET: AlertState(firing=True, opened_at=EPOCH)})
    found = evaluate(DepletionRule(window=HOUR), {HOUR: WindowCounts(10, 0)}, state, target=TARGET, now=EPOCH)
    assert [decision.reason for decision in found.decisions] == [Reason.QUIET]
    assert state.firing
    assert not found.state.firing


def test_a_state_that_was_never_stored_is_at_rest() -> None:
    assert RuleState.from_json({}) == RuleState()
    assert RuleState.from_json(RuleState().as_json()) == RuleState()


@pytest.mark.parametrize("rule", SMALL_RULES)
def test_a_fleet_is_judged_like_its_members(rule: Rule) -> None:
    rng = np.random.default_rng(7)
    valid = np.repeat(rng.integers(0, 50, (40, 6)), 5, axis=0)
    bad = rng.binomial(valid, rng.choice([0.0, 0.01, 0.3], (40, 6)).repeat(5, axis=0))
    targets = [TARGET, Decimal("0.999")] * 3
    states = alone = [RuleState() for _ in targets]
    history = [sliding_windows(valid[:, slo], bad[:, slo], rule.windows(), step=MINUTE) for slo in range(6)]
    for i in range(valid.shape[0]):
        now = EPOCH + (i + 1) * (rule.every or MINUTE)
        each = [{s: WindowCounts(int(w.valid[i]), int(w.bad[i])) for s, w in windows.items()} for windows in history]
        sums = {span: WindowArrays.of([windows[span] for windows in each]) for span in rule.windows()}
        changed = judge_all(rule, sums, states, targets=AllowedRatio.of_each(targets), now=now)
        found = [
            evaluate(rule, windows, state, target=target, now=now)
            for windows, state, target in zip(each, alone, targets, strict=True)
        ]
        states = [changed[row][0] if row in changed else state for row, state in enumerate(states)]
        alone = [one.state for one in found]
        for row, one in enumerate(found):
            told = [outcome.notify for outcome in changed[row][1]] if row in changed else [False] * len(one.decisions)
            assert told == [decision.notify for decision in one.decisions]
            for urgency in urgencies(rule):
                assert states[row].alert(urgency) == alone[row].alert(urgency)
