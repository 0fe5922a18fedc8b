"""When a postmortem is owed, by when, and what it needs to move on."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.core.process_samples import CRITICAL, ERROR, P1, P2, P3, PROCESS, WARNING, at, document_with, process_with
from tocsin.core.postmortem_rules import (
    ActionItemFacts,
    BusinessDays,
    NeedReason,
    PostmortemState,
    StepReason,
    action_item_gaps,
    deadline,
    default_review_date,
    meeting_due,
    missing_sections,
    postmortem_need,
    step_decision,
)
from tocsin.core.process_definition import parse_process
from tocsin.core.process_parts import DayCount

FULL = {section.code: "Something was written here." for section in PROCESS.postmortem.sections}
ITEM = ActionItemFacts("Watch the certificates", "ana", date(2026, 3, 16))


@pytest.mark.req("R-9.5.1-4")
def test_the_final_priority_decides_unless_the_process_says_the_highest() -> None:
    highest = process_with("postmortem.required_by", "highest_priority")
    assert postmortem_need(PROCESS, final_priority=P1, highest_priority=P1).reason is NeedReason.PRIORITY
    assert not postmortem_need(PROCESS, final_priority=P2, highest_priority=P1).required
    assert postmortem_need(highest, final_priority=P2, highest_priority=P1).required
    assert not postmortem_need(PROCESS, final_priority=None, highest_priority=None).required


@pytest.mark.req("R-9.5.1-4")
def test_further_triggers_ask_only_when_they_are_switched_on() -> None:
    index = next(i for i, trigger in enumerate(PROCESS.postmortem.triggers) if trigger.code == "data_loss")
    switched = process_with(f"postmortem.triggers.{index}.on", True)
    given = {"final_priority": P3, "highest_priority": P3, "triggers": {"data_loss"}}
    assert not postmortem_need(PROCESS, **given).required  # type: ignore[arg-type]
    found = postmortem_need(switched, **given)  # type: ignore[arg-type]
    assert (found.required, found.trigger) == (True, "data_loss")
    assert not postmortem_need(switched, final_priority=P3, highest_priority=P3).required


def test_the_meeting_is_due_in_calendar_days_for_the_gravest_and_business_days_for_others() -> None:
    friday = at("18:00", day=6)

    def due(priority: int | None, severity: str) -> datetime:
        return meeting_due(PROCESS, priority=priority, severity=severity, resolved_at=friday)

    assert due(P1, WARNING) == at("18:00", day=9)
    assert due(P3, CRITICAL) == at("18:00", day=9)
    assert due(P2, ERROR) == at("18:00", day=13)
    assert due(None, WARNING) == at("18:00", day=13)


def test_weekends_and_holidays_are_no_business_days() -> None:
    one = DayCount(1, business=True)
    assert deadline(one, after_at=at("10:00", day=7)) == at("10:00", day=9)
    monday_off = BusinessDays(holidays=frozenset({date(2026, 3, 9)}))
    assert deadline(one, after_at=at("10:00", day=6), calendar=monday_off) == at("10:00", day=10)
    nothing_ever = BusinessDays(weekdays=frozenset())
    assert deadline(one, after_at=at("10:00"), calendar=nothing_ever) > at("10:00")


def test_a_day_keeps_its_time_on_the_wall_across_a_change_of_clocks() -> None:
    berlin = BusinessDays(zone=ZoneInfo("Europe/Berlin"))
    friday = datetime(2026, 3, 27, 18, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    found = deadline(DayCount(3, business=False), after_at=friday, calendar=berlin)
    assert found == datetime(2026, 3, 30, 18, 0, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.req("R-9.4-1")
def test_every_required_section_has_to_hold_text_before_it_is_reviewed() -> None:
    assert missing_sections(PROCESS, FULL) == ()
    required = {section.code for section in PROCESS.postmortem.sections if section.required}
    assert {"impact", "recovery", "contributing_factors", "action_items", "learnings"} <= required
    for code in required:
        without = {**FULL, code: " \n"}
        found = step_decision(PROCESS, PostmortemState.IN_REVIEW, PostmortemState.REVIEWED, sections=without, items=[])
        assert (found.reason, found.missing) == (StepReason.SECTION_MISSING, (code,))
    whole = step_decision(PROCESS, PostmortemState.IN_REVIEW, PostmortemState.REVIEWED, sections=FULL, items=[])
    assert whole.allowed


def test_listed_action_items_stand_for_their_section() -> None:
    without = {code: text for code, text in FULL.items() if code != "action_items"}
    found = step_decision(PROCESS, PostmortemState.IN_REVIEW, PostmortemState.REVIEWED, sections=without, items=[ITEM])
    assert found.allowed


@pytest.mark.req("R-9.5-4")
@pytest.mark.parametrize(
    ("item", "gap"),
    [
        (ActionItemFacts("Watch", " ", date(2026, 3, 16)), "driver"),
        (ActionItemFacts("Watch", "ana", None), "review_date"),
    ],
)
def test_an_action_item_without_driver_or_review_date_keeps_it_out_of_review(item: ActionItemFacts, gap: str) -> None:
    assert action_item_gaps(item) == (gap,)
    found = step_decision(PROCESS, PostmortemState.DRAFT, PostmortemState.IN_REVIEW, sections={}, items=[ITEM, item])
    assert (found.allowed, found.reason) == (False, StepReason.ACTION_ITEM_INCOMPLETE)
    assert found.missing == (f"Watch: {gap}",)
    assert step_decision(PROCESS, PostmortemState.DRAFT, PostmortemState.IN_REVIEW, sections={}, items=[ITEM]).allowed


@pytest.mark.req("R-9.5.2-3")
def test_closing_needs_every_item_settled_and_the_external_message_handled() -> None:
    def close(item: ActionItemFacts, *, handled: bool) -> StepReason:
        return step_decision(
            PROCESS,
            PostmortemState.REVIEWED,
            PostmortemState.CLOSED,
            sections=FULL,
            items=[item],
            external_message_handled=handled,
        ).reason

    settled = ActionItemFacts(ITEM.title, ITEM.driver, ITEM.review_date, settled=True)
    assert close(ITEM, handled=True) is StepReason.ACTION_ITEM_OPEN
    assert close(settled, handled=False) is StepReason.EXTERNAL_MESSAGE_OPEN
    assert close(settled, handled=True) is StepReason.MOVED


def test_statuses_follow_each_other() -> None:
    def reason(state: PostmortemState, target: PostmortemState) -> StepReason:
        return step_decision(PROCESS, state, target, sections=FULL, items=[]).reason

    assert reason(PostmortemState.DRAFT, PostmortemState.REVIEWED) is StepReason.NOT_FROM_HERE
    assert reason(PostmortemState.IN_REVIEW, PostmortemState.DRAFT) is StepReason.MOVED
    assert reason(PostmortemState.CLOSED, PostmortemState.CLOSED) is StepReason.ALREADY_THERE
    assert tuple(state.value for state in PostmortemState) == PROCESS.postmortem.statuses


def test_the_default_review_date_is_data() -> None:
    assert default_review_date(PROCESS, created_on=date(2026, 3, 2)) == date(2026, 3, 16)
    other = parse_process(document_with("postmortem.deadlines.first_review_date_default_days", 7))
    assert default_review_date(other, created_on=date(2026, 3, 2)) == date(2026, 3, 9)


@pytest.mark.req("R-9.5.2-1")
def test_the_lifecycle_has_its_three_checklists() -> None:
    phases = [item.phase for item in PROCESS.postmortem.lifecycle]
    assert [phases.count(phase) for phase in ("before", "during", "after")] == [6, 11, 8]
