"""From counts to alerts: the same few functions replay a past and judge the present.

``replay`` walks a whole series, ``evaluate`` judges one SLO now, ``judge_all`` a fleet. All three take the heat of a
tick from the rule's vectorised condition and its meaning from ``alert_latch.advance``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from tocsin.core.alert_latch import REASON_TEXTS, AlertState, Heat, Latch, Outcome, Reason, Urgency, advance, ripened
from tocsin.core.burn_rate import AllowedRatio, burns_faster
from tocsin.core.depletion_rule import DepletionRule
from tocsin.core.errors import Invalid
from tocsin.core.ladder_rule import LadderRule
from tocsin.core.rule_protocol import EVENTS, HeatArray, Rule, Unit
from tocsin.core.slo_windows import (
    EPOCH,
    BoolArray,
    IntArray,
    WindowArrays,
    WindowCounts,
    is_due,
    sliding_windows,
)
from tocsin.core.workbook_rule import WorkbookRule

DEFAULT_RULE = "tocsin"
DEFAULT_PERIOD = timedelta(days=30)


def named_rule(name: str, *, period: timedelta = DEFAULT_PERIOD, unit: Unit = EVENTS) -> Rule:
    """Return one of the rules that have a name, for an SLO with this period; ``Invalid`` for any other name."""
    match name:
        case "tocsin":
            return LadderRule(period=period, unit=unit)
        case "workbook":
            return WorkbookRule(period=period, unit=unit)
        case "depletion":
            return DepletionRule(period=period, unit=unit)
        case _:
            raise Invalid({"rule": f"unknown rule {name!r}; there are tocsin, workbook and depletion"})


@dataclass(frozen=True, slots=True)
class RuleState:
    """What one SLO's rule must remember between two evaluations."""

    alerts: Mapping[Urgency, AlertState] = field(default_factory=dict[Urgency, AlertState])
    evaluated_at: datetime | None = None

    def alert(self, urgency: Urgency) -> AlertState:
        """Return the alert of an urgency; one that never fired is at rest."""
        return self.alerts.get(urgency, _AT_REST)

    @property
    def firing(self) -> bool:
        """Whether any of the alerts fires."""
        return any(alert.firing for alert in self.alerts.values())

    @property
    def waiting(self) -> bool:
        """Whether any condition holds that has not held for long enough yet."""
        return any(any(alert.ripe_at) for alert in self.alerts.values())

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        evaluated = self.evaluated_at.isoformat() if self.evaluated_at else None
        alerts = {urgency.value: alert.as_json() for urgency, alert in self.alerts.items()}
        return {"evaluated_at": evaluated, "alerts": alerts}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RuleState":
        """Read back what ``as_json`` wrote; an empty mapping is a rule that was never evaluated."""
        evaluated = data.get("evaluated_at")
        return cls(
            {Urgency(name): AlertState.from_json(alert) for name, alert in data.get("alerts", {}).items()},
            datetime.fromisoformat(evaluated) if evaluated else None,
        )


_AT_REST = AlertState()


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows for one urgency: is the alert firing, is a person told now, and why.

    ``grown_in``: where people are told that it has grown, the time in which a further share of the budget went.
    """

    urgency: Urgency
    notify: bool
    firing: bool
    reason: Reason
    explanation: str
    grown_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One SLO at one tick.

    ``breached``: the error ratio of the rule's own window is above what the target allows; None between ticks of the
    rule's grid and when the window holds no events.
    """

    state: RuleState
    decisions: tuple[Decision, ...]
    breached: bool | None


def evaluate(
    rule: Rule,
    windows: Mapping[timedelta, WindowCounts],
    state: RuleState,
    *,
    target: Decimal,
    now: datetime,
) -> Evaluation:
    """Judge one SLO. ``windows`` holds the counts of at least ``rule.windows()``, each ending at ``now``.

    Between two ticks of the rule's grid nothing changes.
    """
    if not is_due(state.evaluated_at, every=rule.every, now=now):
        return Evaluation(state, _held(rule, state), breached=None)
    sums = {span: WindowArrays.of([windows[span]]) for span in rule.windows()}
    rows = rule.heats(sums, AllowedRatio.of(target))
    alerts, outcomes = advance_all(rule, state.alerts, tuple(Heat(row[0]) for row in rows), now=now)
    decisions = tuple(
        Decision(
            urgency,
            outcome.notify,
            outcome.firing,
            outcome.reason,
            _explain(rule, windows, target, urgency, outcome),
            outcome.grown_in,
        )
        for urgency, outcome in zip(urgencies(rule), outcomes, strict=True)
    )
    return Evaluation(RuleState(alerts, now), decisions, is_breach(rule, windows, target=target))


