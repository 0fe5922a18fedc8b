"""Health: the first word that fits, and never green without knowledge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.objective_health import Direction, HealthReason, Observation, direction, health

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMIT = timedelta(minutes=10)


def _seen(**changes: object) -> Observation:
    fields: dict[str, object] = {
        "last_data_at": NOW,
        "invalid_at": None,
        "silence_limit": LIMIT,
        "remaining": Fraction(1, 2),
        "breaching": False,
        "alerting": False,
        "recent_valid": 10,
    }
    return Observation(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, HealthReason.MET),
        ({"breaching": True}, HealthReason.BURNING),
        ({"alerting": True}, HealthReason.BURNING),
        ({"remaining": Fraction(0), "breaching": True}, HealthReason.EXHAUSTED),
        ({"remaining": Fraction(-3)}, HealthReason.EXHAUSTED),
        ({"remaining": None}, HealthReason.MET),
        ({"recent_valid": 0}, HealthReason.NO_TRAFFIC),
        ({"recent_valid": 0, "remaining": None}, HealthReason.NO_TRAFFIC),
        ({"last_data_at": None}, HealthReason.NO_DATA),
        ({"last_data_at": NOW - LIMIT}, HealthReason.MET),
        ({"last_data_at": NOW - LIMIT - timedelta(microseconds=1)}, HealthReason.NO_DATA),
        ({"last_data_at": NOW - timedelta(hours=1), "alerting": True}, HealthReason.NO_DATA),
        ({"invalid_at": NOW}, HealthReason.INVALID),
        ({"invalid_at": NOW - timedelta(seconds=1)}, HealthReason.MET),
        ({"invalid_at": NOW, "last_data_at": None}, HealthReason.INVALID),
    ],
)
def test_the_first_word_that_fits(changes: dict[str, object], expected: HealthReason) -> None:
    assert health(_seen(**changes), now=NOW) is expected


@given(
    silence=st.timedeltas(timedelta(minutes=10, microseconds=1), timedelta(days=400)),
    left=st.none() | st.fractions(-10, 1),
    valid=st.integers(0, 10**9),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_nothing_a_silent_source_left_behind_makes_it_green(
    silence: timedelta, left: Fraction | None, valid: int, flags: tuple[bool, bool]
) -> None:
    seen = _seen(last_data_at=NOW - silence, remaining=left, recent_valid=valid, breaching=flags[0], alerting=flags[1])
    assert health(seen, now=NOW) is HealthReason.NO_DATA


@pytest.mark.parametrize(
    ("short", "long", "word"),
    [
        (20, 20, Direction.BURNING),
        (20, 1, Direction.RISING),
        (1, 20, Direction.RECOVERING),
        (1, 1, Direction.FINE),
        (14, 14, Direction.FINE),
        (None, 20, Direction.RECOVERING),
        (20, None, Direction.RISING),
        (None, None, Direction.UNKNOWN),
    ],
)
def test_the_direction_follows_which_window_is_strictly_over_the_limit(
    short: int | None, long: int | None, word: Direction
) -> None:
    burns = [None if burn is None else Fraction(burn) for burn in (short, long)]
    assert direction(burns[0], burns[1], limit=Fraction(14)) is word
