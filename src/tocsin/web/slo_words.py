"""SLOs in words: how one is, when its budget is gone, and which stand first because they are in danger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

from django.utils.safestring import SafeString

from tocsin.core.burn_rate import burn_rate
from tocsin.core.objective_health import Direction
from tocsin.core.slo_windows import WindowCounts
from tocsin.slo import judging, snapshots
from tocsin.slo.models import Decision, Health, Objective, ObjectiveState, PriorityAssignment
from tocsin.slo.wording import MECHANICAL
from tocsin.web.instants import clock_text
from tocsin.web.pictures.burn_down import percent_text
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
    "remaining": f"from the budget that was left ({MECHANICAL})",
    "velocity": f"from the speed of the loss ({MECHANICAL})",
}


STATES: Mapping[str, tuple[str, str]] = {
    "spent": ("Budget spent", "bad"),
    Direction.BURNING.value: ("Burning", "bad"),
    Direction.RISING.value: ("Rising", "warn"),
    Direction.RECOVERING.value: ("Recovering", "warn"),
    Direction.FINE.value: ("Fine", "good"),
    Direction.UNKNOWN.value: ("Unknown", "hatched"),
}
"""How an SLO moves, in a word: its last five minutes and its last hour against the rate that pages."""


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
    finding: str
    outage: timedelta | None
    events: int | None

    @property
    def over(self) -> int | None:
        """How many events failed beyond what was allowed."""
        return -self.events if self.events is not None and self.events < 0 else None

    @property
    def silent(self) -> bool:
        return self.chip == "hatched"


def state_of(objective: Objective) -> ObjectiveState:
    """What the evaluator knows; an empty state before its first look."""
    return objective.state if hasattr(objective, "state") else ObjectiveState(objective=objective)


def known_left(state: ObjectiveState) -> float | None:
    """The share of the budget left, None while data are missing or impossible: an old number is no knowledge."""
    return None if state.health in (Health.NO_DATA, Health.INVALID) else state.remaining


def state_code(objective: Objective) -> str:
    """A key of STATES. What is unknown is unknown, whatever burnt when the data stopped."""
    state = state_of(objective)
    left = known_left(state)
    if left is None:
        return Direction.UNKNOWN.value
    if left <= 0:
        return "spent"
    burns = {timedelta(seconds=int(span)): burn and Fraction(burn) for span, burn in state.burn_rates.items()}
    moving = judging.direction_of(objective, burns)
    return Direction.FINE.value if moving is Direction.UNKNOWN else moving.value


def finding(state: ObjectiveState, zone: tzinfo, *, now: datetime) -> str:
    """The line an SLO is read by: "18% left, gone Fri 4 Dec"."""
    left = known_left(state)
    if left is None:
        return "Nobody can tell how much is left"
    share = percent_text(abs(left))
    if left <= 0:
        return f"Overspent by {share}" if left < 0 else "Nothing left"
    gone = gone_text(state, zone, now=now)
    return f"{share} left, {'gone ' + gone if state.exhausts_at else gone}"


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
    drawn = cells(objective, days)
    bad = sum(cell.level == "bad" for cell in drawn)
    unknown = sum(cell.level == "unknown" for cell in drawn)
    label = f"Last {len(drawn)} days: {bad} bad, {unknown} without data"
    return day_strip(drawn, label, ident=f"strip-{objective.pk}")


def cells(objective: Objective, days: Sequence[tuple[date, WindowCounts]]) -> list[Day]:
    """Each day judged by what it spent."""
    return [_day(objective, day, counts) for day, counts in days]


def _day(objective: Objective, day: date, counts: WindowCounts) -> Day:
    burn = burn_rate(objective.target, counts.valid, counts.bad)
    if burn is None:
        return Day(day, "unknown", "no data")
    level = "good" if burn <= 1 else "fair" if burn <= _FAIR_UP_TO else "bad"
    unit = snapshots.bucket_unit_of(objective)
    good = 100 * (counts.valid - counts.bad) / counts.valid
    return Day(day, level, f"{good:.3f}% good, {unit.shown(counts.bad)} of {unit.shown(counts.valid)} failed")


def row(
    objective: Objective,
    assignment: PriorityAssignment | None,
    days: Sequence[tuple[date, WindowCounts]],
    units: tuple[timedelta, int] | None = None,
    *,
    zone: tzinfo,
    now: datetime,
) -> SloRow:
    """One SLO as the list shows it."""
    state = state_of(objective)
    word, chip = STATES[state_code(objective)] if state.health != Health.INVALID else HEALTH[Health.INVALID]
    outage, events = units if units and known_left(state) is not None else (None, None)
    return SloRow(
        objective=objective,
        health=word,
        chip=chip,
        left=known_left(state),
        gone=gone_text(state, zone, now=now),
        last_data_at=state.last_data_at,
        priority=shown(assignment),
        strip=strip(objective, days),
        finding=finding(state, zone, now=now),
        outage=outage,
        events=events,
    )
