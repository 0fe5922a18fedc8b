"""An incident's way along its policy: one step at a time, never silent, and never later than promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tocsin.core.business_hours import BusinessHours, next_open
from tocsin.core.errors import Invalid, Refused
from tocsin.core.escalation import (
    FALLBACK_SOUGHT_AGAIN,
    Cause,
    Decision,
    Escalation,
    EscalationReason,
    PageKind,
    PassedOver,
    PassedOverReason,
    Phase,
    Policy,
    Step,
    acknowledge,
    at_once,
    begin,
    decide,
    end,
    end_quiet,
    end_snooze,
    escalate_by_hand,
    raise_priority,
    snooze,
    step_unreachable,
)

START = datetime(2026, 11, 23, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
REACHABLE = {"schedule:main": ["mia"], "schedule:backup": ["ben"], "team:all": ["mia", "ben", "tom"], "user:gap": []}


def policy(*targets: str, repeat: int = 0, fallback: tuple[str, ...] = ("team:all",)) -> Policy:
    chain = targets or ("schedule:main", "schedule:backup")
    return Policy("default", tuple(Step(5 * MINUTE, (target,)) for target in chain), repeat, fallback)


def people(decision: Decision) -> list[str]:
    return [page.person for page in decision.pages]


def walk(chain: Policy, until: timedelta, state: Escalation | None = None) -> list[tuple[int, str, list[str]]]:
    """Tick every minute and tell (minute, reason, people) of whatever was decided."""
    state = state or begin(chain, now=START)
    told = []
    for minute in range(int(until / MINUTE) + 1):
        decision = decide(state, chain, REACHABLE, now=START + minute * MINUTE)
        state = decision.state
        if decision.reason is not EscalationReason.NOTHING_DUE:
            told.append((minute, decision.reason.value, people(decision)))
    return told


@pytest.mark.req("R-9.3.9-4")
def test_main_then_backup_then_once_more_then_the_whole_team_and_that_is_an_event() -> None:
    assert walk(policy(repeat=1), 3 * HOUR) == [
        (0, "step_paged", ["mia"]),
        (5, "step_paged", ["ben"]),
        (10, "step_paged", ["mia"]),
        (15, "step_paged", ["ben"]),
        (20, "exhausted", ["mia", "ben", "tom"]),
    ]


@pytest.mark.req("R-9.3.9-4")
def test_an_acknowledgement_stops_it() -> None:
    chain = policy()
    first = decide(begin(chain, now=START), chain, REACHABLE, now=START)
    taken = acknowledge(first.state, now=START + MINUTE, timeout=None)
    later = decide(taken, chain, REACHABLE, now=START + 30 * timedelta(days=1))
    assert (later.reason, later.pages, later.next_at) == (EscalationReason.NOTHING_DUE, (), None)


def test_the_last_step_is_followed_by_nothing_unless_there_is_a_repeat() -> None:
    lonely = policy("schedule:main", fallback=())
    assert [step for _, _, step in walk(lonely, timedelta(minutes=4))] == [["mia"]]
    state = decide(begin(lonely, now=START), lonely, REACHABLE, now=START).state
    ended = decide(state, lonely, REACHABLE, now=START + 5 * MINUTE, last_resort=["root"])
    assert (people(ended), ended.pages[0].kind, ended.next_at) == (["root"], PageKind.FALLBACK, None)


def test_an_empty_step_is_passed_over_in_the_same_tick_and_says_why() -> None:
    chain = policy("user:gap", "user:deaf", "schedule:backup")
    decision = decide(begin(chain, now=START), chain, REACHABLE, now=START, unreachable={"user:deaf": ["dora"]})
    assert people(decision) == ["ben"]
    assert decision.passed_over == (
        PassedOver(0, 0, PassedOverReason.GAP),
        PassedOver(0, 1, PassedOverReason.UNREACHABLE),
    )
    assert decision.next_at == START + 5 * MINUTE


def test_a_policy_of_gaps_tells_the_fallback_at_once_and_only_once() -> None:
    chain = policy("user:gap", "user:gap", repeat=100)
    assert walk(chain, HOUR) == [(0, "exhausted", ["mia", "ben", "tom"])]


def test_a_policy_without_steps_tells_the_fallback() -> None:
    assert walk(Policy("empty", (), 3, ("team:all",)), HOUR) == [(0, "exhausted", ["mia", "ben", "tom"])]


def test_with_nobody_to_tell_it_keeps_looking_and_never_falls_silent() -> None:
    chain = policy("user:gap", fallback=("user:gap",))
    first = decide(begin(chain, now=START), chain, {}, now=START)
    assert (first.reason, first.next_at) == (EscalationReason.NOBODY_TO_TELL, START + FALLBACK_SOUGHT_AGAIN)
    assert not first.state.fallback_told
    second = decide(first.state, chain, {"user:gap": ["gus"]}, now=START + FALLBACK_SOUGHT_AGAIN)
    assert (second.reason, people(second), second.next_at) == (EscalationReason.EXHAUSTED, ["gus"], None)


def test_an_empty_last_step_makes_the_end_come_with_the_step_before_it() -> None:
    assert walk(policy("schedule:main", "user:gap"), HOUR) == [
        (0, "step_paged", ["mia"]),
        (5, "exhausted", ["mia", "ben", "tom"]),
    ]


def test_a_person_behind_two_targets_of_a_step_is_paged_once() -> None:
    chain = Policy("both", (Step(MINUTE, ("schedule:main", "team:all")),))
    decision = decide(begin(chain, now=START), chain, REACHABLE, now=START)
    assert [(page.person, page.target) for page in decision.pages] == [
        ("mia", "schedule:main"),
        ("ben", "team:all"),
        ("tom", "team:all"),
    ]


def test_escalating_by_hand_pages_the_next_step_at_once_also_after_an_acknowledgement() -> None:
    chain = policy()
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    taken = acknowledge(state, now=START + MINUTE, timeout=HOUR)
    passed_on = decide(escalate_by_hand(taken, chain, now=START + 2 * MINUTE), chain, REACHABLE, now=START + 2 * MINUTE)
    assert (people(passed_on), passed_on.cause, passed_on.state.phase) == (["ben"], Cause.BY_HAND, Phase.WAITING)
    assert passed_on.next_at == START + 7 * MINUTE


def test_escalating_by_hand_past_the_end_tells_the_fallback_and_then_begins_again() -> None:
    chain = policy("schedule:main")
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    ended = decide(escalate_by_hand(state, chain, now=START), chain, REACHABLE, now=START)
    assert ended.reason is EscalationReason.EXHAUSTED
    again = decide(escalate_by_hand(ended.state, chain, now=START + HOUR), chain, REACHABLE, now=START + HOUR)
    assert (people(again), again.pages[0].loop) == (["mia"], 1)


def test_when_the_fallback_answers_and_escalates_the_policy_begins_again() -> None:
    chain = policy("schedule:main")
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    state = decide(state, chain, REACHABLE, now=START + 5 * MINUTE).state
    taken = acknowledge(state, now=START + 6 * MINUTE, timeout=None)
    passed_on = decide(escalate_by_hand(taken, chain, now=START + HOUR), chain, REACHABLE, now=START + HOUR)
    assert [(page.person, page.loop, page.kind) for page in passed_on.pages] == [("mia", 1, PageKind.PAGE)]


def test_a_forgotten_acknowledgement_is_paged_again_from_the_first_step() -> None:
    chain = policy()
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    state = decide(state, chain, REACHABLE, now=START + 5 * MINUTE).state
    taken = acknowledge(state, now=START + 6 * MINUTE, timeout=HOUR)
    early = decide(taken, chain, REACHABLE, now=START + 6 * MINUTE + HOUR - timedelta.resolution)
    due = decide(early.state, chain, REACHABLE, now=START + 6 * MINUTE + HOUR)
    assert (early.pages, people(due), due.cause) == ((), ["mia"], Cause.ACKNOWLEDGEMENT_TIMED_OUT)


@pytest.mark.parametrize("steps_paged", [0, 1, 2, 3])
def test_after_a_snooze_the_first_step_is_paged_wherever_it_stood(steps_paged: int) -> None:
    chain = policy()
    state = begin(chain, now=START)
    for step in range(steps_paged):
        state = decide(state, chain, REACHABLE, now=START + step * 5 * MINUTE).state
    asleep = snooze(state, now=START + 16 * MINUTE, until=START + HOUR)
    assert decide(asleep, chain, REACHABLE, now=START + HOUR - MINUTE).pages == ()
    awake = decide(asleep, chain, REACHABLE, now=START + HOUR)
    assert (people(awake), awake.cause, awake.pages[0].step) == (["mia"], Cause.SNOOZE_ENDED, 0)
    assert end_snooze(asleep, chain, now=START + 17 * MINUTE).next_at == START + 17 * MINUTE


def test_a_snooze_into_the_past_is_refused() -> None:
    with pytest.raises(Invalid, match="ends in the future"):
        snooze(begin(policy(), now=START), now=START, until=START)


def test_maintenance_keeps_it_quiet_and_its_end_pages_the_first_step() -> None:
    chain = policy()
    quiet = begin(chain, now=START, quiet=True)
    assert decide(quiet, chain, REACHABLE, now=START + HOUR).reason is EscalationReason.NOTHING_DUE
    over = decide(end_quiet(quiet, chain, now=START + HOUR), chain, REACHABLE, now=START + HOUR)
    assert (people(over), over.cause) == (["mia"], Cause.QUIET_ENDED)


def test_the_end_of_maintenance_leaves_what_began_before_it_alone() -> None:
    chain = policy()
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    assert end_quiet(state, chain, now=START + MINUTE) == state


def test_a_step_whose_pages_all_failed_is_left_at_once() -> None:
    chain = policy()
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    failed = step_unreachable(state, loop=0, step=0, now=START + MINUTE)
    decision = decide(failed, chain, REACHABLE, now=START + MINUTE)
    assert (people(decision), decision.cause) == (["ben"], Cause.STEP_UNREACHABLE)


def test_the_failure_of_an_earlier_step_or_after_an_acknowledgement_changes_nothing() -> None:
    chain = policy()
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    state = decide(state, chain, REACHABLE, now=START + 5 * MINUTE).state
    assert step_unreachable(state, loop=0, step=0, now=START + 6 * MINUTE) == state
    taken = acknowledge(state, now=START + 6 * MINUTE, timeout=None)
    assert step_unreachable(taken, loop=0, step=1, now=START + 7 * MINUTE) == taken


def test_a_frozen_clock_is_caught_up_one_step_a_tick_and_the_lateness_is_told() -> None:
    chain = policy("schedule:main", "schedule:backup", "team:all")
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    thawed = START + 2 * HOUR
    decision = decide(state, chain, REACHABLE, now=thawed)
    assert (people(decision), decision.late_by) == (["ben"], 2 * HOUR - 5 * MINUTE)
    assert decision.next_at == thawed + 5 * MINUTE
    assert decide(decision.state, chain, REACHABLE, now=thawed).reason is EscalationReason.NOTHING_DUE


def test_a_page_that_waits_for_business_hours_never_comes_at_night() -> None:
    chain, hours = policy(), BusinessHours("Europe/Berlin")

    def hold(now: datetime) -> datetime:
        return next_open(hours, now=now)

    held = decide(begin(chain, now=START), chain, REACHABLE, now=START, hold=hold)
    opening = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert (held.reason, held.pages, held.next_at) == (EscalationReason.HELD, (), opening)
    late = datetime(2026, 11, 23, 15, 58, tzinfo=UTC)
    first = decide(held.state, chain, REACHABLE, now=late, hold=hold)
    assert (people(first), first.next_at) == (["mia"], opening + timedelta(days=1))


def test_a_hand_on_the_button_is_not_held() -> None:
    chain = policy()
    state = escalate_by_hand(begin(chain, now=START), chain, now=START)
    decision = decide(state, chain, REACHABLE, now=START, hold=lambda now: now + HOUR)
    assert people(decision) == ["mia"]


def test_raising_the_priority_ends_the_wait_for_business_hours() -> None:
    chain = policy()
    held = decide(begin(chain, now=START), chain, REACHABLE, now=START, hold=lambda _: START + 6 * HOUR)
    raised = raise_priority(held.state, chain, now=START + MINUTE, hold=at_once, ack_timeout=None)
    assert raised.next_at == START + MINUTE


def test_raising_the_priority_takes_the_hold_off_the_second_step_but_keeps_its_wait() -> None:
    chain = policy()
    state = decide(begin(chain, now=START), chain, REACHABLE, now=START).state
    held = replace(state, next_at=START + 6 * HOUR)
    assert raise_priority(held, chain, now=START + MINUTE, hold=at_once, ack_timeout=None).next_at == START + 5 * MINUTE
    assert raise_priority(held, chain, now=START + HOUR, hold=at_once, ack_timeout=None).next_at == START + HOUR


def test_raising_the_priority_starts_its_acknowledgement_timeout_now_unless_the_old_one_is_sooner() -> None:
    chain = policy()
    for timeout, expected in [(None, HOUR), (timedelta(minutes=10), HOUR), (3 * HOUR, 2 * HOUR)]:
        taken = acknowledge(begin(chain, now=START), now=START, timeout=timeout)
        raised = raise_priority(taken, chain, now=START + HOUR, hold=at_once, ack_timeout=HOUR)
        soonest = START + HOUR + HOUR if timeout is None else min(START + timeout, START + 2 * HOUR)
        assert raised.next_at == soonest, expected


def test_a_resolved_incident_pages_nobody_and_takes_no_orders() -> None:
    chain = policy()
    over = end(begin(chain, now=START))
    assert decide(over, chain, REACHABLE, now=START + HOUR).pages == ()
    for order in (
        lambda: acknowledge(over, now=START, timeout=None),
        lambda: escalate_by_hand(over, chain, now=START),
        lambda: snooze(over, now=START, until=START + HOUR),
    ):
        with pytest.raises(Refused, match="resolved"):
            order()


def test_every_reason_has_a_sentence_for_people_and_a_code_for_programs() -> None:
    for reasons in (EscalationReason, Cause, PassedOverReason):
        assert all(reason.text.endswith(".") and reason.value == reason.name.lower() for reason in reasons)
    assert str(EscalationReason.EXHAUSTED) == "exhausted"
