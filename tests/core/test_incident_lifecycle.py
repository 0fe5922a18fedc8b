"""The one table of transitions, and what may wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.core.process_samples import P1, P2, P4, PROCESS, at
from tocsin.core.errors import Refused
from tocsin.core.incident_lifecycle import (
    OPEN_STATES,
    TRANSITIONS,
    AlertEnd,
    Attention,
    AttentionFacts,
    AttentionReason,
    Event,
    State,
    Status,
    TransitionReason,
    accepted,
    alert_end,
    attention,
    is_open,
    missing_facts,
    reopening,
    status_of,
    transition,
)
from tocsin.core.priorities import PriorityState, urgency
from tocsin.core.process_parts import Urgency

WINDOW = PROCESS.lifecycle.reopen_within


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_no_event_leads_where_the_table_does_not(state: State, event: Event) -> None:
    found = transition(state, event)
    if found.changes:
        assert found.to in TRANSITIONS[state]
    assert found.reason.text


def test_every_arrow_of_the_table_is_reached_by_some_event() -> None:
    reached = {(state, transition(state, event).to) for state in State for event in Event}
    for state, targets in TRANSITIONS.items():
        for target in targets:
            assert (state, target) in reached


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_every_open_state_can_be_resolved(state: State) -> None:
    assert transition(state, Event.RESOLVE).to is State.RESOLVED


def test_the_three_words_cover_every_state_once() -> None:
    assert [status_of(state) for state in State].count(Status.RESOLVED) == 4
    assert {state for state in State if is_open(state)} == {
        state for state in State if status_of(state) is not Status.RESOLVED
    }


@pytest.mark.parametrize("state", [State.ACKNOWLEDGED, State.INVESTIGATING, State.IDENTIFIED, State.MITIGATED])
def test_a_second_acknowledgement_changes_nothing_and_is_no_fault(state: State) -> None:
    found = transition(state, Event.ACKNOWLEDGE)
    assert (found.allowed, found.changes, found.reason) == (True, False, TransitionReason.ALREADY_THERE)


def test_passing_on_takes_an_acknowledgement_back() -> None:
    assert accepted(transition(State.ACKNOWLEDGED, Event.TAKE_BACK)) is State.TRIGGERED


@pytest.mark.parametrize("state", [State.CLOSED, State.MERGED, State.CANCELLED])
def test_what_has_ended_for_good_stays_so(state: State) -> None:
    with pytest.raises(Refused, match="Declare a new one") as refusal:
        accepted(transition(state, Event.INVESTIGATE))
    assert refusal.value.reason == "ended_for_good"


def test_a_resolved_incident_is_reopened_only_as_such_and_only_in_time() -> None:
    assert transition(State.RESOLVED, Event.INVESTIGATE).reason is TransitionReason.NOT_FROM_HERE
    resolved_at = at("10:00")
    in_time = reopening(State.RESOLVED, resolved_at=resolved_at, window=WINDOW, now=resolved_at + WINDOW)
    assert in_time.to is State.INVESTIGATING
    late = reopening(
        State.RESOLVED, resolved_at=resolved_at, window=WINDOW, now=resolved_at + WINDOW + timedelta(seconds=1)
    )
    assert (late.to, late.reason) == (None, TransitionReason.REOPEN_WINDOW_OVER)
    assert not reopening(State.MITIGATED, resolved_at=None, window=WINDOW, now=resolved_at).changes
    assert not reopening(State.CLOSED, resolved_at=resolved_at, window=WINDOW, now=resolved_at).allowed


@pytest.mark.req("R-9.1-4")
def test_a_person_who_resolves_gives_service_and_category_and_a_machine_need_not() -> None:
    assert missing_facts(Event.RESOLVE, by_person=True, service=" ", category="") == ("service", "category")
    assert missing_facts(Event.RESOLVE, by_person=True, service="shop", category="") == ("category",)
    assert missing_facts(Event.RESOLVE, by_person=False, service="", category="") == ()
    assert missing_facts(Event.CLOSE, by_person=False, service="shop", category="") == ("category",)
    assert missing_facts(Event.ACKNOWLEDGE, by_person=True, service="", category="") == ()


@pytest.mark.parametrize(
    ("rank", "taken", "silent", "expected"),
    [
        (P1, True, False, AlertEnd.MARK_AND_ASK),
        (P1, False, True, AlertEnd.MARK_AND_ASK),
        (P1, False, False, AlertEnd.RESOLVE),
        (P2, True, True, AlertEnd.RESOLVE),
        (None, True, True, AlertEnd.RESOLVE),
    ],
)
def test_the_end_of_an_alert_resolves_unless_the_priority_asks_first(
    rank: int | None, taken: bool, silent: bool, expected: AlertEnd
) -> None:
    priority = None if rank is None else PROCESS.catalogue.by_rank(rank)
    assert alert_end(priority, taken_by_person=taken, source_fell_silent=silent) is expected


@pytest.mark.req("R-9.3.5-8")
def test_none_the_lowest_priority_and_what_is_snoozed_can_wait() -> None:
    def verdict(state: PriorityState, rank: int | None, **more: object) -> tuple[Attention, AttentionReason]:
        given = AttentionFacts(urgency(PROCESS.catalogue, state, rank), **more)  # type: ignore[arg-type]
        found = attention(given, now=at("12:00"))
        return found.attention, found.reason

    now, wait = Attention.NOW, Attention.CAN_WAIT
    assert verdict(PriorityState.SET, P1) == (now, AttentionReason.NEEDS_FOCUS)
    assert verdict(PriorityState.UNSET, None) == (now, AttentionReason.NEEDS_FOCUS)
    assert verdict(PriorityState.SET, P4) == (wait, AttentionReason.LOW_URGENCY)
    assert verdict(PriorityState.NONE, None) == (wait, AttentionReason.DECIDED_AS_NONE)
    assert verdict(PriorityState.SET, P1, snoozed_until_at=at("12:01")) == (wait, AttentionReason.SNOOZED)
    assert verdict(PriorityState.SET, P1, snoozed_until_at=at("12:00")) == (now, AttentionReason.NEEDS_FOCUS)
    assert verdict(PriorityState.SET, P4, something_late=True) == (now, AttentionReason.SOMETHING_IS_LATE)


def test_high_urgency_is_not_put_off() -> None:
    assert attention(AttentionFacts(Urgency.HIGH), now=at("12:00")).attention is Attention.NOW
