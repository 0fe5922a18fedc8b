"""The picture of steps: finding, hatching, its table, and extreme numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tocsin.web.pictures.depletion import Bar, Depletion, depletion


def facts(*lefts: float | None) -> Depletion:
    bars = [Bar(f"{place:02}:00", f"hour {place}", left, 3, 1000) for place, left in enumerate(lefts)]
    return Depletion(bars=bars, step="Hour (CET)", reading="Each bar is an hour.")


@pytest.mark.parametrize(
    ("lefts", "finding"),
    [
        ((1.0, 0.44, 0.6), "Least left: 44% at the end of hour 1"),
        ((1.0, None, 0.6), "Least left: 60% at the end of hour 2, 1 of 3 unknown"),
        ((1.0, -0.5), "Least left: -50% at the end of hour 1"),
        ((None, None), "No data in any step, so we cannot tell what was left"),
        ((), "No data in any step, so we cannot tell what was left"),
    ],
)
def test_the_title_is_the_least_that_was_left(lefts: tuple[float | None, ...], finding: str) -> None:
    drawn = depletion(facts(*lefts))
    assert drawn.finding == finding
    assert f'aria-label="{finding}"' in drawn.desk


def test_danger_colours_a_bar_and_unknown_is_hatched() -> None:
    desk = depletion(facts(0.9, 0.3, 0.1, None)).desk
    assert [desk.count(f'"cell-{name}"') for name in ("good", "fair", "bad")] == [1, 1, 1]
    assert desk.count('fill="url(#depletion)"') == 1


def test_the_table_holds_the_same_numbers() -> None:
    table = depletion(facts(0.5, None)).table
    assert [row[1] for row in table.rows] == ["50%", "unknown"]
    assert table.rows[0][2:] == ("3", "1,000")


@examples(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.floats(-1e9, 1, allow_nan=False), max_size=60))
def test_whatever_was_left_the_bars_stay_inside_and_the_picture_small(lefts: list[float | None]) -> None:
    drawn = depletion(facts(*lefts))
    for shape, tall in ((drawn.desk, 220), (drawn.phone, 200)):
        assert len(shape.encode()) <= 30_000
        for y, height in re.findall(r'y="([\d.-]+)" width="[\d.-]+" height="([\d.-]+)"', shape):
            assert float(y) >= -0.1
            assert float(y) + float(height) <= tall + 0.1
