"""Reckon an OpenSLO file over a recorded series: burn rates, budget, priorities by table, alerts (contract SLO-2).

Everything is compared as exact numbers; floats appear only in what is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.config.series import (
    COMPARISONS,
    Row,
    Tally,
    events_of,
    read_rows,
    slices_of_events,
    slices_of_values,
    tally,
)
from tocsin.core.budget_priorities import CHAPTER_VELOCITY, priority_by_remaining, priority_by_velocity
from tocsin.core.error_budget import allowed_ratio
from tocsin.core.errors import Invalid
from tocsin.core.slo_windows import CalendarPeriod, calendar_window, grid_tick
from tocsin.slo.openslo import Document, objective_specs, parse
from tocsin.slo.openslo.alert_rules import PolicyBook, named_conditions
from tocsin.slo.openslo.durations import shorthand
from tocsin.slo.openslo.nodes import Node
from tocsin.slo.openslo.objective_specs import annotation
from tocsin.slo.specs import ObjectiveSpec

_HOUR = timedelta(hours=1)
_VELOCITY_PERIOD = timedelta(days=30)
_MOST_POINTS = 500_000


@dataclass(frozen=True, slots=True)
class Condition:
    """An alert condition: burn over `lookback` compared with `threshold`, for at least `after`."""

    name: str
    operator: str
    threshold: Fraction
    lookback: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The SLO under test."""

    name: str
    target: Decimal
    spec: ObjectiveSpec
    calendar: CalendarPeriod | None
    conditions: Sequence[Condition]
    snooze: timedelta


@dataclass(slots=True)
class _Alert:
    """Where one condition stands while time goes by."""

    condition: Condition
    held_since: datetime | None = None
    opened: datetime | None = None
    told_at: datetime | None = None
    done: list[dict[str, Any]] = field(default_factory=list)


def reckon(slo_text: str, series_text: str, *, every: timedelta, path: str = "slo.yaml") -> dict[str, Any]:
    """The answer of `slo evaluate --json`. Raises Invalid for a wrong file or series."""
    documents = _documents(slo_text, path)
    slo = _reckoned(documents)
    rows = sorted(read_rows(series_text), key=lambda row: row.at)
    counted = _tally(documents, slo, rows)
    alerts = [_Alert(condition) for condition in slo.conditions]
    points = [_point(slo, counted, alerts, at) for at in _ticks(rows, every)]
    found = [alert for one in alerts for alert in one.done]
    return {"slo": slo.name, "points": points, "alerts": sorted(found, key=lambda alert: str(alert["opened"]))}


def _documents(text: str, path: str) -> list[Document]:
    file = parse(text, path)
    if file.errors:
        raise Invalid({f"{path} line {one.line}": f"{one.path}: {one.message}" for one in file.errors})
    return list(file.documents)


def _slo(documents: Sequence[Document]) -> Document:
    found = [document for document in documents if document.kind == "SLO"]
    if len(found) != 1:
        raise Invalid({"slo": f"the file must hold exactly one SLO; it holds {len(found)}"})
    return found[0]


def _reckoned(documents: Sequence[Document]) -> Reckoned:
    document = _slo(documents)
    specs = objective_specs(documents)
    spec = specs.objectives[0]
    book = PolicyBook({(one.kind, one.name): one for one in documents})
    conditions = [_condition(name, node) for name, node in named_conditions(document, book)]
    snooze = _snooze([document, *documents])
    return Reckoned(
        name=document.name,
        target=spec.target,
        spec=spec,
        calendar=_calendar(document),
        conditions=conditions,
        snooze=snooze,
    )


def _snooze(documents: Sequence[Document]) -> timedelta:
    """The SLO's own annotation, else that of a policy or condition beside it, else none."""
    for document in documents:
        length = shorthand(annotation(document, "snooze"), zero=True)
        if length is not None:
            return length.span
    return timedelta(0)


def _calendar(document: Document) -> CalendarPeriod | None:
    window = document.node.items_at("spec", "timeWindow")[0]
    length = shorthand(window.text_at("duration"))
    if window.get("calendar") is None or length is None or length.calendar_unit is None:
        return None
    start = datetime.fromisoformat(window.text_at("calendar", "startTime"))
    return CalendarPeriod(start, ZoneInfo(window.text_at("calendar", "timeZone")), length.count, length.calendar_unit)


