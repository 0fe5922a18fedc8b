"""The replay of a past: windows as production cuts them, priorities by frequency, what incidents would ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.core.breach_frequency import CountedAs, FrequencyReason, FrequencyRule, priority_by_frequency
from tocsin.core.breach_rules import named_rule, replay
from tocsin.core.business_hours import BusinessHours
from tocsin.core.errors import Invalid
from tocsin.core.priorities import Assignment, AssignMode, PriorityRule, PriorityState
from tocsin.core.process_definition import parse_process
from tocsin.core.recorded_past import (
    MINUTE,
    PastCoverage,
    RecordedPast,
    coverage_of,
    window_at,
    windows_at_each_minute,
)
from tocsin.core.rule_reach import frequency_warning, never_fires, rule_warnings
from tocsin.core.slo_windows import EPOCH
from tocsin.core.what_if import Findings, Judged, Meaning, breach_priorities, findings, incidents
from tocsin.core.what_if_tally import Asked, Tally, tally
from tocsin.core.what_if_words import alone, compared
from tocsin.process.defaults import default_document

START = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
TARGET = Decimal("0.99")
HALF_HOUR = timedelta(minutes=30)


def past(bad: list[int], *, per_minute: int = 1000, start: datetime = START, lead: int = 0) -> RecordedPast:
    valid = np.full(len(bad), per_minute, dtype=np.int64)
    known = np.ones(len(bad), dtype=np.bool_)
    return RecordedPast(start, valid, np.array(bad, dtype=np.int64), known, ~known, lead=lead)


def judged(series: RecordedPast, rule: str = "tocsin", target: Decimal = TARGET, every: timedelta = MINUTE) -> Findings:
    chosen = named_rule(rule)
    widths = dict.fromkeys({*chosen.windows(), chosen.own_window}, MINUTE)
    return findings(series, Judged(target, chosen, every), widths)


def decided(rank: int | None, **fields: object) -> Assignment:
    state = PriorityState.SET if rank is not None else PriorityState.NONE
    return Assignment(state, rank, valid_from_at=START, **fields)  # type: ignore[arg-type]


def opened(found: Findings, meaning: Meaning) -> list[tuple[int, int | None]]:
    return [(one.start, one.stages[-1].priority.rank) for one in incidents(found, meaning, reopen_within=HALF_HOUR)]


PROCESS = parse_process(default_document())


def cost(found: Findings, rank: int | None, *, groups: int = 1, zone: str = "UTC", **fields: object) -> Tally:
    meaning = Meaning(decided(rank, **fields))
    asked = Asked(PROCESS, BusinessHours(zone), groups=groups, management=1)
    return tally(found, incidents(found, meaning, reopen_within=HALF_HOUR), asked)


@pytest.mark.parametrize("rule", ["tocsin", "workbook", "depletion"])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_replay_tells_at_the_very_minutes_of_the_rules_own_replay(rule: str, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.tuples(st.sampled_from([0, 5, 12, 60, 400, 1000]), st.integers(1, 90)), max_size=8))
    bad = [share for share, minutes in parts for _ in range(minutes)]
    valid = [1000] * len(bad)
    expected = sorted(
        {int(step) for one in replay(valid, bad, step=MINUTE, target=TARGET, rule=rule) for step in one.notified}
    )
    assert judged(past(bad), rule).told.tolist() == expected


@settings(deadline=None, max_examples=60)
@given(
    bad=st.lists(st.integers(0, 50), min_size=1, max_size=400),
    first=st.integers(0, 5000),
    span=st.integers(1, 300),
    width=st.sampled_from([1, 15, 60]),
)
def test_a_window_begins_its_length_before_the_nearest_boundary(
    bad: list[int], first: int, span: int, width: int
) -> None:
    series = past(bad, start=EPOCH + first * MINUTE)
    every = windows_at_each_minute(series, {span * MINUTE: width * MINUTE})[span * MINUTE]
    step = len(bad) - 1
    end = (first + len(bad)) * 60
    nearest = (end + width * 30) // (width * 60) * width
    start = nearest - -(-span // width) * width
    assert int(every.bad[step]) == sum(bad[max(0, start - first) :])
    assert window_at(series, step, span * MINUTE, width * MINUTE).bad == int(every.bad[step])


def test_breaches_are_recorded_at_the_start_of_a_run_on_the_grid_and_when_people_are_told() -> None:
    found = judged(past([0] * 63 + [1000] * 4 + [0] * 120), every=timedelta(minutes=5))
    assert found.breaches[0] == 63
    # The hour's window holds the outage for an hour after its last minute but one; minute 64 ends at 65.
    assert set(found.breaches.tolist()) == {63} | {step for step in range(63, 125) if (step + 1) % 5 == 0} | set(
        found.told.tolist()
    )
    assert found.runs == 1


@settings(deadline=None, max_examples=60)
@given(
    ticks=st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1, max_size=25),
    more_than=st.integers(1, 4),
    counted_as=st.sampled_from(CountedAs),
)
def test_frequency_is_reckoned_as_the_evaluator_reckons_it(
    ticks: list[tuple[int, bool]], more_than: int, counted_as: CountedAs
) -> None:
    steps = np.cumsum(np.array([gap for gap, _ in ticks], dtype=np.int64))
    episodes = np.cumsum(np.array([new for _, new in ticks], dtype=np.int64))
    episodes -= episodes[0]
    series = past([0] * (int(steps[-1]) + 1))
    firing = np.zeros(series.minutes, dtype=np.bool_)
    found = Findings(series, steps, episodes, np.zeros(0, dtype=np.int64), firing)
    rule = FrequencyRule(base=4, raised=2, more_than=more_than, counted_as=counted_as)
    stamped = breach_priorities(found, Meaning(decided(4, raised_rank=2), frequency=rule))
    plain = FrequencyRule(base=4, raised=2, more_than=more_than, counted_as=CountedAs.OCCURRENCES)
    for place, priority in enumerate(stamped):
        if counted_as is CountedAs.OCCURRENCES:
            moments = steps[:place].tolist()
        else:
            last = {int(e): int(s) for e, s in zip(episodes[:place], steps[:place], strict=True)}
            moments = [at for number, at in last.items() if number != episodes[place]]
        expected = priority_by_frequency(
            plain, [series.end_of(at) for at in moments], now=series.end_of(int(steps[place]))
        )
        assert (priority.rule is PriorityRule.FREQUENCY) == (expected.reason is FrequencyReason.FREQUENT)


def test_an_incident_lasts_as_long_as_its_alerts_and_returns_within_the_time_for_it() -> None:
    outage = [1000] * 20
    found = judged(past([0] * 120 + outage + [0] * 75 + outage + [0] * 200 + outage + [0] * 120), "depletion")
    assert len(opened(found, Meaning(decided(1)))) == 2


def test_none_opens_nothing_and_undecided_opens_without_a_rank() -> None:
    found = judged(past([0] * 120 + [1000] * 20 + [0] * 120))
    assert opened(found, Meaning(decided(None))) == []
    assert [rank for _, rank in opened(found, Meaning())] == [None]
    assert [rank for _, rank in opened(found, Meaning(fallback=lambda step: 2))] == [2]
    assert [rank for _, rank in opened(found, Meaning(decided(1), AssignMode.MANUAL))] == [None]


def test_what_began_before_the_judged_part_is_not_counted() -> None:
    bad = [0] * 120 + [1000] * 20 + [0] * 300
    assert len(opened(judged(past(bad)), Meaning(decided(1)))) == 1
    assert opened(judged(past(bad, lead=130)), Meaning(decided(1))) == []


def test_a_page_at_three_in_the_morning_of_the_team_is_one_by_night() -> None:
    found = judged(past([0] * 120 + [1000] * 20 + [0] * 240))  # from 02:00 UTC on
    here, there = cost(found, 1), cost(found, 1, zone="Asia/Tokyo")  # 11:00 there
    assert (here.pages_by_day, here.pages_by_night) == (0, 1)
    assert (there.pages_by_day, there.pages_by_night) == (1, 0)


def test_a_priority_of_business_hours_never_pages_at_night_and_is_over_before_it_may() -> None:
    short = judged(past([0] * 120 + [1000] * 20 + [0] * 240))
    assert cost(short, 4).pages == 0
    assert cost(short, 4).work_items == 1
    long = judged(past([0] * 120 + [1000] * (8 * 60) + [0] * 240))
    assert (cost(long, 4).pages_by_day, cost(long, 4).pages_by_night) == (1, 0)


def test_updates_follow_the_cadence_of_the_priority_and_the_groups_chosen() -> None:
    found = judged(past([0] * 120 + [1000] * (5 * 60) + [0] * 240))
    one, two, three, four = (cost(found, rank) for rank in (1, 2, 3, 4))
    # Calm after seven and a half hours: opening, 2, 4, 6 h, closing; opening, 4 h, closing; opening, closing; nothing.
    assert [tallied.updates for tallied in (one, two, three, four)] == [5, 3, 2, 0]
    assert one.messages == 2 * one.updates  # the group and management
    assert cost(found, 3, groups=0).updates == 0
    assert [tallied.postmortems for tallied in (one, two, three, four)] == [1, 0, 0, 0]


def test_a_raise_quickens_the_updates_and_asks_for_what_the_higher_priority_asks() -> None:
    found = judged(past([0] * 600 + [300] * 300 + [0] * 240))
    raising = FrequencyRule(
        base=4, raised=1, more_than=60, window=timedelta(hours=24), counted_as=CountedAs.OCCURRENCES
    )
    meaning = Meaning(decided(4, raised_rank=1), frequency=raising)
    asked = Asked(PROCESS, BusinessHours("UTC"), groups=1)
    made = incidents(found, meaning, reopen_within=HALF_HOUR)
    assert [stage.priority.rank for stage in made[0].stages] == [4, 1]
    counted = tally(found, made, asked)
    assert (counted.postmortems, counted.work_items) == (1, 0)
    assert counted.updates >= 2


def test_what_still_burns_at_the_end_owes_no_closing_update() -> None:
    found = judged(past([0] * 120 + [1000] * 60))
    made = incidents(found, Meaning(decided(1)), reopen_within=HALF_HOUR)
    assert made[0].still_open
    assert tally(found, made, Asked(PROCESS, BusinessHours("UTC"), groups=1)).updates == 1


def test_hours_of_which_nothing_is_known_are_not_hours_without_errors() -> None:
    series = past([0] * 240)
    series.known[60:120] = False
    found = coverage_of(series)
    assert (found.hours, found.known_hours, found.is_whole) == (4, 3, False)
    assert "unknown, not good" in str(found)
    series.coarse[0:60] = True
    assert "1 hour is known by the sum of its hour only: short peaks there are flattened" in str(coverage_of(series))
    assert str(PastCoverage(10, 0, 0)) == "Nothing was recorded in this time, so nothing can be said."
    assert PastCoverage(0, 0, 0).share == 0.0


def test_words_stand_beside_todays_and_say_when_nothing_differs() -> None:
    found = judged(past([0] * 120 + [1000] * 20 + [0] * 240))
    first, second, third, _ = compared(cost(found, 1), cost(found, 3), days=90)
    assert first == "No page in 90 days, instead of 1 page (1 at night)."
    assert second.startswith("2 updates owed, ")
    assert third == "No postmortem owed, instead of 1 postmortem."
    assert compared(cost(found, 1), cost(found, 1), days=90)[0].endswith("as it stands.")
    assert alone(cost(found, 1), days=90) == "1 page (1 at night) in 90 days, 3 updates and 1 postmortem owed."


def test_a_rule_that_no_outage_can_meet_is_said_to_be_out_of_reach() -> None:
    assert [urgency.value for urgency in never_fires(named_rule("workbook"), Decimal("0.05"))] == ["page"]
    assert never_fires(named_rule("workbook"), Decimal("0.999")) == ()
    assert rule_warnings(named_rule("depletion"), Decimal("0.5"))[0].startswith("At a target of 50 % the rule")


@pytest.mark.parametrize(
    ("rule", "every", "fits"),
    [
        (FrequencyRule(base=4, raised=2), MINUTE, True),
        (FrequencyRule(base=4, raised=2), timedelta(minutes=15), True),
        (FrequencyRule(base=4, raised=2), timedelta(minutes=20), False),
        (FrequencyRule(base=4, raised=2, counted_as=CountedAs.OCCURRENCES), timedelta(minutes=15), True),
        (FrequencyRule(base=4, raised=2, counted_as=CountedAs.OCCURRENCES), timedelta(minutes=20), False),
    ],
)
def test_a_frequency_that_does_not_fit_into_its_window_is_said(
    rule: FrequencyRule, every: timedelta, fits: bool
) -> None:
    assert (frequency_warning(rule, every=every) is None) is fits


def test_a_past_of_unequal_rows_or_with_a_lead_beyond_it_is_refused() -> None:
    row = np.zeros(3, dtype=np.int64)
    known = np.ones(3, dtype=np.bool_)
    with pytest.raises(Invalid):
        RecordedPast(START, row, np.zeros(2, dtype=np.int64), known, known)
    with pytest.raises(Invalid):
        RecordedPast(START, row, row, known, known, lead=4)
