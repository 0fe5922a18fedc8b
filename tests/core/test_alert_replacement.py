"""Resource alerts on their way to SLOs: which steps there are, and how far a team has come at any instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.core.alert_replacement import STEPS, Replacement, Step, may_become, share_at, shares

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("present", "wanted", "allowed"),
    [
        (Replacement.ACTIVE, Replacement.PLANNED, True),
        (Replacement.ACTIVE, Replacement.REPLACED, True),
        (Replacement.PLANNED, Replacement.REPLACED, True),
        (Replacement.PLANNED, Replacement.ACTIVE, True),
        (Replacement.REPLACED, Replacement.ACTIVE, True),
        (Replacement.REPLACED, Replacement.PLANNED, False),
        (Replacement.RETIRED, Replacement.REPLACED, False),
    ],
)
def test_the_steps_between_states(present: Replacement, wanted: Replacement, allowed: bool) -> None:
    assert may_become(present, wanted) is allowed


def test_every_state_has_a_way_on() -> None:
    assert set(STEPS) == set(Replacement)
    assert all(STEPS.values())


def test_the_share_follows_the_steps_to_the_instant() -> None:
    steps = [
        Step(1, Replacement.ACTIVE, NOON),
        Step(2, Replacement.ACTIVE, NOON),
        Step(1, Replacement.REPLACED, NOON + HOUR),
        Step(2, Replacement.RETIRED, NOON + 2 * HOUR),
    ]
    instants = [NOON - HOUR, NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert [one.ratio for one in shares(steps, instants)] == [None, 0, Fraction(1, 2), 1]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(list(Replacement)), st.integers(0, 48))),
    st.integers(0, 48),
)
def test_a_share_never_counts_more_than_there_are(told: list[tuple[int, Replacement, int]], hour: int) -> None:
    steps = [Step(alert, state, NOON + at * HOUR) for alert, state, at in told]
    found = share_at(steps, at=NOON + hour * HOUR)
    assert 0 <= found.replaced <= found.of <= len({alert for alert, _, at in told if at <= hour})
