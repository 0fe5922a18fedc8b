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
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [f"{call.lineno}: {ast.unparse(call)}" for call in calls if _reads_a_clock(call.func)]


def _reads_a_clock(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and (function.value.id, function.attr) in READS
    )


@pytest.mark.req("R-X-2")
def test_only_the_clock_reads_a_clock() -> None:
    places = {
        str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if clock_reads(path.read_text(encoding="utf-8"))
    }
    assert places == {"platform/clock.py"}


@pytest.mark.parametrize("call", ["datetime.now(UTC)", "time.time()", "timezone.now()", "date.today()"])
def test_a_clock_that_is_read_elsewhere_would_be_found(call: str) -> None:
    assert clock_reads(f"x = {call}\n") == [f"1: {call}"]
