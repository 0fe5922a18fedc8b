"""When a postmortem is owed and by when, and what it needs before it counts as reviewed or closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import DayCount, MeetingDeadline, PostmortemBasis
from tocsin.core.reasons import Reason

WORKDAYS = frozenset(range(5))
"""Monday to Friday, as `date.weekday` counts them."""


class PostmortemState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REVIEWED = "reviewed"
    CLOSED = "closed"


class NeedReason(Reason):
    PRIORITY = "priority", "The priority asks for a postmortem."
    TRIGGER = "trigger", "The process asks for a postmortem because of what happened."
    NOT_REQUIRED = "not_required", "No postmortem is required; a voluntary one is always possible."


@dataclass(frozen=True)
class PostmortemNeed:
    """Whether a postmortem is required; `trigger` names the switched-on trigger that asked for it."""

    required: bool
    reason: NeedReason
    trigger: str = ""


def postmortem_need(
    process: ProcessDefinition,
    *,
    final_priority: int | None,
    highest_priority: int | None,
    triggers: Collection[str] = (),
) -> PostmortemNeed:
    """Whether an incident needs a postmortem: by its final (or highest) priority, or by a trigger switched on.

    A voluntary one is always possible. `triggers` are the codes of what is true of this incident.
    """
    final = process.postmortem.required_by is PostmortemBasis.FINAL_PRIORITY
    rank = final_priority if final else highest_priority
    priority = process.catalogue.by_rank(rank) if rank is not None else None
    if priority is not None and priority.criteria.postmortem:
        return PostmortemNeed(True, NeedReason.PRIORITY)
    for trigger in process.postmortem.triggers:
        if trigger.on and trigger.code in triggers:
            return PostmortemNeed(True, NeedReason.TRIGGER, trigger.code)
    return PostmortemNeed(False, NeedReason.NOT_REQUIRED)


@dataclass(frozen=True)
class BusinessDays:
    """Which days count as business days, in which zone (default: Monday to Friday, UTC)."""

    weekdays: frozenset[int] = WORKDAYS
    holidays: frozenset[date] = frozenset()
    zone: tzinfo = UTC

    def counts(self, day: date) -> bool:
        """Whether `day` is a business day."""
        return day.weekday() in self.weekdays and day not in self.holidays


_EVERY_WORKDAY = BusinessDays()


def deadline(count: DayCount, *, after_at: datetime, calendar: BusinessDays = _EVERY_WORKDAY) -> datetime:
    """The instant `count` days after `after_at`, at the same time of day on the wall clock of the calendar's zone.

    A business day is counted when it has been reached: one business day after a Saturday is Monday. Returns UTC.
    """
    local = after_at.astimezone(calendar.zone)
    day = local.date() + timedelta(days=count.days)
    if count.business:
        day = _after_business_days(local.date(), count.days, calendar)
    return datetime.combine(day, local.timetz()).astimezone(UTC)


def _after_business_days(day: date, count: int, calendar: BusinessDays) -> date:
    # Ten years without a business day is a wrong calendar; stop instead of counting for ever.
    left, last = count, day + timedelta(days=3660)
    while left and day < last:
        day += timedelta(days=1)
        left -= calendar.counts(day)
    return day


def meeting_due(
    process: ProcessDefinition,
    *,
    priority: int | None,
    severity: str,
    resolved_at: datetime,
    calendar: BusinessDays = _EVERY_WORKDAY,
) -> datetime:
    """By when the postmortem meeting is due after the resolution: the first row of the deadlines that fits."""
    row = next(row for row in process.postmortem.meeting if _fits(row, priority, severity))
    return deadline(row.within, after_at=resolved_at, calendar=calendar)


def _fits(row: MeetingDeadline, priority: int | None, severity: str) -> bool:
    return (not row.priorities or priority in row.priorities) and (not row.severities or severity in row.severities)


def default_review_date(process: ProcessDefinition, *, created_on: date) -> date:
    """The review date an action item gets unless somebody chooses one."""
    return created_on + timedelta(days=process.postmortem.first_review_after_days)


def missing_sections(process: ProcessDefinition, sections: Mapping[str, str]) -> tuple[str, ...]:
    """The required sections of the template that hold no text, in the template's order."""
    return tuple(
        section.code
        for section in process.postmortem.sections
        if section.required and not sections.get(section.code, "").strip()
    )


