"""Every rule can be tested without waiting, because nothing but the clock's own file reads a clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/tocsin"
READS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("timezone", "now"),
    ("time", "time"),
    ("time", "monotonic"),
}


def clock_reads(source: str) -> list[str]:
    """Calls such as datetime.now() in `source`, as "line: call"."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ) and (node.func.value.id, node.func.attr) in READS:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.req("R-X-2")
def test_only_the_clock_reads_a_clock() -> None:
    places = {
        str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if clock_reads(path.read_text(encoding="utf-8"))
    }
    assert places == {"platform/clock.py"}


@pytest.mark.parametrize("call", ["datetime.now(UTC)", "time.time()", "timezone.now()", "date.today()"])
def test_a_clock_that_is_read_elsewhere_would_be_found(call: str) -> None:
    assert clock_reads(f"x = {call}\n") == [f"1: {call}"]
