"""Asking a Prometheus-compatible server how many events there were, in as few questions as there are query shapes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from tocsin.platform import http
from tocsin.slo import connecting
from tocsin.slo.connecting import SecretMissing
from tocsin.slo.promql import Shape, counters, shape_of_sum, shared_counter, shared_growth

MOST_BYTES = 64 * 1024 * 1024
MOST_SERIES = 50_000
QUESTIONS_AT_ONCE = 4  # of one server, which has others to answer


class SourceFailed(Exception):
    """The server gave no usable answer; `wrong` names what it must have misunderstood, for people."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One query of one SLO. `role` is good, bad or total, whose growth is asked; or value, which is asked as it is."""

    objective_id: int
    role: str
    query: str


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask; `connection` as `slo.connecting` reads it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    connection: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moments:
    """The ends of the spans asked about: seconds since the epoch, `step` apart, each about the `step` before it.

    A single moment is asked about the `step` seconds before it.
    """

    first: int
    last: int
    step: int


_Read = TypeVar("_Read")
VALUE = "value"
SEVERAL = math.inf
"""Instead of a value where a query that must be about one series was answered with several; no sample is infinite."""

Growth = dict[tuple[int, str], dict[int, float]]
"""By (objective id, role): moment -> events in the span that ends there. Absent means the server knows nothing."""


Sums = defaultdict[Shape, list[tuple[tuple[str, ...], Ask]]]
"""By shape: the values its labels have in a sum, and who asks for that sum."""


@dataclass(slots=True)
class Question:
    """A query and whose answers are in it: values of `by` -> asks."""

    text: str
    by: tuple[str, ...] = ()
    asks: dict[tuple[str, ...], list[Ask]] = field(default_factory=lambda: defaultdict(list))


def fetch(server: Server, asks: Sequence[Ask], moments: Moments) -> Growth:
    """Growth of every ask at every moment. Raises SourceFailed; then nothing is known of any of them."""
    found: Growth = {}
    asked = questions(asks, moments.step)
    for question, series in zip(asked, answers(server, [(one.text, moments) for one in asked]), strict=True):
        for labels, values in series:
            for ask in question.asks.get(values_of(labels, question.by), ()):
                several = (ask.objective_id, ask.role) in found
                found[ask.objective_id, ask.role] = dict.fromkeys(values, SEVERAL) if several else values
    return found


def questions(asks: Sequence[Ask], seconds: int) -> list[Question]:
    """One question for all sums that share a shape, one for all values that share a query, one each for the rest."""
    sums, others = sums_and_others(asks)
    singles: list[Question] = []
    plain: dict[str, Question] = {}
    for ask in others:
        if ask.role == VALUE:
            plain.setdefault(ask.query, Question(ask.query)).asks[()].append(ask)
        else:
            single = Question(_understood(counters, ask.query).growth(seconds))
            single.asks[()].append(ask)
            singles.append(single)
    return [_shared(shape, rows, seconds) for shape, rows in sums.items()] + [*singles, *plain.values()]


def sums_and_others(asks: Sequence[Ask]) -> tuple[Sums, list[Ask]]:
    """Which asks are plain sums, by their shape, and which are not."""
    sums: Sums = defaultdict(list)
    others: list[Ask] = []
    for ask in asks:
        placed = None if ask.role == VALUE else _understood(shape_of_sum, ask.query)
        if placed is None:
            others.append(ask)
        else:
            shape, values = placed
            sums[shape].append((values, ask))
    return sums, others


def _understood(read: Callable[[str], _Read], query: str) -> _Read:
    try:
        return read(query)
    except ValueError as error:
        raise SourceFailed(f"the query {query[:200]!r} {error}") from None


def _shared(shape: Shape, rows: Sequence[tuple[tuple[str, ...], Ask]], seconds: int) -> Question:
    shared = shared_counter(shape, [values for values, _ in rows])
    return Question(shared_growth(shared, seconds), shared.by, asks_by(shape, rows, shared.by))


