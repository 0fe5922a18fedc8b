"""What supposed incidents would have asked of people: pages by day and by night, updates, postmortems."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise

from tocsin.core.business_hours import BusinessHours, next_open
from tocsin.core.cadence import due_after_raise
from tocsin.core.postmortem_rules import postmortem_need
from tocsin.core.priorities import MomentPriority, effective_rank, page_rule
from tocsin.core.process_definition import ProcessDefinition
from tocsin.core.process_parts import PageWhen, PriorityDefinition
from tocsin.core.recorded_past import RecordedPast
from tocsin.core.wall_time import wall_of, zone
from tocsin.core.what_if import Findings, Supposed


@dataclass(frozen=True, slots=True)
class Night:
    """The hours in which a page wakes people, on the wall clock of the team; it crosses midnight."""

    begins: time = time(23)
    ends: time = time(6)

    def holds(self, wall: time) -> bool:
        """Return whether a time of day lies in it."""
        return wall >= self.begins or wall < self.ends


@dataclass(frozen=True, slots=True)
class Asked:
    """By what an incident is answered: the process, the team's hours, and how many groups the decision names."""

    process: ProcessDefinition
    at_work: BusinessHours
    groups: int = 0
    management: int = 0
    night: Night = Night()


@dataclass(frozen=True, slots=True)
class Tally:
    """What a past would have cost. ``pages`` are first pages: an escalation depends on who answers.

    ``updates`` are moments at which something is owed, ``messages`` the same once for each group told.
    ``by_rank``: incidents by the priority they end with, None for those nobody has decided on.
    """

    runs: int
    incidents: int
    pages_by_day: int
    pages_by_night: int
    reminders: int
    updates: int
    messages: int
    postmortems: int
    work_items: int
    by_rank: tuple[tuple[int | None, int], ...]

    @property
    def pages(self) -> int:
        """Return all first pages."""
        return self.pages_by_day + self.pages_by_night


def tally(found: Findings, supposed: Sequence[Supposed], asked: Asked) -> Tally:
    """Add up what a series of incidents asks for."""
    where = zone(asked.at_work.time_zone)
    pages = [at for one in supposed if (at := paged_at(found.past, one, asked)) is not None]
    nights = sum(asked.night.holds(wall_of(at, where).time()) for at in pages)
    owed = [updates_owed(found.past, one, asked) for one in supposed]
    return Tally(
        runs=found.runs,
        incidents=len(supposed),
        pages_by_day=len(pages) - nights,
        pages_by_night=nights,
        reminders=sum(one.reminders for one in supposed),
        updates=sum(len(moments) for moments in owed),
        messages=sum(sum(told for _, told in moments) for moments in owed),
        postmortems=sum(_needs_postmortem(one, asked) for one in supposed),
        work_items=sum(_needs_work_item(one, asked) for one in supposed),
        by_rank=_by_rank(supposed),
    )


def _by_rank(supposed: Sequence[Supposed]) -> tuple[tuple[int | None, int], ...]:
    counts = Counter(one.stages[-1].priority.rank for one in supposed)
    return tuple(sorted(counts.items(), key=lambda pair: (pair[0] is None, pair[0] or 0)))


def paged_at(past: RecordedPast, one: Supposed, asked: Asked) -> datetime | None:
    """When the first page goes out; None when the incident is over before its priority may page."""
    for began, ended, priority in _spans(past, one):
        rule = page_rule(asked.process.catalogue, priority.state, priority.rank)
        if rule is None or rule.when is PageWhen.NEVER:
            continue
        at = next_open(asked.at_work, now=began) if rule.when is PageWhen.BUSINESS_HOURS else began
        if at < ended or at == began or (one.still_open and ended == past.until and at <= ended):
            return at
    return None


def updates_owed(past: RecordedPast, one: Supposed, asked: Asked) -> list[tuple[datetime, int]]:
    """When an update is owed and to how many groups, each sent in time; the closing one comes last."""
    moments: list[tuple[datetime, int]] = []
    for began, ended, priority in _spans(past, one):
        definition = _definition(priority, asked)
        told = _listeners(definition, asked)
        if definition is None or definition.criteria.update_every is None or not told:
            continue
        every = definition.criteria.update_every
        due = _next_due(moments, every, began)
        while due < ended:
            moments.append((due, told))
            due += every
    if moments and not one.still_open and asked.process.catalogue.notification.closing_required:
        moments.append((past.end_of(one.end), moments[-1][1]))
    return moments


def _next_due(moments: Sequence[tuple[datetime, int]], every: timedelta, began: datetime) -> datetime:
    if not moments:
        return began
    last = moments[-1][0]
    return due_after_raise(current_due_at=last + every, last_sent_at=last, new_interval=every, now=began)


def _listeners(definition: PriorityDefinition | None, asked: Asked) -> int:
    if definition is None:
        return 0
    criteria = definition.criteria
    return criteria.notify_stakeholder_groups * asked.groups + criteria.notify_management * asked.management


def _definition(priority: MomentPriority, asked: Asked) -> PriorityDefinition | None:
    return None if priority.rank is None else asked.process.catalogue.by_rank(priority.rank)


def _spans(past: RecordedPast, one: Supposed) -> list[tuple[datetime, datetime, MomentPriority]]:
    """Each stage with the moments it begins and ends."""
    end = past.end_of(min(one.end, past.minutes - 1))
    edges = [*(past.end_of(stage.step) for stage in one.stages), end]
    spans = zip(pairwise(edges), one.stages, strict=True)
    return [(began, ended, stage.priority) for (began, ended), stage in spans]


def _needs_postmortem(one: Supposed, asked: Asked) -> bool:
    ranks = [stage.priority.rank for stage in one.stages if stage.priority.rank is not None]
    need = postmortem_need(
        asked.process, final_priority=one.stages[-1].priority.rank, highest_priority=min(ranks, default=None)
    )
    return need.required


def _needs_work_item(one: Supposed, asked: Asked) -> bool:
    last = one.stages[-1].priority
    if effective_rank(asked.process.catalogue, last.state, last.rank) is None:
        return False
    definition = _definition(last, asked)
    return definition is not None and definition.work_item
