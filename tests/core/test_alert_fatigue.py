"""Alerts beside breaches: what counts as an alert that nobody needed, and what is unknown."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tocsin.core.alert_fatigue import Answer, answer, fatigue


@pytest.mark.parametrize(
    ("has_incident", "taken", "is_open", "is_void", "expected"),
    [
        (False, False, False, False, Answer.ASKED_NOBODY),
        (True, True, True, False, Answer.ACTED_ON),
        (True, True, False, False, Answer.ACTED_ON),
        (True, False, True, False, Answer.UNDECIDED),
        (True, False, False, False, Answer.NOT_ACTIONABLE),
        (True, True, False, True, Answer.NOT_ACTIONABLE),
    ],
)
def test_what_became_of_an_alert(
    has_incident: bool, taken: bool, is_open: bool, is_void: bool, expected: Answer
) -> None:
    assert answer(has_incident=has_incident, taken=taken, is_open=is_open, is_void=is_void) is expected


def test_shares_are_of_what_is_known_and_nothing_is_divided_by_nothing() -> None:
    found = fatigue(
        12, [Answer.ACTED_ON, Answer.ACTED_ON, Answer.NOT_ACTIONABLE, Answer.UNDECIDED, Answer.ASKED_NOBODY]
    )
    assert (found.alerts, found.alerts_per_breach, found.not_actionable_share) == (5, Fraction(5, 12), Fraction(1, 3))
    nothing = fatigue(0, [])
    assert (nothing.alerts_per_breach, nothing.not_actionable_share) == (None, None)