def _condition(name: str, spec: Node) -> Condition:
    condition = spec.get("condition") or spec
    threshold, lookback = condition.get("threshold"), shorthand(condition.text_at("lookbackWindow"))
    after = shorthand(condition.text_at("alertAfter") or "0m", zero=True)
    if threshold is None or threshold.number is None or lookback is None or after is None:
        raise Invalid({name: "is no burn-rate condition"})
    operator = condition.text_at("op") or "gt"
    return Condition(name, operator, Fraction(threshold.number), lookback.span, after.span)


def _tally(documents: Sequence[Document], slo: Reckoned, rows: Sequence[Row]) -> Tally:
    """Events, or slices as events, as the SLO's budgeting method asks for."""
    spec = slo.spec
    values = len(rows[0].numbers) == 1
    if spec.budgeting == "Occurrences":
        if values:
            raise Invalid({"series": "values are judged by time slices; this SLO counts occurrences"})
        return tally(events_of(rows))
    if spec.slice_window is None:
        raise Invalid({"slo": "time slices need a length"})
    target = None if spec.slice_target is None else Fraction(spec.slice_target)
    if not values:
        share = target if spec.budgeting == "Timeslices" else None
        events_of(rows)  # refuses impossible rows
        return tally(slices_of_events(rows, length=spec.slice_window, target=share))
    objective = _slo(documents).node.items_at("spec", "objectives")[0]
    limit = objective.get("value")
    if limit is None or limit.number is None or target is None or not objective.text_at("op"):
        raise Invalid({"slo": "values need op, value and timeSliceTarget"})
    return tally(
        slices_of_values(
            rows,
            length=spec.slice_window,
            operator=objective.text_at("op"),
            limit=Fraction(limit.number),
            target=target,
        )
    )


def _ticks(rows: Sequence[Row], every: timedelta) -> list[datetime]:
    if every <= timedelta(0):
        raise Invalid({"every": "must be above zero"})
    first, last = rows[0].at, rows[-1].at
    if (last - first) // every > _MOST_POINTS:
        raise Invalid({"every": f"would give more than {_MOST_POINTS} points"})
    tick = grid_tick(first, every)
    tick = tick if tick == first else tick + every
    ticks = []
    while tick <= last:
        ticks.append(tick)
        tick += every
    return ticks


def _burn(slo: Reckoned, counted: Tally, start: datetime, at: datetime) -> Fraction | None:
    valid, bad = counted.between(start, at)
    return Fraction(bad, valid) / allowed_ratio(slo.target) if valid else None


def _point(slo: Reckoned, counted: Tally, alerts: Sequence[_Alert], at: datetime) -> dict[str, Any]:
    for alert in alerts:
        _advance(alert, _burn(slo, counted, at - alert.condition.lookback, at), at, slo.snooze)
    lookback = slo.conditions[0].lookback if slo.conditions else _HOUR
    burn = _burn(slo, counted, at - lookback, at)
    begins = calendar_window(slo.calendar, now=at).starts_at if slo.calendar else at - slo.spec.period
    spent = _burn(slo, counted, begins, at)
    left = None if spent is None else 1 - spent
    return {
        "at": _stamp(at),
        "burn": _shown(burn),
        "remaining": _shown(left),
        "priority_by_remaining": _by_remaining(slo, counted, left, at),
        "priority_by_velocity": _by_velocity(slo, counted, at),
    }


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _shown(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _by_remaining(slo: Reckoned, counted: Tally, left: Fraction | None, at: datetime) -> int | None:
    recent = _burn(slo, counted, at - _HOUR, at)
    if left is None or recent is None:
        return None
    return priority_by_remaining(left, premature=recent > 1, overspent_always=False)


def _by_velocity(slo: Reckoned, counted: Tally, at: datetime) -> int | None:
    valid, _ = counted.between(at - _VELOCITY_PERIOD, at)
    if not valid:
        return None
    grant = allowed_ratio(slo.target) * valid
    spent = {span: counted.between(at - span, at)[1] / grant for span in CHAPTER_VELOCITY.windows()}
    return priority_by_velocity(spent)


def _advance(alert: _Alert, burn: Fraction | None, at: datetime, snooze: timedelta) -> None:
    condition = alert.condition
    if burn is None or not COMPARISONS[condition.operator](burn, condition.threshold):
        if alert.opened is not None:
            alert.done[-1]["closed"] = _stamp(at)
        alert.held_since = alert.opened = None
        return
    alert.held_since = alert.held_since or at
    if alert.opened is not None or at - alert.held_since < condition.after:
        return
    alert.opened = at
    told = alert.told_at is None or at - alert.told_at >= snooze
    alert.told_at = at if told else alert.told_at
    alert.done.append({"condition": condition.name, "opened": _stamp(at), "closed": None, "notified": told})
