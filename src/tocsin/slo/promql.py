"""PromQL as far as counters need it: from an SLO's query to questions about how much it grew.

An SLO's query names counters (`sum(http_requests_total{job="x"})`); what we need is how many events a minute brought.
So each counter in it is replaced by its growth over a span. Growth is the difference of two moments: unlike
`increase()`, which guesses what happened before the first and after the last sample of the span, it loses nothing and
invents nothing between two questions, and it works for spans shorter than the scrape interval.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import promql_parser
from promql_parser import AggregateExpr, Call, Expr, MatchOp, MatrixSelector, ParenExpr, SubqueryExpr, VectorSelector

from tocsin.slo.promql_faults import fault

# How long a server looks back for the last sample of a series; a reset in there makes a difference untrustworthy.
_LOOKBACK_SECONDS = 300
_GROWTHS = ("rate", "increase")
_PLACE = "tocsin_counter_"
# Pairs, because the library's enumeration cannot be hashed.
_OPERATORS = ((MatchOp.Equal, "="), (MatchOp.NotEqual, "!="), (MatchOp.Re, "=~"), (MatchOp.NotRe, "!~"))
_REGEX_SPECIAL = re.compile(r"([.\\+*?()|\[\]{}^$])")


class UnsupportedQuery(ValueError):
    """The query parses, but growth cannot be asked of it; the text says why."""


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A counter: its name (empty when a matcher gives it) and its matchers in order of label."""

    name: str
    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        return f"{self.name}{{{','.join(map(str, self.matchers))}}}"


@dataclass(frozen=True, slots=True)
class Counters:
    """A query taken apart: `skeleton` with places for its `selectors`. `summed`: it is the plain sum of one counter."""

    skeleton: str
    selectors: tuple[Selector, ...]
    summed: bool

    def growth(self, seconds: int) -> str:
        """The query for how much everything grew in the `seconds` up to the moment it is asked for."""
        text = self.skeleton
        # From the last place down, so that place 1 is not found inside place 10.
        for place in reversed(range(len(self.selectors))):
            text = text.replace(f"{_PLACE}{place}{{}}", growth(str(self.selectors[place]), seconds))
        return f"sum({text})"


def query_problem(query: str) -> str | None:
    """What is wrong with an SLO's query, None when we can ask it."""
    try:
        _check(counters(query))
    except UnsupportedQuery as error:
        return str(error)
    except ValueError as error:
        return fault(query) or f"is no PromQL: {error}"
    return None


@lru_cache(maxsize=65_536)
def counters(query: str) -> Counters:
    """Take a query apart, once for each text: thousands are asked every few seconds. Raises ValueError for what is no PromQL, UnsupportedQuery for what we cannot ask."""
    tree = promql_parser.parse(query)
    selectors: list[Selector] = []

    def place(node: VectorSelector) -> Expr:
        selectors.append(_selector(node))
        placed: Expr = promql_parser.parse(f"{_PLACE}{len(selectors) - 1}")
        return placed

    def before(node: Expr) -> Expr | None:
        if isinstance(node, Call) and node.func.name in _GROWTHS and isinstance(node.args[0], MatrixSelector):
            return place(node.args[0].vector_selector)
        if isinstance(node, (MatrixSelector, SubqueryExpr)):
            raise UnsupportedQuery("looks at a range of its own; only rate() and increase() of a counter may")
        return None

    def after(node: Expr) -> Expr | None:
        if isinstance(node, VectorSelector) and not (node.name or "").startswith(_PLACE):
            return place(node)
        return None

    skeleton = str(promql_parser.transform(tree, before, after))
    if not selectors:
        raise UnsupportedQuery("names no counter")
    return Counters(skeleton, tuple(selectors), summed=_is_plain_sum(tree))


def _check(found: Counters) -> None:
    try:
        promql_parser.parse(found.growth(60))
    except ValueError as error:
        raise UnsupportedQuery(f"cannot be rewritten to ask for growth: {error}") from None


def _selector(node: VectorSelector) -> Selector:
    if node.offset is not None or node.at is not None:
        raise UnsupportedQuery("looks at another time (offset or @)")
    if node.matchers.or_matchers:
        raise UnsupportedQuery("joins matchers with or")
    found = [
        Matcher(one.name, next(sign for known, sign in _OPERATORS if known == one.op), one.value)
        for one in node.matchers.matchers
    ]
    name = node.name or ""
    equal = next((one for one in found if one.label == "__name__" and one.operator == "="), None)
    if not name and equal is not None:
        name = equal.value
        found.remove(equal)
    return Selector(name, tuple(sorted(found, key=lambda one: (one.label, one.operator, one.value))))


