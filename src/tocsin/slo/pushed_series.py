"""Counters that are pushed (OTLP metrics, Prometheus remote write) in one form, and which SLOs they count for.

The doors turn what arrives into `Series`, keep those that an SLI names and hand them to the journal as this form's
bytes; the fold reads them back. No query and no clock in here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from tocsin.core.counter_growth import Point
from tocsin.core.linear_patterns import PatternRefused, compiled
from tocsin.core.matchers import LONGEST_VALUE
from tocsin.slo.promql import Selector, UnsupportedQuery, counters

MOST_SAMPLES = 50_000
MOST_LABELS = 128
AHEAD_MS = 5 * 60_000
"""How far a sender's clock may run before ours."""


class Refused(ValueError):
    """The body cannot be taken; the text says what is wrong with it and where."""


class Series(msgspec.Struct, frozen=True):
    """Samples of one counter. `names` are all it may be called by; `problem` says why it cannot be counted.

    `counts_for` are the SLOs (by id) that it counts for, and as what; the door fills it in.
    """

    names: tuple[str, ...]
    labels: dict[str, str]
    points: list[tuple[int, float | None, int, bool]]
    delta: bool = False
    problem: str = ""
    counts_for: tuple[tuple[int, str], ...] = ()

    @property
    def key(self) -> str:
        """What tells this series from every other."""
        told = "\x00".join([self.names[0], *(f"{name}\x01{value}" for name, value in sorted(self.labels.items()))])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def samples(self) -> list[Point]:
        return [Point(*point) for point in self.points]


_series = msgspec.json.Decoder(list[Series])


def to_bytes(series: Sequence[Series]) -> bytes:
    return msgspec.json.encode(series)


def from_bytes(body: bytes) -> list[Series]:
    return _series.decode(body)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A counter that an SLI names: for which SLO it counts, and as what (good, bad or total)."""

    objective_id: int
    service_id: int
    role: str
    selector: Selector


@lru_cache(maxsize=65_536)
def selector_of(query: str) -> Selector | None:
    """The counter a query sums, None when it is more than the sum of one counter and so cannot be pushed."""
    try:
        found = counters(query)
    except (UnsupportedQuery, ValueError):
        return None
    plain = found.summed or found.skeleton.replace("{}", "").strip("() ") == "tocsin_counter_0"
    selector = found.selectors[0]
    return selector if plain and selector.name and _usable(selector) else None


def _usable(selector: Selector) -> bool:
    try:
        for one in selector.matchers:
            if one.operator in ("=~", "!~"):
                compiled(one.value)
    except PatternRefused:
        return False
    return True


class Selection:
    """Finds for a series what it counts for, at a cost that does not grow with the number of SLOs.

    Selectors are looked up by the counter's name and by the label that tells most of them apart.
    """

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        by_name: defaultdict[str, list[Wanted]] = defaultdict(list)
        for one in wanted:
            by_name[one.selector.name].append(one)
        self._by_name = {name: _Index(some) for name, some in by_name.items()}

    def of(self, series: Series, *, service_id: int | None) -> list[Wanted]:
        """Everything that counts this series, within one service when the sender is bound to it."""
        indexes = [index for name in series.names if (index := self._by_name.get(name)) is not None]
        found = [one for index in indexes for one in index.near(series.labels)]
        return [one for one in found if service_id in (None, one.service_id) and selects(one.selector, series.labels)]

    def named(self, series: Sequence[Series], *, service_id: int | None) -> list[Series]:
        """Those that count for something, each with what it counts for."""
        found = []
        for one in series:
            uses = self.of(one, service_id=service_id)
            if uses:
                told = tuple(dict.fromkeys((use.objective_id, use.role) for use in uses))
                found.append(msgspec.structs.replace(one, counts_for=told))
        return found


class _Index:
    """The selectors of one counter by the value that one of their labels must equal."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        values: defaultdict[str, set[str]] = defaultdict(set)
        for one in wanted:
            for label, value in _equal(one).items():
                values[label].add(value)
        self._label = max(values, key=lambda label: (len(values[label]), label), default="")
        self._by_value: defaultdict[str, list[Wanted]] = defaultdict(list)
        self._others: list[Wanted] = []
        for one in wanted:
            own = _equal(one).get(self._label)
            (self._others if own is None else self._by_value[own]).append(one)

    def near(self, labels: Mapping[str, str]) -> list[Wanted]:
        """Those that may select a series with these labels; none that does is left out."""
        return [*self._by_value.get(labels.get(self._label, ""), ()), *self._others]


def _equal(wanted: Wanted) -> dict[str, str]:
    return {one.label: one.value for one in wanted.selector.matchers if one.operator == "="}


def selects(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether the labels meet every matcher; a label that is not there is empty. Patterns describe the whole value."""
    return all(_holds(one.operator, one.value, labels.get(one.label, "")) for one in selector.matchers)


def _holds(operator: str, wanted: str, value: str) -> bool:
    if operator in ("=", "!="):
        return (value == wanted) is (operator == "=")
    return len(value) <= LONGEST_VALUE and compiled(wanted).matches(value) is (operator == "=~")


def too_far_ahead(series: Sequence[Series], *, now_ms: int) -> str:
    """The name of the first series with a sample from the future; empty when there is none."""
    limit = now_ms + AHEAD_MS
    return next((one.names[0] for one in series if any(point[0] > limit for point in one.points)), "")