def is_breach(rule: Rule, windows: Mapping[timedelta, WindowCounts], *, target: Decimal) -> bool | None:
    """Return whether the rule's own window has more errors than the target allows; None without events."""
    own = windows[rule.own_window]
    return None if own.valid == 0 else burns_faster(own, limit=Fraction(1), target=target)


def _held(rule: Rule, state: RuleState) -> tuple[Decision, ...]:
    text = REASON_TEXTS[Reason.NOT_DUE]
    return tuple(
        Decision(urgency, notify=False, firing=state.alert(urgency).firing, reason=Reason.NOT_DUE, explanation=text)
        for urgency in urgencies(rule)
    )


def _explain(
    rule: Rule, windows: Mapping[timedelta, WindowCounts], target: Decimal, urgency: Urgency, outcome: Outcome
) -> str:
    text = REASON_TEXTS[outcome.reason]
    if outcome.reason in (Reason.QUIET, Reason.NO_DATA):
        return text
    return f"{text}: {rule.explain(windows, target, urgency)}"


def strands(rule: Rule) -> dict[Urgency, list[tuple[int, Latch]]]:
    """Return a rule's latches by urgency, most urgent first, each with its place among the rule's heats.

    Conditions of one urgency are one alert: people are told once, whichever of them holds.
    """
    found: dict[Urgency, list[tuple[int, Latch]]] = {}
    for place, (urgency, latch) in enumerate(rule.latches):
        found.setdefault(urgency, []).append((place, latch))
    return found


def urgencies(rule: Rule) -> tuple[Urgency, ...]:
    """Return the urgencies a rule has an alert for, most urgent first."""
    return tuple(strands(rule))


def advance_all(
    rule: Rule, alerts: Mapping[Urgency, AlertState], heats: Sequence[Heat], *, now: datetime
) -> tuple[dict[Urgency, AlertState], tuple[Outcome, ...]]:
    """Advance a rule's alerts from the most urgent down; while one fires, those below keep quiet.

    ``heats`` has one value for each latch of the rule; what is returned has one for each urgency.
    """
    states: dict[Urgency, AlertState] = {}
    outcomes: list[Outcome] = []
    covered = False
    for urgency, rows in strands(rule).items():
        before = alerts.get(urgency, _AT_REST)
        opening = [(latch.hold_for, heats[place]) for place, latch in rows if latch.grown_in is None]
        heat, ripe_at = ripened(opening, before.ripe_at, now=now)
        grown = [latch.grown_in for place, latch in rows if latch.grown_in and heats[place] is Heat.BURNING]
        after, outcome = advance(
            before, heat, latch=rows[0][1], now=now, covered=covered, grown_in=min(grown, default=None)
        )
        states[urgency] = after if after.ripe_at == ripe_at else replace(after, ripe_at=ripe_at)
        outcomes.append(outcome)
        covered = covered or outcome.firing
    return states, tuple(outcomes)


