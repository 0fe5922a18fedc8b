"""Asking sources: who is due, what to ask, and writing what they answered, each minute once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min, QuerySet

from tocsin.core.slo_windows import grid_tick
from tocsin.platform import db
from tocsin.platform.bulk import update_many
from tocsin.slo import buckets, pulling, raw_ratios, thresholds
from tocsin.slo.actions.counting import mark_invalid
from tocsin.slo.models import Bucket, DataSource, Objective, ObjectiveState
from tocsin.slo.prometheus import VALUE, Ask, Growth, Moments, Server
from tocsin.slo.pulling import Answer, Counted
from tocsin.slo.specs import PROMETHEUS

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
SOURCES_AT_ONCE = 8
_ROLES = ("good", "bad", "total")
_STATES_AT_ONCE = 10_000
_STATE_COLUMNS = (
    *("objective_id", "pulled_until", "reading_from", "rest_good", "rest_bad", "next_at"),
    "objective__revision",
)
_OBJECTIVE_COLUMNS = (
    *("revision", "period", "good_query", "bad_query", "total_query"),
    *("threshold_query", "threshold_op", "threshold_value", "raw_query", "raw_type"),
)


@dataclass(slots=True)
class _Standing:
    """How far the counts of an SLO have come, in the order of `_STATE_COLUMNS`."""

    pk: int
    pulled_until: datetime | None
    reading_from: datetime | None
    rest_good: float
    rest_bad: float
    next_at: datetime | None
    revision: int


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked for an SLO; good as long as its revision is the same."""

    objective: Objective
    asks: tuple[Ask, ...]
    values: bool  # whether a query's answer is taken as it is, instead of the growth of counters

    @property
    def revision(self) -> int:
        return self.objective.revision


_askings: dict[int, _Asking] = {}
"""By SLO, of this process alone: thousands are asked about again and again with the same words."""


def forget_askings() -> None:
    """Read anew what is asked for every SLO: for whoever takes another database, where ids mean something else."""
    _askings.clear()


