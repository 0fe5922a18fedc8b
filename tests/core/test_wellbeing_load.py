"""Load over a period: of one person, and of a team from five people on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.process_samples import PROCESS, at
from tocsin.core.wellbeing_load import FEWEST, Load, PersonFacts, load_of, team_load
from tocsin.core.wellbeing_record import Stretch

assert PROCESS.wellbeing is not None
LIMITS = PROCESS.wellbeing.limits
START, END = at("00:00", day=2), at("00:00", day=30)
WEEK = timedelta(days=7)
FIRST = Stretch(at("09:00", day=2), at("09:00", day=9))


def of(**facts: object) -> Load:
    return load_of(replace(PersonFacts("UTC"), **facts), LIMITS, start=START, end=END)  # type: ignore[arg-type]


def test_a_quiet_person_has_no_load() -> None:
    assert of() == Load(timedelta(0), timedelta(0), 0, 0, 0, 0, 0, 0, 0)


def test_only_what_lies_in_the_period_counts() -> None:
    before = Stretch(START - WEEK, START + timedelta(hours=1))
    found = of(shifts=(before,), work=(before,), pages=(START - timedelta(seconds=1), START, END))
    assert (found.on_call, found.in_incidents, found.pages) == (timedelta(hours=1), timedelta(hours=1), 1)


@pytest.mark.parametrize(
    ("pages", "nights", "disturbed", "night_shifts", "busy"),
    [
        ((at("12:00", day=3),), 0, 1, 0, 0),
        ((at("23:30", day=3), at("02:00", day=4), at("02:20", day=4)), 1, 2, 1, 1),
        ((at("02:00", day=3), at("02:00", day=4)), 2, 2, 1, 0),
        ((at("08:00", day=3), at("15:00", day=3), at("20:00", day=3)), 0, 3, 0, 0),
        ((at("02:00", day=20),), 1, 1, 0, 0),
    ],
)
def test_nights_hours_and_shifts_are_counted_once(
    pages: tuple[datetime, ...], nights: int, disturbed: int, night_shifts: int, busy: int
) -> None:
    found = of(shifts=(FIRST,), pages=pages)
    assert (found.nights, found.disturbed) == (nights, disturbed)
    assert (found.shifts_with_night_page, found.busy_shifts) == (night_shifts, busy)


def test_rest_is_short_after_work_at_night_only() -> None:
    night = Stretch(at("02:10", day=3), at("03:40", day=3))
    assert of(work=(night, Stretch(at("09:00", day=3), at("10:00", day=3)))).short_rests == 1
    assert of(work=(night, Stretch(at("14:40", day=3), at("15:00", day=3)))).short_rests == 0
    day = Stretch(at("10:00", day=3), at("11:00", day=3))
    assert of(work=(day, Stretch(at("14:00", day=3), at("15:00", day=3)))).short_rests == 0


def people(count: int) -> list[PersonFacts]:
    return [PersonFacts("UTC", shifts=(FIRST,), pages=(at("02:00", day=3),)) for _ in range(count)]


@pytest.mark.req("R-9.3.12-7")
def test_a_team_of_fewer_than_five_has_no_figures() -> None:
    assert FEWEST == 5
    span = {"team_zone": "UTC", "start": START, "end": END}
    assert team_load(people(4), LIMITS, **span) is None  # type: ignore[arg-type]
    found = team_load(people(5), LIMITS, **span)  # type: ignore[arg-type]
    assert found is not None
    assert (found.people, found.pages, found.nights, found.night_share) == (5, 5, 5, 1.0)
    assert found.on_call_share == 0.25
    assert found.unevenness == 1.0


def test_uneven_load_is_a_factor_over_the_median_and_the_clock_is_the_teams() -> None:
    four = [PersonFacts("UTC", shifts=(Stretch(FIRST.start, FIRST.start + timedelta(days=1)),)) for _ in range(4)]
    found = team_load([*four, people(1)[0]], LIMITS, team_zone="Asia/Tokyo", start=START, end=END)
    assert found is not None
    assert found.unevenness == 7.0
    assert found.heat[1][11] == 1
    assert sum(map(sum, found.heat)) == 1
    idle = team_load([PersonFacts("UTC")] * 5, LIMITS, team_zone="UTC", start=START, end=END)
    assert idle is not None
    assert (idle.night_share, idle.busy_share, idle.on_call_share, idle.unevenness) == (None, None, None, None)


_MOMENTS = st.integers(0, 40 * 24 * 60).map(lambda minutes: START - timedelta(days=5) + timedelta(minutes=minutes))


@given(st.lists(_MOMENTS, max_size=12), st.lists(st.tuples(_MOMENTS, st.integers(1, 3000)), max_size=6))
def test_parts_are_never_more_than_the_whole(pages: list[datetime], work: list[tuple[datetime, int]]) -> None:
    stretches = tuple(Stretch(begin, begin + timedelta(minutes=length)) for begin, length in work)
    found = of(pages=tuple(pages), work=stretches, shifts=stretches)
    assert found.nights <= found.disturbed <= found.pages <= len(pages)
    assert found.in_incidents <= END - START
    assert found.on_call <= END - START
    assert found.shifts_with_night_page <= found.shifts
    assert found.busy_shifts <= found.shifts
