"""Looking at all SLOs side by side: most are quiet, and what is shown of those is written in one statement."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tocsin.core.burn_rate import AllowedRatio
from tocsin.core.error_budget import allowed_ratio, seconds, share_of
from tocsin.core.fleet_look import WORDS, Known, Look, Terms, look
from tocsin.core.slo_windows import WindowArrays, WindowCounts, grid_tick
from tocsin.platform import db
from tocsin.platform.bulk import update_many
from tocsin.slo import fleet as fleets
from tocsin.slo import judging, snapshots
from tocsin.slo.fleet import Asked, Seat, fleet
from tocsin.slo.fleet_blocks import Block
from tocsin.slo.models import Objective, ObjectiveState
from tocsin.slo.queries.counts import Judged, stretches_to_judge

_AT_ONCE = 10_000


class _Row(NamedTuple):
    """What an evaluation reads of an SLO, in the order of `_COLUMNS`."""

    pk: int
    rule_state: dict[str, Any]
    evaluated_at: datetime | None
    first_data_at: datetime | None
    last_data_at: datetime | None
    invalid_at: datetime | None
    breaching: bool
    alerting: bool
    version: int
    base: int
    touched_from: int | None
    revision: int
    source_every: timedelta | None


_COLUMNS = (
    "objective_id",
    "rule_state",
    "evaluated_at",
    "first_data_at",
    "last_data_at",
    "invalid_at",
    "breaching",
    "alerting",
    "counts_version",
    "counts_base",
    "counts_from",
    "objective__revision",
    "objective__source__every",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Alike:
    """SLOs that are asked about the same windows, by one of them."""

    example: Objective
    latches: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Setting:
    """What an evaluation needs of an SLO's own settings; good as long as revision and source are the same."""

    revision: int
    source_every: timedelta | None
    alike: _Alike
    allowed: Fraction
    silence_limit: timedelta
    every: timedelta
    hours: int | None  # None: too long a period, or time slices, for a look side by side


@dataclass(slots=True)
class _Settings:
    """Of this process alone, by SLO; SLOs that are judged alike share an `_Alike`."""

    known: dict[int, _Setting] = field(default_factory=dict)
    alike: dict[tuple[object, ...], _Alike] = field(default_factory=dict)

    def of(self, rows: Sequence[_Row]) -> list[_Setting]:
        lacking = [row.pk for row in rows if not self._holds(row)]
        for begin in range(0, len(lacking), _AT_ONCE):
            self._read(lacking[begin : begin + _AT_ONCE])
        return [self.known[row.pk] for row in rows]

    def _holds(self, row: _Row) -> bool:
        found = self.known.get(row.pk)
        return found is not None and (found.revision, found.source_every) == (row.revision, row.source_every)

    def _read(self, ids: Sequence[int]) -> None:
        rows = Objective.objects.filter(pk__in=ids).select_related("source")
        # The document matters to calendar periods only, and is by far the largest column.
        found = list(rows.defer("document", "description"))
        by_calendar = [one.pk for one in found if one.calendar_start is not None]
        if by_calendar:
            found = [one for one in found if one.calendar_start is None] + list(rows.filter(pk__in=by_calendar))
        for objective in found:
            self.known[objective.pk] = self._setting(objective)

    def _setting(self, objective: Objective) -> _Setting:
        sliced = snapshots.slices_of(objective) is not None
        return _Setting(
            revision=objective.revision,
            source_every=objective.source.every if objective.source else None,
            alike=self._alike(objective),
            allowed=allowed_ratio(objective.target),
            silence_limit=snapshots.silence_limit(objective),
            every=objective.evaluate_every,
            hours=None if sliced else fleets.hours_for(objective.period),
        )

    def _alike(self, objective: Objective) -> _Alike:
        calendar = snapshots.calendar_of(objective)
        rule = json.dumps(objective.rule, sort_keys=True)
        unit = snapshots.unit_of(objective)
        key = (rule, objective.period, objective.renotify_after, objective.fallback, calendar, unit)
        if key not in self.alike:
            latches = frozenset(urgency.value for urgency, _ in snapshots.rule_of(objective).latches)
            self.alike[key] = _Alike(objective, latches)
        return self.alike[key]


_settings = _Settings()


def forget_settings() -> None:
    """Read the settings of every SLO anew: for whoever takes another database, where ids mean something else."""
    _settings.known.clear()
    _settings.alike.clear()


@dataclass(slots=True)
class _Group:
    """SLOs of one block that are judged alike."""

    rows: list[_Row] = field(default_factory=list)
    settings: list[_Setting] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


def look_at_all(objective_ids: Sequence[int], *, now: datetime) -> dict[int, Judged | None]:
    """Lock these SLOs, write what is to be shown of the quiet ones, and return the others with their counts.

    None instead of counts: they are not held side by side and must be asked for.
    """
    closer: dict[int, Judged | None] = {}
    for begin in range(0, len(objective_ids), _AT_ONCE):
        closer |= _look_at(_locked(objective_ids[begin : begin + _AT_ONCE]), now=now)
    return dict(sorted(closer.items()))


def _locked(objective_ids: Sequence[int]) -> list[_Row]:
    rows = ObjectiveState.objects.filter(objective_id__in=objective_ids, objective__retired_at=None)
    return list(map(_Row._make, db.lock(rows.order_by("objective_id")).values_list(*_COLUMNS)))


