"""The bricks a schema is laid from: each looks at one value and notes what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from tocsin.platform.text import one_line
from tocsin.slo.openslo.durations import MEANING, shorthand
from tocsin.slo.openslo.nodes import Node, Problem, Shape

Check = Callable[["Findings", Node, str], None]


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, line: int, path: str, message: str) -> None:
        self.errors.append(Problem(line, path, message))

    def warn(self, line: int, path: str, message: str) -> None:
        self.warnings.append(Problem(line, path, message))


def inside(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def shown(text: str) -> str:
    """A foreign text as it may stand in a message."""
    return repr(one_line(text, limit=60))


def free(findings: Findings, node: Node, path: str) -> None:
    """Any YAML, keys given twice excepted."""
    twice(findings, node, path)
    for entry in node.entries:
        free(findings, entry.value, inside(path, entry.key))
    for index, item in enumerate(node.items):
        free(findings, item, f"{path}[{index}]")


def twice(findings: Findings, node: Node, path: str) -> None:
    """Note keys that a map holds more than once."""
    seen: dict[str, int] = {}
    for entry in node.entries:
        if entry.key in seen:
            where = f"first on line {seen[entry.key]}"
            findings.error(
                entry.line,
                inside(path, entry.key),
                f"key {shown(entry.key)} is given twice ({where}); keep one of them",
            )
        seen.setdefault(entry.key, entry.line)


def record(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    also: Check | None = None,
) -> Check:
    """A map with these fields and no others; `also` looks at the whole when its parts are right."""
    known = {**required, **(optional or {})}

    def check(findings: Findings, node: Node, path: str) -> None:
        if node.shape is not Shape.MAP:
            findings.error(node.line, path, f"must be a map with {', '.join(sorted(known))}")
            return
        before = len(findings.errors)
        twice(findings, node, path)
        for entry in node.entries:
            _check_entry(findings, entry.key, entry.line, entry.value, known, path, required=entry.key in required)
        present = {entry.key for entry in node.entries}
        for key in required:
            if key not in present:
                findings.error(node.line, inside(path, key), f"required field {key!r} is missing")
        if also is not None and len(findings.errors) == before:
            also(findings, node, path)

    return check


def _instead(key: str, known: Mapping[str, Check]) -> str:
    """What to write instead of a field that is not known here."""
    near = get_close_matches(key, known, n=1, cutoff=0.7)
    return f"did you mean {near[0]!r}?" if near else f"here belong {', '.join(sorted(known))}"


def _check_entry(
    findings: Findings, key: str, line: int, value: Node, known: Mapping[str, Check], path: str, *, required: bool
) -> None:
    if key not in known:
        findings.error(line, inside(path, key), f"unknown field {shown(key)}; {_instead(key, known)}")
    elif not value.is_null:
        known[key](findings, value, inside(path, key))
    elif required:
        findings.error(line, inside(path, key), f"required field {key!r} is empty")


def list_of(check: Check, *, least: int = 0, most: int | None = None) -> Check:
    """A list whose items all pass `check`."""
    wanted = f"exactly {least}" if least == most else f"at least {least}"

    def check_list(findings: Findings, node: Node, path: str) -> None:
        if node.shape is not Shape.LIST:
            findings.error(node.line, path, "must be a list")
            return
        if len(node.items) < least or (most is not None and len(node.items) > most):
            findings.error(node.line, path, f"must hold {wanted} item{'' if least == 1 else 's'}")
        for index, item in enumerate(node.items):
            check(findings, item, f"{path}[{index}]")

    return check_list


def text(*, most: int | None = None, pattern: re.Pattern[str] | None = None, meaning: str = "") -> Check:
    """A scalar taken as text. Any scalar is one: a name may look like a number."""

    def check(findings: Findings, node: Node, path: str) -> None:
        if node.shape is not Shape.SCALAR:
            findings.error(node.line, path, "must be a text")
        elif most is not None and len(node.text) > most:
            findings.error(node.line, path, f"is longer than {most} characters")
        elif pattern is not None and not pattern.fullmatch(node.text):
            findings.error(node.line, path, f"{shown(node.text)} is not {meaning}")
        elif not node.text.strip():
            findings.error(node.line, path, "must not be empty")

    return check


def choice(*values: str) -> Check:
    def check(findings: Findings, node: Node, path: str) -> None:
        if node.shape is not Shape.SCALAR or node.text not in values:
            given = shown(node.text) if node.shape is Shape.SCALAR else f"a {node.shape}"
            findings.error(node.line, path, f"{given} is not one of {', '.join(values)}")

    return check


def boolean(findings: Findings, node: Node, path: str) -> None:
    if node.boolean is None:
        findings.error(node.line, path, "must be true or false")


def number(
    *, least: str | None = None, below: str | None = None, most: str | None = None, above: str | None = None
) -> Check:
    """A number within bounds, compared exactly as written."""

    def check(findings: Findings, node: Node, path: str) -> None:
        value = node.number
        if value is None:
            findings.error(node.line, path, "must be a number")
        elif problem := out_of_bounds(value, least=least, below=below, most=most, above=above):
            findings.error(node.line, path, problem)

    return check


def out_of_bounds(
    value: Decimal, *, least: str | None, below: str | None, most: str | None, above: str | None
) -> str | None:
    """What is wrong with a number's size, None when it fits."""
    if least is not None and value < Decimal(least):
        return f"{value} is below {least}"
    if above is not None and value <= Decimal(above):
        return f"{value} is not above {above}"
    if below is not None and value >= Decimal(below):
        return f"{value} is not below {below}"
    if most is not None and value > Decimal(most):
        return f"{value} is above {most}"
    return None


def duration(*, zero: bool = False) -> Check:
    def check(findings: Findings, node: Node, path: str) -> None:
        if node.shape is not Shape.SCALAR or shorthand(node.text, zero=zero) is None:
            findings.error(node.line, path, f"{shown(node.text)} is no duration: write {MEANING}")

    return check


def exactly_one(*keys: str) -> Check:
    """Of these fields one and only one is given."""

    def check(findings: Findings, node: Node, path: str) -> None:
        given = [key for key in keys if node.get(key) is not None]
        if not given:
            findings.error(node.line, path, f"one of {' or '.join(keys)} is required")
        elif len(given) > 1:
            entry = next(entry for entry in node.entries if entry.key == given[1])
            findings.error(entry.line, inside(path, given[1]), f"cannot stand beside {given[0]}")

    return check