def _is_plain_sum(tree: Expr) -> bool:
    """Whether the query is sum(counter), with or without rate() or increase() and brackets."""
    while isinstance(tree, ParenExpr):
        tree = tree.expr
    if not isinstance(tree, AggregateExpr) or str(tree.op) != "sum" or tree.modifier is not None:
        return False
    inner: Expr = tree.expr
    while isinstance(inner, ParenExpr):
        inner = inner.expr
    if isinstance(inner, Call):
        return inner.func.name in _GROWTHS and isinstance(inner.args[0], MatrixSelector)
    return isinstance(inner, VectorSelector)


def growth(counter: str, seconds: int) -> str:
    """PromQL for how much each series of `counter` grew in the last `seconds`; never negative, never extrapolated.

    A series is answered by the first of five lines that holds it: nothing was reset; a reset before the span;
    one reset within it (up to the last sample before it, and all since); resets that were made up for; a series that
    is younger than the span.
    """
    before, span = f"{counter} offset {seconds}s", f"{counter}[{seconds}s]"
    difference = f"({counter} - {before})"
    reset_lately = f"(resets({counter}[{seconds + _LOOKBACK_SECONDS}s]) > 0)"
    reset_within = f"(resets({span}) > 0)"
    lines = (
        f"({difference} unless {reset_lately})",
        f"(({difference} >= 0) unless {reset_within})",
        f"(clamp_min(max_over_time({span}) - {before}, 0) + ({counter} and ({difference} < 0)))",
        f"(increase({span}) and {reset_within})",
        f"({counter} - min_over_time({span}))",
    )
    return f"({' or '.join(lines)})"


def quoted(text: str) -> str:
    """A PromQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Shape:
    """What plain sums have in common that differ only in the values their labels must equal."""

    name: str
    others: tuple[Matcher, ...]
    labels: tuple[str, ...]


def shape_of(selector: Selector) -> tuple[Shape, tuple[str, ...]]:
    """A counter's shape and the values it has there, in order of the shape's labels."""
    equal = [one for one in selector.matchers if one.operator == "="]
    labels = [one.label for one in equal]
    if len(set(labels)) < len(labels):  # l="a" and l="b" at once: no values to tell apart
        return Shape(selector.name, selector.matchers, ()), ()
    others = tuple(one for one in selector.matchers if one.operator != "=")
    return Shape(selector.name, others, tuple(labels)), tuple(one.value for one in equal)


@lru_cache(maxsize=65_536)
def shape_of_sum(query: str) -> tuple[Shape, tuple[str, ...]] | None:
    """The shape and the values of a query that is the plain sum of one counter, else None. Raises as `counters` does."""
    found = counters(query)
    return shape_of(found.selectors[0]) if found.summed else None


@dataclass(frozen=True, slots=True)
class SharedCounter:
    """The counters of many sums of one shape. `by` are the labels whose values tell the sums apart."""

    counter: str
    by: tuple[str, ...]

    def grouped(self, operator: str, text: str) -> str:
        grouping = f" by ({', '.join(self.by)})" if self.by else ""
        return f"{operator}{grouping} ({text})"


def shared_counter(shape: Shape, values: Sequence[tuple[str, ...]], *, wide: bool = False) -> SharedCounter:
    """All counters of `shape` with these `values`; labels that never differ stay as they are.

    `wide` asks for any value where they differ: a server finds all series of a metric sooner than thousands by name.
    """
    matchers, by = list(shape.others), []
    for place, label in enumerate(shape.labels):
        wanted = sorted({row[place] for row in values})
        if len(wanted) == 1:
            matchers.append(Matcher(label, "=", wanted[0]))
            continue
        by.append(label)
        if wide:
            matchers.append(Matcher(label, "!=", ""))
        else:
            matchers.append(Matcher(label, "=~", "|".join(_REGEX_SPECIAL.sub(r"\\\1", value) for value in wanted)))
    selector = Selector(shape.name, tuple(sorted(matchers, key=lambda one: one.label)))
    return SharedCounter(str(selector), tuple(by))


def shared_growth(shared: SharedCounter, seconds: int) -> str:
    """Ask for the growth of all these sums in the `seconds` up to the moment it is asked for."""
    return shared.grouped("sum", growth(shared.counter, seconds))


def unsteady(shared: SharedCounter, seconds: int) -> str:
    """Ask which of these sums hold a series that began, or began anew, in the last `seconds`: only those are answered."""
    counter = shared.counter
    anew = f"(resets({counter}[{seconds + _LOOKBACK_SECONDS}s]) > 0)"
    return shared.grouped("count", f"({counter} unless {counter} offset {seconds}s) or {anew}")