def _look_at(rows: Sequence[_Row], *, now: datetime) -> dict[int, Judged | None]:
    closer: dict[int, Judged | None] = {}
    with fleet.lock:
        settings = _settings.of(rows)
        pairs = list(zip(rows, settings, strict=True))
        asked = [
            Asked(row.pk, row.version, row.base, row.touched_from, setting.hours)
            for row, setting in pairs
            if setting.hours is not None
        ]
        groups = _grouped(pairs, fleet.refresh(asked, now=now), closer)
        written: list[tuple[Any, ...]] = []
        for (block, alike), group in groups.items():
            written += _look_at_group(block, alike, group, closer, now=now)
    update_many(ObjectiveState, _WRITTEN, written)  # what their rules remember stays as it is
    return closer


def _grouped(
    pairs: Iterable[tuple[_Row, _Setting]], seats: Mapping[int, Seat], closer: dict[int, Judged | None]
) -> dict[tuple[Block, _Alike], _Group]:
    groups: defaultdict[tuple[Block, _Alike], _Group] = defaultdict(_Group)
    for row, setting in pairs:
        seat = seats.get(row.pk)
        if seat is None or not fleets.is_known(seat):
            closer[row.pk] = None
            continue
        group = groups[seat.block, setting.alike]
        group.rows.append(row)
        group.settings.append(setting)
        group.places.append(seat.place)
    return groups


def _look_at_group(
    block: Block, alike: _Alike, group: _Group, closer: dict[int, Judged | None], *, now: datetime
) -> list[tuple[Any, ...]]:
    """What to write of the quiet ones; the others go to `closer`."""
    trailing, period_stretch = stretches_to_judge(alike.example, now=now)
    whole = alike.example.period
    places = np.array(group.places, dtype=np.intp)
    sums = fleets.sums(block, places, trailing, now=now)
    periods = fleets.sums(block, places, {whole: period_stretch}, now=now)
    if sums is None or periods is None:
        closer.update(dict.fromkeys((row.pk for row in group.rows), None))
        return []
    allowed = AllowedRatio(
        np.array([one.allowed.numerator for one in group.settings], dtype=np.int64),
        np.array([one.allowed.denominator for one in group.settings], dtype=np.int64),
    )
    found = look(_terms(alike.example, now=now), sums, periods[whole], _known(alike, group, now=now), allowed)
    for at in np.flatnonzero(found.closer).tolist():
        windows = {span: _one(arrays, at) for span, arrays in sums.items()}
        closer[group.rows[at].pk] = windows, _one(periods[whole], at)
    return _quiet(found, group, now=now)


def _one(arrays: WindowArrays, at: int) -> WindowCounts:
    return WindowCounts(int(arrays.valid[at]), int(arrays.bad[at]))


def _terms(example: Objective, *, now: datetime) -> Terms:
    span = snapshots.period_of(example, now=now)
    forecast, hours_left = Fraction(1), seconds(example.period) / 3600
    if example.calendar_start is not None:
        forecast = 1 / share_of(now - span.starts_at, span.ends_at - span.starts_at)
        hours_left = seconds(span.ends_at - now) / 3600
    rule = snapshots.rule_of(example)
    return Terms(rule, judging.SHOWN, judging.PROJECTION, forecast, hours_left)


def _known(alike: _Alike, group: _Group, *, now: datetime) -> Known:
    rows = group.rows
    return Known(
        awake=np.array([_is_awake(row, alike.latches) for row in rows], dtype=np.bool_),
        silent=np.array([bool(row.rule_state.get("silent")) for row in rows], dtype=np.bool_),
        lost=np.array(
            [
                row.last_data_at is None or now - row.last_data_at > setting.silence_limit
                for row, setting in zip(rows, group.settings, strict=True)
            ],
            dtype=np.bool_,
        ),
        invalid=np.array([_is_invalid(row) for row in rows], dtype=np.bool_),
        heard=np.array([row.first_data_at is not None for row in rows], dtype=np.bool_),
    )


def _is_awake(row: _Row, latches: frozenset[str]) -> bool:
    alerts = row.rule_state.get("alerts", {})
    if row.alerting or row.breaching or row.evaluated_at is None or alerts.keys() != latches:
        return True
    return any("ripe_at" in alert for alert in alerts.values())  # a condition that must have held for a while


def _is_invalid(row: _Row) -> bool:
    return row.invalid_at is not None and (row.last_data_at is None or row.invalid_at >= row.last_data_at)


def _quiet(found: Look, group: _Group, *, now: datetime) -> list[tuple[Any, ...]]:
    """The values of `_WRITTEN` for each SLO that needs no closer look."""
    burns = {str(int(span.total_seconds())): values.tolist() for span, values in found.burns.items()}
    remaining, hours, health = found.remaining.tolist(), found.hours.tolist(), found.health.tolist()
    rows = []
    for at in np.flatnonzero(~found.closer).tolist():
        row, every = group.rows[at], group.settings[at].every
        rows.append(
            (
                WORDS[health[at]].value,
                grid_tick(now, every) + every,
                remaining[at] if remaining[at] == remaining[at] else None,
                {span: values[at] for span, values in burns.items() if values[at] == values[at]},
                now + timedelta(hours=hours[at]) if hours[at] != np.inf else None,
                row.version,
                None,
                now,
                row.pk,
            )
        )
    return rows


_WRITTEN = (
    *("health", "next_at", "remaining", "burn_rates", "exhausts_at", "counts_base"),
    *("counts_from", "evaluated_at"),
)
