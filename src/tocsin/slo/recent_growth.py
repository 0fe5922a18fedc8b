"""How much many counters grew in the last minutes, by questions that cost a server little.

Asking for the growth of each series takes a long query, because a counter may begin anew, appear or vanish. Of hundreds
of sums that share a shape nearly all hold steady series only, and the growth of a steady sum is the difference of two
sums. So the sums are asked for as they are, together with how many series each had and which of them were not steady;
only those few are asked for by the longer way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tocsin.slo import prometheus
from tocsin.slo.prometheus import Ask, Growth, Moments, Series, Server, SourceFailed, values_of
from tocsin.slo.promql import Shape, SharedCounter, shared_counter, unsteady

LEAST = 50
"""Fewer sums of a shape are cheap enough the longer way."""
WIDE = 1000
"""From so many sums on, a server is asked for all values of the labels that tell them apart."""
# A difference of float sums may come out a hair below zero.
_HAIR = 1e-6

_narrow: set[tuple[str, Shape]] = set()
"""Shapes of which a server, by its address, has far more sums than anybody asks for. Of this process alone."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """What a server said of the sums of one shape, each by the values of its labels."""

    minutes: Mapping[tuple[str, ...], Mapping[int, float]]
    series: Mapping[tuple[str, ...], Mapping[int, float]]
    now: Mapping[tuple[str, ...], Mapping[int, float]]
    unsteady: frozenset[tuple[str, ...]]


def fetch(server: Server, asks: Sequence[Ask], spans: Sequence[Moments]) -> list[Growth]:
    """Growth over each of `spans`: some minutes that end on the grid and, if there is a second, the one under way then.

    Raises SourceFailed; then nothing is known of any of them.
    """
    found: list[Growth] = [{} for _ in spans]
    sums, closer = prometheus.sums_and_others(asks)
    for shape, rows in sums.items():
        if len(rows) < LEAST:
            closer += [ask for _, ask in rows]
        else:
            closer += _take(server, shape, rows, spans, found)
    for growth, span in zip(found, spans, strict=True):
        growth.update(prometheus.fetch(server, closer, span))
    return found


def _take(
    server: Server,
    shape: Shape,
    rows: Sequence[tuple[tuple[str, ...], Ask]],
    spans: Sequence[Moments],
    found: Sequence[Growth],
) -> list[Ask]:
    """Take the growth of the steady sums; returns who asks for the others."""
    shared, sums = _asked(server, shape, [values for values, _ in rows], spans)
    closer: list[Ask] = []
    for key, asks in prometheus.asks_by(shape, rows, shared.by).items():
        grown = _grown(sums, key, spans)
        if grown is None:
            closer += asks
            continue
        for growth, values in zip(found, grown, strict=True):
            if values:
                growth.update(((ask.objective_id, ask.role), values) for ask in asks)
    return closer


def _asked(
    server: Server, shape: Shape, values: Sequence[tuple[str, ...]], spans: Sequence[Moments]
) -> tuple[SharedCounter, _Sums]:
    if len(values) >= WIDE and (server.url, shape) not in _narrow and all(map(all, values)):
        shared = shared_counter(shape, values, wide=True)
        try:
            sums = _ask(server, shared, spans)
        except SourceFailed:  # perhaps because there are too many; if not, the next question says so
            _narrow.add((server.url, shape))
        else:
            if len(sums.series) > 2 * len(values):
                _narrow.add((server.url, shape))
            return shared, sums
    shared = shared_counter(shape, values)
    return shared, _ask(server, shared, spans)


def _ask(server: Server, shared: SharedCounter, spans: Sequence[Moments]) -> _Sums:
    minutes, now = spans[0], spans[-1].last
    begin = minutes.first - minutes.step
    grid = Moments(begin, minutes.last, minutes.step)
    sums, counts = shared.grouped("sum", shared.counter), shared.grouped("count", shared.counter)
    at_once = Moments(now, now, now - begin)
    asked = [(sums, grid), (counts, grid), (unsteady(shared, now - begin), at_once)]
    if len(spans) > 1:
        asked.append((sums, at_once))
    told = [_by_values(series, shared.by) for series in prometheus.answers(server, asked)]
    return _Sums(told[0], told[1], told[3] if len(spans) > 1 else {}, frozenset(told[2]))


def _by_values(series: Sequence[Series], by: Sequence[str]) -> dict[tuple[str, ...], dict[int, float]]:
    return {values_of(labels, by): values for labels, values in series}


def _grown(sums: _Sums, key: tuple[str, ...], spans: Sequence[Moments]) -> list[dict[int, float]] | None:
    """The growth of one sum over each span, empty where the server knows nothing; None when a difference will not do."""
    if key in sums.unsteady:
        return None
    values, series = sums.minutes.get(key), sums.series.get(key)
    if values is None or series is None:
        return [{} for _ in spans]
    minutes = spans[0]
    moments = range(minutes.first - minutes.step, minutes.last + 1, minutes.step)
    if len(values) < len(moments) or len(set(series.values())) != 1:
        return None
    grown = [{moment: values[moment] - values[moment - minutes.step] for moment in moments[1:]}]
    if len(spans) > 1:
        now = sums.now.get(key)
        if now is None:
            return None
        grown.append({at: value - values[minutes.last] for at, value in now.items()})
    # NaN is no growth either.
    if not all(math.isfinite(one) and one >= -_HAIR for growth in grown for one in growth.values()):
        return None
    return [{at: max(one, 0.0) for at, one in growth.items()} for growth in grown]