@dataclass(frozen=True)
class ActionItemFacts:
    """What the rules need of an action item. `settled`: done, dropped with a reason, or tracked elsewhere."""

    title: str
    driver: str
    review_date: date | None
    settled: bool = False


def action_item_gaps(item: ActionItemFacts) -> tuple[str, ...]:
    """What an action item lacks before its postmortem may be in review: a driver and a review date."""
    gaps: list[str] = []
    if not item.driver.strip():
        gaps.append("driver")
    if item.review_date is None:
        gaps.append("review_date")
    return tuple(gaps)


class StepReason(Reason):
    MOVED = "moved", "The postmortem moved on."
    ALREADY_THERE = "already_there", "The postmortem has this status already."
    NOT_FROM_HERE = "not_from_here", "That step does not lead on from the present status."
    ACTION_ITEM_INCOMPLETE = "action_item_incomplete", "Every action item needs a driver and a review date first."
    SECTION_MISSING = "section_missing", "Required sections are still empty."
    ACTION_ITEM_OPEN = "action_item_open", "Action items are neither done, dropped nor tracked elsewhere."
    EXTERNAL_MESSAGE_OPEN = "external_message_open", "The message to the outside is still to be sent or declined."


@dataclass(frozen=True)
class StepDecision:
    """Whether a postmortem may change its status; `missing` names sections, or items with what they lack."""

    allowed: bool
    reason: StepReason
    missing: tuple[str, ...] = ()


_STEPS: Mapping[PostmortemState, tuple[PostmortemState, ...]] = {
    PostmortemState.DRAFT: (PostmortemState.IN_REVIEW,),
    PostmortemState.IN_REVIEW: (PostmortemState.DRAFT, PostmortemState.REVIEWED),
    PostmortemState.REVIEWED: (PostmortemState.IN_REVIEW, PostmortemState.CLOSED),
    PostmortemState.CLOSED: (PostmortemState.REVIEWED,),
}


def step_decision(
    process: ProcessDefinition,
    state: PostmortemState,
    target: PostmortemState,
    *,
    sections: Mapping[str, str],
    items: Sequence[ActionItemFacts],
    external_message_handled: bool = True,
) -> StepDecision:
    """Whether a postmortem may go from one status to another.

    From "in review" on every action item has a driver and a review date; "reviewed" needs the required sections;
    "closed" needs every item settled and the external message handled. `sections` maps section codes to their text;
    a postmortem with action items needs no text in a section of that name.
    """
    if state is target:
        return StepDecision(True, StepReason.ALREADY_THERE)
    if target not in _STEPS[state]:
        return StepDecision(False, StepReason.NOT_FROM_HERE)
    for reason, missing in _gaps(process, target, sections, items, external_message_handled):
        if missing:
            return StepDecision(False, reason, missing)
    return StepDecision(True, StepReason.MOVED)


def _gaps(
    process: ProcessDefinition,
    target: PostmortemState,
    sections: Mapping[str, str],
    items: Sequence[ActionItemFacts],
    external_message_handled: bool,
) -> Iterable[tuple[StepReason, tuple[str, ...]]]:
    if target is PostmortemState.DRAFT:
        return
    yield StepReason.ACTION_ITEM_INCOMPLETE, _incomplete(items)
    if target is PostmortemState.IN_REVIEW:
        return
    yield StepReason.SECTION_MISSING, missing_sections(process, _with_items(sections, items))
    if target is PostmortemState.CLOSED:
        yield StepReason.ACTION_ITEM_OPEN, tuple(item.title for item in items if not item.settled)
        yield StepReason.EXTERNAL_MESSAGE_OPEN, () if external_message_handled else ("external_message",)


def _incomplete(items: Sequence[ActionItemFacts]) -> tuple[str, ...]:
    return tuple(f"{item.title}: {gap}" for item in items for gap in action_item_gaps(item))


_ITEMS_SECTION = "action_items"


def _with_items(sections: Mapping[str, str], items: Sequence[ActionItemFacts]) -> dict[str, str]:
    listed = "; ".join(item.title for item in items)
    return {**sections, _ITEMS_SECTION: listed} if listed else dict(sections)
