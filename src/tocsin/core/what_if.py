"""What an SLO's recorded past would have led to under another target, rule or decision: breaches, alerts, incidents.

The rules are the ones that judge the present (``rule_protocol``, ``alert_latch``); nothing here decides what burns.
What people did is not in the counts. So the replay supposes that an incident lasts as long as its alerts fire, and
that it is taken up again when they come back within the process's time for that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tocsin.core.breach_frequency import CountedAs, FrequencyRule
from tocsin.core.breach_rules import Replay, replay_heats
from tocsin.core.burn_rate import AllowedRatio, exceeds
from tocsin.core.priorities import (
    Assignment,
    AssignMode,
    MomentPriority,
    PriorityState,
    incident_priority,
    moment_priority,
    opens_incident,
)
from tocsin.core.recorded_past import MINUTE, RecordedPast, windows_at_each_minute
from tocsin.core.rule_protocol import Rule
from tocsin.core.slo_windows import BoolArray, IntArray, WindowArrays

FallbackRank = Callable[[int], int | None]
"""What the budget-to-priority tables say at the end of a minute of the past."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is supposed about the SLO: what it is judged by. ``evaluate_every`` is the grid breaches are recorded on."""

    target: Decimal
    rule: Rule
    evaluate_every: timedelta


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is supposed about the decision: what a breach means. No assignment means that nobody has decided."""

    assignment: Assignment | None = None
    mode: AssignMode = AssignMode.AUTOMATIC
    frequency: FrequencyRule | None = None
    fallback: FallbackRank | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What the rule found in a past, by minute numbers (lead included).

    ``breaches`` are the minutes at which one is recorded, ``episodes`` the number of the run each belongs to, from 0;
    ``told`` the minutes at which the rule tells people; ``firing`` whether any of its alerts fires.
    """

    past: RecordedPast
    breaches: IntArray
    episodes: IntArray
    told: IntArray
    firing: BoolArray

    @property
    def runs(self) -> int:
        """Return how many runs of breaches have a breach in the judged part."""
        return int(np.unique(self.episodes[self.breaches >= self.past.lead]).size)


@dataclass(frozen=True, slots=True)
class Stage:
    """An incident from a minute on: the priority it has."""

    step: int
    priority: MomentPriority


@dataclass(frozen=True, slots=True)
class Supposed:
    """An incident there would have been: its stages, oldest first, and the minute its last alert ended.

    ``reminders`` are the further times the rule tells people while it is open. ``still_open``: it burns at the end.
    """

    stages: tuple[Stage, ...]
    end: int
    reminders: int
    still_open: bool

    @property
    def start(self) -> int:
        """Return the minute in which it opens."""
        return self.stages[0].step


def findings(past: RecordedPast, judged: Judged, widths: Mapping[timedelta, timedelta]) -> Findings:
    """Judge every minute of a past. ``widths``: how wide the buckets of each window of the rule are."""
    sums = windows_at_each_minute(past, widths)
    allowed = AllowedRatio.of(judged.target)
    is_tick = past.ticks(judged.rule.every)
    ticks = np.flatnonzero(is_tick)
    rows = tuple(row[ticks] for row in judged.rule.heats(sums, allowed))
    replays = replay_heats(judged.rule, rows, ticks, steps=past.minutes, step=MINUTE)
    firing = np.logical_or.reduce([one.firing for one in replays])
    told = _told(replays)
    own = sums[judged.rule.own_window]
    breached = _breached(own, allowed) & is_tick
    breaches, episodes = _recorded(past, breached, ticks, told, judged.evaluate_every)
    return Findings(past, breaches, episodes, told, np.asarray(firing, dtype=np.bool_))


def _told(replays: Sequence[Replay]) -> IntArray:
    return np.unique(np.concatenate([one.notified for one in replays])).astype(np.int64)


def _breached(own: WindowArrays, allowed: AllowedRatio) -> BoolArray:
    return np.asarray(exceeds(own, limit=Fraction(1), allowed=allowed))


