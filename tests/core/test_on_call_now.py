"""Who is on call: the chapter's sample, overrides, sharing, gaps, double bookings, and a second opinion for every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.on_call_oracle import MINUTE, on_call
from tocsin.core.on_call_now import (
    DoubleBooking,
    Gap,
    OnCall,
    Schedule,
    Shift,
    double_bookings,
    gaps,
    on_call_now,
    people_on_call,
    shifts,
)
from tocsin.core.schedule_document import parse_schedule

# Around each of these the clocks change: forwards, backwards, by half an hour, by a whole day.
CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "America/New_York": ["2026-03-08T07:00", "2026-11-01T06:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    "Pacific/Apia": ["2011-12-30T10:00", "2011-04-02T14:00"],
    "America/St_Johns": ["2026-03-08T05:30", "2026-11-01T04:30"],
    "Africa/Casablanca": ["2026-02-15T02:00", "2026-03-22T02:00"],
    "Pacific/Chatham": ["2026-04-04T14:00", "2026-09-26T14:00"],
}
EVERY_CHANGE = [(where, change) for where, changes in CHANGES.items() for change in changes]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def layer(
    *users: str | list[str], unit: str = "week", every: int = 1, start: str = "2026-01-05T09:00:00Z", **more: Any
) -> dict[str, Any]:
    groups = [[user] if isinstance(user, str) else user for user in users]
    return {"name": "layer", "start": start, "rotation": {"unit": unit, "every": every}, "users": groups, **more}


def override(*users: str, start: str, end: str, priority: int = 0) -> dict[str, Any]:
    return {"start": start, "end": end, "users": list(users), "priority": priority}


def document(*layers: dict[str, Any], overrides: tuple[dict[str, Any], ...] = (), where: str = "UTC") -> dict[str, Any]:
    return {"name": "primary", "time_zone": where, "layers": list(layers), "overrides": list(overrides)}


def schedule(*layers: dict[str, Any], overrides: tuple[dict[str, Any], ...] = (), where: str = "UTC") -> Schedule:
    return parse_schedule(document(*layers, overrides=overrides, where=where))


@pytest.mark.req("R-9.3.9-1")
def test_the_third_period_of_the_chapters_rotations_gives_b_d_and_g() -> None:
    roles = {
        "incident_coordinator": schedule(layer("A", "A", "B", "B")),
        "incident_communicator": schedule(layer("C", "C", "D", "D")),
        "technical_expert/team-1": schedule(layer("E", "F", "G", "E")),
    }
    third_period = utc(2026, 1, 19, 9)
    assert [people_on_call(rota, now=third_period) for rota in roles.values()] == [("B",), ("D",), ("G",)]
    fourth_period = third_period + timedelta(weeks=1)
    assert [people_on_call(rota, now=fourth_period) for rota in roles.values()] == [("B",), ("D",), ("E",)]


@pytest.mark.req("R-9.3.9-2")
def test_at_the_boundary_it_is_the_incoming_person() -> None:
    rota = schedule(layer("a", "b"))
    handoff = utc(2026, 1, 12, 9)
    assert people_on_call(rota, now=handoff - timedelta.resolution) == ("a",)
    assert people_on_call(rota, now=handoff) == ("b",)


@pytest.mark.req("R-9.3.9-2")
def test_an_override_wins_exactly_within_its_time_and_a_swap_is_two_of_them() -> None:
    swap = (
        override("b", start="2026-01-06T00:00:00Z", end="2026-01-07T00:00:00Z"),
        override("a", start="2026-01-13T00:00:00Z", end="2026-01-14T00:00:00Z"),
    )
    rota = schedule(layer("a", "b"), overrides=swap)
    moments = [
        utc(2026, 1, 5, 23),
        utc(2026, 1, 6),
        utc(2026, 1, 7),
        utc(2026, 1, 12, 23),
        utc(2026, 1, 13),
        utc(2026, 1, 14),
    ]
    assert [people_on_call(rota, now=now)[0] for now in moments] == ["a", "b", "a", "b", "a", "b"]


def test_the_answer_of_now_says_until_when() -> None:
    rota = schedule(
        layer("a", "b"), overrides=(override("c", start="2026-01-06T00:00:00Z", end="2026-01-07T00:00:00Z"),)
    )
    assert on_call_now(rota, now=utc(2026, 1, 5, 12)) == OnCall(("a",), override=False, until=utc(2026, 1, 6))
    assert on_call_now(rota, now=utc(2026, 1, 6)) == OnCall(("c",), override=True, until=utc(2026, 1, 7))


def test_a_gap_is_an_explicit_answer_with_its_end() -> None:
    rota = schedule(layer("a", start="2026-06-01T00:00:00Z"))
    assert on_call_now(rota, now=utc(2026, 1, 1)) == OnCall((), override=False, until=utc(2026, 6, 1))
    assert on_call_now(rota, now=utc(2026, 1, 1)).is_gap
    ended = schedule(layer("a", until="2026-02-01T00:00:00Z"))
    assert on_call_now(ended, now=utc(2026, 3, 1)) == OnCall((), override=False, until=None)


def test_a_duty_without_an_end_in_sight_says_so() -> None:
    assert on_call_now(schedule(layer("a")), now=utc(2026, 2, 1)) == OnCall(("a",), override=False, until=None)


def test_neighbours_with_the_same_people_are_joined_in_whatever_order_they_are_named() -> None:
    rota = schedule(layer(["a", "b"], ["b", "a"], "c", unit="day"))
    found = shifts(rota, start=utc(2026, 1, 5, 12), end=utc(2026, 1, 8))
    assert found == [
        Shift(utc(2026, 1, 5, 12), utc(2026, 1, 7, 9), ("a", "b")),
        Shift(utc(2026, 1, 7, 9), utc(2026, 1, 8), ("c",)),
    ]


def test_an_override_by_the_person_on_call_stays_visible_as_an_override() -> None:
    rota = schedule(layer("a"), overrides=(override("a", start="2026-01-06T00:00:00Z", end="2026-01-07T00:00:00Z"),))
    assert [shift.override for shift in shifts(rota, start=utc(2026, 1, 5, 9), end=utc(2026, 1, 8))] == [
        False,
        True,
        False,
    ]


def test_the_highest_priority_wins_and_equals_share() -> None:
    nights = layer("n", unit="day", priority=2, restrictions=[{"from": "22:00", "to": "06:00"}])
    rota = schedule(layer("a", unit="day"), layer("b", "a", unit="day"), nights)
    assert people_on_call(rota, now=utc(2026, 1, 5, 12)) == ("a", "b")
    assert people_on_call(rota, now=utc(2026, 1, 6, 12)) == ("a",)
    assert people_on_call(rota, now=utc(2026, 1, 6, 23)) == ("n",)


def test_overrides_stand_above_every_layer_and_the_last_of_equals_rules() -> None:
    whole_day = {"start": "2026-01-06T00:00:00Z", "end": "2026-01-07T00:00:00Z"}
    rota = schedule(layer("a", priority=900), overrides=(override("x", **whole_day), override("y", **whole_day)))
    assert people_on_call(rota, now=utc(2026, 1, 6, 12)) == ("y",)
    ranked = schedule(layer("a"), overrides=(override("x", **whole_day, priority=1), override("y", **whole_day)))
    assert people_on_call(ranked, now=utc(2026, 1, 6, 12)) == ("x",)


def test_gaps_are_reported_to_the_microsecond_and_a_full_rota_has_none() -> None:
    rota = schedule(
        layer("a", until="2026-01-10T00:00:00Z"),
        overrides=(override("b", start="2026-01-10T00:00:00.000001Z", end="2026-01-12T00:00:00Z"),),
    )
    found = gaps(rota, start=utc(2026, 1, 5), end=utc(2026, 1, 13))
    assert found == [
        Gap(utc(2026, 1, 5), utc(2026, 1, 5, 9)),
        Gap(utc(2026, 1, 10), utc(2026, 1, 10) + timedelta.resolution),
        Gap(utc(2026, 1, 12), utc(2026, 1, 13)),
    ]
    assert gaps(schedule(layer("a", "b", unit="day")), start=utc(2026, 1, 6), end=utc(2027, 1, 6)) == []


def test_one_person_in_two_roles_at_once_is_a_double_booking() -> None:
    roles = {"coordinator": schedule(layer("a", "b")), "communicator": schedule(layer("b", "b", "c"))}
    found = double_bookings(roles, start=utc(2026, 1, 5), end=utc(2026, 1, 26))
    assert found == [DoubleBooking("b", ("communicator", "coordinator"), utc(2026, 1, 12, 9), utc(2026, 1, 19, 9))]


def test_the_same_people_in_one_role_are_no_double_booking() -> None:
    rota = schedule(layer("a", unit="day"), layer("a", unit="week"))
    assert double_bookings({"only": rota}, start=utc(2026, 1, 5), end=utc(2026, 2, 5)) == []


def test_an_empty_span_and_an_empty_schedule_have_no_shifts() -> None:
    assert shifts(schedule(layer("a")), start=utc(2026, 2, 1), end=utc(2026, 2, 1)) == []
    assert shifts(Schedule("empty", "UTC"), start=utc(2026, 1, 1), end=utc(2027, 1, 1)) == []


def busy_document(where: str, near: datetime) -> dict[str, Any]:
    """A rota of every kind of layer that hands over in the very hours in which the clocks change."""

    def at(hours: float) -> str:
        return (near + timedelta(hours=hours)).isoformat()

    return document(
        layer("a", "b", ["c", "d"], unit="day", start=at(-72.25), priority=1),
        layer(
            "e",
            "f",
            unit="hour",
            every=5,
            start=at(-30),
            priority=2,
            restrictions=[{"from": "01:30", "to": "02:45"}, {"days": ["SU"], "from": "23:00", "to": "03:15"}],
        ),
        layer(
            "g",
            [],
            "h",
            unit="day",
            start=at(-48.5),
            until=at(20),
            priority=2,
            restrictions=[{"from": "02:15", "to": "02:15", "days": ["SA"]}, {"from": "00:30", "to": "02:30"}],
        ),
        layer("m", "n", unit="month", start=at(-24 * 62), priority=0),
        layer("w", unit="week", start=at(-24 * 14 + 0.5), until=at(1.75), priority=1, time_zone="Asia/Kathmandu"),
        overrides=(override("o", start=at(-1), end=at(0.25)), override("p", "q", start=at(0), end=at(2), priority=1)),
        where=where,
    )


def assert_equal_to_the_oracle(doc: dict[str, Any], start: datetime, end: datetime) -> None:
    found = shifts(parse_schedule(doc), start=start, end=end)
    assert all(earlier.end <= later.start for earlier, later in pairwise(found))
    minutes = int((end - start) / MINUTE)
    position = 0
    for now in (start + n * MINUTE for n in range(minutes)):
        while position < len(found) and found[position].end <= now:
            position += 1
        here = found[position] if position < len(found) and found[position].start <= now else None
        answer = (frozenset(here.users), here.override) if here else (frozenset(), False)
        assert answer == on_call(doc, now), now


@pytest.mark.parametrize(("where", "change"), EVERY_CHANGE)
def test_every_minute_around_a_clock_change_is_as_the_oracle_says(where: str, change: str) -> None:
    near = datetime.fromisoformat(change).replace(tzinfo=UTC)
    assert_equal_to_the_oracle(busy_document(where, near), near - timedelta(hours=30), near + timedelta(hours=30))


clock_times = st.builds(lambda hour, quarter: f"{hour:02}:{15 * quarter:02}", st.integers(0, 23), st.integers(0, 3))
weekday_sets = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True)
restrictions = st.fixed_dictionaries({"from": clock_times, "to": clock_times}, optional={"days": weekday_sets})
groups = st.lists(st.lists(st.sampled_from("abcdef"), unique=True, max_size=2), min_size=1, max_size=4).filter(any)


@st.composite
def rotas_near_a_clock_change(draw: st.DrawFn) -> tuple[dict[str, Any], datetime]:
    where, change = draw(st.sampled_from(EVERY_CHANGE))
    near = datetime.fromisoformat(change).replace(tzinfo=UTC)

    def moments(lowest: int, highest: int) -> st.SearchStrategy[str]:
        return st.integers(lowest * 4, highest * 4).map(
            lambda quarters: (near + timedelta(minutes=15 * quarters)).isoformat()
        )

    layers = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.just("layer"),
                    "start": moments(-100, 5),
                    "rotation": st.fixed_dictionaries(
                        {"unit": st.sampled_from(["hour", "day", "week", "month"]), "every": st.integers(1, 3)}
                    ),
                    "users": groups,
                    "priority": st.integers(0, 2),
                },
                optional={
                    "until": moments(6, 40),
                    "time_zone": st.sampled_from(sorted(CHANGES)),
                    "restrictions": st.lists(restrictions, max_size=3),
                },
            ),
            min_size=1,
            max_size=3,
        )
    )
    overrides = draw(
        st.lists(
            st.builds(
                lambda start, length, users, priority: override(
                    *users,
                    start=start,
                    end=(datetime.fromisoformat(start) + timedelta(minutes=15 * length)).isoformat(),
                    priority=priority,
                ),
                moments(-8, 8),
                st.integers(1, 40),
                st.lists(st.sampled_from("xyz"), min_size=1, unique=True),
                st.integers(0, 1),
            ),
            max_size=3,
        )
    )
    return document(*layers, overrides=tuple(overrides), where=where), near


@settings(deadline=None, max_examples=40)
@given(rotas_near_a_clock_change())
def test_any_rota_near_a_clock_change_is_as_the_oracle_says(case: tuple[dict[str, Any], datetime]) -> None:
    doc, near = case
    assert_equal_to_the_oracle(doc, near - timedelta(hours=6), near + timedelta(hours=6))


@settings(deadline=None, max_examples=60)
@given(rotas_near_a_clock_change(), st.integers(-600, 600))
def test_the_answer_of_now_agrees_with_the_preview(case: tuple[dict[str, Any], datetime], minutes: int) -> None:
    doc, near = case
    rota, now = parse_schedule(doc), near + minutes * MINUTE
    found = on_call_now(rota, now=now)
    preview = shifts(rota, start=now, end=now + timedelta(days=40))
    holds = preview and preview[0].start == now
    assert found.users == people_on_call(rota, now=now) == (preview[0].users if holds else ())
    if found.until is not None and found.until < now + timedelta(days=40):
        assert found.until == (preview[0].end if holds else preview[0].start)


@settings(deadline=None, max_examples=40)
@given(rotas_near_a_clock_change())
def test_shifts_and_gaps_fill_the_span_exactly(case: tuple[dict[str, Any], datetime]) -> None:
    doc, near = case
    rota, start, end = parse_schedule(doc), near - timedelta(days=5), near + timedelta(days=5)
    pieces = sorted(
        (piece.start, piece.end) for piece in [*shifts(rota, start=start, end=end), *gaps(rota, start=start, end=end)]
    )
    assert pieces[0][0] == start
    assert pieces[-1][1] == end
    assert all(earlier[1] == later[0] for earlier, later in pairwise(pieces))
