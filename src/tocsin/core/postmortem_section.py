"""Read the section `postmortem` of a process document. Faults are noted on the cursor, never raised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tocsin.core.document_reading import Cursor
from tocsin.core.process_parts import (
    DayCount,
    LifecycleItem,
    MeetingDeadline,
    PostmortemBasis,
    PostmortemSection,
    PostmortemSettings,
    PostmortemTrigger,
    ReviewQuestion,
)
from tocsin.core.process_sections import read_rank


def read_postmortem(at: Cursor, ranks: Mapping[str, int]) -> PostmortemSettings:
    """When a postmortem is owed, by when, its template and checklists."""
    deadlines = at.at("deadlines")
    return PostmortemSettings(
        required_by=at.at("required_by").choice(PostmortemBasis),
        triggers=tuple(_trigger(item) for item in at.at("triggers").items()),
        meeting=tuple(_meeting(item, ranks) for item in deadlines.at("meeting").items()),
        draft_before_meeting=timedelta(hours=deadlines.at("draft_before_meeting_hours").number()),
        action_items_complete=_days(deadlines.at("action_items_complete_after_meeting")),
        writeup_finished=_days(deadlines.at("writeup_finished_after_meeting")),
        first_review_after_days=deadlines.at("first_review_date_default_days").number(),
        outcome_feedback_days=deadlines.at("outcome_feedback_days").numbers(),
        statuses=at.at("statuses").texts(),
        prime_directive=at.at("prime_directive_text").text(),
        sections=tuple(_section(item) for item in at.at("template").items()),
        lifecycle=tuple(_item(phase, item) for phase, items in at.at("lifecycle").entries() for item in items.items()),
        timeline_review=tuple(
            ReviewQuestion(item.at("code").text(), item.at("ask").text(), item.at("answers").texts())
            for item in at.at("timeline_review").items()
        ),
    )


def _trigger(at: Cursor) -> PostmortemTrigger:
    return PostmortemTrigger(at.at("code").text(), at.at("text").text(), at.at("on").flag())


def _meeting(at: Cursor, ranks: Mapping[str, int]) -> MeetingDeadline:
    priorities = at.at("priorities").items() if at.has("priorities") else []
    return MeetingDeadline(
        priorities=frozenset(read_rank(code, ranks) for code in priorities),
        severities=frozenset(at.at("severities").texts() if at.has("severities") else ()),
        within=_days(at),
    )


def _days(at: Cursor) -> DayCount:
    business = at.has("business_days")
    return DayCount(at.at("business_days" if business else "calendar_days").number(), business)


def _section(at: Cursor) -> PostmortemSection:
    return PostmortemSection(
        code=at.at("section").text(),
        fields=at.at("fields").texts() if at.has("fields") else (),
        help=at.at("help").text() if at.has("help") else "",
        required=at.has("required") and at.at("required").flag(),
        auto=at.has("auto") and at.at("auto").flag(),
    )


def _item(phase: str, at: Cursor) -> LifecycleItem:
    return LifecycleItem(
        code=at.at("code").text(),
        phase=phase,
        do=at.at("do").text(),
        who=at.at("who").text(),
        gate=at.has("gate") and at.at("gate").flag(),
        directive=at.has("directive") and at.at("directive").flag(),
    )
