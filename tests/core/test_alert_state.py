"""What a message about an alert means, in the order in which messages really come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.alert_state import (
    REMEMBERED,
    RESOLVE_TIMEOUT,
    AlertDecision,
    AlertKind,
    AlertReason,
    EndDecision,
    EndKind,
    EndReason,
    Incoming,
    KnownAlert,
    decide,
    end_of_alert,
    said,
)

NOW = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZERO = datetime(1, 1, 1, tzinfo=UTC)


def firing(*, started: timedelta = 10 * MINUTE, lasts: timedelta = 4 * MINUTE) -> KnownAlert:
    return KnownAlert(True, NOW - started, NOW + lasts)


def over(*, started: timedelta = 10 * MINUTE, ended: timedelta = MINUTE, end_said: bool = True) -> KnownAlert:
    return KnownAlert(False, NOW - started, NOW - ended, end_said=end_said)


def known(decision: AlertDecision) -> KnownAlert:
    """The episode as it is stored after a decision."""
    still = decision.kind in {AlertKind.OPENED, AlertKind.REPEAT}
    return KnownAlert(still, decision.starts_at, decision.ends_at, decision.start_said, decision.end_said)


def test_an_alert_without_times_starts_now_and_ends_after_the_timeout() -> None:
    decision = decide(None, Incoming(), now=NOW)
    assert (decision.kind, decision.starts_at, decision.ends_at) == (AlertKind.OPENED, NOW, NOW + RESOLVE_TIMEOUT)
    assert (decision.start_said, decision.end_said) == (False, False)


def test_the_zero_time_is_no_time() -> None:
    assert said(ZERO) is None
    assert said(NOW) == NOW
    assert decide(None, Incoming(ZERO, ZERO), now=NOW) == decide(None, Incoming(), now=NOW)


def test_the_announced_end_is_kept_and_an_end_at_this_very_moment_has_passed() -> None:
    assert decide(None, Incoming(NOW - MINUTE, NOW + 4 * MINUTE), now=NOW).ends_at == NOW + 4 * MINUTE
    assert decide(firing(), Incoming(NOW - 10 * MINUTE, NOW), now=NOW).kind is AlertKind.RESOLVED


def test_a_start_in_the_future_is_the_fault_of_the_senders_clock() -> None:
    decision = decide(None, Incoming(NOW + timedelta(hours=3)), now=NOW)
    assert (decision.kind, decision.starts_at) == (AlertKind.OPENED, NOW)


def test_an_end_before_the_start_is_refused() -> None:
    decision = decide(None, Incoming(NOW + MINUTE, NOW - MINUTE), now=NOW)
    assert (decision.kind, decision.reason) == (AlertKind.REFUSED, AlertReason.ENDS_BEFORE_START)


def test_a_missing_start_with_an_end_that_passed_is_an_alert_that_ended_then() -> None:
    decision = decide(None, Incoming(None, NOW - MINUTE), now=NOW)
    assert (decision.starts_at, decision.ends_at) == (NOW - MINUTE, NOW - MINUTE)


@pytest.mark.req("R-9.2.11-1")
def test_repeats_add_nothing_but_a_later_announced_end() -> None:
    first = decide(None, Incoming(NOW, NOW + 4 * MINUTE), now=NOW)
    state, kinds = known(first), [first.kind]
    for minute in range(1, 60):
        repeat = decide(state, Incoming(NOW, NOW + (minute + 4) * MINUTE), now=NOW + minute * MINUTE)
        kinds.append(repeat.kind)
        state = known(repeat)
    assert kinds == [AlertKind.OPENED] + [AlertKind.REPEAT] * 59
    assert (state.starts_at, state.ends_at) == (NOW, NOW + 63 * MINUTE)


def test_a_source_that_counts_its_start_anew_has_not_made_a_new_cause() -> None:
    decision = decide(firing(), Incoming(NOW - MINUTE, NOW + 4 * MINUTE), now=NOW)
    assert (decision.kind, decision.starts_at) == (AlertKind.REPEAT, NOW - 10 * MINUTE)


def test_the_end_resolves_and_prometheus_saying_it_again_for_a_quarter_of_an_hour_does_nothing() -> None:
    end = Incoming(NOW - 10 * MINUTE, NOW - MINUTE)
    first = decide(firing(), end, now=NOW)
    assert (first.kind, first.ends_at, first.end_said) == (AlertKind.RESOLVED, NOW - MINUTE, True)
    for minute in range(1, 16):
        again = decide(known(first), end, now=NOW + minute * MINUTE)
        assert (again.kind, again.reason) == (AlertKind.IGNORED_REPEATED_RESOLVE, AlertReason.ALREADY_ENDED)


def test_a_resolve_in_words_needs_no_time() -> None:
    decision = decide(firing(), Incoming(ended=True), now=NOW)
    assert (decision.kind, decision.ends_at) == (AlertKind.RESOLVED, NOW)
    assert decide(firing(), Incoming(ends_at=NOW + MINUTE, ended=True), now=NOW).ends_at == NOW


def test_a_start_after_the_end_opens_again_also_within_the_same_second() -> None:
    ended = over(ended=timedelta(0))
    decision = decide(ended, Incoming(), now=NOW)
    assert (decision.kind, decision.reason) == (AlertKind.OPENED, AlertReason.STARTED_AGAIN)


def test_an_end_that_overtook_its_beginning_is_remembered_so_that_the_beginning_opens_nothing() -> None:
    start, end = Incoming(NOW - 3 * MINUTE, NOW + 2 * MINUTE), Incoming(NOW - 3 * MINUTE, NOW - MINUTE)
    first = decide(None, end, now=NOW)
    assert (first.kind, first.reason) == (AlertKind.IGNORED_UNKNOWN_RESOLVE, AlertReason.NEVER_SEEN)
    late = decide(known(first), start, now=NOW + MINUTE)
    assert (late.kind, late.reason) == (AlertKind.STALE_TRIGGER, AlertReason.LATE_START)


def test_what_is_still_reported_long_after_an_end_is_heard_again() -> None:
    state = over(ended=REMEMBERED)
    still = Incoming(state.starts_at, NOW + 4 * MINUTE)
    assert decide(state, still, now=NOW).reason is AlertReason.STILL_REPORTED
    assert decide(state, still, now=NOW - timedelta.resolution).kind is AlertKind.STALE_TRIGGER


def test_a_source_that_comes_back_from_silence_with_the_same_alert_opens_it_again() -> None:
    state = over(end_said=False)
    decision = decide(state, Incoming(state.starts_at, NOW + 4 * MINUTE), now=NOW)
    assert (decision.kind, decision.reason) == (AlertKind.OPENED, AlertReason.BACK_AFTER_SILENCE)


def test_the_late_end_of_an_earlier_alert_does_not_end_the_open_one() -> None:
    decision = decide(firing(started=MINUTE), Incoming(NOW - 20 * MINUTE, NOW - 5 * MINUTE), now=NOW)
    assert (decision.kind, decision.reason) == (AlertKind.STALE_RESOLVE, AlertReason.LATE_END)


def test_an_end_by_a_clock_that_runs_behind_ends_an_alert_whose_start_we_set_ourselves() -> None:
    ours = KnownAlert(True, NOW, NOW + RESOLVE_TIMEOUT, start_said=False, end_said=False)
    decision = decide(ours, Incoming(None, NOW - timedelta(seconds=1)), now=NOW + MINUTE)
    assert (decision.kind, decision.ends_at) == (AlertKind.RESOLVED, NOW)


@pytest.mark.parametrize(
    ("ends_in", "end_said", "grave", "taken", "expected"),
    [
        (MINUTE, True, True, True, EndDecision(EndKind.NOTHING, EndReason.STILL_FIRING)),
        (timedelta(0), True, False, True, EndDecision(EndKind.RESOLVE, EndReason.ENDED)),
        (timedelta(0), True, True, False, EndDecision(EndKind.RESOLVE, EndReason.ENDED)),
        (timedelta(0), True, True, True, EndDecision(EndKind.ASK, EndReason.ENDED_BUT_TAKEN)),
        (timedelta(0), False, False, False, EndDecision(EndKind.RESOLVE, EndReason.SILENT)),
        (timedelta(0), False, True, False, EndDecision(EndKind.MARK, EndReason.SILENT_AND_GRAVE)),
        (timedelta(0), False, True, True, EndDecision(EndKind.MARK, EndReason.SILENT_AND_GRAVE)),
    ],
)
def test_the_end_of_an_alert_resolves_unless_a_grave_incident_is_taken_or_the_source_merely_fell_silent(
    ends_in: timedelta, end_said: bool, grave: bool, taken: bool, expected: EndDecision
) -> None:
    alert = KnownAlert(True, NOW - MINUTE, NOW + ends_in, end_said=end_said)
    assert end_of_alert(alert, now=NOW, grave=grave, taken=taken) == expected


instants = st.none() | st.just(ZERO) | st.integers(-40, 40).map(lambda amount: NOW + amount * MINUTE)
messages = st.builds(Incoming, instants, instants, st.booleans())


@given(st.lists(st.tuples(messages, st.integers(0, 10)), max_size=12))
def test_no_story_of_messages_loses_a_start_or_stores_an_impossible_time(story: list[tuple[Incoming, int]]) -> None:
    now, state = NOW, None
    for incoming, minutes in story:
        now += minutes * MINUTE
        decision = decide(state, incoming, now=now)
        assert decision == decide(state, incoming, now=now)
        if decision.kind is AlertKind.REFUSED:
            continue
        assert decision.starts_at <= decision.ends_at
        assert decision.starts_at <= now
        assert (decision.ends_at > now) == (
            decision.kind in {AlertKind.OPENED, AlertKind.REPEAT, AlertKind.STALE_TRIGGER}
        )
        was_firing = state is not None and state.firing
        assert (decision.kind in {AlertKind.REPEAT, AlertKind.RESOLVED, AlertKind.STALE_RESOLVE}) == was_firing
        if decision.kind in {AlertKind.OPENED, AlertKind.REPEAT, AlertKind.RESOLVED} or state is None:
            state = known(decision)


@given(messages, messages)
def test_the_same_message_twice_changes_nothing_more_than_once(before: Incoming, message: Incoming) -> None:
    first = decide(None, before, now=NOW)
    state = None if first.kind is AlertKind.REFUSED else known(first)
    once = decide(state, message, now=NOW)
    if once.kind in {AlertKind.OPENED, AlertKind.REPEAT, AlertKind.RESOLVED}:
        twice = decide(known(once), message, now=NOW)
        assert twice.kind in {AlertKind.REPEAT, AlertKind.IGNORED_REPEATED_RESOLVE}
        if twice.kind is AlertKind.REPEAT:
            assert known(twice) == known(once)
