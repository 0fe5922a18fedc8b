"""What is asked of an incident follows from its priority and severity, and changes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.process_samples import (
    ALL_HELD,
    COMMUNICATOR,
    COORDINATOR,
    CRITICAL,
    ERROR,
    EXPERT,
    P1,
    P2,
    P3,
    P4,
    PROCESS,
    WARNING,
    asked,
    at,
    decided,
    due,
    facts,
    process_with,
    told,
)
from tocsin.core.obligation_facts import (
    Audience,
    Obligation,
    ObligationFacts,
    ObligationReason,
    PriorityChange,
    SeverityChange,
)
from tocsin.core.obligations import Changes, ObligationRow, RowState, obligations, reconcile
from tocsin.core.priorities import PriorityDuty, PriorityState, duties
from tocsin.core.process_definition import parse_process
from tocsin.core.process_parts import NAMED_PERSON
from tocsin.process.defaults import default_document

MANAGEMENT, GROUPS = Audience.MANAGEMENT, Audience.GROUPS
UNSET = PriorityChange(at("10:00"), PriorityState.UNSET, None)


def both(count: int, last: str, promised: str | None = None) -> tuple[Any, ...]:
    return tuple(told(audience, count=count, last=last, promised=promised) for audience in Audience)


@pytest.mark.req("R-9.2.3-5")
def test_the_first_priority_asks_for_hotfix_postmortem_management_groups_and_updates_every_two_hours() -> None:
    assert set(asked(facts(decided("10:00", P1)))) == {
        "hotfix",
        "postmortem",
        "update_opening:management:0",
        "update_opening:groups:0",
    }
    sent = facts(decided("10:00", P1), audiences=both(1, "10:05"))
    assert due(sent, "update_progress:management:1") == "12:05"
    assert due(sent, "update_progress:groups:1") == "12:05"


@pytest.mark.req("R-9.2.3-6")
def test_the_second_priority_asks_to_tell_management_and_groups_every_four_hours() -> None:
    assert set(asked(facts(decided("10:00", P2)))) == {"update_opening:management:0", "update_opening:groups:0"}
    sent = facts(decided("10:00", P2), audiences=both(1, "10:05"))
    assert due(sent, "update_progress:management:1") == "14:05"


@pytest.mark.req("R-9.2.3-7")
def test_the_third_priority_asks_to_tell_groups_every_eight_hours_and_never_management() -> None:
    assert set(asked(facts(decided("10:00", P3)))) == {"update_opening:groups:0"}
    sent = facts(decided("10:00", P3), audiences=(told(GROUPS, count=1, last="10:05"),))
    assert due(sent, "update_progress:groups:1") == "18:05"


@pytest.mark.req("R-9.2.3-19")
def test_management_hears_of_a_third_priority_only_when_a_person_adds_it() -> None:
    added = facts(decided("10:00", P3), management_added=True)
    assert set(asked(added)) == {"update_opening:groups:0", "update_opening:management:0"}


@pytest.mark.req("R-9.2.3-8")
def test_the_fourth_priority_asks_for_a_work_item_and_for_nothing_else() -> None:
    found = asked(facts(decided("10:00", P4)))
    assert set(found) == {"work_item"}
    assert found["work_item"].owner_role == EXPERT


@pytest.mark.req("R-9-3")
def test_changing_the_class_changes_the_list() -> None:
    lists = {rank: frozenset(asked(facts(decided("10:00", rank)))) for rank in (P1, P2, P3, P4)}
    assert len(set(lists.values())) == 4


@pytest.mark.req("R-9.2.3-11")
def test_the_opening_is_due_fifteen_minutes_after_the_priority_was_set() -> None:
    assert due(facts(decided("10:00", P1)), "update_opening:groups:0") == "10:15"
    late_decision = facts(UNSET, decided("11:00", P2))
    assert due(late_decision, "update_opening:groups:0") == "11:15"


def test_an_undecided_priority_asks_for_a_decision_and_for_nothing_it_would_entail() -> None:
    found = asked(facts(UNSET))
    assert set(found) == {"set_priority"}
    assert found["set_priority"].reason is ObligationReason.PRIORITY_UNDECIDED
    assert due(facts(UNSET), "set_priority") == "10:15"
    assert set(asked(facts())) == {"set_priority"}
    assert asked(facts(UNSET, resolved_at=at("11:00"))) == {}


def test_without_chosen_groups_the_choice_itself_is_asked_for() -> None:
    found = asked(facts(decided("10:00", P3), groups=()))
    assert set(found) == {"choose_groups"}
    assert "choose_groups" not in asked(facts(decided("10:00", P4), groups=()))


@pytest.mark.req("R-9.2.2-2")
def test_raising_at_half_past_eleven_after_an_update_at_nine_makes_the_next_one_due_at_once() -> None:
    raised = facts(
        decided("08:00", P3), decided("11:30", P1), audiences=(told(GROUPS, count=1, last="09:00", promised="17:00"),)
    )
    assert due(raised, "update_progress:groups:1") == "11:30"
    assert due(raised, "update_opening:management:0") == "11:45"
    assert {"hotfix", "postmortem"} <= set(asked(raised))


@pytest.mark.req("R-9.2.2-2")
def test_lowering_at_one_after_an_update_at_noon_keeps_two_o_clock_and_then_six() -> None:
    lowered = facts(decided("10:00", P1), decided("13:00", P2), audiences=both(2, "12:00", "14:00"))
    assert due(lowered, "update_progress:groups:2") == "14:00"
    assert not {"hotfix", "postmortem"} & set(asked(lowered))
    kept = replace(lowered, audiences=both(3, "14:00"))
    assert due(kept, "update_progress:groups:3") == "18:00"


def test_what_was_due_does_not_move_while_time_passes() -> None:
    raised = facts(decided("08:00", P3), decided("11:30", P1), audiences=(told(GROUPS, count=1, last="09:00"),))
    assert {due(raised, "update_progress:groups:1", now=clock) for clock in ("11:30", "12:00", "20:00")} == {"11:30"}


def test_a_detour_of_the_priority_is_reckoned_change_by_change() -> None:
    detour = facts(
        decided("08:00", P2),
        decided("10:00", P3),
        decided("11:00", P1),
        audiences=(told(GROUPS, count=1, last="09:00", promised="13:00"),),
    )
    assert due(detour, "update_progress:groups:1") == "11:00"
    assert due(detour, "update_progress:groups:1", now="10:30") == "13:00"


def test_a_promise_sooner_than_the_cadence_counts() -> None:
    sooner = facts(decided("10:00", P1), audiences=both(1, "10:00", "10:30"))
    found = asked(sooner)["update_progress:groups:1"]
    assert (found.due_at, found.reason) == (at("10:30"), ObligationReason.PROMISE_GIVEN)


@pytest.mark.req("R-9.2.3-13")
def test_an_extra_update_resets_the_clock() -> None:
    assert due(facts(decided("10:00", P1), audiences=both(2, "10:50")), "update_progress:groups:2") == "12:50"


@pytest.mark.req("R-9.2.3-12")
def test_resolving_makes_the_closing_update_due_at_once_and_the_promised_one_lapses() -> None:
    resolved = facts(decided("10:00", P1), audiences=both(2, "12:00", "14:00"), resolved_at=at("13:30"))
    found = asked(resolved)
    assert due(resolved, "update_closing:groups:2") == "13:30"
    assert due(resolved, "update_closing:management:2") == "13:30"
    assert not any(key.startswith("update_progress") for key in found)
    rows = [ObligationRow("update_progress:groups:2", RowState.OPEN, at("14:00"), COMMUNICATOR)]
    changes = reconcile(rows, found.values())
    assert changes.lapse == ("update_progress:groups:2",)
    assert "update_closing:groups:2" in {one.key for one in changes.create}


def test_after_the_closing_update_nothing_more_is_told() -> None:
    closed = tuple(replace(one, closing_sent_at=at("13:35")) for one in both(3, "13:35"))
    done = facts(decided("10:00", P1), audiences=closed, resolved_at=at("13:30"))
    assert set(asked(done)) == {"hotfix", "postmortem"}


def test_an_incident_that_ends_before_its_opening_still_owes_the_closing() -> None:
    quick = facts(decided("10:00", P2), resolved_at=at("10:05"))
    assert set(asked(quick)) == {"update_closing:management:0", "update_closing:groups:0"}


def test_those_who_were_told_hear_of_the_end_even_when_the_priority_no_longer_asks() -> None:
    lowered = facts(decided("10:00", P1), decided("11:00", P4), audiences=both(1, "10:05", "12:05"))
    assert due(lowered, "update_progress:management:1") == "12:05"
    kept = replace(lowered, audiences=both(2, "12:00"))
    assert set(asked(kept)) == {"work_item"}
    ended = replace(kept, resolved_at=at("13:00"))
    assert set(asked(ended)) == {"work_item", "update_closing:management:2", "update_closing:groups:2"}


def test_a_reopened_incident_opens_its_bracket_anew() -> None:
    closed = tuple(replace(one, closing_sent_at=at("13:35")) for one in both(3, "13:35"))
    reopened = facts(decided("10:00", P2), audiences=closed, reopened_at=at("13:50"))
    assert due(reopened, "update_opening:groups:3") == "14:05"


@pytest.mark.req("R-9.3.8-1")
def test_a_role_is_asked_for_within_its_limit_and_no_longer_once_it_is_held() -> None:
    empty = facts(decided("10:00", P4), severity=CRITICAL, held=frozenset())
    limits = {role: due(empty, f"fill_role:{role}") for role in (COORDINATOR, COMMUNICATOR, EXPERT)}
    assert limits == {COORDINATOR: "10:10", COMMUNICATOR: "10:15", EXPERT: "10:05"}
    assert "fill_role:" + EXPERT not in asked(replace(empty, roles_held=frozenset({EXPERT})))
    assert not [key for key in asked(replace(empty, resolved_at=at("11:00"))) if key.startswith("fill_role")]


@pytest.mark.req("R-9.3.3-1")
def test_roles_come_from_the_severity_and_actions_from_the_priority() -> None:
    for severity, count in ((CRITICAL, 3), (ERROR, 2), (WARNING, 1)):
        found = asked(facts(decided("10:00", P1), severity=severity, held=frozenset()))
        assert sum(key.startswith("fill_role") for key in found) == count
        assert {key for key in found if not key.startswith("fill_role")} == set(asked(facts(decided("10:00", P1))))


def test_a_graver_severity_calls_further_roles_from_its_own_moment() -> None:
    graver = facts(
        decided("10:00", P4),
        held=frozenset(),
        severities=(SeverityChange(at("10:00"), WARNING), SeverityChange(at("11:00"), ERROR)),
    )
    assert due(graver, f"fill_role:{EXPERT}") == "10:05"
    assert due(graver, f"fill_role:{COORDINATOR}") == "11:10"
    assert f"fill_role:{COORDINATOR}" not in asked(graver, now="10:59")


def test_nobody_is_late_before_somebody_is_expected_to_act() -> None:
    night = facts(decided("03:00", P3), held=frozenset(), response_starts_at=at("09:00"))
    assert due(night, f"fill_role:{EXPERT}") == "09:05"
    assert due(night, "update_opening:groups:0") == "09:15"


@pytest.mark.req("R-9.3.10-2")
def test_updates_are_owed_by_whoever_has_the_duty_at_that_severity() -> None:
    owners = {
        severity: asked(facts(decided("10:00", P2), severity=severity))["update_opening:groups:0"].owner_role
        for severity in (CRITICAL, ERROR, WARNING)
    }
    assert owners == {CRITICAL: COMMUNICATOR, ERROR: COORDINATOR, WARNING: EXPERT}


def test_the_postmortem_gets_its_time_when_the_incident_is_resolved() -> None:
    running = facts(decided("10:00", P1), severity=CRITICAL)
    assert asked(running)["postmortem"].due_at is None
    assert asked(running)["postmortem"].owner_role == COORDINATOR
    assert asked(replace(running, resolved_at=at("12:00")))["postmortem"].due_at == at("12:00", day=5)
    assert asked(facts(decided("10:00", P1)))["postmortem"].owner_role == NAMED_PERSON


def test_an_exercise_runs_the_process_and_tells_stakeholders_nothing() -> None:
    found = asked(facts(decided("10:00", P1), held=frozenset(), exercise=True))
    assert set(found) == {"hotfix", "postmortem", f"fill_role:{EXPERT}"}


def test_a_merged_incident_asks_for_nothing_but_the_end_of_what_was_begun() -> None:
    merged = facts(decided("10:00", P1), void=True, resolved_at=at("10:20"))
    assert asked(merged) == {}
    begun = replace(merged, audiences=(told(GROUPS, count=1, last="10:10"),))
    assert set(asked(begun)) == {"update_closing:groups:1"}


def test_fulfilled_and_waived_obligations_are_not_asked_for_again() -> None:
    given = facts(decided("10:00", P1), fulfilled=frozenset({"hotfix"}), waived=frozenset({"postmortem"}))
    assert not {"hotfix", "postmortem"} & set(asked(given))


def test_a_waived_progress_update_gives_way_to_the_next_one() -> None:
    waived = facts(
        decided("10:00", P1),
        audiences=(told(GROUPS, count=1, last="10:00"),),
        waived=frozenset({"update_progress:groups:1"}),
    )
    assert due(waived, "update_progress:groups:2") == "14:00"


def test_the_soonest_comes_first_and_what_has_no_time_last() -> None:
    found = obligations(facts(decided("10:00", P1), held=frozenset()), PROCESS, now=at("10:00"))
    times = [one.due_at for one in found]
    known = [time for time in times if time is not None]
    assert known == sorted(known)
    assert times == known + [None] * (len(times) - len(known))


CELLS = [
    ("priorities.priorities.0.criteria.hotfix_immediately", False, {"hotfix"}),
    ("priorities.priorities.0.criteria.postmortem", False, {"postmortem"}),
    ("priorities.priorities.0.criteria.notify_management", False, {"update_opening:management:0"}),
    ("priorities.priorities.0.work_item", True, {"work_item"}),
]


@pytest.mark.req("R-9-3")
@pytest.mark.parametrize(("path", "value", "changed"), CELLS)
def test_changing_one_cell_of_a_priority_changes_exactly_that_obligation(
    path: str, value: object, changed: set[str]
) -> None:
    other = process_with(path, value)
    for rank in (P1, P2, P3, P4):
        before, after = asked(facts(decided("10:00", rank))), asked(facts(decided("10:00", rank)), process=other)
        assert set(before) ^ set(after) == (changed if rank == P1 else set())
        assert all(before[key] == after[key] for key in set(before) & set(after))


def test_changing_the_cadence_moves_the_progress_updates_of_that_priority_only() -> None:
    other = process_with("priorities.priorities.0.criteria.update_every_minutes", 60)
    for rank, clock in ((P1, "11:00"), (P2, "14:00"), (P3, "18:00")):
        sent = facts(decided("10:00", rank), audiences=(told(GROUPS, count=1, last="10:00"),))
        assert due(sent, "update_progress:groups:1", process=other) == clock


def test_changing_a_role_cell_asks_for_that_role_only() -> None:
    other = process_with(f"roles.roles_by_severity.{ERROR}.{COMMUNICATOR}", "dedicated")
    for severity in (CRITICAL, ERROR, WARNING):
        given = facts(decided("10:00", P4), severity=severity, held=frozenset())
        extra = set(asked(given, process=other)) - set(asked(given))
        assert extra == ({f"fill_role:{COMMUNICATOR}"} if severity == ERROR else set())


def test_changing_answer_eight_changes_the_owner_of_updates_at_that_severity_only() -> None:
    other = process_with(f"questions.process_questions.7.machine.{ERROR}", EXPERT)
    for severity in (CRITICAL, ERROR, WARNING):
        given = facts(decided("10:00", P1), severity=severity)
        before, after = asked(given), asked(given, process=other)
        changed = {key for key in before if before[key] != after[key]}
        updates = {"update_opening:management:0", "update_opening:groups:0"}
        assert changed == (updates if severity == ERROR else set())


def test_duties_in_words_and_obligations_in_rows_say_the_same() -> None:
    for priority in PROCESS.catalogue.priorities:
        found = asked(facts(decided("10:00", priority.rank)))
        said = duties(priority)
        assert ("hotfix" in found) == (PriorityDuty.HOTFIX in said)
        assert ("postmortem" in found) == (PriorityDuty.POSTMORTEM in said)
        assert ("work_item" in found) == (PriorityDuty.WORK_ITEM in said)
        assert ("update_opening:management:0" in found) == (PriorityDuty.NOTIFY_MANAGEMENT in said)
        assert ("update_opening:groups:0" in found) == (PriorityDuty.NOTIFY_STAKEHOLDER_GROUPS in said)


def rows_after(rows: dict[str, ObligationRow], changes: Changes) -> dict[str, ObligationRow]:
    new = dict(rows)
    for one in (*changes.create, *changes.reopen, *changes.update_due):
        new[one.key] = ObligationRow(one.key, RowState.OPEN, one.due_at, one.owner_role)
    for key in changes.lapse:
        new[key] = replace(new[key], state=RowState.LAPSED)
    return new


def test_reconcile_creates_moves_lapses_reopens_and_keeps() -> None:
    first = asked(facts(decided("10:00", P1)))
    rows = rows_after({}, reconcile([], first.values()))
    assert set(rows) == set(first)
    assert reconcile(rows.values(), first.values()).is_empty

    lowered = facts(decided("10:00", P1), decided("11:00", P2))
    changes = reconcile(rows.values(), asked(lowered).values())
    assert set(changes.lapse) == {"hotfix", "postmortem"}
    assert not changes.create
    rows = rows_after(rows, changes)

    again = facts(decided("10:00", P1), decided("11:00", P2), decided("12:00", P1))
    changes = reconcile(rows.values(), asked(again).values())
    assert {one.key for one in changes.reopen} == {"hotfix", "postmortem"}
    assert set(changes.keep) == {"update_opening:management:0", "update_opening:groups:0"}


def test_reconcile_moves_a_due_time_and_an_owner_and_leaves_what_is_settled() -> None:
    one = asked(facts(decided("10:00", P2)))["update_opening:groups:0"]
    moved = ObligationRow(one.key, RowState.OPEN, at("09:00"), one.owner_role)
    assert reconcile([moved], [one]).update_due == (one,)
    other_owner = ObligationRow(one.key, RowState.OPEN, one.due_at, COMMUNICATOR)
    assert reconcile([other_owner], [one]).update_due == (one,)
    for state in (RowState.FULFILLED, RowState.WAIVED):
        settled = ObligationRow(one.key, state, at("09:00"), one.owner_role)
        assert reconcile([settled], [one]).is_empty
        assert reconcile([settled], []).is_empty


HISTORIES = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from([None, P1, P2, P3, P4])), min_size=1, max_size=6
).map(lambda steps: sorted(steps, key=lambda step: step[0]))


def history(steps: list[tuple[int, int | None]]) -> ObligationFacts:
    changes = tuple(
        PriorityChange(
            at(f"{minute // 60}:{minute % 60}"), PriorityState.UNSET if rank is None else PriorityState.SET, rank
        )
        for minute, rank in steps
    )
    return facts(*changes, held=ALL_HELD)


@given(HISTORIES, st.booleans())
def test_asking_twice_changes_nothing_and_keys_are_unique(steps: list[tuple[int, int | None]], heard: bool) -> None:
    given_facts = replace(history(steps), audiences=both(1, "05:00") if heard else ())
    found: tuple[Obligation, ...] = obligations(given_facts, PROCESS, now=at("23:00"))
    assert len({one.key for one in found}) == len(found)
    rows = rows_after({}, reconcile([], found))
    assert reconcile(rows.values(), obligations(given_facts, PROCESS, now=at("23:59"))).is_empty


@pytest.mark.req("R-9.1-9")
@given(HISTORIES, st.sampled_from([CRITICAL, ERROR, WARNING]), st.booleans(), st.integers(0, 23))
def test_the_same_inputs_give_the_same_obligations(
    steps: list[tuple[int, int | None]], severity: str, heard: bool, hour: int
) -> None:
    """Also from a process that was read anew from its document: nothing but the facts and the version counts."""
    given_facts = replace(
        history(steps),
        severities=(SeverityChange(at("10:00"), severity),),
        roles_held=frozenset(),
        audiences=both(1, "05:00") if heard else (),
    )
    once = obligations(given_facts, PROCESS, now=at(f"{hour}:00"))
    again = obligations(replace(given_facts), parse_process(default_document()), now=at(f"{hour}:00"))
    assert once == again
