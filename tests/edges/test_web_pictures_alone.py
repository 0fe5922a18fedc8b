"""Pictures that leave the page carry their own colours, and stay whole whatever the numbers."""

from __future__ import annotations

import builtins
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.edges.test_web_pictures import BERLIN, DAY, HOUR, NOW, falling, rates
from tocsin.core.errors import Refused
from tocsin.web.pictures import alone, burn_down, burn_rate
from tocsin.web.pictures.burn_down import BreachMark, BurnDown, Level

PNG = b"\x89PNG\r\n\x1a\n"
shares = st.none() | st.floats(-50, 1, allow_nan=False)


@pytest.mark.parametrize("theme", alone.THEMES)
def test_a_picture_of_its_own_names_no_colour_that_only_a_page_knows(theme: str) -> None:
    drawn = alone.standalone(burn_down.burn_down(falling()).desk, "18% left", theme=theme)
    assert "var(" not in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert len(drawn) < 30_000
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - we drew it


def test_light_and_dark_have_grounds_of_their_own() -> None:
    desk = burn_rate.burn_rate(rates()).desk
    grounds = {
        re.search(r'height="100%" fill="(#\w+)"', alone.standalone(desk, "", theme=one))[1] for one in alone.THEMES
    }  # type: ignore[index]
    assert grounds == {"#ffffff", "#0e1116"}


def test_a_theme_nobody_has_is_refused() -> None:
    with pytest.raises(Refused, match="light or dark"):
        alone.standalone(burn_rate.burn_rate(rates()).desk, "", theme="sepia")


def test_a_finding_that_is_too_long_is_cut_and_kept_whole_for_screen_readers() -> None:
    drawn = alone.standalone(burn_down.burn_down(falling()).phone, "word " * 60)
    assert "…</text>" in drawn
    assert f"<title>{'word ' * 60}</title>" in drawn


def test_what_people_wrote_stays_text_in_a_file() -> None:
    drawn = alone.standalone(burn_down.burn_down(falling()).desk, '"><script>alert(1)</script>')
    assert "<script" not in drawn


def test_without_the_painter_a_png_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "resvg_py":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(Refused, match=r"pip install 'tocsin\[charts\]'"):
        alone.png("<svg/>")


def test_a_png_is_painted() -> None:
    assert alone.png(alone.standalone(burn_down.burn_down(falling()).desk, "18% left")).startswith(PNG)


def any_burn_down(lefts: list[float | None], marks: list[int]) -> BurnDown:
    start = NOW - len(lefts) * HOUR
    return BurnDown(
        label="x",
        starts_at=start,
        ends_at=NOW + DAY,
        even_until=NOW,
        now=NOW,
        zone=BERLIN,
        levels=[Level(start + (place + 1) * HOUR, left) for place, left in enumerate(lefts)],
        breaches=[BreachMark(start + place * HOUR, 1 + place % 4, "set", "x") for place in marks],
    )


@examples(max_examples=60, deadline=None)
@given(lefts=st.lists(shares, min_size=1, max_size=400), marks=st.lists(st.integers(0, 400), max_size=60))
def test_whatever_the_numbers_a_burn_down_is_small_and_stays_inside_its_frame(
    lefts: list[float | None], marks: list[int]
) -> None:
    drawn = burn_down.burn_down(any_burn_down(lefts, sorted(marks)))
    for shape, wide, tall in ((drawn.desk, 760, 300), (drawn.phone, 360, 250)):
        assert len(shape.encode()) <= 30_000
        spots = [float(one) for path in re.findall(r' d="([^"]*)"', shape) for one in re.findall(r"-?[\d.]+", path)]
        assert all(-1 <= one <= max(wide, tall) + 1 for one in spots)
        assert ("url(#" in shape.split("</defs>")[1]) or None not in lefts[-167:]
        assert "nan" not in shape
        assert "inf" not in re.sub(r"<text.*?</text>", "", shape)


def marks_of(drawn: str) -> list[tuple[float, str]]:
    """Where each mark stands from the left, and its digit."""
    return [
        (float(x), digit)
        for x, digit in re.findall(r'<text x="([\d.]+)" y="[\d.]+" class="on-\w+"[^>]*>(.)</text>', drawn)
    ]


def test_of_two_breaches_that_would_touch_the_graver_one_is_shown() -> None:
    near = [BreachMark(NOW - DAY, 3, "set", "a"), BreachMark(NOW - DAY + HOUR, 1, "set", "b")]
    for breaches in (near, near[::-1]):
        assert [digit for _, digit in marks_of(burn_down.burn_down(falling(breaches=breaches)).desk)] == ["1"]


@examples(max_examples=60, deadline=None)
@given(hours=st.lists(st.integers(1, 28 * 24 - 1), max_size=80), rank=st.none() | st.integers(1, 5))
def test_marks_never_lie_on_each_other(hours: list[int], rank: int | None) -> None:
    breaches = [BreachMark(NOW - back * HOUR, rank, "set" if rank else "unset", "x") for back in hours]
    drawn = burn_down.burn_down(falling(breaches=breaches))
    for shape in (drawn.desk, drawn.phone):
        places = [x for x, _ in marks_of(shape)]
        assert all(two - one >= burn_down.MARK_APART - 0.2 for one, two in pairwise(places))
    assert bool(hours) == bool(marks_of(drawn.desk))


@examples(max_examples=60, deadline=None)
@given(
    values=st.lists(st.none() | st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=300),
    word=st.sampled_from(["Burning", "Rising", "Recovering", "Fine", "Unknown"]),
)
def test_whatever_the_rates_a_burn_rate_is_small_inside_and_its_names_apart(
    values: list[float | None], word: str
) -> None:
    points = [burn_rate.Rate(NOW - (len(values) - n) * HOUR / 60, value, value, word) for n, value in enumerate(values)]
    drawn = burn_rate.burn_rate(replace(rates(), rates=points))
    for shape, wide in ((drawn.desk, 760), (drawn.phone, 360)):
        assert len(shape.encode()) <= 30_000
        spots = [float(one) for path in re.findall(r' d="([^"]*)"', shape) for one in re.findall(r"-?[\d.]+", path)]
        assert all(0 <= one <= wide for one in spots)
        names = [float(y) for y in re.findall(r'y="([\d.-]+)" class="series-', shape)]
        assert len(names) < 2 or abs(names[0] - names[1]) >= 12
        assert "nan" not in shape