def judge_all(
    rule: Rule,
    sums: Mapping[timedelta, WindowArrays],
    states: Sequence[RuleState],
    *,
    targets: AllowedRatio,
    now: datetime,
) -> dict[int, tuple[RuleState, tuple[Outcome, ...]]]:
    """Judge many SLOs that share a rule; returns only the rows whose state may change.

    ``sums`` arrays and ``states`` have one row for each SLO. A row is left out when it is at rest, waits for nothing and does not burn.
    """
    rows = np.stack(rule.heats(sums, targets))
    hot = np.any(rows == Heat.BURNING, axis=0)
    awake = [row for row, state in enumerate(states) if hot[row] or state.firing or state.waiting]
    result: dict[int, tuple[RuleState, tuple[Outcome, ...]]] = {}
    for row in awake:
        heats = tuple(Heat(value) for value in rows[:, row])
        alerts, outcomes = advance_all(rule, states[row].alerts, heats, now=now)
        result[row] = RuleState(alerts, now), outcomes
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What a rule would have done: ``firing`` bool ``(n,)`` per step, ``notified`` the steps at which a person is told."""

    urgency: Urgency
    firing: BoolArray
    notified: npt.NDArray[np.intp]


def replay(
    valid: npt.ArrayLike, bad: npt.ArrayLike, *, step: timedelta, target: Decimal, rule: Rule | str
) -> list[Replay]:
    """Replay a rule over a series of events per step (int64 arrays ``(n,)``), most urgent alert first.

    Step ``i`` is judged at its own end with data up to and including it; ``firing`` holds between evaluations; first
    windows that are not yet full are judged on what is there. ``rule`` is a rule or its name. Raises
    ``Invalid`` for series that are negative, not whole, or of unequal length.
    """
    if isinstance(rule, str):
        rule = named_rule(rule)
    valid, bad = _whole(valid, "valid"), _whole(bad, "bad")
    if valid.shape != bad.shape:
        raise Invalid({"bad": "must be as long as valid"})
    sums = sliding_windows(valid, bad, rule.windows(), step=step)
    ticks = _ticks(valid.size, step=step, every=rule.every)
    rows = tuple(row[ticks] for row in rule.heats(sums, AllowedRatio.of(target)))
    return replay_heats(rule, rows, ticks, steps=valid.size, step=step)


def _whole(values: npt.ArrayLike, name: str) -> IntArray:
    array = np.asarray(values)
    if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or array.size == 0):
        raise Invalid({name: "must be one row of whole numbers"})
    if array.size and array.min() < 0:
        raise Invalid({name: "must not be negative"})
    return array.astype(np.int64)


def _ticks(steps: int, *, step: timedelta, every: timedelta | None) -> npt.NDArray[np.intp]:
    """Return the steps within which a tick of the grid falls; the series begins on the grid."""
    if every is None or every <= step:
        return np.arange(steps)
    microsecond = timedelta(microseconds=1)
    ends = np.arange(steps + 1, dtype=np.int64) * (step // microsecond) // (every // microsecond)
    return np.flatnonzero(ends[1:] > ends[:-1])


def replay_heats(
    rule: Rule, rows: tuple[HeatArray, ...], ticks: npt.NDArray[np.intp], *, steps: int, step: timedelta
) -> list[Replay]:
    """Run the latches over the ticks that matter: where the heat changes, and where time alone may change a state.

    ``rows`` hold the heat at each of ``ticks``, one row for each latch; ``steps`` is the length of the whole series.
    ``advance`` promises that between them nothing happens, so 40,000 steps need a few hundred decisions.
    """
    changes = _change_points(rows, ticks.size)
    alerts: Mapping[Urgency, AlertState] = {}
    seen: list[int] = []
    fired: list[list[bool]] = []
    told: list[list[int]] = [[] for _ in urgencies(rule)]
    at, following = 0, 0
    while at < ticks.size:
        now = EPOCH + (int(ticks[at]) + 1) * step
        alerts, outcomes = advance_all(rule, alerts, [Heat(row[at]) for row in rows], now=now)
        seen.append(int(ticks[at]))
        fired.append([outcome.firing for outcome in outcomes])
        for told_steps, outcome in zip(told, outcomes, strict=True):
            if outcome.notify:
                told_steps.append(int(ticks[at]))
        while following < len(changes) and changes[following] <= at:
            following += 1
        change = changes[following] if following < len(changes) else ticks.size
        at = max(at + 1, min(change, _due_tick(alerts, ticks, step, now=now)))
    return [
        Replay(urgency, _held_between(seen, [row[place] for row in fired], steps), np.array(told[place], dtype=np.intp))
        for place, urgency in enumerate(urgencies(rule))
    ]


def _change_points(rows: tuple[HeatArray, ...], ticks: int) -> list[int]:
    """Return the ticks at which any row's heat differs from the tick before."""
    changed = np.zeros(max(0, ticks - 1), dtype=np.bool_)
    for row in rows:
        changed |= row[1:] != row[:-1]
    points: list[int] = (np.flatnonzero(changed) + 1).tolist()
    return points


def _due_tick(
    alerts: Mapping[Urgency, AlertState], ticks: npt.NDArray[np.intp], step: timedelta, *, now: datetime
) -> int:
    """Return the first tick at or after the moment at which time alone may change a state."""
    moments = [at for alert in alerts.values() if (at := alert.wakes_at(now=now)) is not None]
    if not moments:
        return int(ticks.size)
    # Step i ends at (i + 1) steps, so the first step to end at or after the moment is the rounded-up count less one.
    first_step = -((EPOCH - min(moments)) // step) - 1
    return int(np.searchsorted(ticks, first_step))


def _held_between(seen: list[int], values: list[bool], steps: int) -> BoolArray:
    """Spread decisions over the steps that follow them; before the first nothing fires."""
    result = np.zeros(steps, dtype=np.bool_)
    for begin, end, value in zip(seen, [*seen, steps][1:], values, strict=True):
        result[begin:end] = value
    return result
