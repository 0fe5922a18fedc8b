"""Reading a schedule file: what is taken, and that each mistake is named by its path."""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.errors import Invalid
from tocsin.core.rotations import Restriction, Rotation, Unit
from tocsin.core.schedule_document import parse_schedule

WHOLE: dict[str, Any] = {
    "name": "primary",
    "time_zone": "Europe/Berlin",
    "layers": [
        {
            "name": "weekly",
            "priority": 2,
            "start": "2026-01-05T09:00:00+01:00",
            "until": "2026-12-31T23:00:00Z",
            "time_zone": "Australia/Lord_Howe",
            "rotation": {"unit": "week", "every": 2},
            "users": [["a"], ["b", "c"]],
            "restrictions": [{"days": ["MO", "FR"], "from": "18:00", "to": "06:00"}],
        }
    ],
    "overrides": [{"start": "2026-02-01T00:00:00Z", "end": "2026-02-02T00:00:00Z", "users": ["d"], "priority": 3}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole document with one place set to something else."""
    result: Any = copy.deepcopy(WHOLE)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = result
    for part in parents:
        place = place[part]
    place[last] = value
    return result  # type: ignore[no-any-return]


def problems(document: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        parse_schedule(document)
    return refusal.value.fields


def test_every_field_of_the_contract_arrives() -> None:
    schedule = parse_schedule(WHOLE)
    (layer,), (override,) = schedule.layers, schedule.overrides
    assert (schedule.name, schedule.time_zone) == ("primary", "Europe/Berlin")
    assert (layer.name, layer.priority, layer.time_zone) == ("weekly", 2, "Australia/Lord_Howe")
    assert layer.start_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert layer.until_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert layer.rotation == Rotation(Unit.WEEK, 2)
    assert layer.users == (("a",), ("b", "c"))
    assert layer.restrictions == (Restriction(time(18), time(6), frozenset({0, 4})),)
    assert (override.users, override.priority, override.created) == (("d",), 3, 0)


def test_what_may_be_left_out_has_its_default() -> None:
    schedule = parse_schedule(
        {
            "name": "x",
            "time_zone": "UTC",
            "layers": [{"start": "2026-01-05", "rotation": {"unit": "day"}, "users": ["a"]}],
        }
    )
    (layer,) = schedule.layers
    assert (layer.name, layer.priority, layer.until_at, layer.restrictions) == ("layers.0", 1, None, ())
    assert (layer.rotation.every, layer.time_zone, layer.users) == (1, "UTC", (("a",),))


def test_a_time_without_an_offset_is_a_wall_time_of_the_layers_zone() -> None:
    (layer,) = parse_schedule(changed("layers.0.start", "2026-01-05T09:00:00")).layers
    assert layer.start_at == datetime(2026, 1, 4, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_time", "read"), [(600, time(10)), ("9:30", time(9, 30)), ("24:00", time(0)), ("07:05:00", time(7, 5))]
)
def test_wall_times_come_as_text_or_as_yaml_reads_them(given_time: object, read: time) -> None:
    (layer,) = parse_schedule(changed("layers.0.restrictions.0.to", given_time)).layers
    assert layer.restrictions[0].closes == read


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", ""),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", None),
        ("layers", "weekly"),
        ("layers.0.start", "soon"),
        ("layers.0.start", None),
        ("layers.0.until", "2026-01-05T08:00:00Z"),
        ("layers.0.time_zone", "Europe"),
        ("layers.0.priority", "high"),
        ("layers.0.priority", True),
        ("layers.0.rotation.unit", "fortnight"),
        ("layers.0.rotation.every", 0),
        ("layers.0.rotation.every", 10**12),
        ("layers.0.users", []),
        ("layers.0.users", [[]]),
        ("layers.0.users", "a"),
        ("layers.0.restrictions.0.from", "25:00"),
        ("layers.0.restrictions.0.to", -5),
        ("layers.0.restrictions.0.days", ["XX"]),
        ("layers.0.restrictions.0.days", []),
        ("layers.0.unitl", "2026-12-31"),
        ("overrides.0.end", "2026-02-01T00:00:00Z"),
        ("overrides.0.users", []),
    ],
)
def test_a_mistake_is_named_by_its_path_and_nothing_else_is(path: str, value: object) -> None:
    fields = problems(changed(path, value))
    assert list(fields) == [path]
    assert fields[path]


def test_a_user_that_is_no_text_is_named_within_its_turn() -> None:
    assert list(problems(changed("layers.0.users.1", ["b", 7]))) == ["layers.0.users.1.1"]


def test_all_mistakes_come_at_once() -> None:
    document = changed("layers.0.rotation.unit", "moon")
    document["overrides"][0]["start"] = "later"
    document["name"] = 3
    assert set(problems(document)) == {"name", "layers.0.rotation.unit", "overrides.0.start"}


def test_a_schedule_of_nothing_and_a_huge_one_are_refused() -> None:
    assert set(problems({"name": "x", "time_zone": "UTC"})) == {"layers"}
    assert set(problems(changed("overrides", WHOLE["overrides"] * 10_001))) == {"overrides"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from", "to", "unit", "start", "users"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.sampled_from(
        [
            "name",
            "time_zone",
            "layers",
            "overrides",
            "layers.0",
            "layers.0.users",
            "layers.0.rotation",
            "layers.0.start",
            "layers.0.restrictions",
            "overrides.0.start",
            "layers.0.restrictions.0.from",
        ]
    ),
    json_values,
)
def test_whatever_stands_in_a_field_is_read_or_refused_but_never_an_accident(path: str, value: Any) -> None:
    with suppress(Invalid):
        assert parse_schedule(changed(path, value)).name