def _recorded(
    past: RecordedPast, breached: BoolArray, ticks: npt.NDArray[np.intp], told: IntArray, every: timedelta
) -> tuple[IntArray, IntArray]:
    """Which breaches are written down: on the grid, at the start of a run, and whenever people are told."""
    kept = breached & past.ticks(every)
    kept[told] |= breached[told]
    numbers: list[int] = []
    steps: list[IntArray] = []
    last, episode, limit = None, -1, every // MINUTE
    for start, end in _runs(breached, ticks):
        new = last is None or start - last > limit
        if new:
            episode += 1
            kept[start] = True
        inside = np.flatnonzero(kept[start : end + 1]) + start
        if inside.size:
            last = int(inside[-1])
            steps.append(inside)
            numbers += [episode] * int(inside.size)
    found = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int64)
    return found.astype(np.int64), np.array(numbers, dtype=np.int64)


def _runs(breached: BoolArray, ticks: npt.NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """First and last minute of each run of neighbouring breached ticks."""
    hot = breached[ticks].astype(np.int8)
    edges = np.diff(hot, prepend=0, append=0)
    for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        yield int(ticks[start]), int(ticks[end - 1])


def breach_priorities(found: Findings, meaning: Meaning) -> list[MomentPriority]:
    """The priority of each recorded breach, as production stamps it."""
    frequent = _frequent(found, meaning)
    undecided = meaning.assignment is None or meaning.assignment.state is PriorityState.UNSET
    asked = meaning.fallback if undecided else None
    return [
        moment_priority(
            meaning.assignment, frequent=bool(often), fallback_rank=None if asked is None else asked(int(step))
        )
        for step, often in zip(found.breaches, frequent, strict=True)
    ]


def _frequent(found: Findings, meaning: Meaning) -> BoolArray:
    """Whether each recorded breach is one too many, itself included."""
    rule = meaning.frequency
    if rule is None or found.breaches.size == 0:
        return np.zeros(found.breaches.size, dtype=np.bool_)
    after = found.breaches - rule.window // MINUTE
    if rule.counted_as is CountedAs.OCCURRENCES:
        earlier = np.searchsorted(found.breaches, after, side="right")
        return np.asarray(np.arange(1, found.breaches.size + 1) - earlier > rule.more_than)
    # Of each earlier run its last breach counts, and the present run counts once.
    last_of_run = found.breaches[np.flatnonzero(np.diff(found.episodes, append=found.episodes[-1] + 1))]
    gone = np.searchsorted(last_of_run, after, side="right")
    return np.asarray(found.episodes - np.minimum(gone, found.episodes) + 1 > rule.more_than)


def incidents(found: Findings, meaning: Meaning, *, reopen_within: timedelta) -> list[Supposed]:
    """The incidents that open in the judged part, oldest first."""
    stories = _stories(found, reopen_within // MINUTE)
    if not stories:
        return []
    priorities = breach_priorities(found, meaning)
    made = (_incident(found, meaning, priorities, start, end) for start, end in stories)
    return [one for one in made if one is not None and one.start >= found.past.lead]


def _stories(found: Findings, reopen: int) -> list[tuple[int, int]]:
    """From the minute people are told first to the minute everything is calm, recurrences joined."""
    stories: list[tuple[int, int]] = []
    edges = np.diff(found.firing.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        first = int(np.searchsorted(found.told, start))
        told = first < found.told.size and found.told[first] < end
        again = bool(stories) and (start - stories[-1][1] <= reopen or not told)
        if again:
            stories[-1] = (stories[-1][0], end)
        elif told:
            stories.append((int(found.told[first]), end))
    return stories


def _incident(
    found: Findings, meaning: Meaning, priorities: Sequence[MomentPriority], start: int, end: int
) -> Supposed | None:
    """None when the decision says that nothing opens."""
    inside = range(int(np.searchsorted(found.breaches, start)), int(np.searchsorted(found.breaches, end)))
    # People are told at a breach as a rule; where the rule's own window is calm already, the run before it counts.
    nearest = inside[0] if inside and found.breaches[inside[0]] == start else inside.start - 1
    opening = incident_priority(
        priorities[nearest] if 0 <= nearest < len(priorities) else moment_priority(meaning.assignment), meaning.mode
    )
    if not opens_incident(opening.state):
        return None
    stages = [Stage(start, opening)]
    for place in inside:
        now = incident_priority(priorities[place], meaning.mode)
        held = stages[-1].priority.rank
        if now.rank is not None and (held is None or now.rank < held):
            stages.append(Stage(int(found.breaches[place]), now))
    first, last = (int(place) for place in np.searchsorted(found.told, [start + 1, end]))
    return Supposed(tuple(stages), end, last - first, still_open=end >= found.past.minutes)