@dataclass(frozen=True, slots=True)
class Round:
    """SLOs that are asked about the same spans: past moments, or the last minutes and the one under way."""

    asks: tuple[Ask, ...]
    spans: tuple[Moments, ...]
    recent: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed source and what to ask it now. `more`: SLOs are still behind, so come back at once."""

    source: DataSource
    server: Server
    rounds: tuple[Round, ...]
    more: bool


def claim_due(*, now: datetime) -> list[Errand]:
    """Take sources whose time has come, in a transaction of its own, and say what each is to be asked."""
    due = DataSource.objects.filter(kind=PROMETHEUS, next_at__lte=now).order_by("next_at")
    if not due.exists():
        return []
    with transaction.atomic():
        taken = db.claim(due, now=now, lease=LEASE, limit=SOURCES_AT_ONCE)
    return [_errand(source, now=now) for source in taken]


def _errand(source: DataSource, *, now: datetime) -> Errand:
    states = _standings(ObjectiveState.objects.filter(objective__source=source, objective__retired_at=None))
    rounds: list[Round] = []
    more = False
    for values in (False, True):
        current, behind = _sorted([one for one in states if _askings[one.pk].values is values], now=now)
        if current:
            rounds.append(_recent_round(current, values=values, now=now))
        if behind:
            more, oldest = True, min(behind)
            rounds.append(_past_round(behind[oldest], oldest, values=values, now=now))
    return Errand(source, Server(source.url, source.headers, source.connection), tuple(rounds), more=more)


def _sorted(
    states: Sequence[_Standing], *, now: datetime
) -> tuple[list[tuple[int, _Standing]], dict[int, list[_Standing]]]:
    """SLOs that lack only the last minutes, and the others by how far they have come."""
    current: list[tuple[int, _Standing]] = []
    behind: defaultdict[int, list[_Standing]] = defaultdict(list)
    for state in states:
        if not _askings[state.pk].asks:
            continue
        until = _until(state, now=now)
        if pulling.is_current(until, now=now):
            current.append((until, state))
        else:
            behind[until].append(state)
    return current, dict(behind)


def _until(state: _Standing, *, now: datetime) -> int:
    if state.pulled_until is None:
        return pulling.begin_of(_askings[state.pk].objective.period, now=now)
    return buckets.epoch_seconds(state.pulled_until)


def _asking(objective: Objective) -> _Asking:
    """The query whose answer is asked for as it is, or those of an SLO of counters."""
    if query := objective.threshold_query or objective.raw_query:
        return _Asking(objective, (Ask(objective.pk, VALUE, query),), values=True)
    queries = {role: getattr(objective, f"{role}_query") for role in _ROLES}
    asks = tuple(Ask(objective.pk, role, query) for role, query in queries.items() if query)
    return _Asking(objective, asks, values=False)


def _recent_round(states: Sequence[tuple[int, _Standing]], *, values: bool, now: datetime) -> Round:
    asks = tuple(ask for _, state in states for ask in _askings[state.pk].asks)
    until = min(until for until, _ in states)
    if values:
        return Round(asks, (pulling.minutes_after(until, asks=len(asks), now=now),))
    minutes, running = pulling.stretch_after(until, asks=len(asks), now=now), pulling.running_minute(now=now)
    return Round(asks, (minutes,) if running is None else (minutes, running), recent=True)


def _past_round(states: Sequence[_Standing], until: int, *, values: bool, now: datetime) -> Round:
    asks = tuple(ask for state in states for ask in _askings[state.pk].asks)
    stretch = pulling.minutes_after if values else pulling.stretch_after
    return Round(asks, (stretch(until, asks=len(asks), now=now),))


def take_answers(errand: Errand, answers: Sequence[Sequence[Growth]], *, now: datetime) -> list[int]:
    """Write what a source answered to each round, inside the caller's transaction, and give the source back.

    Returns the SLOs that got counts; nothing when the claim was lost meanwhile, because then another node asks.
    """
    if not _give_back(errand, error="", now=now):
        return []
    states = _held({ask.objective_id for one in errand.rounds for ask in one.asks})
    taken = _Taken()
    for one, growths in zip(errand.rounds, answers, strict=True):
        for moments, growth in zip(one.spans, growths, strict=True):
            _take_span(one, moments, growth, states, taken, now=now)
    buckets.replace_minutes(taken.minutes)
    buckets.note_data(taken.newest)
    _note_past(taken.arrived)
    mark_invalid(taken.invalid, now=now)
    if errand.more:
        _log.info(
            "source %s: filled in history up to %s",
            errand.source.name,
            pulling.instant(errand.rounds[-1].spans[-1].last),
        )
    return sorted(taken.arrived | taken.touched)


def note_failure(errand: Errand, error: str, *, now: datetime) -> None:
    """Give a source back that gave no usable answer; what is known stays, and silence shows by itself."""
    if error != errand.source.last_error:
        _log.warning("source %s: %s", errand.source.name, error)
    _give_back(errand, error=error, now=now)


def _give_back(errand: Errand, *, error: str, now: datetime) -> bool:
    source = errand.source
    next_at = now if errand.more and not error else grid_tick(now, source.every) + source.every
    fields = {"claimed_by": "", "lease_until": None, "next_at": next_at, "last_error": error[:2000]}
    if not error:
        fields["last_success_at"] = now
    return db.still_held(source).update(**fields) == 1


@dataclass(slots=True)
class _Taken:
    """What the answers to all rounds come to, so that it is written at once."""

    minutes: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    newest: dict[int, datetime] = field(default_factory=dict)
    invalid: dict[int, str] = field(default_factory=dict)
    arrived: set[int] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)


def _held(ids: Set[int]) -> dict[int, _Standing]:
    """Where these SLOs stand, their rows locked, in order."""
    ordered = sorted(ids)
    found: dict[int, _Standing] = {}
    for begin in range(0, len(ordered), _STATES_AT_ONCE):
        rows = ObjectiveState.objects.filter(objective_id__in=ordered[begin : begin + _STATES_AT_ONCE])
        found.update((state.pk, state) for state in _standings(db.lock(rows)))
    return found


def _standings(rows: QuerySet[ObjectiveState]) -> list[_Standing]:
    """Where SLOs stand; what is asked for each is known from then on. There may be many thousands, so no more than that."""
    found = [_Standing(*row) for row in rows.order_by("objective_id").values_list(*_STATE_COLUMNS)]
    lacking = [one.pk for one in found if one.pk not in _askings or _askings[one.pk].revision != one.revision]
    for begin in range(0, len(lacking), _STATES_AT_ONCE):
        objectives = Objective.objects.filter(pk__in=lacking[begin : begin + _STATES_AT_ONCE]).only(*_OBJECTIVE_COLUMNS)
        _askings.update((one.pk, _asking(one)) for one in objectives)
    return found


def _take_span(
    one: Round, moments: Moments, growth: Growth, states: Mapping[int, _Standing], taken: _Taken, *, now: datetime
) -> None:
    asked: defaultdict[int, set[str]] = defaultdict(set)
    for ask in one.asks:
        asked[ask.objective_id].add(ask.role)
    mine = {pk: states[pk] for pk in asked if pk in states}
    final = pulling.final_until(now=now)
    found = {pk: _counted(state, asked[pk], moments, growth, final=final, now=now) for pk, state in mine.items()}
    _take_counts(moments, found, taken)
    taken.arrived |= _write_states(mine, moments, found, final=final, now=now)
    for pk, counted in found.items():
        # Of an SLO whose past is still being read nothing is known yet, nor lost.
        if mine[pk].reading_from is not None:
            continue
        if counted.newest is not None:
            newest = pulling.instant(counted.newest)
            taken.newest[pk] = max(newest, taken.newest.get(pk, newest))
        if counted.invalid:
            taken.invalid[pk] = counted.invalid
        if counted.counts or counted.invalid:
            taken.touched.add(pk)


def _counted(
    state: _Standing, asked: Set[str], moments: Moments, growth: Growth, *, final: int, now: datetime
) -> Counted:
    """Only what lies behind this SLO's own mark: a round starts where the slowest of its SLOs stands."""
    given = {role: growth.get((state.pk, role), {}) if role in asked else None for role in _ROLES}
    # The first span that ends after the mark. A running minute has one span only and is never before it.
    first = (
        max(moments.first, _until(state, now=now) + moments.step) if moments.first != moments.last else moments.first
    )
    ours = Moments(first, moments.last, moments.step)
    objective = _askings[state.pk].objective
    values = growth.get((state.pk, VALUE), {})
    if objective.raw_query:
        return raw_ratios.counted(values, ours, raw_type=objective.raw_type)
    if objective.threshold_query and objective.threshold_value is not None:
        return thresholds.counted(values, ours, op=objective.threshold_op, line=objective.threshold_value)
    return pulling.counted(
        Answer(given["good"], given["bad"], given["total"]),
        ours,
        rests=(state.rest_good, state.rest_bad),
        final=final,
    )


