"""SLOs in words: how one is, when its budget is gone, and which stand first because they are in danger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

from django.utils.safestring import SafeString

from tocsin.core.burn_rate import burn_rate
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo.models import Decision, Health, Objective, ObjectiveState, PriorityAssignment
from tocsin.web.instants import clock_text
from tocsin.web.pictures.small import Day, day_strip

STRIP_DAYS = 90
_FAIR_UP_TO = Fraction(3)  # a day that spends more than three days' worth of budget is a bad one

HEALTH: Mapping[str, tuple[str, str]] = {
    Health.MET: ("Within target", "good"),
    Health.BURNING: ("Burning", "bad"),
    Health.EXHAUSTED: ("Budget spent", "bad"),
    Health.NO_DATA: ("No data", "hatched"),
    Health.NO_TRAFFIC: ("No traffic", ""),
    Health.INVALID: ("Impossible numbers", "warn"),
}
RULES: Mapping[str, str] = {
    "frequency": "raised, because it came often",
    "remaining": "from the budget that was left",
    "velocity": "from the speed of the loss",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Rank and state of a decision on priority; no decision is "unset"."""

    rank: int | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SloRow:
    """One line of the list. `left` is None while nothing is known; `gone` says when the budget is."""

    objective: Objective
    health: str
    chip: str
    left: float | None
    gone: str
    last_data_at: datetime | None
    priority: Shown
    strip: SafeString

    @property
    def silent(self) -> bool:
        return self.chip == "hatched"


def state_of(objective: Objective) -> ObjectiveState:
    """What the evaluator knows; an empty state before its first look."""
    return objective.state if hasattr(objective, "state") else ObjectiveState(objective=objective)


def known_left(state: ObjectiveState) -> float | None:
    """The share of the budget left, None while data are missing or impossible: an old number is no knowledge."""
    return None if state.health in (Health.NO_DATA, Health.INVALID) else state.remaining


def danger(objective: Objective) -> tuple[int, float, str]:
    """Sorts by time to exhaustion: spent, soon gone, burning, unknown, and the rest by what is left."""
    state = state_of(objective)
    left = known_left(state)
    if left is None:
        return 3, 0.0, objective.name
    if left <= 0:
        return 0, left, objective.name
    if state.exhausts_at is not None:
        return 1, state.exhausts_at.timestamp(), objective.name
    return (2 if state.health == Health.BURNING else 4), left, objective.name


def gone_text(state: ObjectiveState, zone: tzinfo, *, now: datetime) -> str:
    """When nothing is left at this rate, or why that cannot be said."""
    left = known_left(state)
    if left is None:
        return "unknown"
    if left <= 0:
        return "spent"
    if state.exhausts_at is None:
        return "not within this window"
    form = "auto" if state.exhausts_at - now < timedelta(hours=36) else "date"
    return clock_text(state.exhausts_at, zone, now=now, form=form)


def shown(assignment: PriorityAssignment | None) -> Shown:
    if assignment is None:
        return Shown(None, "unset")
    return Shown(assignment.priority, Decision(assignment.decision).value)


def strip(objective: Objective, days: Sequence[tuple[date, WindowCounts]]) -> SafeString:
    """The last days of an SLO, one cell each; a day without events is unknown and hatched."""
    cells = [_day(objective, day, counts) for day, counts in days]
    bad = sum(cell.level == "bad" for cell in cells)
    unknown = sum(cell.level == "unknown" for cell in cells)
    label = f"Last {len(cells)} days: {bad} bad, {unknown} without data"
    return day_strip(cells, label, ident=f"strip-{objective.pk}")


def _day(objective: Objective, day: date, counts: WindowCounts) -> Day:
    burn = burn_rate(objective.target, counts.valid, counts.bad)
    if burn is None:
        return Day(day, "unknown", "no data")
    level = "good" if burn <= 1 else "fair" if burn <= _FAIR_UP_TO else "bad"
    good = 100 * (counts.valid - counts.bad) / counts.valid
    return Day(day, level, f"{good:.3f}% good, {counts.bad:,} of {counts.valid:,} failed")


def row(
    objective: Objective,
    assignment: PriorityAssignment | None,
    days: Sequence[tuple[date, WindowCounts]],
    *,
    zone: tzinfo,
    now: datetime,
) -> SloRow:
    """One SLO as the list shows it."""
    state = state_of(objective)
    word, chip = HEALTH[state.health]
    return SloRow(
        objective=objective,
        health=word,
        chip=chip,
        left=known_left(state),
        gone=gone_text(state, zone, now=now),
        last_data_at=state.last_data_at,
        priority=shown(assignment),
        strip=strip(objective, days),
    )
