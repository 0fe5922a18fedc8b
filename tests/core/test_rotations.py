# ruff: noqa: DTZ001 - a wall time has no zone: that is what these tests are about
"""Turns of a layer: handoffs on the wall clock, short months, clock changes, restrictions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.core.errors import Invalid
from tocsin.core.rotations import Layer, Restriction, Rotation, Unit, duties, handoff, turns
from tocsin.core.wall_time import instant_of, wall_of, window_on, zone

NEIGHBOURS_OF_CLOCK_CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 2, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 3, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 3, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 2, 59), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 1, 0), datetime(2026, 11, 1, 5, 0, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4, 2, 15), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45), datetime(2026, 4, 4, 14, 45, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 12, 0), datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 7, 1, 0, 0), datetime(2026, 6, 30, 18, 15, tzinfo=UTC)),
]


def layer(
    unit: Unit,
    every: int = 1,
    *,
    start: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC),
    where: str = "UTC",
    users: tuple[tuple[str, ...], ...] = (("a",), ("b",)),
    until: datetime | None = None,
    restrictions: tuple[Restriction, ...] = (),
) -> Layer:
    return Layer("on call", start, where, Rotation(unit, every), users, until, restrictions)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(("where", "wall", "instant"), NEIGHBOURS_OF_CLOCK_CHANGES)
def test_a_wall_time_is_its_first_occurrence_or_the_end_of_the_gap(
    where: str, wall: datetime, instant: datetime
) -> None:
    assert instant_of(wall, zone(where)) == instant


@pytest.mark.parametrize(
    "name", ["Europe", "localtime", "../etc/passwd", "/etc/passwd", "Mars/Olympus", "", "zone.tab"]
)
def test_a_zone_that_is_none_is_refused_with_its_name(name: str) -> None:
    with pytest.raises(Invalid, match="no time zone called"):
        zone(name)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)),
    st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})),
)
def test_an_instant_shown_on_the_wall_is_found_again_unless_it_is_the_second_time(moment: datetime, name: str) -> None:
    instant = moment.replace(microsecond=0, tzinfo=UTC)
    found = instant_of(wall_of(instant, zone(name)), zone(name))
    assert found <= instant
    assert wall_of(found, zone(name)) == wall_of(instant, zone(name))


def test_a_window_that_ends_at_its_beginning_lasts_until_the_next_day() -> None:
    assert window_on(date(2026, 1, 5), time(9), time(9), zone("UTC")) == (utc(2026, 1, 5, 9), utc(2026, 1, 6, 9))


def test_hours_are_elapsed_hours_across_a_clock_change() -> None:
    rota = layer(Unit.HOUR, 12, start=utc(2026, 3, 28, 8), where="Europe/Berlin")
    assert [handoff(rota, number) for number in range(3)] == [
        utc(2026, 3, 28, 8),
        utc(2026, 3, 28, 20),
        utc(2026, 3, 29, 8),
    ]


def test_days_keep_their_wall_time_across_a_clock_change() -> None:
    rota = layer(Unit.DAY, start=utc(2026, 3, 28, 8), where="Europe/Berlin")
    assert handoff(rota, 1) == utc(2026, 3, 29, 7)
    assert handoff(rota, 2) == utc(2026, 3, 30, 7)


def test_a_handoff_in_the_gap_does_not_move_the_later_ones() -> None:
    rota = layer(Unit.DAY, start=utc(2026, 3, 28, 1, 30), where="Europe/Berlin")
    assert [handoff(rota, 1), handoff(rota, 2)] == [utc(2026, 3, 29, 1, 0), utc(2026, 3, 30, 0, 30)]


def test_a_layer_that_starts_in_the_second_of_two_equal_wall_times_starts_there() -> None:
    rota = layer(Unit.DAY, start=utc(2026, 10, 25, 1, 30), where="Europe/Berlin")
    assert [handoff(rota, 0), handoff(rota, 1)] == [utc(2026, 10, 25, 1, 30), utc(2026, 10, 26, 1, 30)]


def test_the_thirty_first_becomes_the_last_day_of_a_short_month_and_is_counted_from_the_start_again() -> None:
    rota = layer(Unit.MONTH, start=utc(2026, 1, 31, 12))
    expected = [utc(2026, 1, 31, 12), utc(2026, 2, 28, 12), utc(2026, 3, 31, 12), utc(2026, 4, 30, 12)]
    assert [handoff(rota, number) for number in range(4)] == expected


def test_every_second_month_crosses_the_year_and_meets_a_leap_day() -> None:
    rota = layer(Unit.MONTH, 2, start=utc(2027, 8, 31))
    assert [handoff(rota, number) for number in (1, 2, 3)] == [utc(2027, 10, 31), utc(2027, 12, 31), utc(2028, 2, 29)]


def test_turns_go_round_and_stop_where_the_layer_ends() -> None:
    rota = layer(Unit.WEEK, until=utc(2026, 1, 20), users=(("a",), ("b", "c"), ("d",)))
    seen = [(turn.users, turn.end_at) for turn in turns(rota, start=utc(2026, 1, 1), end=utc(2026, 3, 1))]
    assert seen == [(("a",), utc(2026, 1, 12, 8)), (("b", "c"), utc(2026, 1, 19, 8)), (("d",), utc(2026, 1, 20))]


def test_a_turn_of_nobody_is_used_up_and_left_out() -> None:
    rota = layer(Unit.DAY, users=(("a",), (), ("c",)))
    seen = [turn.users for turn in turns(rota, start=utc(2026, 1, 5, 9), end=utc(2026, 1, 9, 8))]
    assert seen == [("a",), ("c",), ("a",)]


def test_nothing_comes_before_the_start_or_from_an_empty_span() -> None:
    rota = layer(Unit.DAY)
    assert list(turns(rota, start=utc(2025, 1, 1), end=utc(2026, 1, 5, 8))) == []
    assert list(duties(rota, start=utc(2026, 2, 1), end=utc(2026, 2, 1))) == []


def test_a_rotation_that_began_centuries_ago_is_as_quick_as_a_new_one() -> None:
    rota = layer(Unit.HOUR, start=utc(1800, 1, 1), where="Europe/Berlin")
    found = list(islice(turns(rota, start=utc(2026, 1, 1, 0, 30), end=utc(2026, 1, 1, 2)), 5))
    assert [turn.start_at for turn in found] == [utc(2026, 1, 1, 0), utc(2026, 1, 1, 1)]


def test_the_day_that_samoa_left_out_is_a_turn_without_length() -> None:
    rota = layer(
        Unit.DAY,
        start=instant_of(datetime(2011, 12, 28), zone("Pacific/Apia")),
        where="Pacific/Apia",
        users=(("a",), ("b",), ("c",)),
    )
    found = list(turns(rota, start=utc(2011, 12, 29), end=utc(2012, 1, 2)))
    # The 28th is a, the 29th b, the 30th never was, so the 31st is a again.
    assert [turn.users[0] for turn in found] == ["a", "b", "a", "b", "c"]
    assert all(earlier.end_at == later.start_at for earlier, later in pairwise(found))


def test_a_restriction_belongs_to_the_day_it_starts_on() -> None:
    friday_night = Restriction(time(22), time(6), frozenset({4}))
    rota = layer(Unit.DAY, users=(("a",),), restrictions=(friday_night,))
    found = list(duties(rota, start=utc(2026, 1, 9), end=utc(2026, 1, 12)))
    assert found[0].start_at == utc(2026, 1, 9, 22)
    assert found[-1].end_at == utc(2026, 1, 10, 6)
    assert sum((turn.end_at - turn.start_at for turn in found), timedelta()) == timedelta(hours=8)


def test_the_rotation_goes_on_underneath_restrictions() -> None:
    mondays = Restriction(time(0), time(0), frozenset({0}))
    rota = layer(Unit.DAY, start=utc(2026, 1, 5), users=(("a",), ("b",), ("c",)), restrictions=(mondays,))
    found = list(duties(rota, start=utc(2026, 1, 5), end=utc(2026, 1, 27)))
    assert [turn.users[0] for turn in found] == ["a", "b", "c", "a"]


def test_restrictions_that_overlap_give_each_moment_once() -> None:
    both = (Restriction(time(9), time(13)), Restriction(time(12), time(17)))
    found = list(
        duties(layer(Unit.WEEK, users=(("a",),), restrictions=both), start=utc(2026, 1, 6), end=utc(2026, 1, 7))
    )
    assert [(turn.start_at, turn.end_at) for turn in found] == [(utc(2026, 1, 6, 9), utc(2026, 1, 6, 17))]


def test_a_restriction_swallowed_by_a_clock_change_gives_nothing_that_day() -> None:
    short = Restriction(time(2, 10), time(2, 50))
    rota = layer(Unit.DAY, where="Europe/Berlin", users=(("a",),), restrictions=(short,))
    found = list(duties(rota, start=utc(2026, 3, 28), end=utc(2026, 3, 31)))
    assert [turn.start_at.day for turn in found] == [28, 30]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})),
    st.sampled_from([Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.HOUR]),
    st.integers(1, 5),
    st.datetimes(datetime(2019, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 4),
)
def test_a_rotation_covers_a_year_without_hole_or_overlap(
    name: str, unit: Unit, every: int, start: datetime, people: int
) -> None:
    begins = instant_of(start.replace(microsecond=0), zone(name))
    rota = layer(
        unit,
        every * (24 if unit is Unit.HOUR else 1),
        start=begins,
        where=name,
        users=tuple((str(n),) for n in range(people)),
    )
    found = list(duties(rota, start=begins, end=begins + timedelta(days=366)))
    assert found[0].start_at == begins
    assert found[-1].end_at == begins + timedelta(days=366)
    assert all(earlier.end_at == later.start_at for earlier, later in pairwise(found))
    assert all(turn.start_at < turn.end_at for turn in found)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"]),
    st.sampled_from(list(Unit)),
    st.integers(1, 40),
    st.datetimes(datetime(2009, 1, 1), datetime(2013, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=900)),
)
def test_the_first_turn_found_is_the_one_that_holds(
    name: str, unit: Unit, every: int, start: datetime, later: timedelta
) -> None:
    rota = layer(unit, every, start=start.replace(tzinfo=UTC), where=name, users=tuple((str(n),) for n in range(7)))
    moment = rota.start_at + later
    found = next(turns(rota, start=moment, end=moment + timedelta(seconds=1)))
    assert found.start_at <= moment < found.end_at
    number = 0
    while handoff(rota, number + 1) <= moment:
        number += 1
    assert (found.start_at, found.users) == (handoff(rota, number), (str(number % 7),))