def _take_counts(moments: Moments, found: Mapping[int, Counted], taken: _Taken) -> None:
    if moments.step <= buckets.MINUTE:
        taken.minutes |= {(pk, start): events for pk, one in found.items() for start, events in one.counts.items()}
    else:
        # Wide spans are history: final, and behind a mark that moves in this very transaction.
        buckets.add(
            buckets.merged(
                (key, good, bad)
                for pk, one in found.items()
                for start, (good, bad) in one.counts.items()
                for key in buckets.spread(pk, start, narrowest=moments.step)
            )
        )


def _note_past(arrived: Set[int]) -> None:
    """Of SLOs whose past has just been read: from when to when there were data."""
    spans = Bucket.objects.filter(objective_id__in=arrived).values("objective_id")
    for row in spans.annotate(first=Min("start"), last=Max("start")):
        buckets.note_data({row["objective_id"]: pulling.instant(row["first"])})
        buckets.note_data({row["objective_id"]: pulling.instant(row["last"])})


def _write_states(
    states: Mapping[int, _Standing],
    moments: Moments,
    found: Mapping[int, Counted],
    *,
    final: int,
    now: datetime,
) -> set[int]:
    """Move the marks; returns the SLOs whose past has now been read.

    Only from then on an SLO is judged: nobody is told of what is over.
    """
    until = pulling.instant(min(moments.last, final))
    arrived: set[int] = set()
    if moments.step < buckets.MINUTE:
        return arrived  # the running minute is provisional
    moved, only_moved = [], []
    for pk, state in states.items():
        if state.pulled_until is None or state.pulled_until < until:
            rests = found[pk].rest_good, found[pk].rest_bad
            if (
                state.reading_from is None
                and state.pulled_until is not None
                and rests == (state.rest_good, state.rest_bad)
            ):
                only_moved.append(pk)
            else:
                moved.append(state)
            if state.pulled_until is None:
                state.reading_from = pulling.instant(_until(state, now=now))
            state.pulled_until = until
            if state.reading_from is not None and _has_arrived(state, now=now):
                arrived.add(pk)
            state.rest_good, state.rest_bad = rests
    rows = [(one.pulled_until, one.rest_good, one.rest_bad, one.reading_from, one.next_at, one.pk) for one in moved]
    update_many(ObjectiveState, ["pulled_until", "rest_good", "rest_bad", "reading_from", "next_at"], rows)
    for begin in range(0, len(only_moved), _STATES_AT_ONCE):
        some = ObjectiveState.objects.filter(pk__in=only_moved[begin : begin + _STATES_AT_ONCE])
        some.update(pulled_until=until)
    return arrived


def _has_arrived(state: _Standing, *, now: datetime) -> bool:
    """Whether the past has been read now; until then the SLO has no next evaluation."""
    there = pulling.is_current(_until(state, now=now), now=now)
    state.next_at = now if there else None
    if there:
        state.reading_from = None
    return there
