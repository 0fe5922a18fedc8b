"""The picture of an incident's course: how it stands now is always read, and no sign hides another."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.swim_lanes import Lane, Mark, Sign, Step, SwimLanes
from tocsin.web.pictures.incident_timeline import Facts, incident_timeline, together

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def desk(*, severities: tuple[Step, ...] = (), marks: tuple[Mark, ...] = (), lasts: int = 60) -> str:
    end = START + lasts * MINUTE
    lanes = SwimLanes(START, end, False, (), severities, (Lane("on_call", "On call", marks=marks),))
    return incident_timeline(Facts(name="INC-1 Log-on", lanes=lanes, now=end, zone=UTC)).desk


def step(label: str, rank: int, start: int, end: int) -> Step:
    return Step(label, rank, START + start * MINUTE, START + end * MINUTE, "many teams")


def widths(picture: str, css: str) -> list[float]:
    return [float(one) for one in re.findall(rf'width="([\d.]+)" height="22"[^>]*class="{css}"', picture)]


def test_a_severity_set_this_moment_is_read_beside_the_long_one_before() -> None:
    drawn = desk(severities=(step("warning", 3, 0, 60), step("critical", 1, 60, 60)))
    (before,), (now,) = widths(drawn, "step-mild"), widths(drawn, "step-grave")
    assert now >= len("critical") * 7
    assert ">critical<" in drawn
    assert before + now <= 780
    assert ">warning many teams<" in drawn


def test_what_comes_at_once_is_one_sign_the_gravest_that_says_how_many() -> None:
    at = START + 10 * MINUTE
    marks = (Mark(1, at, Sign.ACTION, "Fallback contact told"), Mark(2, at, Sign.MISSED, "Nobody has answered"))
    drawn = desk(marks=marks)
    assert "sign-action" not in drawn
    assert drawn.count("<g>") == 1
    assert ">2×: Nobody has answered<" in drawn
    assert "Fallback contact told" in drawn  # under the pointer


@given(st.lists(st.floats(0, 800), max_size=40))
def test_no_two_signs_touch_and_none_is_lost(places: list[float]) -> None:
    at = {START + n * MINUTE: place for n, place in enumerate(sorted(places))}
    marks = [Mark(n, moment, Sign.ACTION, "") for n, moment in enumerate(at)]
    groups = together(marks, at.__getitem__)
    assert [one for _, found in groups for one in found] == marks
    assert all(after - before >= 14 for (before, _), (after, _) in pairwise(groups))