def asks_by(
    shape: Shape, rows: Sequence[tuple[tuple[str, ...], Ask]], by: Sequence[str]
) -> dict[tuple[str, ...], list[Ask]]:
    """Who asks for which sum, by the values of the labels `by`."""
    places = [shape.labels.index(label) for label in by]
    found: defaultdict[tuple[str, ...], list[Ask]] = defaultdict(list)
    for values, ask in rows:
        found[tuple(values[place] for place in places)].append(ask)
    return found


# --- the wire


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    value: tuple[float, str] | None = None


class _Data(msgspec.Struct):
    resultType: str = ""  # noqa: N815 - the API's name
    result: list[_Series] = []


class _Reply(msgspec.Struct):
    status: str
    data: _Data = msgspec.field(default_factory=_Data)
    error: str = ""
    warnings: list[str] = []


_decoder = msgspec.json.Decoder(_Reply)


Series = tuple[dict[str, str], dict[int, float]]
"""Labels, and the value at each moment."""


def answers(server: Server, asked: Sequence[tuple[str, Moments]]) -> list[list[Series]]:
    """What the server says to each query at its moments, some of them side by side. Raises SourceFailed."""
    if len(asked) <= 1:
        return [_answer(server, query, moments) for query, moments in asked]
    threads = ThreadPoolExecutor(min(len(asked), QUESTIONS_AT_ONCE), thread_name_prefix="question")
    try:
        return list(threads.map(lambda one: _answer(server, *one), asked))
    finally:
        threads.shutdown(cancel_futures=True)  # after a failure nobody waits for the rest


def values_of(labels: Mapping[str, str], by: Sequence[str]) -> tuple[str, ...]:
    return tuple(labels.get(label, "") for label in by)


def _answer(server: Server, query: str, moments: Moments) -> list[Series]:
    reply = _ask(server, query, moments)
    if len(reply.data.result) > MOST_SERIES:
        raise SourceFailed(f"answered with {len(reply.data.result)} series; at most {MOST_SERIES} are read")
    return [
        (one.metric, {round(at): _number(text) for at, text in (one.values if one.value is None else [one.value])})
        for one in reply.data.result
    ]


def _number(text: str) -> float:
    """A sample's value; whatever is no finite number is NaN, which counts as invalid further on."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _ask(server: Server, query: str, moments: Moments) -> _Reply:
    if moments.first == moments.last:
        path, form = "query", {"query": query, "time": str(moments.last)}
    else:
        path = "query_range"
        form = {"query": query, "start": str(moments.first), "end": str(moments.last), "step": str(moments.step)}
    try:
        answer = http.request(
            "POST",
            f"{server.url.rstrip('/')}/api/v1/{path}",
            headers={
                **connecting.headers_of(server.connection, server.headers),
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode(form).encode(),
            deadline=connecting.deadline(server.connection),
            most_bytes=MOST_BYTES,
            trust=connecting.trust_of(server.connection),
        )
    except SecretMissing as error:
        raise SourceFailed(str(error)) from error
    except http.HttpFailed as error:
        raise SourceFailed(error.detail) from error
    return _read(answer)


def _read(answer: http.Answer) -> _Reply:
    if answer.status in (401, 403):
        raise SourceFailed(f"answered {answer.status}: it does not know us or does not let us ask")
    try:
        reply = _decoder.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = answer.headers.get("content-type", "no content type")
        raise SourceFailed(
            f"answered {answer.status} with something else than its API does ({kind}): {error}"
        ) from None
    if answer.status != 200 or reply.status != "success":
        raise SourceFailed(f"answered {answer.status}: {reply.error[:500]}")
    if reply.warnings:
        # A partial answer looks like fewer events than there were; better none than a wrong one.
        raise SourceFailed(f"answered in part only: {reply.warnings[0][:500]}")
    return reply
