"""Label matchers: `=`, `!=`, `=~`, `!~`, as silences, routes and inhibitions use them.

A label that is not there has the empty value. Patterns describe the whole value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tocsin.core.errors import Invalid
from tocsin.core.linear_patterns import PatternRefused, compiled

LONGEST_VALUE = 1_024
"""A pattern is tried on values up to this length; no pattern matcher, positive or negative, holds for a longer one."""
_LONGEST_TEXT = 2_048
_WRITTEN = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


class Operator(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"

    @property
    def positive(self) -> bool:
        """Whether the value must be, rather than must not be."""
        return self in {Operator.EQUAL, Operator.MATCHES}

    @property
    def pattern(self) -> bool:
        """Whether the value is a pattern."""
        return self in {Operator.MATCHES, Operator.MATCHES_NOT}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. Made by the functions below, which refuse a wrong pattern."""

    name: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.operator}"{escaped}"'


def holds(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether the condition is met. A value too long for a pattern meets none: what cannot be judged is not silenced."""
    value = labels.get(matcher.name, "")
    if not matcher.operator.pattern:
        return (value == matcher.value) is matcher.operator.positive
    if len(value) > LONGEST_VALUE:
        return False
    return compiled(matcher.value).matches(value) is matcher.operator.positive


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every condition is met; none at all is always met."""
    return all(holds(matcher, labels) for matcher in matchers)


def matcher(name: str, operator: Operator, value: str) -> Matcher:
    """A checked matcher. Raises `Invalid` under the path "name" or "value"."""
    if not name or len(name) > _LONGEST_TEXT:
        raise Invalid({"name": "A matcher needs the name of a label."})
    if len(value) > _LONGEST_TEXT:
        raise Invalid({"value": f"A value has at most {_LONGEST_TEXT} characters."})
    if operator.pattern:
        try:
            compiled(value)
        except PatternRefused as problem:
            raise Invalid({"value": f"This pattern is not accepted: {problem}."}) from None
    return Matcher(name, operator, value)


def parse_matcher(text: str) -> Matcher:
    """A matcher as people write it: `severity=~"page|ticket"`, the quotes optional. Raises `Invalid`."""
    found = _WRITTEN.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if found is None:
        raise Invalid({"": "A matcher is written name=value, with one of the operators =, !=, =~, !~."})
    return matcher(found[1], Operator(found[2]), _unquoted(found[3]))


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    escapes = {"n": "\n", '"': '"', "\\": "\\"}
    # A backslash before anything else belongs to the pattern and stays.
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[0]), value[1:-1], flags=re.DOTALL)


def matcher_of_api(document: Mapping[str, Any]) -> Matcher:
    """A matcher as Alertmanager's API writes it: {name, value, isRegex, isEqual?}. Raises `Invalid`."""
    name, value = document.get("name"), document.get("value")
    is_pattern, is_equal = document.get("isRegex", False), document.get("isEqual", True)
    if not isinstance(name, str):
        raise Invalid({"name": "A matcher needs the name of a label."})
    if not isinstance(value, str):
        raise Invalid({"value": "A matcher needs a value, which is a text."})
    # Old clients leave isEqual out, and some send null for it.
    operators = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}
    return matcher(name, Operator(operators[bool(is_pattern), is_equal is not False]), value)


def api_of_matcher(one: Matcher) -> dict[str, str | bool]:
    """The matcher as Alertmanager's API writes it."""
    return {"name": one.name, "value": one.value, "isRegex": one.operator.pattern, "isEqual": one.operator.positive}
